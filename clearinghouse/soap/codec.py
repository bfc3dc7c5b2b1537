"""The XML codec: values of the language to the bytes of a body element and back, compiled once per class and version.

Each class and version gets one writer and one reader: closures over flat tuples, with every tag, wrapper and
conversion worked out beforehand. Nothing about the schema is looked at again while a message passes, which makes
the codec several times faster than one that interprets a schema, and it is as short as one that does.

Reading expects an element that the schema accepted (`repair` mends others) and is namespace-aware; attributes are
asked for by name, never listed, because listing them takes quadratic time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import Any, TypeVar

from lxml import etree

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.bridges import BRIDGES
from clearinghouse.ochp.crossing import Undeliverable
from clearinghouse.ochp.results import DirectResult, Result
from clearinghouse.ochp.shape import Field, assumed, fields_of, once, wire_of
from clearinghouse.ochp.versions import Version
from clearinghouse.soap.text import scalar

T = TypeVar("T")
Put = Callable[[str], None]
Write = Callable[[Any, Put], None]
Read = Callable[[Any], Any]

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
SECRETS = frozenset({"accesstoken", "password"})
"""Local names, in lower case, whose text is never repeated in an error or a log."""


class Unsayable(ValueError):  # noqa: N818
    """A value lacks what this version must say, or says what it cannot: an error of ours, not of a partner."""


def described(value: Any) -> Any:
    """A result that never has an empty description: readers have been seen to fail on one."""
    if value.result_description:
        return value
    return dataclasses.replace(value, result_description=str(value.result_code.value))


def _fitting(cls: type, version: Version) -> Callable[[Any], Any] | None:
    """What happens to a value before it is written for this version."""
    if cls in (Result, DirectResult):
        return described
    bridge = BRIDGES.get((cls, version))
    return bridge.down if bridge else None


# -- Writing ----------------------------------------------------------------------------------------------------


PIECE = 4096
"""Texts that are joined to one piece of a message: with what is usual in a record, about 100 kB."""


def encode(value: Any, version: Version, name: str | None = None) -> bytes:
    """The element of a message, named as the version does unless told. Raises Unsayable."""
    return b"".join(pieces(value, version, name))


def pieces(value: Any, version: Version, name: str | None = None) -> Generator[bytes]:
    """`encode`, as it comes: entries of the message's streams are asked for while it is sent, and closed at the end."""
    cls = type(value)
    name = name or wire_of(cls).name_at(version)
    parts: list[str] = []
    put = parts.append
    with ExitStack() as streams:
        for field in fields_of(cls, version):
            if isinstance(stream := getattr(value, field.attr), Generator):
                streams.callback(stream.close)
        value = _start_writer(cls, version, name, f' xmlns="{version.namespace}"')(value, put)
        for attr, one, say in _content(cls, version):
            if one is None:
                say(value, put)
                continue
            for entry in getattr(value, attr):
                one(entry, put)
                if len(parts) >= PIECE:
                    yield "".join(parts).encode()
                    parts.clear()
    put(f"</{name}>")
    yield "".join(parts).encode()


@once
def _element_writer(cls: type, version: Version, name: str, namespace: str) -> Write:
    """Writes a value as an element of this name, attributes included."""
    start, closing = _start_writer(cls, version, name, namespace), f"</{name}>"
    steps = tuple(say for _, _, say in _content(cls, version))

    def write(value: Any, put: Put) -> None:
        value = start(value, put)
        for say in steps:
            say(value, put)
        put(closing)

    return write


@once
def _start_writer(cls: type, version: Version, name: str, namespace: str) -> Callable[[Any, Put], Any]:
    """Writes the start tag of a value's element, and returns the value as it fits the version."""
    fit = _fitting(cls, version)
    attributes = tuple(
        _scalar_writer(cls, field, version, f' {field.element}="', '"')
        for field in fields_of(cls, version)
        if field.is_attribute
    )
    choice = [field for field in fields_of(cls, version) if field.is_choice]
    opening = f"<{name}{namespace}"

    def write(value: Any, put: Put) -> Any:
        if not isinstance(value, cls):
            raise Unsayable(f"{name}: {version.value} asks for {cls.__name__}, not {type(value).__name__}")
        if fit:
            value = _fit(fit, value)
        if choice:
            _check_choice(value, choice, version)
        put(opening)
        for say in attributes:
            say(value, put)
        put(">")
        return value

    return write


def _fit(fit: Callable[[Any], Any], value: Any) -> Any:
    try:
        return fit(value)
    except Undeliverable as error:
        raise Unsayable(f"{type(value).__name__}: {error}") from error


@once
def _content(cls: type, version: Version) -> tuple[tuple[str, Write | None, Write], ...]:
    """Of each child element, in the schema's order: the field, what writes one entry of a stream, what writes all."""
    return tuple(
        (field.attr, _entry_writer(field, version) if field.is_stream else None, _field_writer(cls, field, version))
        for field in fields_of(cls, version)
        if not field.is_attribute
    )


def _field_writer(cls: type, field: Field, version: Version) -> Write:
    """Writes what a value says of a field."""
    attr, missing = field.attr, _missing(cls, field, version)
    if not field.is_list and not field.is_complex:
        return _scalar_writer(cls, field, version, *_tags(field))
    one = _entry_writer(field, version)

    def write(value: Any, put: Put) -> None:
        entry = getattr(value, attr)
        if entry is not None:
            one(entry, put)
        elif missing:
            raise Unsayable(missing)

    def write_all(value: Any, put: Put) -> None:
        entries = getattr(value, attr)
        if missing and not entries:
            raise Unsayable(missing)
        for entry in entries:
            one(entry, put)

    return write_all if field.is_list else write


def _entry_writer(field: Field, version: Version) -> Write:
    """Writes one entry of a field."""
    if field.is_complex:
        return _element_writer(field.kind, version, field.element, "")
    opening, closing = _tags(field)
    text, attr = scalar(field, version)[0], field.attr

    def write(value: Any, put: Put) -> None:
        try:
            put(f"{opening}{text(value)}{closing}")
        except ValueError as error:
            raise Unsayable(f"{attr}: {error}") from error

    return write


def _scalar_writer(cls: type, field: Field, version: Version, opening: str, closing: str) -> Write:
    """Writes the text of a field, if there is any, between these two."""
    text, attr, missing = scalar(field, version)[0], field.attr, _missing(cls, field, version)

    def write(value: Any, put: Put) -> None:
        entry = getattr(value, attr)
        if entry is not None:
            try:
                put(f"{opening}{text(entry)}{closing}")
            except ValueError as error:
                raise Unsayable(f"{attr}: {error}") from error
        elif missing:
            raise Unsayable(missing)

    return write


def _tags(field: Field) -> tuple[str, str]:
    if field.box:
        return f"<{field.element}><{field.box.element}>", f"</{field.box.element}></{field.element}>"
    return f"<{field.element}>", f"</{field.element}>"


def _check_choice(value: Any, fields: list[Field], version: Version) -> None:
    said = [field.attr for field in fields if getattr(value, field.attr) not in (None, ())]
    least = min(field.min_occurs for field in fields)
    if not least <= len(said) <= 1:
        names = ", ".join(field.attr for field in fields)
        raise Unsayable(f"{type(value).__name__} needs {'one' if least else 'at most one'} of {names}")


def _missing(cls: type, field: Field, version: Version) -> str:
    """The complaint about an absent field; empty where it may be absent."""
    must = field.min_occurs and not field.is_choice
    return f"{cls.__name__} needs {field.attr} in {version.value}" if must else ""


# -- Reading ----------------------------------------------------------------------------------------------------


def decode(cls: type[T], element: etree._Element, version: Version) -> T:
    """The value that an element of this class says. Raises Malformed, which names the element at fault."""
    value: T = reader(cls, version)(element)
    return value


@once
def reader(cls: type, version: Version) -> Read:
    """`decode` for one class and version."""
    fields = fields_of(cls, version)
    children = {
        f"{{{version.namespace}}}{field.element}": (field.attr, _field_reader(field, version), field.is_list)
        for field in fields
        if not field.is_attribute
    }
    made, rule, attributes = _maker(cls, version), children.get, _attribute_reader(cls, version)

    def read(element: Any) -> Any:
        said = attributes(element)
        lists: dict[str, list[Any]] = {}
        for child in element:
            known = rule(child.tag)
            if known is not None and (value := known[1](child)) is not None:
                if known[2]:
                    lists.setdefault(known[0], []).append(value)
                else:
                    said[known[0]] = value
        for attr, entries in lists.items():
            said[attr] = tuple(entries)
        return made(said, element) if said or not _is_nil(element) else None

    return read


def _attribute_reader(cls: type, version: Version) -> Callable[[Any], dict[str, Any]]:
    """Reads the attributes of an element: the beginning of what it says."""
    attributes = tuple(
        (field.attr, field.element, scalar(field, version)[1])
        for field in fields_of(cls, version)
        if field.is_attribute
    )

    def read(element: Any) -> dict[str, Any]:
        said = {}
        for attr, name, convert in attributes:
            text = element.get(name)
            if text is not None:
                said[attr] = _converted(convert, text, element)
        return said

    return read if attributes else lambda _: {}


def _field_reader(field: Field, version: Version) -> Read:
    """Reads the element of a field; None where it is nil."""
    if field.is_complex:
        return reader(field.kind, version)
    convert = scalar(field, version)[1]

    def read(element: Any) -> Any:
        text = element.text
        if text is None:
            return None if _is_nil(element) else _converted(convert, "", element)
        try:
            return convert(text)
        except ValueError:
            return _converted(convert, text, element)

    def unboxed(element: Any) -> Any:
        for inner in element:
            return read(inner)
        return read(element)

    return unboxed if field.box else read


def _is_nil(element: Any) -> bool:
    return element.text is None and len(element) == 0 and element.get(NIL) in ("true", "1")


def _converted(convert: Callable[[str], Any], text: str, element: Any) -> Any:
    """The value of a text, or where it stands when it is not as expected."""
    try:
        return convert(text)
    except ValueError as error:
        raise Malformed(f"{place(element)}: {error} was expected{found(element, text)}") from None


def _maker(cls: type, version: Version) -> Callable[[dict[str, Any], Any], Any]:
    """Makes a value of what an element says; what is missing for it makes the element malformed.

    A frozen dataclass sets its fields one by one, which takes longer than all else about a small record; its fields
    are its dictionary, so this fills that.
    """
    items = [item for item in dataclasses.fields(cls) if item.init]
    usual = {item.name: item.default for item in items if item.default is not dataclasses.MISSING}
    usual |= assumed(cls, version)
    needed = {item.name for item in items} - usual.keys()
    bridge = BRIDGES.get((cls, version))
    new = object.__new__

    def made(said: dict[str, Any], element: Any) -> Any:
        try:
            fields = usual | (bridge.up(said) if bridge else said)
        except KeyError:
            fields = {}
        if not needed <= fields.keys():
            lacking = _lacking(cls, said, version) or sorted(needed)
            raise Malformed(f"{place(element)}: {', '.join(lacking)} is missing")
        value: Any = new(cls)
        value.__dict__.update(fields)
        return value

    return made


def _lacking(cls: type, said: dict[str, Any], version: Version) -> list[str]:
    """The elements that the class or its bridge needs and that are not there."""
    optional = {item.name for item in dataclasses.fields(cls) if item.default is not dataclasses.MISSING}
    return [
        field.element
        for field in fields_of(cls, version)
        if field.attr not in said and (field.min_occurs or field.attr not in optional)
    ]


def place(element: etree._Element) -> str:
    """The path of local names from the message's root to an element, for example `SelectEvseRequest/evseId`."""
    names = [local_name(element)]
    for ancestor in element.iterancestors():
        name = local_name(ancestor)
        if name == "Body" or len(names) > 8:
            break
        names.append(name)
    return "/".join(reversed(names))


def found(element: etree._Element, text: str) -> str:
    """What stands there instead, shortened; nothing at all where it may be a secret."""
    if local_name(element).lower() in SECRETS:
        return ""
    return f", not {text[:40]!r}"


def local_name(element: etree._Element) -> str:
    """The element's name without its namespace; empty for comments and processing instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
