"""Values as plain data for JSON and back: one reading of the dataclasses for outboxes, documents and APIs.

Decimals, instants and durations (in seconds) become strings, so that nothing is rounded; absent fields are left out.
How a class is written and read is found out once: closures over flat tuples, because lists have it done 100,000 times.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any, TypeVar, get_args, get_origin

from clearinghouse.ochp.shape import made, once

T = TypeVar("T")
Convert = Callable[[Any], Any]
MILLION = 1_000_000
MICROSECOND = timedelta(microseconds=1)


def to_plain(value: Any) -> Any:
    """Dictionaries, lists, strings, numbers and booleans that say what `value` says."""
    write = WRITERS[type(value)]
    return write(value) if write else value


def from_plain(cls: type[T], plain: dict[str, Any]) -> T:
    """The value of a dataclass that `to_plain` wrote. Raises TypeError or ValueError on anything else."""
    value: T = _dataclass_reader(cls)(plain)
    return value


# -- Writing ----------------------------------------------------------------------------------------------------


class Writers(dict[type, Convert | None]):
    """What makes values of each very class plain, found out at the first of them; None where they are plain."""

    def __missing__(self, cls: type) -> Convert | None:
        if dataclasses.is_dataclass(cls):
            write: Convert | None = _dataclass_writer(cls)
        else:
            write = next((write for kinds, write in KINDS if issubclass(cls, kinds)), None)
        self[cls] = write
        return write


WRITERS = Writers()


def _dataclass_writer(cls: type) -> Convert:
    names = tuple(item.name for item in dataclasses.fields(cls))

    def write(value: Any) -> dict[str, Any]:
        said = vars(value)
        return {
            name: write(entry) if (write := WRITERS[type(entry)]) else entry
            for name in names
            if (entry := said[name]) is not None
        }

    return write


KINDS: tuple[tuple[tuple[type, ...], Convert], ...] = (
    ((dict,), lambda value: {name: to_plain(entry) for name, entry in value.items()}),
    ((Enum,), attrgetter("_value_")),
    ((Decimal,), str),
    ((datetime, date), lambda value: value.isoformat()),
    ((timedelta,), lambda value: str(Decimal(value // MICROSECOND) / MILLION)),
    ((tuple, list, frozenset), lambda value: [to_plain(entry) for entry in value]),
)
"""How values are made plain, by their class; the first that fits. Any other value is plain as it is."""

# -- Reading ----------------------------------------------------------------------------------------------------


@once
def _dataclass_reader(cls: type) -> Convert:
    """Reads objects; what needs no conversion is not looked at."""
    readers = ((name, _reader(hint)) for name, hint in typing.get_type_hints(cls).items())
    converted = tuple((name, read) for name, read in readers if read)
    fields = {item.name: item.default for item in dataclasses.fields(cls)}
    usual = {name: default for name, default in fields.items() if default is not dataclasses.MISSING}

    def read(plain: Any) -> Any:
        if not isinstance(plain, dict):
            raise TypeError(f"{cls.__name__} is written as an object, not as {type(plain).__name__}")
        said = usual | plain
        if said.keys() != fields.keys():
            raise TypeError(f"{cls.__name__}: too much or too little is {sorted(said.keys() ^ fields.keys())}")
        for name, convert in converted:
            if name in plain:
                said[name] = convert(plain[name])
        return made(cls, said)

    return read


def _reader(hint: Any) -> Convert | None:
    """What reads an entry; None where it is read as it is."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _reader(get_args(hint)[0])
    if origin in (types.UnionType, typing.Union):
        return _reader_of_any([each for each in get_args(hint) if each is not types.NoneType])
    if origin in (tuple, frozenset, Iterable):
        return _list_reader(tuple if origin is Iterable else origin, _reader(get_args(hint)[0]))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _dataclass_reader(hint)
    if hint in READERS:
        return READERS[hint]
    return _enum_reader(hint) if isinstance(hint, type) and issubclass(hint, Enum) else None


def _reader_of_any(hints: list[Any]) -> Convert | None:
    """Reads objects as the first class that has all their fields, and anything else as what is no class."""
    if len(hints) == 1:
        return _reader(hints[0])
    readers = {hint: _reader(hint) or _same for hint in hints}
    objects = [
        ({item.name for item in dataclasses.fields(hint)}, readers[hint])
        for hint in hints
        if dataclasses.is_dataclass(hint)
    ]
    other = next((readers[hint] for hint in hints if not dataclasses.is_dataclass(hint)), readers[hints[0]])

    def read(plain: Any) -> Any:
        if not isinstance(plain, dict):
            return other(plain)
        return next((convert for names, convert in objects if plain.keys() <= names), readers[hints[0]])(plain)

    return read


def _list_reader(kind: Convert, one: Convert | None) -> Convert:
    def read(plain: Any) -> Any:
        if not isinstance(plain, list):
            raise TypeError(f"several values are written as a list, not as {type(plain).__name__}")
        return kind(map(one, plain) if one else plain)

    return read


def _enum_reader(cls: type[Enum]) -> Convert:
    """Calling the class does the same, at four times the price."""
    members = {member.value: member for member in cls}

    def read(plain: Any) -> Any:
        try:
            return members[plain]
        except KeyError:
            raise ValueError(f"{plain!r} is no {cls.__name__}") from None

    return read


def _same(value: Any) -> Any:
    return value


def _decimal(plain: str) -> Decimal:
    try:
        return Decimal(plain)
    except InvalidOperation:
        raise ValueError(f"not a decimal number: {plain!r}") from None


def _duration(plain: str) -> timedelta:
    return int(_decimal(plain) * MILLION) * MICROSECOND


READERS: dict[Any, Convert] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    timedelta: _duration,
    Decimal: _decimal,
}
