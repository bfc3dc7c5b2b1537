"""Elements of a message to values of the language, by functions that are written once for each class and version.

They expect an element that the schema accepted (`repair` mends others) and are namespace-aware; attributes are asked
for by name, never listed, because listing them takes quadratic time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from lxml import etree

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.bridges import BRIDGES, Bridge
from clearinghouse.ochp.shape import Field, assumed, fields_of, made, once
from clearinghouse.ochp.versions import Version
from clearinghouse.soap.elements import found, is_nil, place
from clearinghouse.soap.script import Script
from clearinghouse.soap.text import scalar

T = TypeVar("T")
Read = Callable[[Any], Any]

NOTHING = object()


def decode(cls: type[T], element: etree._Element, version: Version) -> T:
    """The value that an element of this class says. Raises Malformed, which names the element at fault."""
    value: T = reader(cls, version)(element)
    return value


@once
def reader(cls: type, version: Version) -> Read:
    """`decode` for one class and version.

    That of an EmtId in 1.4.1 is, but for its names:

        said, child = usual.copy(), element
        try:
            text = element.get("representation")
            if text is not None: said["representation"] = convert(text)
            for child in element:
                tag = child.tag
                if tag == "{http://ochp.eu/1.4.1}instance":
                    text = child.text
                    if text is None:
                        if is_nil(child): continue
                        text = ""
                    said["instance"] = text
                elif ...
            if len(said) == 2 and is_nil(element): return None
            if len(said) < 4: raise incomplete(said, element)
            return made(EmtId, said)
        except ...
    """
    fields, bridge = fields_of(cls, version), BRIDGES.get((cls, version))
    usual = {item.name: item.default for item in dataclasses.fields(cls) if item.default is not dataclasses.MISSING}
    usual |= assumed(cls, version)
    beginning = {} if bridge else usual
    incomplete = partial(_incomplete, cls, version, usual)
    script = Script("element", is_nil=is_nil, made=made, misread=_misread, incomplete=incomplete, cls=cls)
    script.add(f"said, child = {script.name(beginning)}.copy(), element")
    for field in fields:
        if field.is_list:
            script.add(f"its_{field.attr} = []")
        if field.is_attribute:
            script.add(
                f"text = element.get({field.element!r})", f"if text is not None: {_kept(script, field, version)}"
            )
    script.add("for child in element:", "    tag = child.tag", "    if False: pass")  # so that all others are alike
    for field in fields:
        if not field.is_attribute:
            script.add(f"    elif tag == '{{{version.namespace}}}{field.element}':")
            script.add(*(f"        {line}" for line in _lines(script, field, version)))
    script.add(
        *(f"if its_{field.attr}: said[{field.attr!r}] = tuple(its_{field.attr})" for field in fields if field.is_list)
    )
    script.add(f"if len(said) == {len(beginning)} and is_nil(element): return None")
    if bridge:
        script.add(f"said = {script.name(partial(_crossed, bridge, usual, incomplete))}(said, element)")
    script.add(
        f"if len(said) < {len(dataclasses.fields(cls))}: raise incomplete(said, element)", "return made(cls, said)"
    )
    return script.function(f"{cls.__name__} in {version.value}", "misread(error, child, text) from None")


def _lines(script: Script, field: Field, version: Version) -> list[str]:
    """What reads the element of a field; one that is nil says nothing."""
    if field.is_complex:
        return [
            f"value = {script.name(reader(field.kind, version))}(child)",
            f"if value is not None: {_put(field, 'value')}",
        ]
    return [
        *(["for child in child: break"] if field.box else []),
        "text = child.text",
        "if text is None:",
        "    if is_nil(child): continue",
        "    text = ''",
        _kept(script, field, version),
    ]


def _kept(script: Script, field: Field, version: Version) -> str:
    """What keeps a text as the value that it is."""
    convert = scalar(field, version)[1]
    return _put(field, "text" if convert is str else f"{script.name(convert)}(text)")


def _put(field: Field, value: str) -> str:
    return f"its_{field.attr}.append({value})" if field.is_list else f"said[{field.attr!r}] = {value}"


def _misread(error: ValueError, element: etree._Element, text: str) -> Malformed:
    """Where a text stands that is not as expected."""
    return Malformed(f"{place(element)}: {error} was expected{found(element, text)}")


def _crossed(
    bridge: Bridge,
    usual: dict[str, Any],
    incomplete: Callable[[dict[str, Any], etree._Element], Malformed],
    said: dict[str, Any],
    element: etree._Element,
) -> dict[str, Any]:
    """What is said, as the newest version would say it. Raises Malformed."""
    try:
        return usual | bridge.up(said)
    except KeyError:
        raise incomplete(said, element) from None


def _incomplete(
    cls: type, version: Version, usual: dict[str, Any], said: dict[str, Any], element: etree._Element
) -> Malformed:
    """Which elements the class or its bridge needs and are not there."""
    optional = {item.name for item in dataclasses.fields(cls) if item.default is not dataclasses.MISSING}
    lacking = [
        field.element
        for field in fields_of(cls, version)
        if said.get(field.attr, NOTHING) in (NOTHING, usual.get(field.attr, NOTHING))
        and (field.min_occurs or field.attr not in optional)
    ]
    needed = {item.name for item in dataclasses.fields(cls)} - said.keys()
    return Malformed(f"{place(element)}: {', '.join(lacking or sorted(needed))} is missing")
