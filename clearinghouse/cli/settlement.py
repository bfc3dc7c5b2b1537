"""`clearinghouse settlement`: what partners owe each other for a month."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from clearinghouse.cli.cdr import desk_of
from clearinghouse.cli.context import JsonOption, SettingsOption, plainly, rows, show
from clearinghouse.ochp.plain import to_plain

app = typer.Typer(no_args_is_help=True, help="What partners owe each other.")

LINES = {
    "month": lambda each: each.month,
    "operator": lambda each: each.operator_id,
    "provider": lambda each: each.provider_id,
    "currency": lambda each: each.currency,
    "CDRs": lambda each: each.cdrs,
    "net": lambda each: each.net,
}
BALANCES = {
    "month": lambda each: each.month,
    "pays": lambda each: each.debtor,
    "gets": lambda each: each.creditor,
    "currency": lambda each: each.currency,
    "amount": lambda each: each.amount,
}


@app.callback()
def noun() -> None:
    """What partners owe each other."""


@app.command("show", epilog="Example: clearinghouse settlement show --month 2027-01")
def show_(
    month: Annotated[str | None, typer.Option(help="When charges ended, e.g. 2027-01; else this month.")] = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Show what providers owe operators, and what remains when partners set off their claims.

    From approved CDRs only, without VAT. Each CDR counts for the month in which it ended by the clock on the charge
    point's wall, and is rounded once to the smallest unit of its currency, half a unit upwards; sums are exact.
    """
    with plainly(), desk_of(settings) as desk:
        found = desk.settlement(month)
        if json:
            show(to_plain(found))
            return
        rows(found.lines, LINES, json)
        Console(soft_wrap=True).print("\n[bold]Set off between partners[/bold]")
        rows(found.balances, BALANCES, json)
