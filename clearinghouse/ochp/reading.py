"""Plain data that people wrote, as values: whatever is wrong with it is named by its place and by what was expected.

`from_plain` reads what this program wrote; here nothing is taken for granted. A value is taken where any version of
OCHP can say each of its parts, so that whatever a partner may have uploaded can be written and read again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from clearinghouse.ochp import cdr_bridges, charge_point_bridges
from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.plain_scalars import Read, scalar_reader
from clearinghouse.ochp.shape import Field, every_field_of, fields_of, once
from clearinghouse.ochp.versions import NEWEST

T = TypeVar("T")

ON_THE_WAY: Mapping[type, tuple[str, ...]] = {
    ChargePointInfo: (*charge_point_bridges.FLAT, *charge_point_bridges.SPOT),
    CdrInfo: (*cdr_bridges.FLAT, "max_socket_power"),
}
"""Fields that are filled on the way to and from a 1.3 peer only; values as they are kept say the same elsewhere."""
UNSHOWN = frozenset({"instance"})
"""Numbers of cards do not belong into messages about files."""
MOST_SHOWN = 60


@dataclass(frozen=True)
class Complaint:
    """What is wrong at one place, a path such as `connectors[0].tariff_id`; it is empty for the whole."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}" if self.path else self.why

    def below(self, path: str) -> Complaint:
        """The same complaint, as the value that holds this one sees it."""
        dot = "." if self.path and not self.path.startswith("[") else ""
        return Complaint(f"{path}{dot}{self.path}", self.why)


class Unreadable(ValueError):  # noqa: N818
    """Plain data that says no value of the class; the complaints tell all that is wrong with it."""

    def __init__(self, complaints: Iterable[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("; ".join(map(str, self.complaints)))


def read(cls: type[T], plain: Any) -> T:
    """The value that plain data says. Raises Unreadable."""
    value: T = _object_reader(cls)(plain)
    return value


@once
def kept_fields(cls: type) -> dict[str, Field]:
    """The fields of a class that values have as they are kept, by name, in the class's order."""
    known = every_field_of(cls)
    names = (each.name for each in dataclasses.fields(cls) if each.name not in ON_THE_WAY.get(cls, ()))
    return {name: known[name] for name in names}


def is_needed(field: Field, cls: type) -> bool:
    """Whether a value cannot do without the field."""
    declared: Any = cls.__dataclass_fields__[field.attr]  # type: ignore[attr-defined]
    return declared.default is dataclasses.MISSING


# -- Readers: each raises Unreadable, with paths from where it stands --------------------------------------------


@once
def _object_reader(cls: type) -> Read:
    fields = kept_fields(cls)
    readers = {name: _field_reader(cls, field) for name, field in fields.items()}
    needed = [name for name, field in fields.items() if is_needed(field, cls)]
    choices = [name for name, field in fields.items() if field.is_choice]
    no_such = f"there is no such field; there are {', '.join(fields)}"

    def read_object(plain: Any) -> Any:
        if not isinstance(plain, dict):
            raise Unreadable([Complaint("", f"an object is expected, not {_shown(plain)}")])
        given = {name: entry for name, entry in plain.items() if entry is not None}
        wrong = [Complaint(name, no_such) for name in given if name not in readers]
        wrong += [Complaint(name, "is missing") for name in needed if name not in given]
        if choices and sum(given.get(name, []) != [] for name in choices) != 1:
            wrong.append(Complaint("", f"exactly one of {' and '.join(choices)} is expected"))
        said = _read_each(((name, readers[name], entry) for name, entry in given.items() if name in readers), wrong)
        return cls(**said)

    return read_object


def _read_each(parts: Iterable[tuple[str, Read, Any]], wrong: list[Complaint]) -> dict[str, Any]:
    """What each part says, by its place. Raises Unreadable where anything is wrong with one, or was before."""
    said: dict[str, Any] = {}
    for place, read_part, plain in parts:
        try:
            said[place] = read_part(plain)
        except Unreadable as problem:
            wrong += [each.below(place) for each in problem.complaints]
    if wrong:
        raise Unreadable(wrong)
    return said


def _field_reader(cls: type, field: Field) -> Read:
    read_one = _object_reader(field.kind) if field.is_complex else _told(scalar_reader(cls, field), field)
    return _list_reader(cls, field, read_one) if field.is_list else read_one


def _list_reader(cls: type, field: Field, read_one: Read) -> Read:
    """Reads as many entries as the newest version wants that has the field."""
    mandatory = not field.is_choice and field in fields_of(cls, NEWEST) and field.min_occurs
    least, most = int(mandatory), float("inf") if field.max_occurs is None else field.max_occurs

    def read_list(plain: Any) -> tuple[Any, ...]:
        if not isinstance(plain, list):
            raise Unreadable([Complaint("", f"a list is expected, not {_shown(plain)}")])
        if not least <= len(plain) <= most:
            bounds = f"at least {least}" if len(plain) < least else f"at most {most}"
            raise Unreadable([Complaint("", f"{bounds} expected, not {len(plain)}")])
        return tuple(_read_each(((f"[{at}]", read_one, entry) for at, entry in enumerate(plain)), []).values())

    return read_list


def _told(read_scalar: Read, field: Field) -> Read:
    """The reader of a scalar, with what it expects as a complaint."""

    def read_one(plain: Any) -> Any:
        try:
            return read_scalar(plain)
        except ValueError as problem:
            what = "" if field.attr in UNSHOWN else f", not {_shown(plain)}"
            raise Unreadable([Complaint("", f"{problem} is expected{what}")]) from None

    return read_one


def _shown(plain: Any) -> str:
    said = repr(plain)
    return said if len(said) <= MOST_SHOWN else f"{said[:MOST_SHOWN]}…"
