"""What every area's tests may ask for: a real PostgreSQL, and databases that are made in a moment."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import NullPool, text

from clearinghouse.persistence import schema
from clearinghouse.persistence.embedded import EmbeddedPostgres
from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.keyring import KeyRing, new_key
from clearinghouse.persistence.store import PostgresStore

HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}
"""Settings for data that nobody will miss."""
TEMPLATE = "migrated"
NUMBERS = itertools.count(1)


MEMORY = Path("/dev/shm")
ROOM = 4 << 30


def pytest_configure() -> None:
    """Keep temporary files in memory where there is room: a database is a thousand files, and each test has its own.

    No property has to hold within a time: what else the machine does is no business of its.
    """
    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")
    if "TMPDIR" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server for this test process; gone afterwards."""
    temporary = tempfile.TemporaryDirectory(prefix="clearinghouse-test-", ignore_cleanup_errors=True)
    with temporary as folder, EmbeddedPostgres(Path(folder), HASTY) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres: EmbeddedPostgres) -> str:
    """The name of a database with the newest schema, to be copied."""
    schema.upgrade(postgres.url(TEMPLATE))
    return TEMPLATE


def _sql(server: EmbeddedPostgres, statement: str) -> None:
    with make_engine(server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(statement))


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database without a schema."""
    name = f"empty_{os.getpid()}_{next(NUMBERS)}"
    yield postgres.url(name)
    _sql(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """The URL of this test's own database, with the newest schema."""
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    _sql(postgres, f"CREATE DATABASE {name} TEMPLATE {migrated_template} STRATEGY wal_log")
    yield postgres.url(name)
    _sql(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def keyring() -> KeyRing:
    """A key ring with one fresh key."""
    return KeyRing([new_key()])


@pytest.fixture
def store(database_url: str, keyring: KeyRing) -> Iterator[PostgresStore]:
    """A store on this test's own database."""
    made = PostgresStore(database_url, keyring, pool_size=20)
    yield made
    made.close()
