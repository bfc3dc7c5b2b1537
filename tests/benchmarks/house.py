"""The house with partners, connections and as many records as asked for, as the benchmarks need it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import NullPool, text

from clearinghouse.app.desks import administration
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.ochp.operations import Port, Role
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.persistence.changes import stamped
from clearinghouse.persistence.engine import make_engine
from clearinghouse.services.calls_port import Login
from clearinghouse.soap.interfaces import path_of
from tests.benchmarks.copying import copied
from tests.benchmarks.site import HOST, Ground, Running, Site, ground

OPERATOR, PROVIDER = "DEBEN", "DEPRV"
CPO, EMP, OTHERS = "cpo", "emp", "others"
"""The partner with the operator ID, the one with the provider ID, and one with all further IDs."""
SERVICE, LIVE = (path_of(port, V1_4_1) for port in (Port.SERVICE, Port.LIVE))
WORKERS = 2
LARGEST = 4 << 30
"""Bytes of an upload: the house refuses nothing that is measured here, unless it cannot do otherwise."""


class House:
    """A house in production's shape, on a database of its own; `logins` are those of its partners by name."""

    def __init__(self, on: Ground, **settings: Any) -> None:
        usual = {"workers": WORKERS, "max_upload": LARGEST}
        self.site = Site(on, Role.HOUSE, **(usual | settings))
        self.logins: dict[str, Login] = {}
        self._engine = make_engine(self.site.url, poolclass=NullPool)
        self.onboard(CPO, operator_ids=[OPERATOR])
        self.onboard(EMP, provider_ids=[PROVIDER])
        self.connect([OPERATOR], [PROVIDER])

    # -- Who

    def onboard(self, name: str, operator_ids: Sequence[str] = (), provider_ids: Sequence[str] = ()) -> None:
        """A partner with a password."""
        with administration(self.site.path, "benchmark") as admin:
            admin.add_partner(name, operator_ids, provider_ids)
            credential, password = admin.issue_credential(name)
        self.logins[name] = Login(credential.username, password)

    def connect(self, operator_ids: Sequence[str], provider_ids: Sequence[str]) -> None:
        """Let every one of these operators roam with every one of these providers, in everything."""
        with administration(self.site.path, "benchmark") as admin:
            for operator in operator_ids:
                for provider in provider_ids:
                    admin.request_connection(operator, provider, [*ConnectionKind])
                    for side in (Role.OPERATOR, Role.PROVIDER):
                        admin.approve_connection(operator, provider, side, True)

    # -- What

    def execute(self, *statements: str, **parameters: object) -> None:
        """Run statements in one transaction."""
        with self._engine.begin() as db:
            for each in statements:
                db.execute(text(each), parameters)

    def scalar(self, statement: str, **parameters: object) -> Any:
        """The one value that a query has."""
        with self._engine.connect() as db:
            return db.scalar(text(statement), parameters)

    def empty(self, *tables: str) -> None:
        """Remove all that is in these tables."""
        self.execute(f"TRUNCATE {', '.join(tables)}")

    def fill(self, table: str, columns: Sequence[str], pieces: Callable[[int], Iterable[bytes]]) -> None:
        """Put rows in text format into a table; `pieces` gets the number of the change that brings them."""
        with self._engine.begin() as db, stamped(db, lambda: datetime.now(UTC)) as number:
            copied(db.connection.driver_connection, table, columns, pieces(number))
        self.tidy(table)

    def tidy(self, *tables: str) -> None:
        """What PostgreSQL does by itself after a while."""
        with self._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
            for each in tables:
                db.execute(text(f"VACUUM ANALYZE {each}"))

    # -- Running

    @contextmanager
    def running(self) -> Iterator[Running]:
        """The house's processes, freshly started."""
        with self.site.running() as running:
            status, body = running.answers("/readyz")
            if status != 200:
                raise RuntimeError(f"the house is not ready: {status} {body!r}")
            yield running

    @property
    def place(self) -> dict[str, Any]:
        """Where it is, for a client in another process."""
        return {"host": HOST, "port": self.site.port, "ca": str(self.site.ground.authority)}

    def address(self, path: str, partner: str) -> dict[str, Any]:
        """Where and as whom such a client calls; the password travels through a pipe."""
        return {**self.place, "path": path, "login": self.login(partner)}

    def login(self, partner: str) -> list[str]:
        """User name and password."""
        return [self.logins[partner].username, self.logins[partner].password]


@contextmanager
def house(**settings: Any) -> Iterator[House]:
    """A house on a ground of its own."""
    with ground() as on:
        yield House(on, **settings)


def new_second() -> datetime:
    """Wait for a second to begin: what happened before lies before it, and OCHP tells whole seconds."""
    time.sleep(1.01 - time.time() % 1)
    return datetime.now(UTC).replace(microsecond=0)
