"""`clearinghouse import`: what a file has, into the store; all of it, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from clearinghouse.cli.context import JsonOption, SettingsOption, actor, fail, plainly, show
from clearinghouse.cli.files import PIPE, Counted, FormatOption, format_of, reading, waiting
from clearinghouse.services.record_files import READERS, BadFile, BadRow, FileFormat, Row
from clearinghouse.services.record_import import Refusals
from clearinghouse.services.records import CLASSES, Noun

app = typer.Typer(no_args_is_help=True, help="What a file in CSV, JSON or JSON Lines has, into the store.")

PARTLY_DONE = 3
"""The exit status where rows were skipped, as asked for."""

In = Annotated[Path, typer.Argument(help="A file that ends in .csv, .json or .jsonl; - is standard input.")]
Partner = Annotated[str | None, typer.Option(help="At the house: the partner, by name or ID, that uploads this.")]
SkipOption = Annotated[
    bool, typer.Option("--skip-bad", help="Take the good rows although others are bad; the exit status is then 3.")
]
ReplaceOption = Annotated[bool, typer.Option("--replace", help="What the good rows lack is gone: tokens expire.")]


@app.callback()
def import_() -> None:
    """What a file has, into the store: all of it or nothing, at the house by the rules of an upload."""


@app.command(epilog="Example: clearinghouse import tokens cards.csv --replace -s provider.toml")
def tokens(
    file: In,
    form: FormatOption = None,
    partner: Partner = None,
    replace: ReplaceOption = False,
    skip_bad: SkipOption = False,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Put tokens over the roaming list; a provider's own list is then uploaded to the house."""
    take(Noun.TOKENS, file, form, partner, replace, skip_bad, settings, json)


@app.command(
    "charge-points", epilog="Example: clearinghouse import charge-points points.csv --partner stadtwerke -s house.toml"
)
def charge_points(
    file: In,
    form: FormatOption = None,
    partner: Partner = None,
    replace: ReplaceOption = False,
    skip_bad: SkipOption = False,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """At the house: upload charge points in the name of a partner."""
    take(Noun.CHARGE_POINTS, file, form, partner, replace, skip_bad, settings, json)


@app.command(epilog="Example: clearinghouse import tariffs tariffs.json --partner stadtwerke -s house.toml")
def tariffs(
    file: In,
    form: FormatOption = None,
    partner: Partner = None,
    skip_bad: SkipOption = False,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """At the house: upload tariffs in the name of a partner; they are in force from now on."""
    take(Noun.TARIFFS, file, form, partner, False, skip_bad, settings, json)


@app.command(epilog="Example: clearinghouse import cdrs cdrs.csv --skip-bad --partner stadtwerke -s house.toml")
def cdrs(
    file: In,
    form: FormatOption = None,
    partner: Partner = None,
    skip_bad: SkipOption = False,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Upload CDRs in the name of a partner; an operator queues CDRs of its own for the house."""
    take(Noun.CDRS, file, form, partner, False, skip_bad, settings, json)


def take(
    noun: Noun,
    file: Path,
    form: FileFormat | None,
    partner: str | None,
    replace: bool,
    skip_bad: bool,
    settings: Path | None,
    json: bool,
) -> None:
    """Import the records of a file, name each bad one by its line, and say how it went."""
    from clearinghouse.app.desks import record_desk

    with plainly(), record_desk(settings, actor()) as desk:
        desk.require_import(noun, partner)
        good, bad = read_rows(noun, file, format_of(file, form))
        if replace and not (good or bad):
            raise ValueError(f"{named(file)} has no rows: nothing was replaced")

        def keep(refused: Refusals) -> bool:
            return skip_bad or not (bad or refused)

        with waiting(f"{len(good):,} {noun} are judged and stored"):
            imported = desk.take(noun, [row.record for row in good], keep, partner=partner, whole=replace)
        line_of = {id(row.record): row.line for row in good}
        refused = [BadRow(line=line_of[id(each.record)], why=each.why) for each in imported.refused]
        stored = len(good) - len(refused) if imported.stored else 0
        bad = sorted([*bad, *refused], key=lambda row: row.line)
        report(file, bad, stored, imported.note, json)
    if bad and not stored:
        fail("nothing was imported" + ("" if skip_bad else "; --skip-bad takes the rows that are good"))
    if bad:
        raise typer.Exit(PARTLY_DONE)


def read_rows(noun: Noun, file: Path, form: FileFormat) -> tuple[list[Row[Any]], list[BadRow]]:
    """The good and the bad rows of a file. Raises ValueError that names it where it cannot be read."""
    good: list[Row[Any]] = []
    bad: list[BadRow] = []
    with reading(file) as opened:
        rows: Iterable[Row[Any] | BadRow] = Counted(READERS[form](CLASSES[noun], opened), f"{noun} read")
        try:
            for row in rows:
                good.append(row) if isinstance(row, Row) else bad.append(row)
        except BadFile as problem:
            raise ValueError(f"{named(file)}, {problem}") from None
    return good, bad


def report(file: Path, bad: list[BadRow], stored: int, note: str, json: bool) -> None:
    """Say what was imported, and name each bad row by its line."""
    if json:
        show({"imported": stored, "bad": [{"line": each.line, "why": each.why} for each in bad], "note": note})
        return
    for each in bad:
        sys.stderr.write(f"{named(file)}:{each.line}: {each.why}\n")
    print(f"{stored} imported, {len(bad)} bad" + (f"; {note}" if note else ""))


def named(file: Path) -> str:
    """What a file is called in messages."""
    return "standard input" if file == PIPE else str(file)
