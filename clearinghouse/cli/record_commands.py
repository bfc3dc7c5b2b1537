"""A command for each kind of records: one body for all, and a table of what differs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, get_origin, get_type_hints

import typer

from clearinghouse.services.records import Days, Noun


@dataclass(frozen=True, kw_only=True)
class RecordCommand:
    """What a command says of its own: its help, an example, and the options that not every kind has, by parameter."""

    help: str
    example: str
    options: Mapping[str, Any] = field(default_factory=dict)


def day_options(only: str) -> dict[str, Any]:
    """--since and --until; their help begins like "Only charges that ended on", and goes on with the day."""

    def day(which: str) -> Any:
        help_ = f"{only} this day (UTC) or {which}."
        return Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help=help_)]

    return {"since": day("later"), "until": day("earlier")}


CHARGE_ENDED = day_options("Only charges that ended on")


def days_of(since: datetime | None, until: datetime | None) -> Days:
    """The days that --since and --until say. Raises typer.BadParameter where they are none."""
    if since and until and until < since:
        raise typer.BadParameter(f"--until {until.date()} is before --since {since.date()}")
    return Days(first=since and since.date(), last=until and until.date())


def add_commands(app: typer.Typer, body: Callable[..., None], commands: Mapping[Noun, RecordCommand]) -> None:
    """Add a command for each noun, which calls `body` with the noun and its options."""
    for noun, said in commands.items():
        added = app.command(noun, help=said.help, epilog=f"Example: {said.example}")
        added(_of_noun(body, noun, said.options))


def _of_noun(body: Callable[..., None], noun: Noun, options: Mapping[str, Any]) -> Callable[..., None]:
    """`body` for a noun, with the signature from which typer makes the options.

    Every noun has the parameters that `body` annotates for typer; any other it has if `options` annotates it.
    """
    hints = {**get_type_hints(body, include_extras=True), **options}
    shown = {name: hint for name, hint in hints.items() if get_origin(hint) is Annotated}
    of_body = inspect.signature(body).parameters

    def command(**said: Any) -> None:
        body(noun, **said)

    signature = inspect.Signature([of_body[name].replace(annotation=hint) for name, hint in shown.items()])
    command.__signature__ = signature  # type: ignore[attr-defined]
    return command
