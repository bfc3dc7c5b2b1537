"""The provider's part of `clearinghouse cdr`: what it was sent, what the rules found, what its people decide."""

from __future__ import annotations

import dataclasses
import getpass
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from clearinghouse.app.desks import received_cdrs
from clearinghouse.cli.context import JsonOption, SettingsOption, plainly, rows, show
from clearinghouse.domain.cdr_review import RULES
from clearinghouse.domain.evidence import total_of
from clearinghouse.domain.received_cdrs import CdrStage
from clearinghouse.ochp.plain import to_plain
from clearinghouse.settings import load

COLUMNS = {
    "CDR": lambda each: each.cdr_id,
    "stage": lambda each: each.stage,
    "EVSE": lambda each: each.info.evse_id,
    "contract": lambda each: each.info.contract_id,
    "start": lambda each: each.info.start_date_time,
    "total": lambda each: f"{total_of(each.info)} {each.info.currency}",
    "reason": lambda each: each.reason,
}
FINDINGS = {
    "rule": lambda each: each.rule,
    "asks to": lambda each: each.verdict,
    "finding": lambda each: each.text,
}
HISTORY = {
    "at": lambda each: each.at,
    "who": lambda each: each.actor,
    "did": lambda each: each.what,
    "why": lambda each: each.why,
}
RULE_COLUMNS = {
    "rule": lambda each: each.name,
    "if broken": lambda each: each.verdict,
    "says": lambda each: each.says,
}

CdrId = Annotated[str, typer.Argument(help="The id of the CDR.")]
Evse = Annotated[str | None, typer.Option(help="The EVSE-ID, where several have a CDR of this id.")]
Why = Annotated[str | None, typer.Option(help="The reason, for the history.")]


def add_to(app: typer.Typer) -> None:
    """Give the noun the provider's verbs."""
    app.command(epilog="Example: clearinghouse cdr approve DEOPS00017 --why 'the driver agrees' -s pro.toml")(approve)
    app.command(epilog="Example: clearinghouse cdr decline DEOPS00017 --why 'wrong price' -s pro.toml")(decline)
    app.command(epilog="Example: clearinghouse cdr rules -s pro.toml")(rules)


def show_list(
    settings: Path | None, stages: Sequence[CdrStage], operator_id: str | None, limit: int, as_json: bool
) -> None:
    """Show the newest CDRs."""
    with received_cdrs(settings) as desk:
        rows(desk.find(stages, operator_id=operator_id, limit=limit), COLUMNS, as_json)


def show_one(settings: Path | None, cdr_id: str, evse_id: str | None, as_json: bool) -> None:
    """Show a CDR, what the rules found, and what happened to it."""
    with received_cdrs(settings) as desk:
        found = desk.get(cdr_id, evse_id)
    if as_json:
        show(to_plain(found))
        return
    rows([found], COLUMNS, False)
    console = Console(soft_wrap=True)
    console.print("\n[bold]What the rules found[/bold]")
    rows(found.findings, FINDINGS, False)
    console.print("\n[bold]What happened[/bold]")
    rows(found.history, HISTORY, False)


def approve(
    cdr_id: CdrId, why: Why = None, evse: Evse = None, settings: SettingsOption = None, json: JsonOption = False
) -> None:
    """Providers: accept a claim; the house is told."""
    with plainly(), received_cdrs(settings) as desk:
        rows([desk.approve(cdr_id, _actor(), why, evse)], COLUMNS, json)


def decline(
    cdr_id: CdrId, why: Why = None, evse: Evse = None, settings: SettingsOption = None, json: JsonOption = False
) -> None:
    """Providers: send a claim back to the operator; the house is told."""
    with plainly(), received_cdrs(settings) as desk:
        rows([desk.decline(cdr_id, _actor(), why, evse)], COLUMNS, json)


def rules(settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Providers: show the rules that CDRs are judged by, and what becomes of those that break one."""
    with plainly():
        policy = load(settings).cdr_rules
    told = [dataclasses.replace(each, verdict=policy.get(each.name, each.verdict)) for each in RULES]
    if json:
        show([{"name": each.name, "verdict": each.verdict.value, "says": each.says} for each in told])
    else:
        rows(told, RULE_COLUMNS, False)


def _actor() -> str:
    return os.environ.get("CLEARINGHOUSE_ACTOR") or f"{getpass.getuser()}@cli"
