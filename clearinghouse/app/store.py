"""The store of a role: its database, its keys, and a store for one command."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clearinghouse.settings import Settings

if TYPE_CHECKING:
    from clearinghouse.persistence.store import PostgresStore

DATABASE_FOLDER = "database"


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The database's URL: the one that is set, or the embedded server's while the block runs."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    from clearinghouse.persistence.embedded import EmbeddedPostgres

    with EmbeddedPostgres(settings.home / DATABASE_FOLDER) as server:
        yield server.url(settings.database_name)


def open_store(settings: Settings, url: str) -> PostgresStore:
    """The store behind a URL. Raises a clear error where its schema is not this program's."""
    from clearinghouse.persistence.keyring import KeyRing
    from clearinghouse.persistence.schema import require_current
    from clearinghouse.persistence.store import PostgresStore

    require_current(url)
    return PostgresStore(url, KeyRing(encryption_keys(settings)), pool_size=settings.threads + 8, clock=settings.clock)


def encryption_keys(settings: Settings) -> Sequence[str]:
    """The keys for tokens at rest: as set, or from the file in `home`, which is made at first use (mode 0600)."""
    if settings.encryption_keys:
        return [key.get_secret_value() for key in settings.encryption_keys]
    from clearinghouse.persistence.keyring import new_key

    path = settings.home / f"{settings.database_name}.keys"
    settings.home.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().split()
    with os.fdopen(handle, "w") as file:
        file.write(new_key() + "\n")
    return path.read_text().split()


@contextmanager
def store(settings: Settings) -> Iterator[PostgresStore]:
    """The store for one command."""
    with database(settings) as url:
        opened = open_store(settings, url)
        try:
            yield opened
        finally:
            opened.close()
