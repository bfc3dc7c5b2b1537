"""The XML schema of each version, derived from the language; nothing about a field is said here a second time."""

from __future__ import annotations

import inspect
import threading
from enum import StrEnum
from itertools import groupby
from typing import Any

from lxml import etree

from clearinghouse.ochp.marks import Boxed, Range, Text
from clearinghouse.ochp.operations import OPERATIONS
from clearinghouse.ochp.shape import Field, fields_of, once, parent_of, unused_types, wire_of
from clearinghouse.ochp.versions import Version
from clearinghouse.soap.markup import XS


def classes_of(version: Version) -> list[type]:
    """Every class that the version's operations reach: the messages in the protocol's order, then what they hold."""
    spoken = [operation for operation in OPERATIONS if operation.exists_in(version)]
    classes = list(dict.fromkeys(message for each in spoken for message in (each.request, each.response)))
    for cls in classes:  # grows while it is read
        held = [field.kind for field in fields_of(cls, version) if field.is_complex]
        classes += [each for each in dict.fromkeys((parent_of(cls), *held)) if each and each not in classes]
    return classes


def scalars_of(version: Version) -> list[Field]:
    """Every field of the version that is no class of the language, and the types that no field has."""
    said = [field for cls in classes_of(version) for field in fields_of(cls, version) if not field.is_complex]
    return said + unused_types(version)


def schema(version: Version) -> etree._Element:
    """The schema of everything that the version's operations reach: messages, classes, boxes, simple types."""
    classes, scalars = classes_of(version), scalars_of(version)
    boxes = {field.box.type_name: (field.box, field) for field in scalars if field.box}
    simple = {field.simple.type_name: field for field in scalars if field.simple}
    root = XS.root("schema", version.namespace, elementFormDefault="qualified")
    root.extend(_global_element(cls, version) for cls in classes if wire_of(cls).message)
    root.extend(_complex_type(cls, version) for cls in classes if not (wire_of(cls).message or wire_of(cls).inlined))
    root.extend(_box(*boxes[name]) for name in sorted(boxes))
    root.extend(_restriction(simple[name], name=name) for name in sorted(simple))
    return root


def documentation(cls: type) -> list[etree._Element]:
    """The first paragraph of the class's docstring as an annotation."""
    paragraph = (inspect.getdoc(cls) or "").split("\n\n")[0]
    return [XS("annotation", XS("documentation", text=" ".join(paragraph.split())))] if paragraph else []


def _global_element(cls: type, version: Version) -> etree._Element:
    return XS(
        "element", *documentation(cls), XS("complexType", *_content(cls, version)), name=wire_of(cls).name_at(version)
    )


def _complex_type(cls: type, version: Version) -> etree._Element:
    content, parent = _content(cls, version), parent_of(cls)
    if parent:
        base = f"tns:{wire_of(parent).name_at(version)}"
        content = [XS("complexContent", XS("extension", *content, base=base))]
    return XS("complexType", *documentation(cls), *content, name=wire_of(cls).name_at(version))


def _content(cls: type, version: Version) -> list[etree._Element]:
    """The group of child elements, unless there are none, and the attributes."""
    own = [field for field in fields_of(cls, version) if field.owner is cls]
    elements = [field for field in own if not field.is_attribute]
    return [
        *([_group(elements, version)] if elements else []),
        *(_attribute(field) for field in own if field.is_attribute),
    ]


def _group(fields: list[Field], version: Version) -> etree._Element:
    """A sequence in which neighbours that exclude each other are a choice; the choice alone where there is no other."""
    particles: list[etree._Element] = []
    for is_choice, neighbours in groupby(fields, lambda field: field.is_choice):
        elements = [_element(field, version) for field in neighbours]
        particles += [XS("choice", *elements)] if is_choice else elements
    return particles[0] if all(field.is_choice for field in fields) else XS("sequence", *particles)


def _element(field: Field, version: Version) -> etree._Element:
    occurrence = {
        "minOccurs": str(field.min_occurs),
        "maxOccurs": "unbounded" if field.max_occurs is None else str(field.max_occurs),
    }
    nillable = {"nillable": "true"} if field.nillable else {}
    if field.is_complex:
        wire = wire_of(field.kind)
        if wire.inlined:
            return XS("element", XS("complexType", *_content(field.kind, version)), name=field.element, **occurrence)
        return XS("element", name=field.element, type=f"tns:{wire.name_at(version)}", **occurrence, **nillable)
    named = field.box or field.simple
    if named:
        return XS("element", name=field.element, type=f"tns:{named.type_name}", **occurrence, **nillable)
    return _typed(XS("element", name=field.element, **occurrence, **nillable), field)


def _attribute(field: Field) -> etree._Element:
    use = {"use": "required" if field.min_occurs else "optional"}
    default = {"default": str(field.default)} if field.default is not None else {}
    return _typed(XS("attribute", name=field.element, **use, **default), field)


def _box(box: Boxed, field: Field) -> etree._Element:
    """The complex type whose only child holds the scalar."""
    annotation = documentation(field.kind) if issubclass(field.kind, StrEnum) else []
    child = _typed(XS("element", name=box.element), field)
    return XS("complexType", *annotation, XS("sequence", child), name=box.type_name)


def _typed(declaration: etree._Element, field: Field) -> etree._Element:
    """The declaration with the field's scalar type: a built-in one, or its own restriction of one."""
    if field.text == Text() and field.bounds == Range():
        declaration.set("type", f"xs:{field.xsd}")
    else:
        declaration.append(_restriction(field))
    return declaration


def _restriction(field: Field, **name: str) -> etree._Element:
    text, bounds = field.text, field.bounds
    facets: list[tuple[str, Any]] = [
        ("length", text.length),
        ("minLength", text.min),
        ("maxLength", text.max),
        ("whiteSpace", "collapse" if text.collapse else None),
        ("minExclusive", bounds.above),
        ("minInclusive", bounds.least),
        ("maxInclusive", bounds.most),
        *(("pattern", pattern) for pattern in text.patterns),
        *(("enumeration", value) for value in text.values),
    ]
    said = [XS(facet, value=str(value)) for facet, value in facets if value is not None]
    return XS("simpleType", XS("restriction", *said, base=f"xs:{field.xsd}"), **name)


class _Compiled(threading.local):
    """The schemas that one thread has compiled; shared ones would mix the threads' error logs."""

    def __init__(self) -> None:
        self.schemas: dict[Version, etree.XMLSchema] = {}


_COMPILED = _Compiled()
_ONE_BY_ONE = threading.Lock()
"""libxml2 sets its built-in types up in the first schema: two threads at once can spoil them for good."""


def validator(version: Version) -> etree.XMLSchema:
    """The calling thread's compiled schema, for the element inside the SOAP body."""
    schemas = _COMPILED.schemas
    if version not in schemas:
        with _ONE_BY_ONE:
            schemas[version] = etree.XMLSchema(etree.fromstring(_text(version)))
    return schemas[version]


@once
def _text(version: Version) -> bytes:
    """The schema as text: making it takes ten times as long as compiling it, which each thread does for itself."""
    return etree.tostring(schema(version))
