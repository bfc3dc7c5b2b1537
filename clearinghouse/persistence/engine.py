"""Connections to PostgreSQL: engines that cost no round trip to check, and what the repositories need of one."""

from __future__ import annotations

import select
from contextlib import AbstractContextManager
from typing import Any, Protocol

import orjson
import psycopg
from sqlalchemy import URL, CursorResult, Engine, Executable, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, OperationalError

from clearinghouse.persistence.errors import StoreUnreachable

DRIVER = "postgresql+psycopg"
PATIENCE = 10
"""Seconds to wait for a connection, from the server or from the pool."""
KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}


class Statements(Protocol):
    """Runs statements: a connection within a transaction, or one statement by itself."""

    def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[Any]:
        """The result of the statement."""

    def lend(self, statement: object, /) -> AbstractContextManager[psycopg.Cursor[Any]]:
        """A cursor of the driver's, for a statement that is not run by `execute`."""


def database_url(text: str) -> URL:
    """The URL for SQLAlchemy of a PostgreSQL URL as people write it. Raises StoreUnreachable on another kind."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise StoreUnreachable("the database URL is not of the form postgresql://user@host:port/name") from None
    if url.drivername not in {"postgres", "postgresql", DRIVER}:
        raise StoreUnreachable(f"the database URL begins with {url.drivername!r}; only postgresql:// is supported")
    return url.set(drivername=DRIVER)


def make_engine(url: str, **options: Any) -> Engine:
    """An engine whose errors hide parameters, and whose pool notices ended connections without asking the server."""
    engine = create_engine(
        database_url(url),
        hide_parameters=True,
        json_deserializer=orjson.loads,
        skip_autocommit_rollback=True,
        connect_args={"connect_timeout": PATIENCE, **KEEPALIVE},
        **options,
    )
    event.listen(engine, "checkout", _refuse_ended)
    return engine


def _refuse_ended(connection: psycopg.Connection[Any], _record: object, _proxy: object) -> None:
    """An idle connection on which something arrived was ended by the server: let the pool make a new one."""
    if connection.closed:
        raise DisconnectionError("the connection broke")
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    if poll.poll(0):
        raise DisconnectionError("the server ended the connection")


def unreachable(error: OperationalError | psycopg.OperationalError) -> StoreUnreachable:
    """The error to show for a failed connection: the first line of what the driver said; it holds no password."""
    said = error.orig if isinstance(error, OperationalError) else error
    return StoreUnreachable(f"no connection to the database: {str(said).strip().splitlines()[0]}")
