"""Reading messages that the schema does not accept, as far as their meaning is beyond doubt.

Partners in production send other upper and lower case, other orders, foreign extras, fractions of seconds, decimal
commas and more. A message is first held against the schema; only where that fails is it written anew from what the
language knows of its fields, and the schema decides again. What is still wrong is refused with one sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from lxml import etree

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.direct import OK, AddServiceEndpointsRequest, DirectMessage, InformProviderMessage
from clearinghouse.ochp.hours import Hours
from clearinghouse.ochp.identifiers import without_separators
from clearinghouse.ochp.shape import Field, fields_of, spellings, wire_of
from clearinghouse.ochp.tariffs import TariffElement, TariffRestriction
from clearinghouse.ochp.tokens import EmtId
from clearinghouse.ochp.versions import Version
from clearinghouse.soap.codec import decode, encode
from clearinghouse.soap.complaints import complaint, errors_of
from clearinghouse.soap.elements import NIL, local_name
from clearinghouse.soap.text import (
    boolean_text,
    duration_text,
    local_text,
    number_text,
    read_number,
    scalar,
    utc_text,
)
from clearinghouse.soap.xsd import validator

T = TypeVar("T")

DEEPEST_WRAPPER = 3
COMMA = re.compile(r"[+-]?\d*,\d+")
LONGEST_SECONDS = 7
LITERAL = frozenset({"DirectId", "EvsePattern", "ContractPattern"})
SEPARATORS = str.maketrans("", "", "-_ ")
ASSUMED: dict[tuple[type, str], Any] = {
    (InformProviderMessage, "message"): DirectMessage.INFO,
    (InformProviderMessage, "result"): OK,
    (TariffElement, "tariff_restriction"): TariffRestriction(),
    (Hours, "closed_charging"): False,
}
"""What a field means when a request leaves it out although the schema asks for it."""

DISPENSABLE = frozenset({(EmtId, "token_sub_type")})
"""Optional choices that are left out where they are not understood, rather than refuse the record."""


def read(cls: type[T], element: etree._Element, version: Version) -> T:
    """The value of a request, mended if need be. Raises Malformed: which element, where, and what was expected."""
    schema = validator(version)
    if schema.validate(element):
        return decode(cls, element, version)
    mended = rebuilt(cls, element, version)
    if schema.validate(mended):
        return decode(cls, mended, version)
    raise Malformed(complaint(mended, errors_of(schema)[0]))


# -- Writing anew -----------------------------------------------------------------------------------------------


def rebuilt(cls: type, source: etree._Element, version: Version, name: str | None = None) -> etree._Element:
    """The element that the schema would have for what `source` seems to say; it may still be invalid."""
    namespace = version.namespace
    target = etree.Element(f"{{{namespace}}}{name or wire_of(cls).name_at(version)}", nsmap=default_namespace(version))
    _fill(target, cls, source, version)
    return target


def default_namespace(version: Version) -> Any:
    """A namespace map without prefix (the stubs of lxml know none)."""
    return {None: version.namespace}


def _fill(target: etree._Element, cls: type, source: etree._Element, version: Version) -> None:
    said = _children(source, version)
    if cls is AddServiceEndpointsRequest:
        _sort_endpoints(said)
    attributes = {key.rpartition("}")[2].lower(): text for key, text in _attributes(source)}
    for field in fields_of(cls, version):
        name = field.element.lower()
        if field.is_attribute:
            if attributes.get(name):
                target.set(field.element, usual(field, attributes[name], version))
            continue
        present = [child for child in said.get(name, ()) if not _says_nothing(field, child)]
        if (cls, field.attr) in DISPENSABLE:
            present = [child for child in present if usual(field, _text(child), version) in field.text.values]
        for child in present:
            _append(target, field, child, version)
        if not present and field.min_occurs and (cls, field.attr) in ASSUMED:
            target.append(_assumed(field, ASSUMED[cls, field.attr], version))


def _children(source: etree._Element, version: Version) -> dict[str, list[etree._Element]]:
    """The children by local name in lower case; those of foreign namespaces are left out."""
    known = (f"{{{version.namespace}}}", "")
    said: dict[str, list[etree._Element]] = {}
    for child in source:
        name = local_name(child)
        if name and child.tag[: -len(name)] in known:
            said.setdefault(name.lower(), []).append(child)
    return said


def _attributes(source: etree._Element) -> list[tuple[str, str]]:
    """The attributes; the envelope's reader has bounded their number."""
    return [(str(key), str(text)) for key, text in source.attrib.items()]


def _says_nothing(field: Field, child: etree._Element) -> bool:
    """An optional element that is nil, or empty where emptiness cannot be meant."""
    if child.get(NIL) in ("true", "1"):
        return not field.nillable or field.min_occurs == 0
    if field.min_occurs:
        return False
    return len(child) == len(child.attrib) == 0 if field.is_complex else not _text(child)


def _append(target: etree._Element, field: Field, child: etree._Element, version: Version) -> None:
    namespace = f"{{{version.namespace}}}"
    element = etree.SubElement(target, namespace + field.element)
    if field.is_complex:
        _fill(element, field.kind, child, version)
        return
    if child.get(NIL) in ("true", "1"):
        element.set(NIL, "true")
        return
    if field.box:
        element = etree.SubElement(element, namespace + field.box.element)
    element.text = usual(field, _text(child), version)


def _text(element: etree._Element) -> str:
    """The text of an element or of what is wrapped in it, whatever the wrapper's name."""
    for _ in range(DEEPEST_WRAPPER):
        inner = next((child for child in element if isinstance(child.tag, str)), None)
        if inner is None:
            break
        element = inner
    return (element.text or "").strip()


def _assumed(field: Field, value: Any, version: Version) -> etree._Element:
    if field.is_complex:
        return etree.fromstring(encode(value, version, field.element))
    namespace = f"{{{version.namespace}}}"
    element = etree.Element(namespace + field.element, nsmap=default_namespace(version))
    inner = etree.SubElement(element, namespace + field.box.element) if field.box else element
    inner.text = scalar(field, version)[0](value)
    return element


def _sort_endpoints(said: dict[str, list[etree._Element]]) -> None:
    """Put each endpoint into the list that its first pattern's shape asks for: `C` or `E` in the sixth place."""
    lists = ("providerendpointarray", "operatorendpointarray")
    by_letter: dict[str, list[etree._Element]] = {"C": [], "E": []}
    for name, letter in zip(lists, "CE", strict=True):
        for endpoint in said.get(name, ()):
            patterns = (_text(child) for child in endpoint if local_name(child).lower() == "whitelist")
            shape = without_separators(next(patterns, "")).upper()[5:6]
            by_letter[shape if shape in by_letter else letter].append(endpoint)
    said.update(zip(lists, by_letter.values(), strict=True))


# -- The usual spelling -----------------------------------------------------------------------------------------


def usual(field: Field, text: str, version: Version) -> str:
    """The text as the schema spells it, or as it is where it says nothing that could be meant."""
    text = text.strip()
    if issubclass(field.kind, StrEnum):
        return _usual_choice(field.kind, text, version)
    spell = BY_KIND.get(field.kind) or BY_TYPE.get(field.xsd)
    if field.places is not None:
        spell = _usual_degrees
    return spell(field, text) if spell else text


def _usual_choice(kind: type[StrEnum], text: str, version: Version) -> str:
    """The member's spelling in this version, for its spelling in any."""
    folded = text.lower().translate(SEPARATORS)
    known = spellings(kind, version)
    names = {name.lower().translate(SEPARATORS): spelled for spelled, each in known.items() for name in (each, spelled)}
    return names.get(folded, text)


def _usual_instant(field: Field, text: str) -> str:
    """Any ISO 8601 instant; one without an offset is UTC, and a day is its midnight."""
    try:
        instant = datetime.fromisoformat(text.upper())
    except ValueError:
        return text
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    local = field.box is not None and field.box.element == "LocalDateTime"
    return (local_text if local else utc_text)(instant)


def _usual_number(field: Field, text: str) -> str:
    """A decimal comma in a lone number becomes a point; what must be there and is empty is nought."""
    if not text:
        return "0"
    return text.replace(",", ".") if COMMA.fullmatch(text) else text


def _usual_boolean(_: Field, text: str) -> str:
    return boolean_text(text.lower() == "true") if text.lower() in ("true", "false") else text


def _usual_day(_: Field, text: str) -> str:
    """A day, where a time of day or an offset follows it."""
    return text[:10] if text[10:11] in ("T", "Z", "+", "-") else text


def _usual_degrees(field: Field, text: str) -> str:
    """Degrees with as many decimal places as the schema asks for."""
    try:
        return number_text(round(read_number(_usual_number(field, text)), field.places or 0))
    except ValueError:
        return text


def _usual_duration(_: Field, text: str) -> str:
    """A duration that is a number of seconds as hours, minutes and seconds."""
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < LONGEST_SECONDS else None
    return text if seconds is None else duration_text(timedelta(seconds=seconds))


def _usual_text(field: Field, text: str) -> str:
    """Capitals where the schema allows nothing else; patterns and session ids are taken literally."""
    if field.text.allows(text) or (field.simple and field.simple.type_name in LITERAL):
        return text
    return text.upper() if field.text.allows(text.upper()) else text


BY_KIND: dict[type, Callable[[Field, str], str]] = {
    datetime: _usual_instant,
    date: _usual_day,
    timedelta: _usual_duration,
    str: _usual_text,
}
BY_TYPE = {"float": _usual_number, "int": _usual_number, "boolean": _usual_boolean}
