"""Statements for the paths that are taken most: written in SQLAlchemy as all are, run on the driver's own cursor.

SQLAlchemy takes as long to execute a statement as the driver does to run it. What it adds, turning parameters and
columns into what their types ask for, is not needed where the driver understands them as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import ClauseElement

from clearinghouse.persistence.engine import Statements, database_url, unreachable

DIALECT = database_url("postgresql://").get_dialect()()


class Prepared:
    """A statement that gives few rows. Dictionaries go in, and come out, as JSON."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled = statement.compile(dialect=DIALECT)
        self._text = str(compiled)
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def one(self, db: Statements, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The row, if there is one. Raises StoreUnreachable where the connection breaks, and psycopg.Error."""
        with self._executed(db, parameters) as cursor:
            return cursor.fetchone()

    def all(self, db: Statements, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row. Raises as `one` does."""
        with self._executed(db, parameters) as cursor:
            return cursor.fetchall()

    def run(self, db: Statements, parameters: Mapping[str, Any]) -> None:
        """Execute what gives no row. Raises as `one` does."""
        with self._executed(db, parameters):
            pass

    @contextmanager
    def _executed(self, db: Statements, parameters: Mapping[str, Any]) -> Iterator[psycopg.Cursor[Any]]:
        values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in parameters.items()}
        with db.lend(self) as cursor:
            try:
                yield cursor.execute(self._text, self._constants | values)
            except psycopg.OperationalError as error:
                if cursor.connection.closed:
                    raise unreachable(error) from error
                raise
