"""`clearinghouse token`: how far the tokens of the days are."""

from __future__ import annotations

import typer

from clearinghouse.app.lines import soap_line
from clearinghouse.app.node import token_cycle
from clearinghouse.app.store import store
from clearinghouse.cli.context import JsonOption, SettingsOption, plainly, rows
from clearinghouse.ochp.operations import Role
from clearinghouse.services.token_cycle import standings
from clearinghouse.settings import load

app = typer.Typer(no_args_is_help=True, help="The tokens of OCHP-direct, one for each UTC day.")

COLUMNS = {
    "party": lambda each: each.party,
    "role": lambda each: each.role,
    "day": lambda each: each.day,
    "standing": lambda each: each.standing,
    "since": lambda each: each.since,
}


@app.command(epilog="Example: clearinghouse token status -s operator.toml")
def status(settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Show today's and tomorrow's state of the own tokens and of every partner's."""
    with plainly():
        loaded = load(settings)
        with store(loaded) as opened:
            rows(standings(opened, loaded.clock, own=loaded.role is not Role.HOUSE), COLUMNS, json)


@app.command(epilog="Example: clearinghouse token fetch -s operator.toml")
def fetch(settings: SettingsOption = None) -> None:
    """Do all that the token cycle asks for, and download partners' tokens now: for the first day with a new partner."""
    with plainly():
        loaded = load(settings)
        if loaded.role is Role.HOUSE:
            raise ValueError(
                "the house has no tokens of its own to fetch for: use an operator's or provider's settings"
            )
        with store(loaded) as opened:
            for action in token_cycle(loaded, opened, soap_line(loaded)).refresh():
                print(f"{action.chore} {action.day}")
