"""`clearinghouse cdr`: charge data at the house, what is strange about it, and what is missing."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from clearinghouse.app.desks import role_of
from clearinghouse.cli import operator_cdr, provider_cdr
from clearinghouse.cli.context import JsonOption, SettingsOption, actor, plainly, rows, show
from clearinghouse.domain.cdrs import CdrRecord
from clearinghouse.domain.plausibility import Severity
from clearinghouse.domain.received_cdrs import CdrStage
from clearinghouse.domain.settlement import amounts_of
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.plain import to_plain
from clearinghouse.services.cdr_desk import CdrDesk, CdrFile

app = typer.Typer(
    no_args_is_help=True, help="Charge data at the house, the claims of an operator, and what a provider was sent."
)
operator_cdr.add_to(app)
provider_cdr.add_to(app)

COLUMNS = {
    "CDR": lambda each: each.info.cdr_id,
    "EVSE": lambda each: each.info.evse_id,
    "provider": lambda each: each.provider_id,
    "status": lambda each: each.info.status,
    "start": lambda each: each.info.start_date_time,
    "end": lambda each: each.info.end_date_time,
    "net": lambda each: [f"{amount} {currency}" for currency, amount in amounts_of(each.info).items()],
    "flags": lambda each: each.flags,
}
FINDINGS = {
    "check": lambda each: each.code,
    "severity": lambda each: each.severity,
    "finding": lambda each: each.text,
}
HISTORY = {
    "at": lambda each: each.at,
    "who": lambda each: each.actor,
    "did": lambda each: each.move,
    "from": lambda each: each.before,
    "to": lambda each: each.after,
    "revision": lambda each: each.revision,
    "version": lambda each: each.version and each.version.value,
    "why": lambda each: each.why,
}
LOST = {
    "direct id": lambda each: each.direct_id,
    "operator": lambda each: each.operator,
    "provider": lambda each: each.provider,
    "EVSE": lambda each: each.evse_id,
    "contract": lambda each: each.contract_id,
    "begun": lambda each: each.begun_at,
}
CHECKS = {
    "check": lambda each: each.code,
    "severity": lambda each: f"{each.severity} (fixed)" if each.is_fixed else each.severity,
    "what is plausible": lambda each: each.says,
}

Cdr = Annotated[str, typer.Argument(help="The CDR-ID.")]
Evse = Annotated[str | None, typer.Option(help="The EVSE-ID, where several have a CDR of this id.")]
Why = Annotated[str, typer.Argument(help="The reason, for the history.")]
Operator = Annotated[str | None, typer.Option(help="For one pair of partners: the operator ID.")]
Provider = Annotated[str | None, typer.Option(help="For one pair of partners: the provider ID.")]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day (UTC) of the charge's end, included.")]


def desk_of(settings: Path | None) -> AbstractContextManager[CdrDesk]:
    """Charge data for one command, in the name of whoever is at the command line."""
    from clearinghouse.app.desks import cdr_desk

    return cdr_desk(settings, actor())


def plain(record: CdrRecord) -> dict[str, Any]:
    """A CDR as JSON shows it: as the house keeps it, with what follows from that."""
    return {
        **to_plain(record),
        "operator_id": record.operator_id,
        "provider_id": record.provider_id,
        "amounts": to_plain(amounts_of(record.info)),
        "flags": list(record.flags),
    }


@app.command("list", epilog="Example: clearinghouse cdr list --partner DEOPS --status declined --flagged")
def list_(
    partner: Annotated[str | None, typer.Option(help="A partner's name, operator ID or provider ID.")] = None,
    status: Annotated[list[CdrStatus] | None, typer.Option(help="A status; repeatable.")] = None,
    since: Day = None,
    until: Day = None,
    flagged: Annotated[bool, typer.Option("--flagged", help="Only those that people should look at.")] = False,
    stage: Annotated[list[CdrStage] | None, typer.Option(help="Providers: where it stands; repeatable.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the newest first.")] = 100,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Show charge data, the newest first; of a provider's, by the operator (--partner) and stage alone."""
    with plainly():
        if role_of(settings) is Role.PROVIDER:
            if status or since or until or flagged:
                raise ValueError("a provider's CDRs are chosen by --partner and --stage")
            provider_cdr.show_list(settings, stage or (), partner, limit, json)
            return
        if stage:
            raise ValueError("--stage is for providers; here it is --status")
    with plainly(), desk_of(settings) as desk:
        found = desk.find(
            partner=partner,
            statuses=status or (),
            first_day=since.date() if since else None,
            last_day=until.date() if until else None,
            flagged=flagged,
            limit=limit,
        )
        if json:
            show([plain(each) for each in found])
        else:
            rows(found, COLUMNS, json)


@app.command("show", epilog="Example: clearinghouse cdr show DEOPS00017 --json")
def show_(cdr: Cdr, evse: Evse = None, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Show a CDR, what is strange about it, and what happened to it."""
    with plainly():
        if role_of(settings) is Role.PROVIDER:
            provider_cdr.show_one(settings, cdr, evse, json)
            return
    with plainly(), desk_of(settings) as desk:
        _show_file(desk.show(cdr, evse), json)


@app.command(epilog="Example: clearinghouse cdr lost --json")
def lost(
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many, the oldest first.")] = 1000,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Show direct sessions that the house relayed, that may have charged long ago, and for which no CDR came."""
    with plainly(), desk_of(settings) as desk:
        rows(desk.lost(limit), LOST, json)


@app.command(epilog="Example: clearinghouse cdr uphold DEOPS00017 'the provider agrees after all'")
def uphold(cdr: Cdr, why: Why, evse: Evse = None, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Approve a declined CDR, after talking to both sides."""
    with plainly(), desk_of(settings) as desk:
        rows([desk.clarify(cdr, upheld=True, why=why, evse_id=evse)], COLUMNS, json)


@app.command(epilog="Example: clearinghouse cdr dismiss DEOPS00017 'charged twice'")
def dismiss(cdr: Cdr, why: Why, evse: Evse = None, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Reject a declined CDR for good, after talking to both sides."""
    with plainly(), desk_of(settings) as desk:
        rows([desk.clarify(cdr, upheld=False, why=why, evse_id=evse)], COLUMNS, json)


@app.command(epilog="Example: clearinghouse cdr checks --operator DEOPS --provider DEPRO")
def checks(
    operator: Operator = None, provider: Provider = None, settings: SettingsOption = None, json: JsonOption = False
) -> None:
    """Show the checks that CDRs go through, and how grave each is."""
    with plainly(), desk_of(settings) as desk:
        rows(desk.checks(operator, provider), CHECKS, json)


@app.command("set-check", epilog="Example: clearinghouse cdr set-check country refuse")
def set_check(
    check: Annotated[str, typer.Argument(help="The check's name.")],
    severity: Annotated[str, typer.Argument(help="For a CDR that fails it: refuse, flag, note or off.")],
    operator: Operator = None,
    provider: Provider = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Set how grave a check is, for the house or for one pair of partners."""
    with plainly(), desk_of(settings) as desk:
        desk.set_check(check, as_severity(severity), operator, provider)
        rows([each for each in desk.checks(operator, provider) if each.code == check], CHECKS, json)


def as_severity(text: str) -> Severity:
    """The severity of this name. Raises ValueError with the names that there are."""
    if text not in [*Severity]:
        raise ValueError(f"'{text}' is no severity: say {', '.join(Severity)}.")
    return Severity(text)


def _show_file(file: CdrFile, json: bool) -> None:
    if json:
        show({**plain(file.record), "history": to_plain(file.history)})
        return
    rows([file.record], COLUMNS, False)
    console = Console(soft_wrap=True)
    for title, items, columns in (
        ("What the checks found", file.record.findings, FINDINGS),
        ("What happened", file.history, HISTORY),
    ):
        console.print(f"\n[bold]{title}[/bold]")
        rows(items, columns, False)
