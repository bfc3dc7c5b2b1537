"""Values of the language to the bytes of a body element, by functions that are written once for each class and version.

A record is one f-string, whose tags, wrappers and conversions are worked out beforehand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from clearinghouse.ochp.bridges import BRIDGES
from clearinghouse.ochp.crossing import Undeliverable
from clearinghouse.ochp.results import DirectResult, Result
from clearinghouse.ochp.shape import Field, fields_of, once, wire_of
from clearinghouse.ochp.versions import Version
from clearinghouse.soap.script import Script
from clearinghouse.soap.text import SPECIAL, escape, scalar

Say = Callable[[Any], str]

PIECE = 100_000
"""Characters that are joined to one piece of a message, at least."""


class Unsayable(ValueError):  # noqa: N818
    """A value lacks what this version must say, or says what it cannot: an error of ours, not of a partner."""


def encode(value: Any, version: Version, name: str | None = None) -> bytes:
    """The element of a message, named as the version does unless told. Raises Unsayable."""
    return b"".join(pieces(value, version, name))


def pieces(value: Any, version: Version, name: str | None = None) -> Generator[bytes]:
    """`encode`, as it comes: entries of the message's streams are asked for while it is sent, and closed at the end."""
    cls = type(value)
    name = name or wire_of(cls).name_at(version)
    texts: list[str] = []
    size = 0
    with ExitStack() as streams:
        for field in fields_of(cls, version):
            if isinstance(stream := getattr(value, field.attr), Generator):
                streams.callback(stream.close)
        fit = _fitting(cls, version)
        value = fit(value) if fit else value
        for say, listed, one in _passages(cls, version, name):
            texts.append(say(value))
            for entry in getattr(value, listed.attr) if listed else ():
                texts.append(one(entry))
                size += len(texts[-1])
                if size >= PIECE:
                    yield "".join(texts).encode()
                    texts.clear()
                    size = 0
    yield "".join(texts).encode()


@once
def _passages(cls: type, version: Version, name: str) -> tuple[tuple[Say, Field | None, Say], ...]:
    """What says a message up to each of its streams, the stream, and what says an entry of it; the rest at last."""
    passages: list[tuple[Say, Field | None, Say]] = []
    parts: list[str | Field] = []
    for part in _parts(cls, version, name, f' xmlns="{version.namespace}"'):
        if isinstance(part, Field) and part.is_stream:
            passages.append((_sayer(cls, version, parts), part, _element_sayer(part.kind, version, part.element)))
            parts = []
        else:
            parts.append(part)
    return (*passages, (_sayer(cls, version, parts), None, str))


def _parts(cls: type, version: Version, name: str, namespace: str = "") -> list[str | Field]:
    """What an element consists of: texts, and fields to be said between them."""
    fields = fields_of(cls, version)
    attributes = [field for field in fields if field.is_attribute]
    content = [field for field in fields if not field.is_attribute]
    return [f"<{name}{namespace}", *attributes, ">", *content, f"</{name}>"]


@once
def _element_sayer(cls: type, version: Version, name: str) -> Say:
    """Says a value as an element of this name."""
    return _sayer(cls, version, _parts(cls, version, name), as_a_whole=True)


# -- What happens to a value before it is said


def described(value: Any) -> Any:
    """A result that never has an empty description: readers have been seen to fail on one."""
    if value.result_description:
        return value
    return dataclasses.replace(value, result_description=str(value.result_code.value))


@once
def _fitting(cls: type, version: Version) -> Callable[[Any], Any] | None:
    """What makes a value fit for its version, if there is anything to do. It raises Unsayable."""
    bridge = BRIDGES.get((cls, version))
    fit = described if cls in (Result, DirectResult) else bridge.down if bridge else None
    choice = [field for field in fields_of(cls, version) if field.is_choice]

    def fitted(value: Any) -> Any:
        try:
            value = fit(value) if fit else value
        except Undeliverable as error:
            raise Unsayable(f"{cls.__name__}: {error}") from error
        if choice:
            _check_choice(value, choice)
        return value

    return fitted if fit or choice else None


def _check_choice(value: Any, fields: list[Field]) -> None:
    said = [field.attr for field in fields if getattr(value, field.attr) not in (None, ())]
    least = min(field.min_occurs for field in fields)
    if not least <= len(said) <= 1:
        names = ", ".join(field.attr for field in fields)
        raise Unsayable(f"{type(value).__name__} needs {'one' if least else 'at most one'} of {names}")


# -- The functions


def _sayer(cls: type, version: Version, parts: Sequence[str | Field], *, as_a_whole: bool = False) -> Say:
    """The function that says these parts of a value; a field that must be there and is not makes it raise Unsayable.

    That of an EmtId in 1.4.1 is, but for its names:

        try:
            representation = value.representation
            instance = value.instance
            if instance is None: raise Unsayable("EmtId needs instance in 1.4.1")
            ...
            token_sub_type = "" if token_sub_type is None else f"<tokenSubType>{text(token_sub_type)}</tokenSubType>"
            return f'''<EmtId representation="{text(representation)}"><instance>{...}</instance>...</EmtId>'''
    """
    culprit = partial(_culprit, [part for part in parts if isinstance(part, Field) and not part.is_complex], version)
    script = Script("value", Unsayable=Unsayable, escape=escape, is_special=SPECIAL.search, culprit=culprit)
    if as_a_whole:
        complaint = f"{version.value} asks for {cls.__name__}, not "
        script.add(f"if not isinstance(value, {script.name(cls)}):")
        script.add(f"    raise Unsayable({complaint!r} + type(value).__name__)")
        if fit := _fitting(cls, version):
            script.add(f"value = {script.name(fit)}(value)")
    said = [part if isinstance(part, str) else _field(script, cls, part, version) for part in parts]
    script.add(f"return f'''{''.join(said)}'''")
    return script.function(f"{cls.__name__} in {version.value}", "culprit(value, error) from None")


def _field(script: Script, cls: type, field: Field, version: Version) -> str:
    """Make ready what a value has in a field, and return how an f-string says that."""
    it, must = f"its_{field.attr}", bool(field.min_occurs and not field.is_choice)
    script.add(f"{it} = value.{field.attr}")
    if must:
        missing, absent = f"{cls.__name__} needs {field.attr} in {version.value}", "not" if field.is_list else "None is"
        script.add(f"if {absent} {it}: raise Unsayable({missing!r})")
    if must and not field.is_list:
        return _entry(script, field, version, it)
    if field.is_list:
        script.add(f"{it} = ''.join([f'''{_entry(script, field, version, 'each')}''' for each in {it}])")
    else:
        script.add(f"{it} = '' if {it} is None else f'''{_entry(script, field, version, it)}'''")
    return f"{{{it}}}"


def _entry(script: Script, field: Field, version: Version, it: str) -> str:
    """How an f-string says one entry of a field."""
    if field.is_complex:
        return f"{{{script.name(_element_sayer(field.kind, version, field.element))}({it})}}"
    text = scalar(field, version)[0]
    plain = f"{it} if is_special({it}) is None else escape({it})"  # most texts: it saves a call
    opening, closing = _tags(field)
    return f"{opening}{{{plain if text is escape else f'{script.name(text)}({it})'}}}{closing}"


def _tags(field: Field) -> tuple[str, str]:
    if field.is_attribute:
        return f' {field.element}="', '"'
    if field.box:
        return f"<{field.element}><{field.box.element}>", f"</{field.box.element}></{field.element}>"
    return f"<{field.element}>", f"</{field.element}>"


def _culprit(scalars: list[Field], version: Version, value: Any, error: ValueError) -> Unsayable:
    """The error, with the field that cannot be said."""
    if isinstance(error, Unsayable):
        return error
    for field in scalars:
        said = getattr(value, field.attr)
        for entry in said if field.is_list else (said,):
            try:
                if entry is not None:
                    scalar(field, version)[0](entry)
            except ValueError as same:
                return Unsayable(f"{field.attr}: {same}")
    return Unsayable(f"{type(value).__name__}: {error}")
