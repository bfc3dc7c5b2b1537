"""`clearinghouse export`: what the store of a role has, into a file or to standard output."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from clearinghouse.cli.context import JsonOption, SettingsOption, actor, plainly, show
from clearinghouse.cli.files import PIPE, Counted, FormatOption, format_of, writing
from clearinghouse.cli.record_commands import CHARGE_ENDED, RecordCommand, add_commands, day_options, days_of
from clearinghouse.services.record_files import WRITERS, FileFormat
from clearinghouse.services.records import CLASSES, Noun

app = typer.Typer(no_args_is_help=True, help="What the store has, into a file in CSV, JSON or JSON Lines.")

Out = Annotated[Path, typer.Argument(help="A file that ends in .csv, .json or .jsonl; - is standard output.")]
Partner = Annotated[
    str | None, typer.Option(help="Only of this partner: at the house by name or party ID, elsewhere by its party ID.")
]
CHANGED = day_options("Only what changed last on")


@app.callback()
def export() -> None:
    """What the store has, into a file in CSV, JSON or JSON Lines; it is there once it is whole."""


def write(
    noun: Noun,
    file: Out = PIPE,
    form: FormatOption = None,
    partner: Partner = None,
    since: datetime | None = None,
    until: datetime | None = None,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Write the records of a kind, and say how many there were."""
    from clearinghouse.app.desks import record_desk

    days = days_of(since, until)
    with plainly():
        to_pipe = file == PIPE
        if to_pipe and json and form is not None:
            raise ValueError("--json tells about a file; the records themselves go to standard output")
        write_as = WRITERS[FileFormat.JSON if to_pipe and form is None else format_of(file, form)]
        with record_desk(settings, actor()) as desk, desk.records(noun, partner, days) as found:
            records = Counted(found, f"{noun} written")
            with writing(file) as out:
                write_as(CLASSES[noun], records, out)
        if not to_pipe and json:
            show({"file": str(file), "written": records.count})
        else:
            sys.stderr.write(f"{records.count} written\n")


COMMANDS = {
    Noun.TOKENS: RecordCommand(
        help="The roaming list; of a provider its own, of an operator what it downloaded.",
        example="clearinghouse export tokens cards.csv --partner fahrstrom -s house.toml",
        options=CHANGED,
    ),
    Noun.CHARGE_POINTS: RecordCommand(
        help="Charge points; of an operator its own, of a provider what it downloaded.",
        example="clearinghouse export charge-points points.json -s provider.toml",
        options=CHANGED,
    ),
    Noun.TARIFFS: RecordCommand(
        help="The tariffs in force; of an operator its own, of a provider what it downloaded.",
        example="clearinghouse export tariffs tariffs.json --partner DEOPS -s provider.toml",
        options=CHANGED,
    ),
    Noun.CDRS: RecordCommand(
        help="Charge data; of an operator its own, of a provider what it received.",
        example="clearinghouse export cdrs cdrs.csv --partner DEOPS --since 2027-01-01 -s house.toml",
        options=CHARGE_ENDED,
    ),
}

add_commands(app, write, COMMANDS)
