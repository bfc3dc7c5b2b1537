"""Spyne's classes for the messages of a version, and its methods for the operations, made from the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spyne import Boolean, ComplexModel, DateTime, Decimal, Integer32, Unicode, rpc
from spyne.model.complex import XmlAttribute

from clearinghouse.ochp.marks import Boxed, Range, Text
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.shape import Field, fields_of, once, parent_of, wire_of
from clearinghouse.ochp.versions import Version

SCALARS = {"string": Unicode, "float": Decimal, "int": Integer32, "boolean": Boolean, "dateTime": DateTime}
"""XSD type to Spyne's; `xs:float` is read exactly, as a decimal."""


@once
def model(cls: type, version: Version) -> Any:
    """Spyne's ComplexModel of a class in a version; it extends the model of the class's parent."""
    parent = parent_of(cls)
    members = [_member(field, version) for field in fields_of(cls, version) if field.owner is cls]
    extended = model(parent, version) if parent else ComplexModel
    return _declare(wire_of(cls).name_at(version), version, members, extended)


def method(operation: Operation, version: Version, handle: Callable[[Any, Any], Any]) -> Any:
    """An operation as Spyne's `@rpc` method, for the body of a service class.

    `handle` gets the method context and the request's model object, or None where the request has no fields,
    and returns the response's model object.
    """

    def with_request(ctx: Any, request: Any) -> Any:
        return handle(ctx, request)

    def without_request(ctx: Any) -> Any:
        return handle(ctx, None)

    filled = bool(fields_of(operation.request, version))
    function = with_request if filled else without_request
    function.__name__ = operation.name_at(version)
    return rpc(
        *([model(operation.request, version)] if filled else []),
        _returns=model(operation.response, version),
        _body_style="bare",
        _in_message_name=wire_of(operation.request).name_at(version),
        _out_message_name=wire_of(operation.response).name_at(version),
    )(function)


def _declare(name: str, version: Version, members: list[tuple[str, Any]], extended: Any = ComplexModel) -> Any:
    said = {"__namespace__": version.namespace, "__type_name__": name, "_type_info": members}
    return type(ComplexModel)(name, (extended,), said)


def _member(field: Field, version: Version) -> tuple[str, Any]:
    """The name and the type of a field, with its occurrence."""
    if field.is_attribute:
        use = "required" if field.min_occurs else "optional"
        return field.element, XmlAttribute(_scalar(field.xsd, field.text, field.bounds), use=use)
    occurrence = {"min_occurs": 0 if field.is_choice else field.min_occurs, "nullable": field.nillable}
    return field.element, _kind(field, version).customize(
        max_occurs="unbounded" if field.max_occurs is None else field.max_occurs, **occurrence
    )


def _kind(field: Field, version: Version) -> Any:
    if field.is_complex:
        return model(field.kind, version)
    if field.box:
        return _box(field.box, field.xsd, field.text, version)
    return _scalar(field.xsd, field.text, field.bounds)


@once
def _box(box: Boxed, xsd: str, text: Text, version: Version) -> Any:
    child = _scalar(xsd, text, Range()).customize(min_occurs=1, nullable=False)
    return _declare(box.type_name, version, [(box.element, child)])


def _scalar(xsd: str, text: Text, bounds: Range) -> Any:
    """Spyne's type of a scalar, with the facets that are set; several patterns become one of alternatives."""
    facets = {
        "min_len": text.length or text.min,
        "max_len": text.length or text.max,
        "pattern": "|".join(f"({pattern})" for pattern in text.patterns) or None,
        "values": text.values or None,
        "gt": bounds.above,
        "ge": bounds.least,
        "le": bounds.most,
    }
    return SCALARS[xsd].customize(**{name: value for name, value in facets.items() if value is not None})
