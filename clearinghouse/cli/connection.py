"""`clearinghouse connection`: who roams with whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from clearinghouse.cli.context import JsonOption, SettingsOption, administration, plainly, rows
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.ochp.operations import Role

app = typer.Typer(no_args_is_help=True, help="Roaming connections: both sides have to approve.")

COLUMNS = {
    "operator": lambda each: each.operator_id,
    "provider": lambda each: each.provider_id,
    "kind": lambda each: each.kind,
    "from": lambda each: each.valid_from,
    "until": lambda each: each.valid_until,
    "operator approved": lambda each: "yes" if each.approved_by_operator else "no",
    "provider approved": lambda each: "yes" if each.approved_by_provider else "no",
    "active": lambda each: "yes" if each.is_active(datetime.now(UTC)) else "no",
}

Operator = Annotated[str, typer.Argument(help="The operator ID, e.g. DEOPS.")]
Provider = Annotated[str, typer.Argument(help="The provider ID, e.g. DEPRO.")]
Side = Annotated[list[Role] | None, typer.Option("--as", help="Who decides: operator or provider; repeatable.")]


def _aware(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant and instant.tzinfo is None else instant


@app.command(epilog="Example: clearinghouse connection request DEOPS DEPRO --kind direct --kind cdr")
def request(
    operator: Operator,
    provider: Provider,
    kind: Annotated[list[ConnectionKind] | None, typer.Option(help="A kind; every kind unless given.")] = None,
    begin: Annotated[datetime | None, typer.Option("--from", help="Begin, UTC.")] = None,
    end: Annotated[datetime | None, typer.Option("--until", help="End, UTC.")] = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Note that two parties want to roam."""
    with plainly(), administration(settings) as admin:
        wanted = admin.request_connection(operator, provider, kind or [*ConnectionKind], _aware(begin), _aware(end))
        rows(wanted, COLUMNS, json)


@app.command(epilog="Example: clearinghouse connection approve DEOPS DEPRO --as operator --as provider")
def approve(
    operator: Operator, provider: Provider, side: Side = None, settings: SettingsOption = None, json: JsonOption = False
) -> None:
    """Let a side approve."""
    _decide(operator, provider, side, settings, json, approved=True)


@app.command(epilog="Example: clearinghouse connection withdraw DEOPS DEPRO --as provider")
def withdraw(
    operator: Operator, provider: Provider, side: Side = None, settings: SettingsOption = None, json: JsonOption = False
) -> None:
    """Take back a side's approval."""
    _decide(operator, provider, side, settings, json, approved=False)


@app.command(epilog="Example: clearinghouse connection end DEOPS DEPRO")
def end(operator: Operator, provider: Provider, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """End every kind of a connection now."""
    with plainly(), administration(settings) as admin:
        rows(admin.end_connection(operator, provider), COLUMNS, json)


@app.command("list", epilog="Example: clearinghouse connection list --json")
def list_(settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Show every connection."""
    with plainly(), administration(settings) as admin:
        rows(admin.connections(), COLUMNS, json)


def _decide(
    operator: str, provider: str, sides: list[Role] | None, settings: SettingsOption, json: bool, *, approved: bool
) -> None:
    with plainly(), administration(settings) as admin:
        wanted = [side for side in sides or [] if side is not Role.HOUSE]
        if not wanted:
            raise ValueError("say which side decides: --as operator, --as provider, or both")
        changed = [admin.approve_connection(operator, provider, side, approved) for side in wanted]
        rows(changed[-1], COLUMNS, json)
