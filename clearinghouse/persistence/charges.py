"""Charges of a provider, their history, and what was told about them already."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, bindparam, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from clearinghouse.domain.charges import Charge, ChargeEvent
from clearinghouse.domain.errors import Conflict, UnknownId
from clearinghouse.ochp.identifiers import contract_key, evse_key
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import charge, charge_event, charge_message

OF_ID: Select[Any] = select(charge.c.document).where(charge.c.id == bindparam("key"))
OF_DIRECT_ID: Select[Any] = (
    select(charge.c.document)
    .where(charge.c.direct_id == bindparam("key"))
    .order_by(charge.c.created_at.desc(), charge.c.id.desc())
    .limit(1)
)
ADD = upsert(charge).on_conflict_do_nothing(index_elements=["id"]).returning(charge.c.id)
SAVE = update(charge).where(charge.c.id == bindparam("saved"))
REMEMBER = upsert(charge_message).on_conflict_do_nothing().returning(charge_message.c.direct_id)

HISTORY_LOCK = 0x0C4A_26E5
"""An advisory lock's number: whoever notes an event holds it to the end of the transaction."""
_turn = select(func.pg_advisory_xact_lock(HISTORY_LOCK).label("turn")).cte("turn")
_entry = ("charge_id", "at", "kind", "detail")
NOTE = (
    insert(charge_event)
    .from_select(
        _entry,
        select(*(bindparam(f"new_{name}", type_=charge_event.c[name].type) for name in _entry)).select_from(_turn),
    )
    .returning(charge_event)
)
"""Numbers are given and become visible in the same order, so that a reader who resumes by number misses nothing."""


def _row(each: Charge) -> dict[str, Any]:
    return {
        "id": each.id,
        "evse_key": _evse(each.evse_id),
        "contract_key": contract_key(each.contract_id),
        "direct_id": each.direct_id,
        "state": each.state.value,
        "created_at": each.created_at,
        "document": to_plain(each),
    }


def _evse(evse_id: str) -> str:
    return evse_key(evse_id) or evse_id


def _event(row: RowMapping) -> ChargeEvent:
    return ChargeEvent(**row)


class StoredCharges:
    """Implements `Charges`. `note` belongs at the end of a transaction: others wait with theirs until it is over."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def add(self, new: Charge) -> None:
        """Store a new charge. Raises Conflict where there is one of this id."""
        if self._db.execute(ADD, _row(new)).first() is None:
            raise Conflict(f"there is a charge {new.id!r} already")

    def get(self, charge_id: str, *, lock: bool = False) -> Charge | None:
        """The charge of this id."""
        return self._one(OF_ID, charge_id, lock=lock)

    def by_direct_id(self, direct_id: str, *, lock: bool = False) -> Charge | None:
        """The newest charge with this direct id."""
        return self._one(OF_DIRECT_ID, direct_id, lock=lock)

    def save(self, changed: Charge) -> None:
        """Replace the charge. Raises UnknownId where there is none of this id."""
        if not self._db.execute(SAVE, _row(changed) | {"saved": changed.id}).rowcount:
            raise _unknown(changed.id)

    def find(
        self, *, contract_id: str | None = None, evse_id: str | None = None, limit: int = 100, before: str | None = None
    ) -> list[Charge]:
        """The newest charges first, IDs in any spelling; `before` continues after the charge of that id.

        Raises UnknownId where there is no such charge.
        """
        statement = select(charge.c.document).order_by(charge.c.created_at.desc(), charge.c.id.desc()).limit(limit)
        if contract_id is not None:
            statement = statement.where(charge.c.contract_key == contract_key(contract_id))
        if evse_id is not None:
            statement = statement.where(charge.c.evse_key == _evse(evse_id))
        if before is not None:
            last = self.get(before)
            if last is None:
                raise _unknown(before)
            position = tuple_(literal(last.created_at), literal(before))
            statement = statement.where(tuple_(charge.c.created_at, charge.c.id) < position)
        return [from_plain(Charge, document) for document in self._db.execute(statement).scalars()]

    def note(self, charge_id: str, at: datetime, kind: str, detail: Mapping[str, object]) -> ChargeEvent:
        """Append to the history."""
        plain = {name: to_plain(value) for name, value in detail.items()}
        values = {"new_charge_id": charge_id, "new_at": at, "new_kind": kind, "new_detail": plain}
        return _event(self._db.execute(NOTE, values).mappings().one())

    def history(self, charge_id: str | None = None, after: int = 0, limit: int = 1000) -> list[ChargeEvent]:
        """Events of one charge or of all, after that number, oldest first."""
        statement = select(charge_event).where(charge_event.c.number > after)
        if charge_id is not None:
            statement = statement.where(charge_event.c.charge_id == charge_id)
        return [
            _event(row) for row in self._db.execute(statement.order_by(charge_event.c.number).limit(limit)).mappings()
        ]

    def newest_event(self) -> int:
        """The number of the last event, 0 where there is none."""
        return int(self._db.execute(select(func.coalesce(func.max(charge_event.c.number), 0))).scalar_one())

    def remember(self, direct_id: str, message: str, meter_time: str) -> bool:
        """Whether this message is new: (direct id, message, meter time) is stored once."""
        row = {"direct_id": direct_id, "message": message, "meter_time": meter_time}
        return self._db.execute(REMEMBER, row).first() is not None

    def _one(self, statement: Select[Any], key: str, *, lock: bool) -> Charge | None:
        locked = statement.with_for_update() if lock else statement
        document = self._db.execute(locked, {"key": key}).scalar_one_or_none()
        return None if document is None else from_plain(Charge, document)


def _unknown(charge_id: str) -> UnknownId:
    return UnknownId(f"there is no charge {charge_id!r}")
