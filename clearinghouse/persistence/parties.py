"""The filter by roaming connection, read on its own: for tables so large that a plan needs to know how many parties.

A statement that joins the filter is planned for any number of parties, and reads a table of one large operator from
end to end to find a handful of new rows. So the parties are read first, and given to the second statement as arrays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, any_, bindparam, column, func, literal, null, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import DateTime, Text

from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.ochp.operations import Role
from clearinghouse.persistence.changes import settle
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.visibility import connected, disconnected

INSTANT = DateTime(timezone=True)
NOW_CONNECTED = {role: select(connected(role)) for role in (Role.OPERATOR, Role.PROVIDER)}
THEN_AND_NOW = {
    role: union_all(
        select(connected(role).c.id, connected(role).c.since, literal(None, INSTANT).label("ended")),
        select(disconnected(role).c.id, null(), disconnected(role).c.ended),
    )
    for role in (Role.OPERATOR, Role.PROVIDER)
}

VISIBLE = bindparam("visible_parties", type_=ARRAY(Text))
OPENED = bindparam("opened_parties", type_=ARRAY(Text))
FORMER: TableValuedAlias = (
    func.unnest(bindparam("former_parties", type_=ARRAY(Text)), bindparam("former_ends", type_=ARRAY(INSTANT)))
    .table_valued(column("id", Text), column("ended", INSTANT))
    .render_derived("former")
)


@dataclass(frozen=True, kw_only=True)
class Parties:
    """Whose records a viewer may see: all, those behind a connection that is new, and those that it may no longer."""

    visible: tuple[str, ...]
    opened: tuple[str, ...] = ()
    former: tuple[tuple[str, datetime], ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """For statements that name `is_visible`, `is_opened` and `FORMER`."""
        return {
            "visible_parties": list(self.visible),
            "opened_parties": list(self.opened),
            "former_parties": [party for party, _ in self.former],
            "former_ends": [ended for _, ended in self.former],
        }


def is_visible(owner: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the record's party is connected to the viewer."""
    return owner == any_(VISIBLE)


def is_opened(owner: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the record's party is connected to the viewer by a connection that is not older than its question."""
    return owner == any_(OPENED)


def parties(
    db: Statements, viewer: Role, ids: Iterable[str], kind: ConnectionKind, now: datetime, since: datetime | None
) -> Parties:
    """Read the filter, after every change that has its time is committed."""
    settle(db)
    asked = {"viewer_ids": sorted(ids), "connection_kind": kind.value, "now": now}
    if since is None:
        return Parties(visible=tuple(row.id for row in db.execute(NOW_CONNECTED[viewer], asked)))
    rows = db.execute(THEN_AND_NOW[viewer], {**asked, "since": since}).all()
    there = [row for row in rows if row.ended is None]
    return Parties(
        visible=tuple(row.id for row in there),
        opened=tuple(row.id for row in there if row.since >= since),
        former=tuple((row.id, row.ended) for row in rows if row.ended is not None),
    )
