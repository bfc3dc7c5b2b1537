"""The CDRs of an operator."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.own_cdrs import OwnCdr, OwnCdrState
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.operator_tables import own_cdr, own_cdr_number

SHOWN = (own_cdr.c.number, own_cdr.c.document)
OF_ID = select(*SHOWN).where(own_cdr.c.cdr_id == bindparam("key"))
OF_SESSION = select(*SHOWN).where(own_cdr.c.direct_id == bindparam("key"))
QUEUE = (
    select(*SHOWN)
    .where(own_cdr.c.state == OwnCdrState.QUEUED.value)
    .order_by(own_cdr.c.number)
    .limit(bindparam("at_most"))
)
SAVE = update(own_cdr).where(own_cdr.c.number == bindparam("saved"))
COUNTS = select(own_cdr.c.state, func.count().label("times")).group_by(own_cdr.c.state)


def _row(cdr: OwnCdr) -> dict[str, Any]:
    return {
        "cdr_id": cdr.cdr_id,
        "direct_id": cdr.direct_id,
        "state": cdr.state.value,
        "document": to_plain(cdr),
    }


def _cdr(row: Row[Any]) -> OwnCdr:
    return dataclasses.replace(from_plain(OwnCdr, row.document), number=row.number)


class StoredOwnCdrs:
    """Implements `OwnCdrs`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def new_number(self) -> int:
        """A number that no CDR has."""
        return int(self._db.execute(select(own_cdr_number.next_value())).scalar_one())

    def add(self, cdr: OwnCdr) -> None:
        """Store a new CDR."""
        self._db.execute(insert(own_cdr), _row(cdr))

    def get(self, cdr_id: str, *, lock: bool = False) -> OwnCdr | None:
        """The CDR of this id."""
        row = self._db.execute(OF_ID.with_for_update() if lock else OF_ID, {"key": cdr_id}).one_or_none()
        return None if row is None else _cdr(row)

    def of_session(self, direct_id: str) -> OwnCdr | None:
        """The CDR of a session."""
        row = self._db.execute(OF_SESSION, {"key": direct_id}).one_or_none()
        return None if row is None else _cdr(row)

    def save(self, cdr: OwnCdr) -> None:
        """Replace the CDR. Raises UnknownId where there is none of this number."""
        if not self._db.execute(SAVE, _row(cdr) | {"saved": cdr.number}).rowcount:
            raise UnknownId(f"there is no CDR {cdr.cdr_id!r}")

    def queue(self, limit: int = 100) -> list[OwnCdr]:
        """The first CDRs to be uploaded, oldest first."""
        return [_cdr(row) for row in self._db.execute(QUEUE, {"at_most": limit})]

    def find(self, states: Collection[OwnCdrState] = (), limit: int = 100, before: int | None = None) -> list[OwnCdr]:
        """The newest first, of these states or of all; `before` continues below that number."""
        statement = select(*SHOWN).order_by(own_cdr.c.number.desc()).limit(limit)
        if states:
            statement = statement.where(own_cdr.c.state.in_([each.value for each in states]))
        if before is not None:
            statement = statement.where(own_cdr.c.number < before)
        return [_cdr(row) for row in self._db.execute(statement)]

    def counts(self) -> Mapping[OwnCdrState, int]:
        """How many CDRs are in each state."""
        return {OwnCdrState(row.state): row.times for row in self._db.execute(COUNTS)}
