"""Reading partners' answers, with more lenience than requests: other names, flat results, missing members."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from copy import deepcopy
from enum import StrEnum
from itertools import chain
from typing import Any, TypeVar, cast

from lxml import etree

from clearinghouse.domain.errors import Malformed, PartnerAnsweredNonsense
from clearinghouse.ochp.results import DirectResult, DirectResultCode, Result, ResultCode
from clearinghouse.ochp.shape import fields_of, wire_of
from clearinghouse.ochp.versions import Version
from clearinghouse.soap.codec import decode, encode
from clearinghouse.soap.complaints import complaint, errors_of
from clearinghouse.soap.elements import local_name
from clearinghouse.soap.entries import Entry
from clearinghouse.soap.faults import Refusal
from clearinghouse.soap.records import stream_of
from clearinghouse.soap.repair import rebuilt
from clearinghouse.soap.xsd import validator

T = TypeVar("T")

ALIASES = {"getinformproviderresponse": ("informprovidermessage", "informproviderresponse")}
"""Names in use, in lower case, for the answers that the contract calls otherwise."""

TOLERATED = frozenset({"SCHEMAV_ELEMENT_CONTENT", "SCHEMAV_CVC_COMPLEX_TYPE_4"})
"""What may be wrong with a mended answer: something is missing."""


def read_answer(cls: type[T], element: etree._Element, version: Version) -> T:
    """The value of a partner's answer, read with more lenience than a request. Raises Malformed."""
    name = wire_of(cls).name_at(version)
    given = local_name(element).lower()
    if name.lower() not in (given, *ALIASES.get(given, ())):
        raise Malformed(f"{name} was expected, not {local_name(element)[:80]}")
    schema = validator(version)
    if schema.validate(element):
        return decode(cls, element, version)
    mended = rebuilt(cls, element, version)
    _mend_result(cls, element, mended, version)
    if not schema.validate(mended):
        grave = next((error for error in errors_of(schema) if error.type_name not in TOLERATED), None)
        if grave is not None:
            raise Malformed(complaint(mended, grave))
    return decode(cls, mended, version)


def read_long_answer(cls: type[T], entry: Entry, version: Version) -> T:
    """`read_answer` for one that is still coming in: its list is read while somebody goes through it.

    Raises Malformed, Refusal; going through the list raises PartnerAnsweredNonsense.
    """
    field = stream_of(cls, version)
    if field is None:
        return read_answer(cls, entry.whole(), version)
    batches = entry.batches(field.element)
    first = next(batches)
    value = read_answer(cls, first, version)
    rest = _records(cls, field.attr, [child for child in first if local_name(child) != field.element], batches, version)
    return cast("T", dataclasses.replace(cast("Any", value), **{field.attr: chain(getattr(value, field.attr), rest)}))


def _records(
    cls: type, attr: str, others: list[etree._Element], batches: Iterator[etree._Element], version: Version
) -> Iterator[Any]:
    """The records of further batches, each read as an answer that says what the first one said besides."""
    try:
        for batch in batches:
            for place, other in enumerate(others):
                batch.insert(place, deepcopy(other))
            yield from getattr(read_answer(cls, batch, version), attr)
    except Malformed as malformed:
        raise PartnerAnsweredNonsense(str(malformed)) from None
    except Refusal:
        raise PartnerAnsweredNonsense("the answer breaks off") from None


def _mend_result(cls: type, source: etree._Element, mended: etree._Element, version: Version) -> None:
    """Replace the result by one with the code found at any depth; a code that nobody knows is a failure."""
    field = next((each for each in fields_of(cls, version) if each.kind in (Result, DirectResult)), None)
    given = next((child for child in source if local_name(child).lower() == "result"), None)
    if field is None or given is None:
        return
    codes: type[StrEnum] = ResultCode if field.kind is Result else DirectResultCode
    texts = [(each.text or "").strip() for each in given.iter() if local_name(each).lower() in ("result", "resultcode")]
    code = next((text for text in texts if text), "")
    known = {each.value: each for each in codes}
    said = known.get(code.lower(), codes("server"))
    notes = [(each.text or "").strip() for each in given.iter() if local_name(each).lower() == "resultdescription"]
    unknown = "" if code.lower() in known else f"the partner answered {code[:40]!r}"
    kind: Any = field.kind
    value = kind.of(said, next((note for note in notes if note), unknown))
    for old in mended.findall(f"{{{version.namespace}}}{field.element}"):
        mended.remove(old)
    mended.insert(0, etree.fromstring(encode(value, version, field.element)))
