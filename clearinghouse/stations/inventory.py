"""The EVSE file: which EVSEs the operator has, as CSV with a header line or as a JSON array of objects."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.scalars import EvseId
from clearinghouse.services.stations_port import Evse
from clearinghouse.stations.facets import form_of
from clearinghouse.stations.places import PLACE_COLUMNS, Place, place_of

SAMPLE = Path(__file__).with_name("sample-evses.csv")
"""A dozen EVSEs of an operator DE*OPS, for trials."""
MOST_SHOWN = 10
EVSE_ID = form_of(EvseId)


class BadInventory(ClearinghouseError):  # noqa: N818
    """The EVSE file cannot be used; the text names the file and every line and column that is wrong."""


Row = tuple[str, Mapping[str, str]]
"""Where an entry is in the file, and what it says by column; what is absent is the empty text."""

# -- Columns ----------------------------------------------------------------------------------------------------


def _spelling(text: str) -> str:
    if not EVSE_ID.fullmatch(text):
        raise ValueError("is no EVSE-ID, such as DE*ABC*E1001")
    return text


@functools.lru_cache(maxsize=1024)
def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise ValueError("is no number greater than 0")
    return amount


def _phases(text: str) -> int:
    if text not in ("0", "1", "2", "3"):
        raise ValueError("is not 1, 2 or 3, nor 0 for direct current")
    return int(text)


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("is neither yes nor no")
    return text == "yes"


def _minutes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError("is no whole number of minutes greater than 0")
    return int(text)


@functools.lru_cache(maxsize=1024)
def _time_zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError):
        raise ValueError("is no IANA time zone, such as Europe/Berlin") from None


COLUMNS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "evse_id": ("evse_id", _spelling),
    "max_power_kw": ("max_power", _amount),
    "phases": ("phases", _phases),
    "voltage": ("voltage", _amount),
    "direct": ("direct", _yes_or_no),
    "max_reservation_minutes": ("max_reservation", _minutes),
    "time_zone": ("time_zone", _time_zone),
}
"""What the file may say of an EVSE: the field of `Evse` and how it is read. What is empty takes the field's default."""
MANDATORY = ("evse_id", "max_power_kw")
KNOWN = frozenset(COLUMNS) | frozenset(PLACE_COLUMNS)
"""Every column there is; any further one is taken for a misspelling."""

# -- Reading ----------------------------------------------------------------------------------------------------


class Points(Mapping[str, ChargePointInfo]):
    """The charge points of places, each made when it is asked for."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._places = places

    def __getitem__(self, key: str) -> ChargePointInfo:
        return self._places[key].point

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


@dataclass(frozen=True)
class Inventory:
    """What an EVSE file says, by EVSE key."""

    evses: Mapping[str, Evse]
    places: Mapping[str, Place]

    @property
    def points(self) -> Mapping[str, ChargePointInfo]:
        """Every charge point, for bills."""
        return Points(self.places)

    @property
    def published(self) -> Collection[ChargePointInfo]:
        """The charge points that can be shown on a map."""
        return Points({key: place for key, place in self.places.items() if place.located}).values()


def read_inventory(path: Path) -> dict[str, Evse]:
    """The EVSEs of a file by key. Raises BadInventory that names the file and up to ten wrong places."""
    return dict(read_site(path).evses)


def read_site(path: Path) -> Inventory:
    """The EVSEs of a file with their charge points. Raises BadInventory, as above."""
    try:
        rows = _json_rows(path) if path.suffix.lower() == ".json" else _csv_rows(path)
        return _inventory(path, rows)
    except OSError as problem:
        raise BadInventory(f"{path}: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise BadInventory(f"{path}: is not UTF-8: {problem.reason}") from problem


def _inventory(path: Path, rows: Iterable[Row]) -> Inventory:
    found: dict[str, Evse] = {}
    places: dict[str, Place] = {}
    where: dict[str, str] = {}
    wrong: list[str] = []
    for line, row in rows:
        evse, problems = _evse(row)
        place, more = place_of(evse, row) if evse else (None, [])
        if evse is None or place is None:
            wrong += [f"{path}, {line}, {problem}" for problem in (*problems, *more)]
        elif evse.key in found:
            wrong.append(f"{path}, {line}, evse_id: {evse.evse_id} is there already, in {where[evse.key]}")
        else:
            found[evse.key], places[evse.key], where[evse.key] = evse, place, line
        if len(wrong) >= MOST_SHOWN:
            break
    if wrong:
        raise BadInventory("\n".join(wrong[:MOST_SHOWN]))
    return Inventory(found, places)


def _evse(row: Mapping[str, str]) -> tuple[Evse | None, list[str]]:
    said: dict[str, Any] = {}
    wrong: list[str] = []
    for column, (name, read) in COLUMNS.items():
        text = row.get(column, "")
        if not text:
            if column in MANDATORY:
                wrong.append(f"{column}: is missing")
            continue
        try:
            said[name] = read(text)
        except ValueError as problem:
            wrong.append(f"{column}: {text!r} {problem}")
    key = evse_key(said.get("evse_id", ""))
    return (None if wrong or key is None else Evse(key=key, **said)), wrong


def _checked_names(place: str, names: Iterable[str], mandatory: Iterable[str] = ()) -> None:
    names = list(names)
    unknown = [name for name in names if name not in KNOWN]
    if unknown:
        known = ", ".join([*COLUMNS, *PLACE_COLUMNS])
        raise BadInventory(f"{place}: there is no column {unknown[0]!r}; the columns are {known}")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise BadInventory(f"{place}: the column {twice[0]!r} is there twice")
    absent = [name for name in mandatory if name not in names]
    if absent:
        raise BadInventory(f"{place}: the column {absent[0]!r} is missing")


def _csv_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        place = "line 1"
        try:
            header = [name.strip() for name in next(reader, [])]
            _checked_names(f"{path}, line 1", header, MANDATORY)
            place = f"line {reader.line_num + 1}"
            for cells in reader:
                if any(cells):
                    yield place, _named(f"{path}, {place}", header, cells)
                place = f"line {reader.line_num + 1}"
        except csv.Error as problem:
            raise BadInventory(f"{path}, {place}: is no CSV: {problem}") from problem


def _named(place: str, header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise BadInventory(f"{place}: has {len(cells)} columns, the header has {len(header)}")
    return dict(zip(header, map(str.strip, cells), strict=True))


def _json_rows(path: Path) -> Iterator[Row]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=str, parse_int=str)
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, character {problem.colno}"
        raise BadInventory(f"{path}, {where}: is no JSON: {problem.msg}") from problem
    if not isinstance(entries, list):
        raise BadInventory(f"{path}: is no JSON array of objects")
    for number, entry in enumerate(entries, 1):
        place = f"entry {number}"
        if not isinstance(entry, dict):
            raise BadInventory(f"{path}, {place}: is no object")
        _checked_names(f"{path}, {place}", entry)
        yield place, {name: _text(f"{path}, {place}, {name}", value) for name, value in entry.items()}


def _text(place: str, value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    raise BadInventory(f"{place}: is neither a text nor a number")
