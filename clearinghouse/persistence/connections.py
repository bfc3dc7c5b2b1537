"""Roaming connections, and the history of what both sides approved."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import RowMapping, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.partners import Connection, ConnectionKind
from clearinghouse.ochp.plain import to_plain
from clearinghouse.persistence import audit
from clearinghouse.persistence.changes import stamped
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import connection, connection_period

KEY = ("operator_id", "provider_id", "kind")
NEW = insert(connection)
PUT = NEW.on_conflict_do_update(
    index_elements=KEY,
    set_={column.name: NEW.excluded[column.name] for column in connection.c if column.name not in KEY},
)
OF_KEY = select(connection).where(*(connection.c[name] == bindparam(f"the_{name}") for name in KEY)).with_for_update()
END = (
    update(connection_period)
    .where(*(connection_period.c[name] == bindparam(f"the_{name}") for name in KEY))
    .where(connection_period.c.ended.is_(None))
    .values(ended=bindparam("new_number"))
)
BEGIN = insert(connection_period)


def _connection(row: RowMapping) -> Connection:
    return Connection(**{**row, "kind": ConnectionKind(row["kind"])})


class StoredConnections:
    """Implements `Connections`."""

    def __init__(self, db: Statements, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def put(self, new: Connection, actor: str) -> None:
        """Create or replace the connection of these two parties and this kind."""
        name = f"{new.operator_id} {new.provider_id} {new.kind.value}"
        audit.record(self._db, self._clock(), actor, "connection", name, put=to_plain(new))
        key = {f"the_{each}": getattr(new, each) for each in KEY}
        before = self._db.execute(OF_KEY, key).mappings().one_or_none()
        if before is not None and _connection(before) == new:
            return
        with stamped(self._db, self._clock) as number:
            self._db.execute(PUT, vars(new))
            self._db.execute(END, {**key, "new_number": number})
            if new.approved_by_operator and new.approved_by_provider:
                agreed = {each: getattr(new, each) for each in (*KEY, "valid_from", "valid_until")}
                self._db.execute(BEGIN, {**agreed, "begun": number})

    def all(self, party_ids: Iterable[str] | None = None) -> list[Connection]:
        """All connections, or those in which one of these parties takes part."""
        statement = select(connection).order_by(*(connection.c[name] for name in KEY))
        if party_ids is not None:
            ids = list(party_ids)
            statement = statement.where(or_(connection.c.operator_id.in_(ids), connection.c.provider_id.in_(ids)))
        return [_connection(row) for row in self._db.execute(statement).mappings()]
