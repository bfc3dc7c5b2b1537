"""Many rows at once: through COPY into a temporary table, from which statements go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from psycopg import sql
from sqlalchemy import Column, MetaData, Table, text
from sqlalchemy.schema import CreateTable

from clearinghouse.persistence.engine import Statements

T = TypeVar("T")


def overlapped(records: Iterable[T], size: int, work: Callable[[list[T]], None]) -> int:
    """Do the work on so many records at a time in a thread, while the next ones are made here; how many they were.

    The database works on one core while the next records are read on another; neither waits long for the other.
    """
    count = 0
    with ThreadPoolExecutor(1, "bulk") as pool:
        before: Future[None] | None = None
        for batch in _batched(records, size):
            count += len(batch)
            if before:
                before.result()
            before = pool.submit(work, batch)
        if before:
            before.result()
    return count


def _batched(records: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(records)
    while batch := list(islice(waiting, size)):
        yield batch


def temporary(name: str, *columns: Column[object]) -> Table:
    """A table that is there for one transaction; `filled` makes it."""
    return Table(name, MetaData(), *columns, prefixes=["TEMPORARY"], postgresql_on_commit="DROP")


def filled(db: Statements, table: Table, rows: Iterable[Sequence[object]]) -> int:
    """Make the temporary table and put the rows into it, in the order of its columns; returns how many they are.

    Raises RuntimeError outside of a transaction.
    """
    db.execute(CreateTable(table, if_not_exists=True))
    db.execute(text(f'TRUNCATE "{table.name}"'))
    names = sql.SQL(", ").join(sql.Identifier(name) for name in table.columns.keys())  # noqa: SIM118
    count = 0
    with (
        db.lend(table) as cursor,
        cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)) as copy,
    ):
        for row in rows:
            copy.write_row(row)
            count += 1
    db.execute(text(f'ANALYZE "{table.name}"'))
    return count
