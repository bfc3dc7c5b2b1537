"""Scalars as text: how each kind of value is written on the wire, and how strictly it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from clearinghouse.ochp.shape import Field, members_of, spellings, stand_in
from clearinghouse.ochp.versions import Version

ToText = Callable[[Any], str]
FromText = Callable[[str], Any]

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
LONGEST_NUMBER = 64
LARGEST_EXPONENT = 38
"""Numbers beyond the range of `xs:float` are refused: written without exponent they would have no end."""

SPECIAL = re.compile('[&<>"\t\n\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
DIGITS = tuple(f"{number:02d}" for number in range(60))
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def escape(text: str) -> str:
    """Text fit for an element or an attribute; a character that XML cannot carry becomes U+FFFD."""
    if SPECIAL.search(text) is None:
        return text
    return SPECIAL.sub(lambda match: ENTITIES.get(match.group(), "\ufffd"), text)


def number_text(value: Decimal) -> str:
    """A plain decimal, without exponent. Raises ValueError for infinities and numbers beyond `xs:float`."""
    if not value.is_finite() or abs(value.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("no number that can be written")
    return format(value, "f")


def utc_text(value: datetime) -> str:
    """UTC with whole seconds and a literal `Z`. Raises ValueError for a naive value."""
    if value.tzinfo is not UTC:
        value = _aware(value).astimezone(UTC)
    return f"{_day_text(value.toordinal())}T{DIGITS[value.hour]}:{DIGITS[value.minute]}:{DIGITS[value.second]}Z"


@lru_cache(4096)
def _day_text(ordinal: int) -> str:
    """Days recur, and `isoformat` for each instant would take a third of the time that a line of a list takes."""
    return date.fromordinal(ordinal).isoformat()


def local_text(value: datetime) -> str:
    """The wall clock's time with whole seconds and its offset. Raises ValueError for a naive value."""
    return _aware(value).isoformat(timespec="seconds")


def _aware(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise ValueError("an instant needs an offset")
    return value


def boolean_text(value: bool) -> str:
    """`true` or `false`."""
    return "true" if value else "false"


def read_number(text: str) -> Decimal:
    """A finite decimal, an exponent allowed. Raises ValueError."""
    text = text.strip()
    if len(text) > LONGEST_NUMBER or NUMBER.fullmatch(text) is None:
        raise ValueError("a finite decimal number")
    number = Decimal(text)
    if number and abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("a number of usual size")
    return number


def read_integer(text: str) -> int:
    """A whole number. Raises ValueError."""
    text = text.strip()
    if INTEGER.fullmatch(text) is None:
        raise ValueError("a whole number")
    return int(text)


BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_boolean(text: str) -> bool:
    """`true`, `false`, `1` or `0`. Raises ValueError."""
    try:
        return BOOLEANS[text.strip()]
    except KeyError:
        raise ValueError("true or false") from None


def read_instant(text: str) -> datetime:
    """An instant with `Z` or an offset, which is kept; a fraction of a second is dropped. Raises ValueError."""
    try:
        value = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("an instant, for example 2027-01-10T11:00:00Z") from None
    if value.tzinfo is None:
        raise ValueError("an instant with Z or an offset")
    return value.replace(microsecond=0) if value.microsecond else value


def read_day(text: str) -> date:
    """A calendar day. Raises ValueError."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("a day, for example 2027-01-10") from None


HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
DURATION = re.compile("([0-9]{3}):([0-9]{2}):([0-9]{2})")


def duration_text(value: timedelta) -> str:
    """Hours, minutes and seconds as `hhh:mm:ss`. Raises ValueError for what is negative or 1000 hours and more."""
    if not timedelta(0) <= value < 1000 * HOUR:
        raise ValueError("no duration between 0 and 999 hours")
    return f"{value // HOUR:03}:{value % HOUR // MINUTE:02}:{value % MINUTE // SECOND:02}"


def read_duration(text: str) -> timedelta:
    """A length of time written as `hhh:mm:ss`. Raises ValueError."""
    found = DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError("a duration, for example 001:30:00")
    return timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3]))


class Told(dict[Any, str]):
    """How the members of an enumeration are spelled."""

    def __missing__(self, member: Any) -> str:
        raise ValueError(f"{member} cannot be said in this version")


def _enumeration(field: Field, version: Version) -> tuple[ToText, FromText]:
    kind: Any = field.kind
    known = spellings(kind, version)
    told = Told((member, spelled) for spelled, member in known.items())
    instead = {member: stand_in(member, version) for member in kind if member not in members_of(kind, version)}
    told |= {member: told[other] for member, other in instead.items() if other is not None}

    def read(text: str) -> Any:
        try:
            return known[text.strip()]
        except KeyError:
            raise ValueError(f"one of {', '.join(known)}") from None

    return told.__getitem__, read


def _rounded(places: int) -> ToText:
    return lambda value: number_text(round(value, places))


def _instant(field: Field) -> tuple[ToText, FromText]:
    local = field.box is not None and field.box.element == "LocalDateTime"
    return (local_text if local else utc_text), read_instant


SCALARS: dict[type, tuple[ToText, FromText]] = {
    str: (escape, str),
    bool: (boolean_text, read_boolean),
    int: (str, read_integer),
    Decimal: (number_text, read_number),
    date: (date.isoformat, read_day),
    timedelta: (duration_text, read_duration),
}


def scalar(field: Field, version: Version) -> tuple[ToText, FromText]:
    """How the field's value is written and read; both raise ValueError, the reader with what it expected."""
    if issubclass(field.kind, StrEnum):
        return _enumeration(field, version)
    if field.places is not None:
        return _rounded(field.places), read_number
    return _instant(field) if field.kind is datetime else SCALARS[field.kind]
