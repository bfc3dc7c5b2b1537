"""`clearinghouse db`: the database's schema, and the keys of what is encrypted in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from clearinghouse.app.store import database, encryption_keys
from clearinghouse.cli.context import SettingsOption, plainly
from clearinghouse.persistence import schema
from clearinghouse.persistence.keyring import KeyRing, new_key
from clearinghouse.persistence.rotation import reencrypt
from clearinghouse.settings import load

app = typer.Typer(no_args_is_help=True, help="The database's schema.")

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="CLEARINGHOUSE_DATABASE_URL",
        help="postgresql://user@host/name, instead of settings.",
    ),
]


@contextmanager
def _url(url: str | None, settings: Path | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with database(load(settings)) as found:
        yield found


@app.command(epilog="Example: clearinghouse db upgrade -s house.toml")
def upgrade(url: UrlOption = None, settings: SettingsOption = None) -> None:
    """Bring the schema up to date, step by step; a current one is left alone."""
    steps: list[str] = []

    def tell(step: str) -> None:
        steps.append(step)
        print(f"applied {step}")

    with plainly(), _url(url, settings) as found:
        schema.upgrade(found, tell)
        print("the database is up to date" if steps else "the database was up to date")


@app.command(epilog="Example: clearinghouse db status -s house.toml")
def status(url: UrlOption = None, settings: SettingsOption = None) -> None:
    """Show the schema's revision; exit status 1 where an upgrade is due."""
    with plainly(), _url(url, settings) as found:
        print(f"revision {schema.current(found) or 'none'}, this program needs {schema.newest()}")
        schema.require_current(found)


@app.command(epilog="Example: clearinghouse db key")
def key() -> None:
    """Make a fresh key for `encryption_keys` and show it; nothing is stored."""
    print(new_key())


@app.command(epilog="Example: clearinghouse db rekey -s house.toml")
def rekey(settings: SettingsOption = None) -> None:
    """Encrypt every stored token with the newest key of `encryption_keys`; then the older keys may go."""
    with plainly():
        loaded = load(settings)
        with database(loaded) as url:
            print(f"{reencrypt(url, KeyRing(encryption_keys(loaded)))} tokens encrypted anew")
