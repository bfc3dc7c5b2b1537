"""Stores for several roles in one test, and the world in which they roam."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import NullPool, delete, text

from clearinghouse.persistence.embedded import EmbeddedPostgres
from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.keyring import KeyRing, new_key
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.persistence.tables import change, metadata, revision
from tests.services.points_house import PointsHouse, TurnableClock
from tests.services.world import Clock, World


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is turned."""
    return Clock()


class Databases:
    """Databases that tests lend and give back empty: emptying one is much faster than making one."""

    def __init__(self, postgres: EmbeddedPostgres, template: str) -> None:
        self._postgres, self._template = postgres, template
        self._free: list[str] = []
        self._made = 0

    def lend(self) -> str:
        """The URL of a database with the newest schema and without rows."""
        if self._free:
            return self._free.pop()
        self._made += 1
        name = f"role_{self._made}"
        engine = make_engine(self._postgres.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY wal_log"))
        return self._postgres.url(name)

    def take_back(self, url: str) -> None:
        """Empty the database for the next."""
        with make_engine(url, poolclass=NullPool).begin() as connection:
            for table in reversed(metadata.sorted_tables):
                if table is not revision:
                    connection.execute(delete(change).where(change.c.number != 0) if table is change else delete(table))
        self._free.append(url)


@pytest.fixture(scope="session")
def databases(postgres: EmbeddedPostgres, migrated_template: str) -> Databases:
    """Databases to lend."""
    return Databases(postgres, migrated_template)


@pytest.fixture
def make_store(databases: Databases, clock: Clock) -> Iterator[Callable[[], PostgresStore]]:
    """Makes stores, each on a database of its own, by the test's clock."""
    made: list[tuple[str, PostgresStore]] = []

    def make() -> PostgresStore:
        url = databases.lend()
        made.append((url, PostgresStore(url, KeyRing([new_key()]), pool_size=20, clock=clock)))
        return made[-1][1]

    yield make
    for url, store in made:
        store.close()
        databases.take_back(url)


@pytest.fixture
def world(make_store: Callable[[], PostgresStore], clock: Clock) -> Iterator[World]:
    """A house without partners yet, and a line that carries calls without a socket."""
    made = World(make_store, clock)
    yield made
    made.close()


@pytest.fixture
def emptied(database_url: str) -> Iterator[Callable[[], None]]:
    """Empties the test's database between two rounds."""
    engine = make_engine(database_url)
    names = ", ".join(f'"{each.name}"' for each in metadata.sorted_tables if each is not revision)

    def empty() -> None:
        with engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {names}"))

    yield empty
    engine.dispose()


@pytest.fixture
def turnable_clock() -> TurnableClock:
    """A clock that goes on by a microsecond with every look."""
    return TurnableClock()


@pytest.fixture
def points_house(store: PostgresStore, turnable_clock: TurnableClock) -> PointsHouse:
    """The operator `cpo` has the IDs DEABC and NLABC, the provider `emp` DEEMP; DEABC and DEEMP are connected."""
    store._clock = turnable_clock
    house = PointsHouse(store, turnable_clock)
    house.cpo = house.operator("cpo", "DEABC", "NLABC")
    house.emp = house.provider("emp", "DEEMP")
    for kind in ("poi", "status", "tariff"):
        house.connect("DEABC", "DEEMP", kind)
    return house
