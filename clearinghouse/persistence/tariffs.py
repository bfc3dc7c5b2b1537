"""Tariffs: those in force for readers, and all that ever were for looking at CDRs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Column, Row, Select, bindparam, column, exists, func, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import DateTime, Text

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.domain.tariffs import OwnedTariff, TariffVersion
from clearinghouse.ochp.identifiers import tariff_key
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.persistence.bulk import filled, temporary
from clearinghouse.persistence.changes import stamped
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.parties import is_visible, parties
from clearinghouse.persistence.tables import change
from clearinghouse.persistence.tariff_tables import tariff
from clearinghouse.persistence.visibility import KIND, NOW, SINCE, VIEWERS, turned

BATCH = 200
INSTANT = DateTime(timezone=True)

uploaded = temporary(
    "uploaded_tariff", Column("key", Text, primary_key=True), Column("operator_id", Text), Column("document", JSONB)
)

ONE_WRITER = text(
    "SELECT pg_advisory_xact_lock(hashtext('tariff'), hashtext(id)) FROM unnest(CAST(:ids AS text[])) AS id"
)
RETIRE = text(
    """
    UPDATE tariff SET valid_until = greatest(:now, tariff.valid_from)
    FROM uploaded_tariff AS uploaded
    WHERE tariff.key = uploaded.key AND tariff.valid_until IS NULL
        AND tariff.document IS DISTINCT FROM uploaded.document
    """
)
ENFORCE = text(
    """
    INSERT INTO tariff (key, operator_id, document, valid_from, change)
    SELECT key, operator_id, document, :now, :number FROM uploaded_tariff AS uploaded
    WHERE NOT EXISTS (SELECT FROM tariff AS old WHERE old.key = uploaded.key AND old.valid_until IS NULL)
    """
)
IN_FORCE = select(tariff.c.document).where(tariff.c.valid_until.is_(None)).order_by(tariff.c.key)
VISIBLE = IN_FORCE.where(is_visible(tariff.c.operator_id))
CHANGED = VISIBLE.join(change, change.c.number == tariff.c.change).where(
    or_(change.c.at >= SINCE, tariff.c.operator_id.in_(turned(Role.PROVIDER)))
)
"""Which of the reader's IDs are connected decides which entries it gets; so each of them that is new, or no longer
connected, changes what it sees."""
SAID = (tariff.c.document, tariff.c.valid_from, tariff.c.valid_until)
VERSIONS = select(*SAID).where(tariff.c.key == bindparam("asked")).order_by(tariff.c.valid_from, tariff.c.number)
_asked = (
    func.unnest(bindparam("keys", type_=ARRAY(Text)), bindparam("instants", type_=ARRAY(INSTANT)))
    .table_valued(column("key", Text), column("at", INSTANT))
    .render_derived("asked")
)
HELD = (
    select(tariff.c.key, *SAID)
    .where(
        exists().where(
            tariff.c.key == _asked.c.key,
            tariff.c.valid_from <= _asked.c.at,
            or_(tariff.c.valid_until.is_(None), tariff.c.valid_until > _asked.c.at),
        )
    )
    .order_by(tariff.c.number)
)


class StoredTariffs:
    """Implements `Tariffs`."""

    def __init__(self, db: Statements, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def put(self, tariffs: Sequence[OwnedTariff]) -> None:
        """Let these be in force from now on; only what differs is a new version."""
        if not tariffs:
            return
        self._db.execute(ONE_WRITER, {"ids": sorted({each.operator_id for each in tariffs})})
        filled(self._db, uploaded, map(_row, tariffs))
        now = self._clock()
        with stamped(self._db, self._clock) as number:
            self._db.execute(RETIRE, {"now": now})
            self._db.execute(ENFORCE, {"now": now, "number": number})

    def visible(self, provider_ids: Iterable[str], now: datetime) -> Iterator[TariffInfo]:
        """The tariffs in force of the operators that these providers are connected to, with every recipient's entry."""
        return self._read(VISIBLE, provider_ids, now, None)

    def changed(self, provider_ids: Iterable[str], now: datetime, since: datetime) -> Iterator[TariffInfo]:
        """Those of them that changed or became visible since then."""
        return self._read(CHANGED, provider_ids, now, since)

    def versions(self, tariff_id: str) -> list[TariffVersion]:
        """Every version of a tariff, the oldest first, whoever asks."""
        return [_version(row) for row in self._db.execute(VERSIONS, {"asked": tariff_key(tariff_id)})]

    def held(self, asked: Collection[tuple[str, datetime]]) -> dict[str, list[TariffVersion]]:
        """By Tariff-ID, the versions that were in force at any of its instants, whoever asks."""
        keys = {tariff_id: tariff_key(tariff_id) for tariff_id, _ in asked}
        instants = [at for _, at in asked]
        found: dict[str, list[TariffVersion]] = {}
        for row in self._db.execute(HELD, {"keys": [keys[tariff_id] for tariff_id, _ in asked], "instants": instants}):
            found.setdefault(row.key, []).append(_version(row))
        return {tariff_id: found.get(key or "", []) for tariff_id, key in keys.items()}

    def _read(
        self, statement: Select[Any], provider_ids: Iterable[str], now: datetime, since: datetime | None
    ) -> Iterator[TariffInfo]:
        ids = sorted(provider_ids)
        found = parties(self._db, Role.PROVIDER, ids, ConnectionKind.TARIFF, now, since)
        viewing = {VIEWERS.key: ids, KIND.key: ConnectionKind.TARIFF.value, NOW.key: now, SINCE.key: since}
        asked = {**found.parameters, **viewing}
        for document in self._db.execute(statement.execution_options(yield_per=BATCH), asked).scalars():
            yield from_plain(TariffInfo, document)


def _row(owned: OwnedTariff) -> tuple[Any, ...]:
    return owned.key, owned.operator_id, Jsonb(to_plain(owned.tariff))


def _version(row: Row[Any]) -> TariffVersion:
    said = from_plain(TariffInfo, row.document)
    return TariffVersion(tariff=said, valid_from=row.valid_from, valid_until=row.valid_until)
