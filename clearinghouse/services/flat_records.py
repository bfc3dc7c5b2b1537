"""Records as rows: a column for each scalar, named by its path of OCHP's elements; what is deeper is JSON in a cell.

`EmtId.instance` and `chargePointAddress.city` are columns of their own; several words of OCHP, such as `authMethods`,
stand in one cell, parted by blanks. Lists of anything else, and members that have such lists, are JSON in one cell.
An empty cell says nothing. A text that is empty, or begins like a formula of a spreadsheet or like JSON text, is
written as JSON text: so every text is read back as it was, and no spreadsheet works out what a partner sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Any

from clearinghouse.ochp.plain import to_plain
from clearinghouse.ochp.reading import Complaint, is_needed, kept_fields
from clearinghouse.ochp.shape import Field, once

DANGEROUS = ('"', "=", "+", "-", "@", "\t", "\r", "\n")
"""How a text begins that would be taken for something else in a cell."""


class Form(Enum):
    """How a cell says its entry."""

    TEXT = auto()
    SCALAR = auto()
    WORDS = auto()
    JSON = auto()


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: its name, the fields that lead to its entry, and whether a record cannot do without it."""

    name: str
    path: tuple[str, ...]
    form: Form
    needed: bool


@once
def columns_of(cls: type) -> tuple[Column, ...]:
    """The columns of a class, in the order of the schema."""
    return tuple(_columns(cls, (), "", needed=True))


def _columns(cls: type, path: tuple[str, ...], prefix: str, *, needed: bool) -> Iterator[Column]:
    for field in kept_fields(cls).values():
        name, way, must = f"{prefix}{field.element}", (*path, field.attr), needed and is_needed(field, cls)
        if _is_flat(field):
            yield from _columns(field.kind, way, f"{name}.", needed=must)
        else:
            yield Column(name=name, path=way, form=_form(field), needed=must)


def _is_flat(field: Field) -> bool:
    """Whether the members of a field are columns themselves."""
    members = kept_fields(field.kind).values() if field.is_complex and not field.is_list else ()
    return bool(members) and not any(each.is_complex or each.is_list for each in members)


def _form(field: Field) -> Form:
    is_word = issubclass(field.kind, StrEnum)
    if field.is_list:
        return Form.WORDS if is_word else Form.JSON
    if field.is_complex:
        return Form.JSON
    return Form.TEXT if field.kind is str else Form.SCALAR


def cells_of(record: Any) -> list[str]:
    """The cells of a record."""
    return [_cell(column, _entry(record, column.path)) for column in columns_of(type(record))]


def _entry(record: Any, path: Sequence[str]) -> Any:
    for name in path:
        record = None if record is None else getattr(record, name)
    return record


def _cell(column: Column, entry: Any) -> str:
    if entry is None or entry == ():
        return ""
    if column.form is Form.WORDS:
        return " ".join(to_plain(entry))
    if column.form is Form.JSON:
        return json.dumps(to_plain(entry), ensure_ascii=False)
    said = to_plain(entry)
    if column.form is Form.SCALAR:
        return str(said)
    return json.dumps(said, ensure_ascii=False) if not said or said.startswith(DANGEROUS) or "\r" in said else said


def plain_of(cells: Iterable[tuple[Column, str]]) -> tuple[dict[str, Any], list[Complaint]]:
    """The plain data of a row, and what cells cannot be read at all."""
    plain: dict[str, Any] = {}
    wrong: list[Complaint] = []
    for column, cell in cells:
        if not cell and not column.needed:
            continue
        *way, last = column.path
        place = plain
        for name in way:
            place = place.setdefault(name, {})
        try:
            place[last] = _plain(column.form, cell) if cell else None
        except (ValueError, RecursionError):
            wrong.append(Complaint(column.name, "is no JSON"))
    return plain, wrong


def _plain(form: Form, cell: str) -> Any:
    if form is Form.WORDS:
        return cell.split()
    is_json = form is Form.JSON or (form is Form.TEXT and cell.startswith('"'))
    return json.loads(cell, parse_float=str) if is_json else cell


def named_by_column(cls: type, complaint: Complaint) -> Complaint:
    """A complaint about plain data with the name of the column that it is about."""
    for column in columns_of(cls):
        way = ".".join(column.path)
        rest = complaint.path[len(way) :]
        if complaint.path.startswith(way) and rest[:1] in ("", ".", "["):
            return Complaint(column.name + rest, complaint.why)
    return complaint
