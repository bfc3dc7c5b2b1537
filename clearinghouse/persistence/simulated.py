"""The memory of the station simulator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.types import Text

from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import simulated_evse

NEW = insert(simulated_evse)
KEPT = {"idle": NEW.excluded.idle, "wakes_at": NEW.excluded.wakes_at}
PUT = NEW.on_conflict_do_update(index_elements=["evse_key"], set_={**KEPT, "document": NEW.excluded.document})
LOCK = NEW.on_conflict_do_update(index_elements=["evse_key"], set_={"evse_key": NEW.excluded.evse_key}).returning(
    simulated_evse.c.document
)
"""Locks the EVSE's row, and makes one to lock where there is none."""
GET = select(simulated_evse.c.document).where(simulated_evse.c.evse_key == bindparam("evse_key"))
KEYED: Select[Any] = select(simulated_evse.c.evse_key, simulated_evse.c.document)
DUE = KEYED.where(simulated_evse.c.wakes_at <= bindparam("now")).order_by(simulated_evse.c.evse_key)
DOCUMENTS = KEYED.where(
    simulated_evse.c.evse_key == any_(bindparam("evse_keys", type_=ARRAY(Text))),
    simulated_evse.c.document.is_not(None),
)

BUSY = select(simulated_evse.c.evse_key).where(~simulated_evse.c.idle)


class StoredSimulatedEvses:
    """Implements `SimulatedEvses`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def get(self, evse_key: str, *, lock: bool = False) -> dict[str, Any] | None:
        """The EVSE's document; with `lock`, nobody else changes this EVSE until the transaction ends."""
        if lock:
            return self._document(LOCK, {"evse_key": evse_key, "idle": True, "wakes_at": None, "document": None})
        return self._document(GET, {"evse_key": evse_key})

    def put(self, evse_key: str, document: dict[str, Any], *, idle: bool, wakes_at: datetime | None) -> None:
        """Store the document, and when time alone will change it, if ever."""
        self._db.execute(PUT, {"evse_key": evse_key, "idle": idle, "wakes_at": wakes_at, "document": document})

    def due(self, now: datetime) -> dict[str, dict[str, Any]]:
        """The documents of the EVSEs whose time to wake has come, by key."""
        return {row.evse_key: row.document for row in self._db.execute(DUE, {"now": now})}

    def documents(self, evse_keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The documents of these EVSEs, those that have one."""
        rows = self._db.execute(DOCUMENTS, {"evse_keys": list(evse_keys)})
        return {row.evse_key: row.document for row in rows}

    def busy(self) -> frozenset[str]:
        """The keys of the EVSEs that were stored as not idle."""
        return frozenset(self._db.execute(BUSY).scalars())

    def _document(self, statement: Any, parameters: dict[str, Any]) -> dict[str, Any] | None:
        document: dict[str, Any] | None = self._db.execute(statement, parameters).scalar_one_or_none()
        return document
