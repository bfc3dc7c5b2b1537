"""The XML codec: values of the language to the bytes of a body element and back, compiled once per class and version.

`writing` has the one direction, and this the other: each class and version gets a reader, closures over flat tuples in
which every tag, wrapper and conversion is worked out beforehand. Nothing about the schema is looked at again while a
message passes; most of the time goes to the elements themselves.

Reading expects an element that the schema accepted (`repair` mends others) and is namespace-aware; attributes are
asked for by name, never listed, because listing them takes quadratic time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

from lxml import etree

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.bridges import BRIDGES
from clearinghouse.ochp.shape import Field, assumed, fields_of, made, once
from clearinghouse.ochp.versions import Version
from clearinghouse.soap.text import scalar
from clearinghouse.soap.writing import Unsayable, encode, pieces

T = TypeVar("T")
Read = Callable[[Any], Any]

__all__ = ["Unsayable", "decode", "encode", "pieces"]

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
SECRETS = frozenset({"accesstoken", "password"})
"""Local names, in lower case, whose text is never repeated in an error or a log."""


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
    make, rule, attributes = _maker(cls, version), children.get, _attribute_reader(cls, version)

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
        return make(said, element) if said or not _is_nil(element) else None

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
    """Makes a value of what an element says; what is missing for it makes the element malformed."""
    items = [item for item in dataclasses.fields(cls) if item.init]
    usual = {item.name: item.default for item in items if item.default is not dataclasses.MISSING}
    usual |= assumed(cls, version)
    needed = {item.name for item in items} - usual.keys()
    bridge = BRIDGES.get((cls, version))

    def make(said: dict[str, Any], element: Any) -> Any:
        try:
            fields = usual | (bridge.up(said) if bridge else said)
        except KeyError:
            fields = {}
        if not needed <= fields.keys():
            lacking = _lacking(cls, said, version) or sorted(needed)
            raise Malformed(f"{place(element)}: {', '.join(lacking)} is missing")
        return made(cls, fields)

    return make


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
