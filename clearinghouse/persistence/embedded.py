"""The embedded PostgreSQL: a real server in a data folder, shared by every process that names the folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from sqlalchemy import NullPool, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from clearinghouse.persistence import keeper
from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.errors import EmbeddedFailed

STOP_WITHIN = 60
"""Seconds that the server may take to stop."""


class EmbeddedPostgres:
    """Starts or joins the server in a folder; it stops when the last owner has closed it or died.

    Only the first start in a folder takes `settings` (names and values of `postgresql.conf`).
    Raises EmbeddedFailed where the server does not start.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.expanduser().resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._keeper = subprocess.Popen(  # noqa: S603 our own program
            [sys.executable, "-P", keeper.__file__, str(self.folder), json.dumps(dict(settings or {}))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._host = self._await_host()

    def _await_host(self) -> str:
        assert self._keeper.stdout is not None  # noqa: S101 it is a pipe
        line = self._keeper.stdout.readline()
        answer = json.loads(line) if line else {"error": "it ended without a word"}
        if "host" in answer:
            return str(answer["host"])
        self.stop()
        raise EmbeddedFailed(
            f"the embedded PostgreSQL in {self.folder} did not start ({answer['error']}); see its {keeper.LOG}"
        )

    def url(self, database: str = "clearinghouse") -> str:
        """The URL of a database of this server, created where it is missing."""
        self._create(database)
        return self._url(database)

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{quote(database)}?host={quote(self._host)}"

    def _create(self, database: str) -> None:
        engine = make_engine(self._url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            known = connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": database})
            if known:
                return
            name = engine.dialect.identifier_preparer.quote_identifier(database)
            try:
                connection.execute(text(f"CREATE DATABASE {name}"))
            except (IntegrityError, ProgrammingError) as error:
                if getattr(error.orig, "sqlstate", None) not in {"42P04", "23505"}:  # another process was first
                    raise

    def stop(self) -> None:
        """Give the server up; the last one to do so stops it, and this waits until it has."""
        for pipe in (self._keeper.stdin, self._keeper.stdout):
            if pipe is not None:
                pipe.close()
        self._keeper.wait(STOP_WITHIN)

    def __enter__(self) -> EmbeddedPostgres:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
