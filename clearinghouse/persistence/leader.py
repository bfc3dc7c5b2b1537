"""One acts at a time: leadership as a PostgreSQL advisory lock, held as long as its connection lives."""

from __future__ import annotations

import hashlib
import os
import socket
import threading

from sqlalchemy import Connection, Engine, NullPool, func, select, text
from sqlalchemy.exc import OperationalError

from clearinghouse.persistence.engine import make_engine, unreachable

SERVER_KEEPALIVE = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
"""Lets the server notice within half a minute that the leader's machine is gone."""
SIGN = "SELECT set_config('application_name', :name, false)"
"""Lets an administrator see in `pg_stat_activity` which process leads."""


class Leadership:
    """Leadership of one name within a database. Needs a direct connection or a pooler in session mode."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self._number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self._engine: Engine = make_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def try_acquire(self) -> bool:
        """Become the leader unless another is; True for the one that is already. Raises StoreUnreachable."""
        with self._lock:
            if self._holds():
                return True
            try:
                return self._acquire()
            except OperationalError as error:
                raise unreachable(error) from None

    @property
    def held(self) -> bool:
        """Whether this is the leader now: asks the server, because a lost connection is lost leadership."""
        with self._lock:
            return self._holds()

    def release(self) -> None:
        """Let another lead."""
        with self._lock:
            self._drop()

    def _acquire(self) -> bool:
        connection = self._engine.connect()
        try:
            connection.exec_driver_sql(SERVER_KEEPALIVE)
            connection.execute(text(SIGN), {"name": f"{self.name} leader {socket.gethostname()[:20]} {os.getpid()}"})
            won = bool(connection.scalar(select(func.pg_try_advisory_lock(self._number))))
        except OperationalError:
            connection.close()
            raise
        if won:
            self._connection = connection
        else:
            connection.close()
        return won

    def _holds(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.exec_driver_sql("SELECT 1")
        except OperationalError:
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
