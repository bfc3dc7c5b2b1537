"""`clearinghouse session`: direct sessions of an operator, and what was told about them."""

from __future__ import annotations

from typing import Annotated

import typer

from clearinghouse.app.store import store
from clearinghouse.cli.context import JsonOption, SettingsOption, plainly, rows
from clearinghouse.settings import load

app = typer.Typer(no_args_is_help=True, help="Direct sessions of an operator.")

COLUMNS = {
    "direct id": lambda each: each.direct_id,
    "EVSE": lambda each: each.evse_id,
    "contract": lambda each: each.contract_id,
    "state": lambda each: each.state,
    "kWh": lambda each: each.energy,
    "selected": lambda each: each.selected_at,
    "deadline": lambda each: each.deadline,
}
TOLD = {
    "message": lambda each: each.message.message,
    "at": lambda each: each.created_at,
    "attempts": lambda each: each.attempts,
    "delivered": lambda each: each.delivered_at,
    "given up": lambda each: each.given_up_at,
    "last error": lambda each: each.last_error,
}


@app.command("list", epilog="Example: clearinghouse session list -s operator.toml")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Show the newest sessions."""
    with plainly(), store(load(settings)) as opened, opened.books() as books:
        rows(books.sessions.recent(limit), COLUMNS, json)


@app.command(epilog="Example: clearinghouse session told DEOPS-0123456789ABCDEF -s operator.toml")
def told(
    direct_id: Annotated[str, typer.Argument(help="The direct id.")],
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Show what the provider was told about a session, or will be."""
    with plainly(), store(load(settings)) as opened, opened.books() as books:
        rows(books.outbox.of(direct_id), TOLD, json)
