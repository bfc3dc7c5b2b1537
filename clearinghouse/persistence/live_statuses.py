"""Live status: a word costs one statement, and a question costs what is new.

Writers do not wait for one another. Each holds a lock that they share from before it looks at the clock until it has
committed; a reader asks for that lock alone, once, before it reads, and so waits for the writers that have their time
already. What a reader does not find was therefore received after its question.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    and_,
    any_,
    bindparam,
    false,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.live_status import LiveStatus, Subject
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.ochp.live import MajorStatus, MinorStatus
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.plain import to_plain
from clearinghouse.persistence.charge_point_tables import charge_point
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.live_status_tables import live_status
from clearinghouse.persistence.parties import FORMER, is_opened, is_visible, parties
from clearinghouse.persistence.prepared import Prepared
from clearinghouse.persistence.visibility import NOW, SINCE
from clearinghouse.services.live_status_port import Combination

LOCK = 0x0C4A_57A7
"""An advisory lock's number: shared by writers from the look at the clock to the commit, alone for readers."""
BATCH = 1000

PUT = Prepared(
    text(
        """
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(:lock) AS taken)
    INSERT INTO live_status AS old (key, subject, owner, identifier, major, minor, until, first_at, received_at)
    SELECT told.*, greatest(:now, clock_timestamp() + :ahead), greatest(:now, clock_timestamp() + :ahead)
    FROM turn, json_to_recordset(CAST(:told AS json)) AS told (
        key text, subject text, owner text, identifier text, major text, minor text, until timestamptz
    )
    ON CONFLICT (key) DO UPDATE SET
        identifier = excluded.identifier, major = excluded.major, minor = excluded.minor, until = excluded.until,
        received_at = excluded.received_at
    """
    )
)
"""The store looks at its clock when it has the lock; `ahead` is how far a simulated clock is ahead of it.

One parameter holds all that is told: the driver takes longer to write seven arrays than the server to read this.
"""
SETTLE = text("SELECT pg_advisory_lock(:lock), pg_advisory_unlock(:lock)")

ASKED = bindparam("subject", type_=Text())
EXPIRED = and_(live_status.c.until > SINCE, live_status.c.until <= NOW)
BELIEVED = or_(live_status.c.until.is_(None), live_status.c.until > NOW)
SEEN = (live_status.c.key, live_status.c.identifier, live_status.c.major, live_status.c.minor, live_status.c.until)


def _columns(*more: ColumnElement[Any]) -> Select[Any]:
    return select(*SEEN, *more).where(live_status.c.subject == ASKED)


FRESH = or_(live_status.c.received_at > SINCE, EXPIRED, is_opened(live_status.c.owner))
"""What is newer: received, ended, or behind a connection that is new."""
ALL = _columns(false().label("hidden")).where(is_visible(live_status.c.owner), BELIEVED)
NEWER = _columns(false().label("hidden")).where(is_visible(live_status.c.owner), FRESH)
HIDDEN = (
    _columns(true().label("hidden"))
    .join(FORMER, FORMER.c.id == live_status.c.owner)
    .where(live_status.c.first_at <= FORMER.c.ended)
)
"""What stood behind a connection that ended since."""


def _with_spots() -> Select[Any]:
    """EVSEs, each with its parking spots' keys and what is known of them.

    Spots are found by key and filtered after that: a plan that looks for their owners first reads all of a large one's.
    """
    spot = live_status.alias("spot")
    spots = (
        select(
            func.jsonb_agg(func.jsonb_build_array(spot.c.key, spot.c.major, spot.c.until)).filter(
                is_visible(spot.c.owner)
            )
        )
        .where(spot.c.key == any_(charge_point.c.parking_keys))
        .correlate(charge_point)
        .scalar_subquery()
    )
    point = and_(charge_point.c.key == live_status.c.key, ~charge_point.c.gone)
    return (
        _columns(false().label("hidden"), charge_point.c.parking_keys, spots.label("spots"))
        .select_from(live_status.outerjoin(charge_point, point))
        .where(is_visible(live_status.c.owner))
    )


def _fresh_or_behind() -> CompoundSelect[tuple[str]]:
    """The keys of EVSEs that are newer, or one of whose parking spots is."""
    moved = _fresh(Subject.PARKING).with_only_columns(func.array_agg(live_status.c.key)).scalar_subquery()
    behind = select(charge_point.c.key).where(charge_point.c.parking_keys.overlap(moved), ~charge_point.c.gone)
    return _fresh(Subject.EVSE).union(behind)


def _fresh(subject: Subject) -> Select[tuple[str]]:
    return select(live_status.c.key).where(
        live_status.c.subject == subject.value, is_visible(live_status.c.owner), FRESH
    )


FRESH_KEYS = bindparam("fresh_keys", type_=ARRAY(Text))
FIND_FRESH = _fresh_or_behind()
"""Read on its own: a plan that does not know how few they are reads all that is known of all EVSEs beside them."""
COMBINED_ALL = _with_spots().where(BELIEVED)
COMBINED_NEWER = _with_spots().where(live_status.c.key == any_(FRESH_KEYS))

MAJORS = {each.value: each for each in MajorStatus}
MINORS: dict[str | None, MinorStatus | None] = {None: None, **{each.value: each for each in MinorStatus}}


class StoredLiveStatuses:
    """Implements `LiveStatuses`."""

    def __init__(self, db: Statements, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def put(self, statuses: Sequence[LiveStatus]) -> None:
        """Keep these, received now, in one statement; each key comes once."""
        told = [{**to_plain(each), "owner": each.owner} for each in sorted(statuses, key=lambda each: each.key)]
        now = self._clock()
        ahead = now - datetime.now(UTC)
        PUT.run(self._db, {"told": json.dumps(told), "lock": LOCK, "now": now, "ahead": ahead})

    def seen(
        self, subject: Subject, provider_ids: Iterable[str], now: datetime, since: datetime | None
    ) -> Iterator[LiveStatus]:
        """What these providers may see: all that is believed now, or what is newer than `since`."""
        asked = self._question(subject, provider_ids, now, since)
        for row in self._rows(ALL if since is None else NEWER, asked):
            yield _status(row, subject, now)

    def combinations(self, provider_ids: Iterable[str], now: datetime, since: datetime | None) -> Iterator[Combination]:
        """As `seen` of EVSEs, where one is newer also when one of its parking spots is."""
        asked = self._question(Subject.EVSE, provider_ids, now, since)
        statement = COMBINED_ALL
        if since is not None:
            statement = COMBINED_NEWER
            asked[FRESH_KEYS.key] = [*self._db.execute(FIND_FRESH, asked).scalars()]
        for row in self._rows(statement, asked):
            yield _status(row, Subject.EVSE, now), () if row.hidden else tuple(_spots(row, now))

    def _question(
        self, subject: Subject, provider_ids: Iterable[str], now: datetime, since: datetime | None
    ) -> dict[str, Any]:
        """The parameters of all statements; from now on, every word that has its time is there."""
        found = parties(self._db, Role.PROVIDER, provider_ids, ConnectionKind.STATUS, now, since)
        self._db.execute(SETTLE, {"lock": LOCK})
        return {**found.parameters, "subject": subject.value, "now": now, "since": since}

    def _rows(self, statement: Select[Any], asked: dict[str, Any]) -> Iterator[Row[Any]]:
        """The rows of the statement, then those that are hidden."""
        yield from self._db.execute(statement.execution_options(yield_per=BATCH), asked)
        if asked["former_parties"]:
            yield from self._db.execute(HIDDEN.execution_options(yield_per=BATCH), asked)


def _status(row: Sequence[Any], subject: Subject, now: datetime) -> LiveStatus:
    key, identifier, major, minor, until, hidden, *_ = row
    status = LiveStatus(
        subject=subject, key=key, identifier=identifier, major=MAJORS[major], minor=MINORS[minor], until=until
    )
    return status.unknown() if hidden else status.at(now)


def _spots(row: Row[Any], now: datetime) -> Iterator[LiveStatus | None]:
    known = {key: (major, until) for key, major, until in row.spots or ()}
    for key in row.parking_keys or ():
        if key not in known:
            yield None
            continue
        major, until = known[key]
        yield LiveStatus(
            subject=Subject.PARKING,
            key=key,
            identifier=key,
            major=MAJORS[major],
            until=datetime.fromisoformat(until) if until else None,
        ).at(now)
