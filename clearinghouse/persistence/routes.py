"""The house's memory of relayed sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import route
from clearinghouse.services.endpoints_port import Route

KEY = ("direct_id", "operator", "provider")
NEW = insert(route)
PUT = NEW.on_conflict_do_update(
    index_elements=KEY,
    set_={column.name: NEW.excluded[column.name] for column in route.c if column.name not in (*KEY, "begun_at")},
)
BEGUN = (
    update(route)
    .where(*(route.c[name] == bindparam(f"the_{name}") for name in KEY), route.c.begun_at.is_(None))
    .values(begun_at=bindparam("at"))
)
FIND = (
    select(route)
    .where(
        route.c.direct_id == bindparam("direct_id"),
        or_(route.c.operator == bindparam("partner"), route.c.provider == bindparam("partner")),
    )
    .order_by(route.c.created_at.desc())
    .limit(1)
)


class StoredRoutes:
    """Implements `Routes`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def put(self, new: Route) -> None:
        """Remember, or renew, where a session lives; when it began to charge stays."""
        self._db.execute(PUT, {column.name: getattr(new, column.name) for column in route.c})

    def find(self, direct_id: str, partner: str) -> Route | None:
        """The newest route of this id in which the partner takes part."""
        row = self._db.execute(FIND, {"direct_id": direct_id, "partner": partner}).mappings().one_or_none()
        return None if row is None else Route(**row)

    def begun(self, direct_id: str, operator: str, provider: str, at: datetime) -> None:
        """Note that a session may have begun to charge, unless that was known before."""
        key = {"the_direct_id": direct_id, "the_operator": operator, "the_provider": provider}
        self._db.execute(BEGUN, {**key, "at": at})
