"""The schema's revisions: bring a database up to date, and refuse one that is not.

A migration's file begins with its number, so that looking at revisions costs no start of Alembic.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, NullPool, func, select, text
from sqlalchemy.exc import OperationalError

import clearinghouse
from clearinghouse.persistence.engine import make_engine, unreachable
from clearinghouse.persistence.errors import SchemaOutdated

INSTALLED = "clearinghouse_migrations"
"""The name under which an installation carries the `migrations` folder."""
UPGRADE_LOCK = 0x0C4A_0DB1
"""An advisory lock's number: one program upgrades a database at a time."""


def migrations() -> Path:
    """The folder of the migrations: beside the package in a checkout, a package of its own once installed."""
    beside = Path(clearinghouse.__file__).parents[1] / "migrations"
    if (beside / "env.py").is_file():
        return beside
    spec = importlib.util.find_spec(INSTALLED)
    if spec is None or spec.origin is None:
        raise SchemaOutdated("the migrations are missing from this installation")
    return Path(spec.origin).parent


def known() -> list[str]:
    """The revisions that this program knows, the newest last."""
    return sorted(path.name.partition("_")[0] for path in (migrations() / "versions").glob("[0-9]*_*.py"))


def newest() -> str:
    """The revision that this program needs."""
    return known()[-1]


def current(url: str) -> str | None:
    """The database's revision, or None before the first. Raises StoreUnreachable."""
    try:
        with make_engine(url, poolclass=NullPool).connect() as connection:
            return _revision(connection)
    except OperationalError as error:
        raise unreachable(error) from None


def _revision(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def is_current(url: str) -> bool:
    """Whether the database has the revision that this program needs."""
    return current(url) == newest()


def require_current(url: str) -> None:
    """Raises SchemaOutdated, which tells what to do, unless the database has the revision that this program needs."""
    found, needed = current(url), newest()
    if found == needed:
        return
    if found is None:
        raise SchemaOutdated("the database is empty: run `clearinghouse db upgrade`")
    if found not in known():
        raise SchemaOutdated(
            f"the database is at revision {found}, which this program does not know (it needs {needed}): "
            "run a newer version of the program"
        )
    raise SchemaOutdated(
        f"the database is at revision {found}, this program needs {needed}: run `clearinghouse db upgrade`"
    )


def upgrade(url: str, on_step: Callable[[str], None] = lambda _: None) -> None:
    """Bring the database to the newest revision, all steps in one transaction; tells each step when it is done.

    Raises StoreUnreachable, and SchemaOutdated where the database is newer than the program.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations()).replace("%", "%%"))
    try:
        with make_engine(url, poolclass=NullPool).begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(UPGRADE_LOCK)))
            found = _revision(connection)
            if found is not None and found not in known():
                raise SchemaOutdated(f"the database is at revision {found}, which this program does not know")
            config.attributes["connection"] = connection
            config.attributes["on_step"] = on_step
            command.upgrade(config, "head")
    except OperationalError as error:
        raise unreachable(error) from None
