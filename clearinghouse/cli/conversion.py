"""`clearinghouse conversion`: what could not be said in a reader's version."""

from __future__ import annotations

from typing import Annotated

import typer

from clearinghouse.app.store import store
from clearinghouse.cli.context import JsonOption, SettingsOption, plainly, rows
from clearinghouse.settings import load

app = typer.Typer(no_args_is_help=True, help="What could not be said in a reader's version.")

COLUMNS = {
    "partner": lambda each: each.partner,
    "version": lambda each: each.version.value,
    "object": lambda each: each.subject,
    "name": lambda each: each.name,
    "field": lambda each: each.field,
    "reason": lambda each: each.reason,
    "left out": lambda each: "yes" if each.left_out else "no",
    "times": lambda each: each.times,
    "last": lambda each: each.last_at,
}


@app.callback()
def conversion() -> None:
    """What could not be said in a reader's version."""


@app.command("list", epilog="Example: clearinghouse conversion list --partner acme -s house.toml")
def list_(
    partner: Annotated[str | None, typer.Option(help="The reader; all unless given.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the newest first.")] = 1000,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Show which records lost what on the way to which partner."""
    with plainly(), store(load(settings)) as opened, opened.books() as books:
        rows(books.conversions.recent(partner, limit), COLUMNS, json)
