"""Direct sessions of an operator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Select, Text, bindparam, exists, func, literal_column, select, text, union_all, update
from sqlalchemy.dialects.postgresql import JSONB, insert

from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.sessions import Session
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.prepared import Prepared
from clearinghouse.persistence.tables import IS_OPEN, session, simulated_evse
from clearinghouse.services.stations_port import Reservation

OPEN_ROWS = text(IS_OPEN)
AT_EVSE: Select[Any] = select(session.c.document).where(session.c.evse_key == bindparam("evse_key"), OPEN_ROWS)
OF_ID: Select[Any] = select(session.c.document).where(session.c.direct_id == bindparam("direct_id"))
OVERDUE = (
    select(session.c.document)
    .where(session.c.deadline <= bindparam("now"), OPEN_ROWS)
    .order_by(session.c.deadline)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)
)
SAVE = update(session).where(session.c.direct_id == bindparam("saved"))
RECENT = select(session.c.document).order_by(session.c.selected_at.desc(), session.c.direct_id)

_new = (
    insert(session)
    .values({column.name: bindparam(f"new_{column.name}", type_=column.type) for column in session.c})
    .on_conflict_do_nothing(index_elements=["evse_key"], index_where=OPEN_ROWS)
    .returning(session.c.direct_id)
    .cte("new")
)
_holder = select(session.c.document).where(
    session.c.evse_key == bindparam("new_evse_key"), OPEN_ROWS, ~exists(select(_new.c.direct_id))
)
OPEN = Prepared(union_all(select(literal_column("NULL::jsonb")).select_from(_new), _holder))
"""Store the session and give nothing, or give the one that holds its EVSE."""

_kept = insert(simulated_evse).from_select(
    ["evse_key", "idle", "wakes_at", "document"],
    select(
        bindparam("new_evse_key", type_=Text),
        literal_column("false"),
        bindparam("until", type_=DateTime(timezone=True)),
        bindparam("evse", type_=JSONB),
    ).select_from(_new),
)
_kept_now = (
    _kept.on_conflict_do_update(
        index_elements=["evse_key"],
        set_={
            "idle": _kept.excluded.idle,
            "wakes_at": _kept.excluded.wakes_at,
            "document": func.coalesce(simulated_evse.c.document, literal_column("'{}'::jsonb")).op("||")(
                _kept.excluded.document
            ),
        },
        where=simulated_evse.c.idle,
    )
    .returning(simulated_evse.c.evse_key)
    .cte("kept")
)
OPEN_RESERVED = Prepared(
    union_all(
        select(literal_column("NULL::jsonb"), exists(select(_kept_now.c.evse_key))).select_from(_new),
        _holder.add_columns(literal_column("false")),
    )
)
"""Store the session and its reservation, the latter over what an idle EVSE remembers; or give the EVSE's holder."""


def _row(each: Session) -> dict[str, Any]:
    return {
        "direct_id": each.direct_id,
        "evse_key": each.evse_key,
        "state": each.state.value,
        "deadline": each.deadline,
        "selected_at": each.selected_at,
        "document": to_plain(each),
    }


class StoredSessions:
    """Implements `Sessions`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def open(self, new: Session) -> Session | None:
        """Store a new session; where its EVSE is held by another open one, store nothing and return that one."""
        values = {f"new_{name}": value for name, value in _row(new).items()}
        while True:
            row = OPEN.one(self._db, values)
            if row is not None:
                return None if row[0] is None else from_plain(Session, row[0])
            # A holder that came while the statement ran is met by the index, but not seen: look again.

    def open_reserved(self, new: Session, reservation: Reservation) -> tuple[Session | None, bool]:
        """Like `open`, and with a new session keep its EVSE if that is idle; tells whether it is kept."""
        values = {f"new_{name}": value for name, value in _row(new).items()}
        values |= {"until": reservation.until, "evse": reservation.document}
        while True:
            row = OPEN_RESERVED.one(self._db, values)
            if row is not None:
                return (None, row[1]) if row[0] is None else (from_plain(Session, row[0]), False)

    def get(self, direct_id: str, *, lock: bool = False) -> Session | None:
        """The session, locked against other writers until the transaction ends if asked."""
        return self._one(OF_ID, {"direct_id": direct_id}, lock=lock)

    def open_at(self, evse_key: str, *, lock: bool = False) -> Session | None:
        """The open session that holds this EVSE."""
        return self._one(AT_EVSE, {"evse_key": evse_key}, lock=lock)

    def save(self, changed: Session) -> None:
        """Replace the session. Raises UnknownId where there is none of this id."""
        if not self._db.execute(SAVE, _row(changed) | {"saved": changed.direct_id}).rowcount:
            raise UnknownId(f"there is no session {changed.direct_id!r}")

    def overdue(self, now: datetime, limit: int = 100) -> list[Session]:
        """Open sessions whose deadline has passed, oldest first, locked; ones that others hold are skipped."""
        rows = self._db.execute(OVERDUE, {"now": now, "at_most": limit})
        return [from_plain(Session, document) for document in rows.scalars()]

    def recent(self, limit: int = 100) -> list[Session]:
        """The newest sessions."""
        return [from_plain(Session, document) for document in self._db.execute(RECENT.limit(limit)).scalars()]

    def _one(self, statement: Select[Any], parameters: dict[str, str], *, lock: bool) -> Session | None:
        document = self._db.execute(statement.with_for_update() if lock else statement, parameters).scalar_one_or_none()
        return None if document is None else from_plain(Session, document)
