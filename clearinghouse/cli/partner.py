"""`clearinghouse partner`: the companies that have an account at the house."""

from __future__ import annotations

from typing import Annotated

import typer

from clearinghouse.cli.context import JsonOption, SettingsOption, administration, plainly, rows
from clearinghouse.domain.partners import MeterUnit

app = typer.Typer(no_args_is_help=True, help="Partners of the house and the party IDs they own.")

COLUMNS = {
    "name": lambda each: each.name,
    "operator IDs": lambda each: each.operator_ids,
    "provider IDs": lambda each: each.provider_ids,
    "enabled": lambda each: "yes" if each.enabled else "no",
    "meter": lambda each: each.meter_unit,
}

Name = Annotated[str, typer.Argument(help="The partner's short name.")]
OperatorIds = Annotated[list[str] | None, typer.Option("--operator-id", help="An operator ID, e.g. DEOPS; repeatable.")]
ProviderIds = Annotated[list[str] | None, typer.Option("--provider-id", help="A provider ID, e.g. DEPRO; repeatable.")]


@app.command(epilog="Example: clearinghouse partner add stromkreis --operator-id DEOPS --provider-id DEPRO")
def add(
    name: Name,
    operator_id: OperatorIds = None,
    provider_id: ProviderIds = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Create a partner."""
    with plainly(), administration(settings) as admin:
        rows([admin.add_partner(name, operator_id or (), provider_id or ())], COLUMNS, json)


@app.command(epilog="Example: clearinghouse partner change stromkreis --operator-id NLOPS --meter-unit Wh")
def change(
    name: Name,
    operator_id: OperatorIds = None,
    provider_id: ProviderIds = None,
    meter_unit: Annotated[MeterUnit | None, typer.Option(help="The unit in which it sends meter readings.")] = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Give a partner further IDs, or set how it is read."""
    with plainly(), administration(settings) as admin:
        changed = admin.change_partner(
            name, operator_ids=operator_id or (), provider_ids=provider_id or (), meter_unit=meter_unit
        )
        rows([changed], COLUMNS, json)


@app.command(epilog="Example: clearinghouse partner disable stromkreis")
def disable(name: Name, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Let a partner in no longer."""
    with plainly(), administration(settings) as admin:
        rows([admin.change_partner(name, enabled=False)], COLUMNS, json)


@app.command(epilog="Example: clearinghouse partner enable stromkreis")
def enable(name: Name, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Let a disabled partner in again."""
    with plainly(), administration(settings) as admin:
        rows([admin.change_partner(name, enabled=True)], COLUMNS, json)


@app.command("list", epilog="Example: clearinghouse partner list --json")
def list_(settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Show every partner."""
    with plainly(), administration(settings) as admin:
        rows(admin.partners(), COLUMNS, json)
