"""Connections for single statements: kept open and lent, because SQLAlchemy's pool takes as long as the statement."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, NullPool, event

from clearinghouse.persistence.engine import PATIENCE, make_engine
from clearinghouse.persistence.errors import StoreUnreachable


@dataclass(frozen=True)
class Kept:
    """A connection as SQLAlchemy and as the driver know it, a cursor, and what tells whether the server ended it."""

    connection: Connection
    driver: psycopg.Connection[Any]
    cursor: psycopg.Cursor[Any]
    poll: select.poll

    @property
    def is_sound(self) -> bool:
        """Whether it can be used: on one that is idle, only the server's farewell can have arrived."""
        return not self.driver.closed and not self.poll.poll(0)


class SingleConnections:
    """Lends up to `most` connections that commit each statement, the one that was used last first."""

    def __init__(self, url: str, most: int) -> None:
        self._engine = make_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        event.listen(self._engine, "connect", _plan_once)
        self._free = threading.Semaphore(most)
        self._idle: list[Kept] = []

    @contextmanager
    def lent(self) -> Iterator[Kept]:
        """A connection for one statement. Raises StoreUnreachable where none gets free, or none can be made."""
        if not self._free.acquire(timeout=PATIENCE):
            raise StoreUnreachable(f"all connections to the database were in use for {PATIENCE} s")
        try:
            kept = self._taken()
            try:
                yield kept
            finally:
                self._give_back(kept)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            _drop(self._idle.pop())

    def _taken(self) -> Kept:
        with suppress(IndexError):  # none is idle; others take from these at the same time
            while True:
                kept = self._idle.pop()
                if kept.is_sound:
                    return kept
                _drop(kept)
        connection = self._engine.connect()
        driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
        poll = select.poll()
        poll.register(driver.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return Kept(connection, driver, driver.cursor(), poll)

    def _give_back(self, kept: Kept) -> None:
        if kept.driver.pgconn.transaction_status != TransactionStatus.IDLE:  # broken, or in the middle of something
            _drop(kept)
            return
        if kept.connection.in_transaction():  # what SQLAlchemy calls so: each statement is committed
            kept.connection.rollback()
        self._idle.append(kept)


def _drop(kept: Kept) -> None:
    kept.connection.invalidate()
    kept.connection.close()


def _plan_once(connection: psycopg.Connection[Any], _record: object) -> None:
    """Let the server plan each prepared statement once: of a look-up by index it would plan longer than it looks."""
    connection.execute("SET plan_cache_mode = force_generic_plan")
