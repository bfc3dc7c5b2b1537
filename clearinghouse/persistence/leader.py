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
        self._leads = False
        self._lock = threading.Lock()

    def try_acquire(self) -> bool:
        """Become the leader unless another is; True for the one that is already. Raises StoreUnreachable."""
        with self._lock:
            if self._leads and self._holds():
                return True
            try:
                return self._acquire()
            except OperationalError as error:
                self._drop()
                raise unreachable(error) from None

    def release(self) -> None:
        """Let another lead."""
        with self._lock:
            self._drop()

    def _acquire(self) -> bool:
        """Ask on the connection that there is: those who do not lead ask every second, and keep one for that."""
        if self._connection is None or not self._holds():
            self._connection = self._engine.connect()
            self._connection.exec_driver_sql(SERVER_KEEPALIVE)
        self._leads = bool(self._connection.scalar(select(func.pg_try_advisory_lock(self._number))))
        if self._leads:
            name = f"{self.name} leader {socket.gethostname()[:20]} {os.getpid()}"
            self._connection.execute(text(SIGN), {"name": name})
        return self._leads

    def _holds(self) -> bool:
        """Whether the connection is there, and with it the lock if this leads."""
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
        self._leads = False
