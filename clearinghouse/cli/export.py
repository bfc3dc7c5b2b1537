"""`clearinghouse export`: what the store of a role has, into a file or to standard output."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from clearinghouse.cli.context import JsonOption, SettingsOption, actor, plainly, show
from clearinghouse.cli.files import PIPE, Counted, FormatOption, format_of, writing
from clearinghouse.services.record_files import WRITERS, FileFormat
from clearinghouse.services.records import CLASSES, Noun

app = typer.Typer(no_args_is_help=True, help="What the store has, into a file in CSV, JSON or JSON Lines.")

Out = Annotated[Path, typer.Argument(help="A file that ends in .csv, .json or .jsonl; - is standard output.")]
Partner = Annotated[
    str | None, typer.Option(help="Only of this partner: at the house by name or party ID, elsewhere by its party ID.")
]


def _day(help_: str) -> Any:
    return typer.Option(formats=["%Y-%m-%d"], help=help_)


Since = Annotated[datetime | None, _day("Only what changed last on this day (UTC) or later.")]
Until = Annotated[datetime | None, _day("Only what changed last on this day (UTC) or earlier.")]
EndSince = Annotated[datetime | None, _day("Only charges that ended on this day (UTC) or later.")]
EndUntil = Annotated[datetime | None, _day("Only charges that ended on this day (UTC) or earlier.")]


@app.callback()
def export() -> None:
    """What the store has, into a file in CSV, JSON or JSON Lines; it is there once it is whole."""


@app.command(epilog="Example: clearinghouse export tokens cards.csv --partner fahrstrom -s house.toml")
def tokens(
    file: Out = PIPE,
    form: FormatOption = None,
    partner: Partner = None,
    since: Since = None,
    until: Until = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """The roaming list; of a provider its own, of an operator what it downloaded."""
    write(Noun.TOKENS, file, form, partner, since, until, settings, json)


@app.command("charge-points", epilog="Example: clearinghouse export charge-points points.json -s provider.toml")
def charge_points(
    file: Out = PIPE,
    form: FormatOption = None,
    partner: Partner = None,
    since: Since = None,
    until: Until = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Charge points; of an operator its own, of a provider what it downloaded."""
    write(Noun.CHARGE_POINTS, file, form, partner, since, until, settings, json)


@app.command(epilog="Example: clearinghouse export tariffs tariffs.json --partner DEOPS -s provider.toml")
def tariffs(
    file: Out = PIPE,
    form: FormatOption = None,
    partner: Partner = None,
    since: Since = None,
    until: Until = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """The tariffs in force; of an operator its own, of a provider what it downloaded."""
    write(Noun.TARIFFS, file, form, partner, since, until, settings, json)


@app.command(epilog="Example: clearinghouse export cdrs cdrs.csv --partner DEOPS --since 2027-01-01 -s house.toml")
def cdrs(
    file: Out = PIPE,
    form: FormatOption = None,
    partner: Partner = None,
    since: EndSince = None,
    until: EndUntil = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Charge data; of an operator its own, of a provider what it received."""
    write(Noun.CDRS, file, form, partner, since, until, settings, json)


def write(
    noun: Noun,
    file: Path,
    form: FileFormat | None,
    partner: str | None,
    since: datetime | None,
    until: datetime | None,
    settings: Path | None,
    json: bool,
) -> None:
    """Write the records of a kind, and say how many there were."""
    from clearinghouse.app.desks import record_desk

    with plainly():
        to_pipe = file == PIPE
        if to_pipe and json and form is not None:
            raise ValueError("--json tells about a file; the records themselves go to standard output")
        write_as = WRITERS[FileFormat.JSON if to_pipe and form is None else format_of(file, form)]
        first, last = since and since.date(), until and until.date()
        with record_desk(settings, actor()) as desk, desk.records(noun, partner, first, last) as found:
            records = Counted(found, f"{noun} written")
            with writing(file) as out:
                write_as(CLASSES[noun], records, out)
        if not to_pipe and json:
            show({"file": str(file), "written": records.count})
        else:
            sys.stderr.write(f"{records.count} written\n")
