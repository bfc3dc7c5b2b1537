"""Files of records, in CSV, JSON and JSON Lines; each record is read with the line of the file where it begins."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TextIO, TypeVar

from clearinghouse.ochp.plain import to_plain
from clearinghouse.ochp.reading import Unreadable, read
from clearinghouse.services.flat_records import Column, cells_of, columns_of, named_by_column, plain_of

T = TypeVar("T")

LARGEST_CELL = 1 << 26
BEYOND_MEASURE = "it is nested too deeply, or has a number that is too long"


class FileFormat(StrEnum):
    """How a file is written: CSV with a header, a JSON array, or a JSON object on every line."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"


class BadFile(ValueError):  # noqa: N818 - the text says what is wrong
    """The file as a whole cannot be read; the text says where."""


@dataclass(frozen=True, kw_only=True)
class BadRow:
    """A row that is not taken: its line, counted from 1, and why."""

    line: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Row(Generic[T]):
    """A record, and the line where it begins."""

    line: int
    record: T


# -- Writing -----------------------------------------------------------------------------------------------------


def write_csv(cls: type, records: Iterable[Any], file: TextIO) -> None:
    """A header, and a row for each record."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(column.name for column in columns_of(cls))
    writer.writerows(map(cells_of, records))


def write_json(cls: type, records: Iterable[Any], file: TextIO) -> None:
    """An array of objects, each on a line of its own."""
    before = "[\n"
    for record in records:
        file.write(before + _json(record))
        before = ",\n"
    file.write("[]\n" if before == "[\n" else "\n]\n")


def write_json_lines(cls: type, records: Iterable[Any], file: TextIO) -> None:
    """An object on every line."""
    file.writelines(f"{_json(record)}\n" for record in records)


def _json(record: Any) -> str:
    return json.dumps(to_plain(record), ensure_ascii=False)


WRITERS: dict[FileFormat, Callable[[type, Iterable[Any], TextIO], None]] = {
    FileFormat.CSV: write_csv,
    FileFormat.JSON: write_json,
    FileFormat.JSONL: write_json_lines,
}

# -- Reading: each raises BadFile where it cannot go on ----------------------------------------------------------


def read_csv(cls: type[T], file: TextIO) -> Iterator[Row[T] | BadRow]:
    """The records of a CSV file whose header names columns in any order."""
    csv.field_size_limit(LARGEST_CELL)
    rows = _csv_rows(csv.reader(file, strict=True))
    columns = _columns(cls, *next(rows, (1, [])))
    for line, cells in rows:
        if len(cells) != len(columns):
            yield BadRow(line=line, why=f"{len(cells)} cells, the header has {len(columns)}")
            continue
        plain, wrong = plain_of(zip(columns, cells, strict=True))
        yield BadRow(line=line, why="; ".join(map(str, wrong))) if wrong else _row(cls, line, plain, by_column=True)


def _csv_rows(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows that say anything, each with the line where it begins."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise BadFile(f"line {line}: {error}") from None
        if any(cells):
            yield line, cells


def _columns(cls: type, line: int, header: list[str]) -> list[Column]:
    """The columns that a header names. Raises BadFile."""
    known = {column.name: column for column in columns_of(cls)}
    header = [name.strip() for name in header]
    strange = [name for name in header if name not in known]
    twice = {name for name in header if header.count(name) > 1}
    missing = [name for name, column in known.items() if column.needed and name not in header]
    if strange:
        raise BadFile(f"line {line}: there is no column {strange[0]!r}; there are {', '.join(known)}")
    if twice or missing:
        what = f"{sorted(twice)[0]} twice" if twice else f"no column {missing[0]}"
        raise BadFile(f"line {line}: the header has {what}")
    return [known[name] for name in header]


def read_json(cls: type[T], file: TextIO) -> Iterator[Row[T] | BadRow]:
    """The records of a JSON array of objects."""
    text, decoder = file.read(), json.JSONDecoder(parse_float=str)
    line, counted, at = 1, 0, _gap(text, 0)
    if text[at : at + 1] != "[":
        raise BadFile(f"line {1 + text.count(chr(10), 0, at)}: a JSON array is expected")
    at = _gap(text, at + 1)
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            plain, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise BadFile(f"line {error.lineno}: {error.msg}") from None
        except (ValueError, RecursionError):
            raise BadFile(f"line {line}: {BEYOND_MEASURE}") from None
        yield _row(cls, line, plain)
        at = _after_comma(text, at)
    if _gap(text, at + 1) < len(text):
        raise BadFile(f"line {1 + text.count(chr(10), 0, at)}: something follows the array")


def _gap(text: str, at: int) -> int:
    """Where the next sign is that is no blank."""
    while text[at : at + 1] in (" ", "\t", "\r", "\n"):
        at += 1
    return at


def _after_comma(text: str, at: int) -> int:
    """Where the next entry of an array begins, or its end is. Raises BadFile."""
    at = _gap(text, at)
    if text[at : at + 1] == "]":
        return at
    following = _gap(text, at + 1)
    if text[at : at + 1] != "," or text[following : following + 1] == "]":
        raise BadFile(f"line {1 + text.count(chr(10), 0, at)}: a comma and another entry are expected, or the end")
    return following


def read_json_lines(cls: type[T], file: TextIO) -> Iterator[Row[T] | BadRow]:
    """The records of a file with an object on every line."""
    for line, text in enumerate(file, 1):
        if text.strip():
            try:
                yield _row(cls, line, json.loads(text, parse_float=str))
            except (ValueError, RecursionError) as error:
                yield BadRow(line=line, why=f"is no JSON: {getattr(error, 'msg', BEYOND_MEASURE)}")


def _row(cls: type[T], line: int, plain: Any, *, by_column: bool = False) -> Row[T] | BadRow:
    try:
        return Row(line=line, record=read(cls, plain))
    except Unreadable as problem:
        wrong = [named_by_column(cls, each) if by_column else each for each in problem.complaints]
        return BadRow(line=line, why="; ".join(map(str, wrong)))


READERS: dict[FileFormat, Callable[[type[Any], TextIO], Iterator[Row[Any] | BadRow]]] = {
    FileFormat.CSV: read_csv,
    FileFormat.JSON: read_json,
    FileFormat.JSONL: read_json_lines,
}
