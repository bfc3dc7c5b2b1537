"""Marks: what the wire knows about a field, a class or an enumeration and a Python type does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from clearinghouse.ochp.versions import NEWEST, OLDEST, Version

T = TypeVar("T")
E = TypeVar("E", bound=type[StrEnum])


@dataclass(frozen=True)
class Since:
    """The field exists from this version on; `assume` is its value when an older peer speaks."""

    version: Version
    assume: object = None


@dataclass(frozen=True)
class Until:
    """The field exists up to and including this version."""

    version: Version


@dataclass(frozen=True)
class Named:
    """The field's element or attribute name, where the camelCase of the Python name is not it."""

    element: str


@dataclass(frozen=True)
class Boxed:
    """An OCHP scalar that is an element inside an element: a complex type with a single child."""

    type_name: str
    element: str


@dataclass(frozen=True)
class Attribute:
    """The field is an unqualified XML attribute."""


@dataclass(frozen=True)
class Text:
    """Facets of a string. `patterns` are alternatives, in XSD syntax; lengths count characters."""

    min: int | None = None
    max: int | None = None
    length: int | None = None
    patterns: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    collapse: bool = False

    def allows(self, text: str) -> bool:
        """Whether a text is within the facets."""
        shortest, longest = self.length or self.min or 0, self.length or self.max
        return (
            len(text) >= shortest
            and (longest is None or len(text) <= longest)
            and (not self.values or text in self.values)
            and (not self.patterns or any(re.fullmatch(pattern, text, re.ASCII) for pattern in self.patterns))
        )


@dataclass(frozen=True)
class Range:
    """Bounds of a whole number: `above` is outside, `least` and `most` are inside."""

    above: int | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Places:
    """The decimal is written as text with exactly so many decimal places."""

    count: int


@dataclass(frozen=True)
class Simple:
    """The scalar is a named simple type of the schema."""

    type_name: str


@dataclass(frozen=True)
class Plain:
    """The scalar is written as this XSD built-in type, without a box."""

    xsd: str


@dataclass(frozen=True)
class Required:
    """The field must be there in these versions: a list then has at least one entry."""

    since: Version = OLDEST
    until: Version = NEWEST

    def holds_in(self, version: Version) -> bool:
        """Whether the field must be there in this version."""
        return self.since <= version <= self.until


@dataclass(frozen=True)
class Default:
    """The attribute may be absent and then means this value, as the schema itself says; it is always written."""

    value: object


@dataclass(frozen=True)
class Most:
    """The list has at most so many entries."""

    count: int


@dataclass(frozen=True)
class Whole:
    """The list is said with every entry or not at all: without one of them it would say something else."""


@dataclass(frozen=True)
class Choice:
    """Only one of the neighbours with this mark is there."""


@dataclass(frozen=True)
class Holds:
    """The field holds values of this class instead."""

    kind: type


@dataclass(frozen=True)
class Nillable:
    """The element may be present and `xsi:nil`."""


@dataclass(frozen=True)
class When:
    """The marks hold in these versions only; they go before those without a condition."""

    marks: tuple[object, ...]
    since: Version = OLDEST
    until: Version = NEWEST


@dataclass(frozen=True)
class Wire:
    """How a class appears in the schema: as a named type, as a global element (a message), or inside an element."""

    name: str
    message: bool = False
    inlined: bool = False
    spelled: Mapping[Version, str] = field(default_factory=dict)

    def name_at(self, version: Version) -> str:
        """The name of the type or element in this version."""
        return self.spelled.get(version, self.name)


WIRES: dict[type, Wire] = {}
MEMBERS_SINCE: dict[tuple[type, StrEnum], Version] = {}
SPELLED_UNTIL: dict[type, tuple[Version, Callable[[str], str | None]]] = {}
STAND_INS: dict[tuple[type, StrEnum], StrEnum] = {}
UNUSED: list[object] = []
"""Types that the schema declares and no field has, as hints with their marks."""


def named_type(name: str) -> Callable[[type[T]], type[T]]:
    """Declare a class as a named complex type of the schema."""
    return _declared(Wire(name))


def inlined(cls: type[T]) -> type[T]:
    """Declare a class as a complex type without a name, which each element of it repeats."""
    return _declared(Wire(cls.__name__, inlined=True))(cls)


def message(name: str | None = None, *, spelled: Mapping[Version, str] | None = None) -> Callable[[type[T]], type[T]]:
    """Declare a class as a message: a global element of the schema, named as the class unless told."""

    def declare(cls: type[T]) -> type[T]:
        return _declared(Wire(name or cls.__name__, message=True, spelled=spelled or {}))(cls)

    return declare


def _declared(wire: Wire) -> Callable[[type[T]], type[T]]:
    def declare(cls: type[T]) -> type[T]:
        WIRES[cls] = wire
        return cls

    return declare


def members_since(**since: Version) -> Callable[[E], E]:
    """Declare from which version on the named members of an enumeration exist."""

    def declare(enumeration: E) -> E:
        MEMBERS_SINCE.update({(enumeration, enumeration[name]): version for name, version in since.items()})
        return enumeration

    return declare


def members_spelled(until: Version, spell: Callable[[str], str | None]) -> Callable[[E], E]:
    """Declare how the members were spelled up to this version: `spell` gets the value, None leaves it as it is."""

    def declare(enumeration: E) -> E:
        SPELLED_UNTIL[enumeration] = (until, spell)
        return enumeration

    return declare


def members_replaced(**stand_ins: str) -> Callable[[E], E]:
    """Declare which member a version that lacks the named one is told instead."""

    def declare(enumeration: E) -> E:
        told: dict[tuple[type, StrEnum], StrEnum] = {
            (enumeration, enumeration[name]): enumeration[instead] for name, instead in stand_ins.items()
        }
        STAND_INS.update(told)
        return enumeration

    return declare
