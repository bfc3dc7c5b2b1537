"""The reading of the marks: the fields of a class as a given version puts them on the wire."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import Annotated, Any, ParamSpec, TypeVar, cast, get_args, get_origin

from clearinghouse.ochp.marks import (
    MEMBERS_SINCE,
    SPELLED_UNTIL,
    STAND_INS,
    UNUSED,
    WIRES,
    Attribute,
    Boxed,
    Choice,
    Default,
    Holds,
    Most,
    Named,
    Nillable,
    Places,
    Plain,
    Range,
    Required,
    Simple,
    Since,
    Text,
    Until,
    When,
    Whole,
    Wire,
)
from clearinghouse.ochp.versions import OLDEST, ORDER, Version

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def once(function: Callable[P, R]) -> Callable[P, R]:
    """`functools.cache` with the function's own signature, so that type checkers take classes as arguments."""
    return cast("Callable[P, R]", cache(function))


def made(cls: type[T], fields: dict[str, Any]) -> T:
    """A value of a frozen dataclass from all its fields, unchecked; the dictionary belongs to the value from now on.

    Its own constructor sets them one by one, which takes twice as long. It is for what is made by the million.
    """
    value = object.__new__(cls)
    object.__setattr__(value, "__dict__", fields)
    return value


PLAIN_XSD = {"str": "string", "bool": "boolean", "int": "int", "Decimal": "float"}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a class in one version. `max_occurs` None means unbounded; `whole` lists lose no entry.

    The entries of a stream may be gone through once only: they are read while a message comes in, and found while it
    goes out.
    """

    attr: str
    element: str
    kind: type
    box: Boxed | None
    simple: Simple | None
    xsd: str
    text: Text
    bounds: Range
    places: int | None
    default: object
    is_attribute: bool
    is_list: bool
    is_stream: bool
    is_choice: bool
    whole: bool
    min_occurs: int
    max_occurs: int | None
    nillable: bool
    owner: type

    @cached_property
    def is_complex(self) -> bool:
        """The field holds another class of the language."""
        return dataclasses.is_dataclass(self.kind)


@dataclass(frozen=True)
class _Hint:
    kind: type
    marks: tuple[object, ...]
    optional: bool
    repeated: bool
    streamed: bool


def _peel(hint: object) -> _Hint:
    """Strip Annotated, `| None`, `tuple[..., ...]`, `Iterable[...]` off a hint, gathering marks from the outside in."""
    marks: tuple[object, ...] = ()
    optional = repeated = streamed = False
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *inner = get_args(hint)
            marks += tuple(inner)
        elif origin in (types.UnionType, typing.Union):
            optional = optional or types.NoneType in get_args(hint)
            hint = next(each for each in get_args(hint) if each is not types.NoneType)
        elif origin in (tuple, Iterable):
            hint = get_args(hint)[0]
            repeated, streamed = True, origin is Iterable
        else:
            if not isinstance(hint, type):
                raise TypeError(f"no wire form for {hint!r}")
            return _Hint(hint, marks, optional, repeated, streamed)


def _in_force(marks: tuple[object, ...], version: Version) -> tuple[object, ...]:
    """The marks that hold in this version, those with a condition first."""
    conditional = [
        mark for when in marks if isinstance(when, When) and when.since <= version <= when.until for mark in when.marks
    ]
    return (*conditional, *(mark for mark in marks if not isinstance(mark, When)))


M = TypeVar("M")


def _mark(marks: tuple[object, ...], kind: type[M]) -> M | None:
    return next((mark for mark in marks if isinstance(mark, kind)), None)


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _text(hint: _Hint, marks: tuple[object, ...], version: Version) -> Text:
    text = _mark(marks, Text) or Text()
    if issubclass(hint.kind, StrEnum):
        return dataclasses.replace(text, values=tuple(spellings(hint.kind, version)))
    return text


def _exists(hint: _Hint, version: Version) -> bool:
    since, until = _mark(hint.marks, Since), _mark(hint.marks, Until)
    return (since is None or version >= since.version) and (until is None or version <= until.version)


def _owner(cls: type, name: str) -> type:
    """The class in the inheritance chain that declares the field (schema extension)."""
    return next(base for base in reversed(cls.__mro__) if name in getattr(base, "__annotations__", {}))


@once
def _hints(cls: type) -> dict[str, _Hint]:
    resolved = typing.get_type_hints(cls, include_extras=True)
    return {item.name: _peel(resolved[item.name]) for item in dataclasses.fields(cls)}


@once
def fields_of(cls: type, version: Version) -> tuple[Field, ...]:
    """The fields of a class that exist in this version, in the order of the schema."""
    return tuple(
        _field(name, hint, version, _owner(cls, name)) for name, hint in _hints(cls).items() if _exists(hint, version)
    )


@once
def every_field_of(cls: type) -> dict[str, Field]:
    """Every field of a class, as the newest version that has it says it: name to field."""
    return {field.attr: field for version in ORDER for field in fields_of(cls, version)}


def unused_types(version: Version) -> list[Field]:
    """The types that the schema of this version declares and no field has, each as a field that would have it."""
    hints = [_peel(each) for each in UNUSED]
    return [_field("", hint, version, object) for hint in hints if _exists(hint, version)]


def _field(name: str, hint: _Hint, version: Version, owner: type) -> Field:
    marks = _in_force(hint.marks, version)
    named, plain, required = _mark(marks, Named), _mark(marks, Plain), _mark(marks, Required)
    default, most, places, holds = _mark(marks, Default), _mark(marks, Most), _mark(marks, Places), _mark(marks, Holds)
    # A field that is optional or a list in Python may still be mandatory in some versions, and the other way round.
    must = not (hint.optional or hint.repeated or default) if required is None else required.holds_in(version)
    return Field(
        attr=name,
        element=named.element if named else _camel(name),
        kind=holds.kind if holds else hint.kind,
        box=_mark(marks, Boxed),
        simple=_mark(marks, Simple),
        xsd="string" if places else plain.xsd if plain else PLAIN_XSD.get(hint.kind.__name__, "string"),
        text=_text(hint, marks, version),
        bounds=_mark(marks, Range) or Range(),
        places=places.count if places else None,
        default=default.value if default else None,
        is_attribute=_mark(marks, Attribute) is not None,
        is_list=hint.repeated,
        is_stream=hint.streamed,
        is_choice=_mark(marks, Choice) is not None,
        whole=_mark(marks, Whole) is not None,
        min_occurs=int(must),
        max_occurs=(most.count if most else None) if hint.repeated else 1,
        nillable=_mark(marks, Nillable) is not None,
        owner=owner,
    )


@once
def assumed(cls: type, version: Version) -> dict[str, object]:
    """What a class takes for fields that this version cannot say, or does not say when absent: name to value."""
    unsaid = {
        name: since.assume
        for name, hint in _hints(cls).items()
        if (since := _mark(hint.marks, Since)) and version < since.version and since.assume is not None
    }
    return unsaid | {each.attr: each.default for each in fields_of(cls, version) if each.default is not None}


def members_of(enumeration: type[StrEnum], version: Version) -> list[StrEnum]:
    """The members of an enumeration that exist in this version, in schema order."""
    return [member for member in enumeration if version >= _since(member)]


def _since(member: StrEnum) -> Version:
    # Members of two enumerations with the same text are equal, so the enumeration is part of the key.
    return MEMBERS_SINCE.get((type(member), member), OLDEST)


@once
def spellings(enumeration: type[StrEnum], version: Version) -> dict[str, StrEnum]:
    """The members of an enumeration by their spelling in this version, in schema order."""
    until, spell = SPELLED_UNTIL.get(enumeration, (None, None))
    old = spell if spell and until and version <= until else None
    return {(old and old(member.value)) or member.value: member for member in members_of(enumeration, version)}


def stand_in(member: StrEnum, version: Version) -> StrEnum | None:
    """The member that this version is told: `member` itself where it exists; None if there is nothing like it."""
    if version >= _since(member):
        return member
    instead = STAND_INS.get((type(member), member))
    return None if instead is None else stand_in(instead, version)


def wire_of(cls: type) -> Wire:
    """How the class appears in the schema."""
    return WIRES[cls]


def parent_of(cls: type) -> type | None:
    """The class of the language that this one extends, if any."""
    return next((base for base in cls.__bases__ if base in WIRES), None)
