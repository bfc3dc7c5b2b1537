"""Reports about EVSEs."""

from __future__ import annotations

from sqlalchemy import insert, select

from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.tables import discrepancy
from clearinghouse.services.sessions_port import Discrepancy

SHOWN = [column for column in discrepancy.c if column is not discrepancy.c.number]


class StoredDiscrepancies:
    """Implements `Discrepancies`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def add(self, new: Discrepancy) -> None:
        """Keep the report."""
        self._db.execute(insert(discrepancy), {column.name: getattr(new, column.name) for column in SHOWN})

    def recent(self, limit: int = 100) -> list[Discrepancy]:
        """The newest first."""
        rows = self._db.execute(select(*SHOWN).order_by(discrepancy.c.number.desc()).limit(limit)).mappings()
        return [Discrepancy(**row) for row in rows]
