"""Charge points, with exact deltas and the filter by roaming connection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from orjson import dumps
from sqlalchemy import (
    Column,
    ColumnElement,
    Executable,
    Select,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from clearinghouse.domain.charge_points import OwnedPoint, closed, withdrawn
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.persistence.bulk import filled, overlapped, temporary
from clearinghouse.persistence.changes import FIRST, first_change, stamped
from clearinghouse.persistence.charge_point_tables import charge_point
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.parties import FORMER, is_opened, is_visible, parties
from clearinghouse.persistence.tables import change
from clearinghouse.persistence.visibility import SINCE
from clearinghouse.services.charge_point_port import Taken

BATCH = 50
"""Rows that travel together: of more, the first are out of the processor's memory when their turn comes."""

TOGETHER = 500
"""Points that are stored by one statement, while the next are read."""

uploaded = temporary(
    "uploaded_charge_point",
    Column("key", Text),
    Column("operator_id", Text),
    Column("location_id", Text),
    Column("parking_keys", ARRAY(Text)),
    Column("document", JSONB),
)
located = temporary(
    "located_charge_point",
    Column("key", Text),
    Column("operator_id", Text),
    Column("location_id", Text),
    Column("place", JSONB),
)
"""What is kept of all uploaded points until the last of them is there."""

ONE_WRITER = text(
    "SELECT pg_advisory_xact_lock(hashtext('charge_point'), hashtext(id)) FROM unnest(CAST(:ids AS text[])) AS id"
)
MERGE = text(
    """
    INSERT INTO charge_point (key, operator_id, location_id, parking_keys, document, gone, created, change)
    SELECT key, uploaded.operator_id, uploaded.location_id, uploaded.parking_keys, uploaded.document, false,
        :number, :number
    FROM uploaded_charge_point AS uploaded LEFT JOIN charge_point AS old USING (key)
    WHERE old.change IS NULL OR old.gone OR old.document IS DISTINCT FROM uploaded.document
    ON CONFLICT (key) DO UPDATE SET
        location_id = excluded.location_id, parking_keys = excluded.parking_keys, document = excluded.document,
        gone = false, change = excluded.change
    """
)
"""Rows that are as they were are sorted out before the conflict, which would lock each of them."""
LOCATE = text(
    """
    INSERT INTO located_charge_point
    SELECT key, operator_id, location_id,
        jsonb_build_array(document -> 'charge_point_address', document -> 'charge_point_location')
    FROM uploaded_charge_point
    """
)
SWEEP = text(
    """
    UPDATE charge_point SET gone = true, change = :number
    WHERE operator_id = ANY(:ids) AND NOT gone
        AND NOT EXISTS (SELECT FROM located_charge_point AS located WHERE located.key = charge_point.key)
    """
)
SCATTERED = text(
    """
    WITH location AS (SELECT DISTINCT operator_id, location_id FROM located_charge_point),
    other AS (
        SELECT operator_id, location_id,
            jsonb_build_array(document -> 'charge_point_address', document -> 'charge_point_location') AS place
        FROM charge_point JOIN location USING (operator_id, location_id)
        WHERE NOT gone
            AND NOT EXISTS (SELECT FROM located_charge_point AS located WHERE located.key = charge_point.key)
    )
    SELECT location_id
    FROM (SELECT operator_id, location_id, place FROM located_charge_point UNION ALL SELECT * FROM other) AS point
    GROUP BY operator_id, location_id HAVING count(DISTINCT place) > 1
    ORDER BY location_id
    """
)


class As(StrEnum):
    """How a reader is told of a row."""

    IT_IS = "as it is"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


TOLD: Mapping[str, Callable[[ChargePointInfo], ChargePointInfo]] = {
    As.IT_IS: lambda point: point,
    As.CLOSED: closed,
    As.WITHDRAWN: withdrawn,
}


def _rows(told: ColumnElement[str]) -> Select[tuple[Any, str]]:
    return select(charge_point.c.document, told.label("told"))


AS_IT_IS, AS_CLOSED = literal(As.IT_IS.value), literal(As.CLOSED.value)
THERE = _rows(AS_IT_IS).where(is_visible(charge_point.c.operator_id), ~charge_point.c.gone)
born = aliased(change)


def _changed() -> tuple[Select[tuple[Any, str]], ...]:
    """What changed, what stands behind a connection that is new, and what stood behind one that ended since.

    Of the last, a reader learns nothing of what changed after the end.
    """
    moved = change.c.number == charge_point.c.change
    edited = (
        _rows(case((charge_point.c.gone, AS_CLOSED), else_=AS_IT_IS))
        .join(change, moved)
        .where(is_visible(charge_point.c.operator_id), charge_point.c.change >= FIRST, change.c.at >= SINCE)
    )
    opened = (
        _rows(AS_IT_IS)
        .join(change, moved)
        .where(is_opened(charge_point.c.operator_id), change.c.at < SINCE, ~charge_point.c.gone)
    )
    hidden = (
        _rows(case((change.c.at >= FORMER.c.ended, literal(As.WITHDRAWN.value)), else_=AS_CLOSED))
        .join(change, moved)
        .join(born, born.c.number == charge_point.c.created)
        .join(FORMER, FORMER.c.id == charge_point.c.operator_id)
        .where(born.c.at < FORMER.c.ended, or_(~charge_point.c.gone, change.c.at >= SINCE))
    )
    return edited, opened, hidden


EDITED, OPENED, HIDDEN = _changed()
CHANGED, CHANGED_OR_HIDDEN = union_all(EDITED, OPENED), union_all(EDITED, OPENED, HIDDEN)
"""One statement, so that all is of one instant."""
GET = select(charge_point.c.key, charge_point.c.document).where(
    charge_point.c.key == func.any(bindparam("asked", type_=ARRAY(Text))), ~charge_point.c.gone
)


class StoredChargePoints:
    """Implements `ChargePoints`."""

    def __init__(self, db: Statements, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def put(self, points: Iterable[OwnedPoint], owners: Collection[str], *, replace: bool) -> Taken:
        """Store these; with `replace`, whatever else the owners had is gone, unless there are none."""
        ids = sorted(owners)
        self._db.execute(ONE_WRITER, {"ids": ids})
        filled(self._db, located, ())
        with stamped(self._db, self._clock) as number:

            def put(batch: list[tuple[str, ...]]) -> None:
                filled(self._db, uploaded, batch)
                self._db.execute(MERGE, {"number": number})
                self._db.execute(LOCATE)

            count = overlapped(map(_row, points), TOGETHER, put)
            self._db.execute(text(f'ANALYZE "{located.name}"'))
            if replace and count:
                self._db.execute(SWEEP, {"number": number, "ids": ids})
            scattered = tuple(self._db.execute(SCATTERED).scalars())
        return Taken(count=count, scattered=scattered)

    def visible(self, provider_ids: Iterable[str], now: datetime) -> Iterator[ChargePointInfo]:
        """What is there of the operators that these providers are connected to."""
        found = parties(self._db, Role.PROVIDER, provider_ids, ConnectionKind.POI, now, None)
        return self._told(THERE, found.parameters)

    def changed(self, provider_ids: Iterable[str], now: datetime, since: datetime) -> Iterator[ChargePointInfo]:
        """What became visible, changed, or went since then; what went is `Closed`."""
        found = parties(self._db, Role.PROVIDER, provider_ids, ConnectionKind.POI, now, since)
        first = first_change(self._db, since)
        statement = CHANGED_OR_HIDDEN if found.former else CHANGED
        return self._told(statement, {**found.parameters, "since": since, FIRST.key: first})

    def get(self, evse_ids: Collection[str]) -> dict[str, ChargePointInfo]:
        """By these EVSE-IDs, the charge points that are known and not gone, as their operators said them."""
        keys = {evse_id: evse_key(evse_id) for evse_id in evse_ids}
        rows = self._db.execute(GET, {"asked": [*keys.values()]}) if keys else ()
        known = {row.key: row.document for row in rows}
        return {evse_id: from_plain(ChargePointInfo, known[key]) for evse_id, key in keys.items() if key in known}

    def _told(self, statement: Executable, parameters: dict[str, Any]) -> Iterator[ChargePointInfo]:
        for row in self._db.execute(statement.execution_options(yield_per=BATCH), parameters):
            yield TOLD[row.told](from_plain(ChargePointInfo, row.document))


def _row(owned: OwnedPoint) -> tuple[str, ...]:
    """The columns as texts, which the driver copies as they are; lists and documents would take it longer to write."""
    document = to_plain(owned.point)
    parking_keys = f"{{{','.join(owned.parking_keys)}}}"
    return owned.key, owned.operator_id, owned.point.location_id, parking_keys, dumps(document).decode()
