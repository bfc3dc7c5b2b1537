"""`clearinghouse import`: what a file has, into the store; all of it, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from clearinghouse.cli.context import JsonOption, SettingsOption, actor, fail, plainly, show
from clearinghouse.cli.files import PIPE, Counted, FormatOption, format_of, reading, waiting
from clearinghouse.cli.record_commands import CHARGE_ENDED, RecordCommand, add_commands, day_options, days_of
from clearinghouse.services.record_files import READERS, BadFile, BadRow, FileFormat, Row
from clearinghouse.services.record_import import Refusals
from clearinghouse.services.records import ALL_DAYS, CLASSES, DATED, Days, Noun

app = typer.Typer(no_args_is_help=True, help="What a file in CSV, JSON or JSON Lines has, into the store.")

PARTLY_DONE = 3
"""The exit status where rows were skipped, as asked for."""

In = Annotated[Path, typer.Argument(help="A file that ends in .csv, .json or .jsonl; - is standard input.")]
Partner = Annotated[str | None, typer.Option(help="At the house: the partner, by name or ID, that uploads this.")]
SkipOption = Annotated[
    bool, typer.Option("--skip-bad", help="Take the good rows although others are bad; the exit status is then 3.")
]
REPLACE = {
    "replace": Annotated[bool, typer.Option("--replace", help="What the good rows lack is gone: tokens expire.")],
}


@app.callback()
def import_() -> None:
    """What a file has, into the store: all of it or nothing, at the house by the rules of an upload."""


def take(
    noun: Noun,
    file: In,
    form: FormatOption = None,
    partner: Partner = None,
    since: datetime | None = None,
    until: datetime | None = None,
    replace: bool = False,
    skip_bad: SkipOption = False,
    settings: SettingsOption = None,
    json: JsonOption = False,
) -> None:
    """Import the records of a file, name each bad row by its line, and say how it went."""
    from clearinghouse.app.desks import record_desk

    days = days_of(since, until)
    with plainly(), record_desk(settings, actor()) as desk:
        desk.require_import(noun, partner)
        if replace and days != ALL_DAYS:
            raise ValueError("--replace would delete what --since and --until leave out: say it without them")
        rows = read_rows(noun, file, format_of(file, form), days)
        if replace and not (rows.good or rows.bad):
            raise ValueError(f"{named(file)} has no rows: nothing was replaced")

        def keep(refused: Refusals) -> bool:
            return skip_bad or not (rows.bad or refused)

        with waiting(f"{len(rows.good):,} {noun} are judged and stored"):
            imported = desk.take(noun, [row.record for row in rows.good], keep, partner=partner, whole=replace)
        bad = rows.with_refused(imported.refused)
        stored = len(rows.good) - len(imported.refused) if imported.stored else 0
        report(file, stored, bad, rows.outside, imported.note, json)
    if bad and not stored:
        fail("nothing was imported" + ("" if skip_bad else "; --skip-bad takes the rows that are good"))
    if bad:
        raise typer.Exit(PARTLY_DONE)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What a file has: good rows of the days asked for, bad rows, and how many can be read but are of other days."""

    good: Sequence[Row[Any]]
    bad: Sequence[BadRow]
    outside: int

    def with_refused(self, refused: Refusals) -> list[BadRow]:
        """The bad rows and those that the rules refused, in the order of their lines."""
        line_of = {id(row.record): row.line for row in self.good}
        found = (BadRow(line=line_of[id(each.record)], why=each.why) for each in refused)
        return sorted([*self.bad, *found], key=lambda row: row.line)


def read_rows(noun: Noun, file: Path, form: FileFormat, days: Days) -> Rows:
    """The rows of a file. Raises ValueError that names it where it cannot be read."""
    good: list[Row[Any]] = []
    bad: list[BadRow] = []
    outside = 0
    with reading(file) as opened:
        rows: Iterable[Row[Any] | BadRow] = Counted(READERS[form](CLASSES[noun], opened), f"{noun} read")
        try:
            for row in rows:
                if isinstance(row, BadRow):
                    bad.append(row)
                elif days == ALL_DAYS or days.include(DATED[noun](row.record)):
                    good.append(row)
                else:
                    outside += 1
        except BadFile as problem:
            raise ValueError(f"{named(file)}, {problem}") from None
    return Rows(good=good, bad=bad, outside=outside)


def report(file: Path, stored: int, bad: Sequence[BadRow], outside: int, note: str, json: bool) -> None:
    """Say what was imported and how much is outside the days, and name each bad row by its line."""
    if json:
        named_bad = [{"line": each.line, "why": each.why} for each in bad]
        show({"imported": stored, "bad": named_bad, "outside": outside, "note": note})
        return
    for each in bad:
        sys.stderr.write(f"{named(file)}:{each.line}: {each.why}\n")
    left_out = f", {outside} outside the days" if outside else ""
    print(f"{stored} imported, {len(bad)} bad{left_out}" + (f"; {note}" if note else ""))


def named(file: Path) -> str:
    """What a file is called in messages."""
    return "standard input" if file == PIPE else str(file)


COMMANDS = {
    Noun.TOKENS: RecordCommand(
        help="Put tokens over the roaming list; a provider's own list is then uploaded to the house.",
        example="clearinghouse import tokens cards.csv --replace -s provider.toml",
        options=REPLACE,
    ),
    Noun.CHARGE_POINTS: RecordCommand(
        help="At the house: upload charge points in the name of a partner.",
        example="clearinghouse import charge-points points.csv --partner stadtwerke -s house.toml",
        options=day_options("Only what has a timestamp of") | REPLACE,
    ),
    Noun.TARIFFS: RecordCommand(
        help="At the house: upload tariffs in the name of a partner; they are in force from now on.",
        example="clearinghouse import tariffs tariffs.json --partner stadtwerke -s house.toml",
    ),
    Noun.CDRS: RecordCommand(
        help="Upload CDRs in the name of a partner; an operator queues CDRs of its own for the house.",
        example="clearinghouse import cdrs cdrs.csv --skip-bad --partner stadtwerke -s house.toml",
        options=CHARGE_ENDED,
    ),
}

add_commands(app, take, COMMANDS)
