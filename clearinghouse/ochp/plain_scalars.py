"""Scalars in plain data as people write them; each reader raises ValueError that says what it expects."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from clearinghouse.ochp.marks import Text
from clearinghouse.ochp.shape import Field, fields_of
from clearinghouse.ochp.versions import ORDER

Read = Callable[[Any], Any]

UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
INTEGER = re.compile("-?[0-9]{1,10}")
INT_32 = 1 << 31
LARGEST_EXPONENT = 38
LONGEST = timedelta(hours=1000)
MILLION = 1_000_000


def scalar_reader(cls: type, field: Field) -> Read:
    """What reads one entry of a field, as any version of OCHP says it."""
    if issubclass(field.kind, StrEnum):
        return _member_reader(field.kind)
    if field.kind is str:
        return _text_reader(_facets(cls, field), _expected(field))
    if field.kind is int:
        return _int_reader(field)
    return _degrees_reader(field.text) if field.places is not None else SCALARS[field.kind]


def _facets(cls: type, field: Field) -> list[Text]:
    """What each version says of a text."""
    said = (each.text for version in ORDER for each in fields_of(cls, version) if each.attr == field.attr)
    return list(dict.fromkeys(said))


def _member_reader(kind: type[StrEnum]) -> Read:
    known = {each.value: each for each in kind}

    def read_member(plain: Any) -> StrEnum:
        if not isinstance(plain, str) or plain not in known:
            raise ValueError(f"one of {', '.join(known)}")
        return known[plain]

    return read_member


def _text_reader(facets: list[Text], expected: str) -> Read:
    def read_text(plain: Any) -> str:
        if not isinstance(plain, str):
            raise ValueError("a text")  # noqa: TRY004 - told like what else is unexpected
        if UNSPEAKABLE.search(plain):
            raise ValueError("a text in UTF-8 without control characters")
        if not any(each.allows(plain) for each in facets):
            raise ValueError(expected)
        return plain

    return read_text


EXAMPLES = {
    "EvseId": "DE*ABC*E1001",
    "ParkingId": "DE*ABC*P1001",
    "TariffId": "DE*ABC*T1",
    "ContractId": "DE-ABC-C00000001-2",
}


def _expected(field: Field) -> str:
    text, name = field.text, field.simple.type_name if field.simple else ""
    if name in EXAMPLES:
        return f"the form of {EXAMPLES[name]}"
    if text.patterns:
        return f"a text of the form {' or '.join(text.patterns)}"
    return f"a text of {text.length or f'{text.min or 0} to {text.max}'} characters"


def _int_reader(field: Field) -> Read:
    bounds = field.bounds
    low = bounds.least if bounds.above is None else bounds.above + 1
    least, most = -INT_32 if low is None else low, INT_32 - 1 if bounds.most is None else bounds.most

    def read_int(plain: Any) -> int:
        number = int(plain) if isinstance(plain, str) and INTEGER.fullmatch(plain) else plain
        if type(number) is not int or not least <= number <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return number

    return read_int


def _degrees_reader(text: Text) -> Read:
    def read_degrees(plain: Any) -> Decimal:
        degrees = _decimal(plain)
        if not text.allows(f"{degrees:.6f}"):
            raise ValueError("a number of degrees")
        return degrees

    return read_degrees


def _decimal(plain: Any) -> Decimal:
    is_number = isinstance(plain, str) and NUMBER.fullmatch(plain)
    if not is_number and type(plain) is not int:
        raise ValueError("a decimal number")
    number = Decimal(plain)
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError("a decimal number of usual size")
    return number


def _boolean(plain: Any) -> bool:
    if not isinstance(plain, bool):
        raise ValueError("true or false")  # noqa: TRY004 - told like what else is unexpected
    return plain


def _instant(plain: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(plain)
    except (TypeError, ValueError):
        raise ValueError("an instant, such as 2027-01-10T11:00:00Z,") from None
    offset = instant.utcoffset()
    if offset is None or offset % timedelta(minutes=1):
        raise ValueError("an instant with its time zone, Z or an offset such as +01:00,")
    return instant


def _duration(plain: Any) -> timedelta:
    seconds = _decimal(plain)
    if not 0 <= seconds < LONGEST.total_seconds():
        raise ValueError("a number of seconds below 1000 hours")
    return timedelta(microseconds=int(seconds * MILLION))


SCALARS: dict[type, Read] = {
    bool: _boolean,
    Decimal: _decimal,
    datetime: _instant,
    timedelta: _duration,
}
