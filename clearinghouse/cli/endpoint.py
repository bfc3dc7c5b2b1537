"""`clearinghouse endpoint`: where partners listen."""

from __future__ import annotations

import typer

from clearinghouse.app.store import store
from clearinghouse.cli.context import JsonOption, SettingsOption, plainly, rows, show
from clearinghouse.ochp.plain import to_plain
from clearinghouse.settings import load

app = typer.Typer(no_args_is_help=True, help="Endpoints of partners, without their tokens.")

COLUMNS = {
    "partner": lambda each: each.partner,
    "role": lambda each: each.role,
    "day": lambda each: each.day,
    "dialect": lambda each: each.version.value,
    "url": lambda each: each.url,
    "whitelist": lambda each: each.whitelist,
    "blacklist": lambda each: each.blacklist,
}


@app.callback()
def _nouns() -> None:
    """Keep `list` a word of its own."""


@app.command("list", epilog="Example: clearinghouse endpoint list --json")
def list_(settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Show every endpoint whose time has not ended."""
    with plainly():
        loaded = load(settings)
        with store(loaded) as opened, opened.books() as books:
            living = books.endpoints.living(loaded.clock())
        if json:
            show([{k: v for k, v in to_plain(each).items() if k != "access_token"} for each in living])
        else:
            rows(living, COLUMNS, as_json=False)
