"""The records of a long message, read while it comes in, each by itself: one that cannot be read harms no other.

A batch is held against the schema as a whole, which is what takes least time. Only where that fails is each record of
it read as the only one of a message, mended if need be, and left out with its complaint where that does not help.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from lxml import etree

from clearinghouse import cores
from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.shape import Field, fields_of, once, wire_of
from clearinghouse.ochp.versions import Version
from clearinghouse.services.streams import ahead
from clearinghouse.soap.codec import reader
from clearinghouse.soap.elements import local_name
from clearinghouse.soap.entries import Entry
from clearinghouse.soap.repair import default_namespace, read
from clearinghouse.soap.xsd import validator

T = TypeVar("T")


def read_request(cls: type[T], entry: Entry, version: Version, unreadable: list[Malformed]) -> T:
    """The request that an entry says; complaints about records go into `unreadable` while others are read.

    Raises Malformed, Refusal; so does the stream of records, where none of them can be read or the message breaks off.
    """
    field = stream_of(cls, version)
    if field is None:
        return read(cls, entry.whole(), version)
    return cls(**{field.attr: records(cls, field, entry, version, unreadable)})


@once
def stream_of(cls: type, version: Version) -> Field | None:
    """The field of a message that holds its records, if there is one such field; of several it is read whole."""
    streams = [field for field in fields_of(cls, version) if field.is_stream]
    return streams[0] if len(streams) == 1 else None


def records(cls: type, field: Field, entry: Entry, version: Version, unreadable: list[Malformed]) -> Iterator[Any]:
    """The records of a message that has nothing else."""
    one, tag = reader(field.kind, version), f"{{{version.namespace}}}{field.element}"
    count = 0
    checked = _checked(entry, field, version)
    for batch, is_valid in checked if entry.has_ended else _ahead(checked):
        for record in batch.iterchildren(tag) if is_valid else _alike(batch, field, version):
            count += 1
            try:
                yield one(record) if is_valid else _alone(cls, field, record, version)
            except Malformed as malformed:
                unreadable.append(Malformed(f"record {count}: {malformed}"))
    if len(unreadable) == count:
        raise unreadable[0] if unreadable else Malformed(f"{field.element} is missing")


def _checked(entry: Entry, field: Field, version: Version) -> Generator[tuple[etree._Element, bool]]:
    """The batches of a message, and whether all is valid in them."""
    for batch in entry.batches(field.element):
        yield batch, validator(version).validate(batch)


_PARSERS: list[ThreadPoolExecutor] = []
"""Threads at rest. They stay, because each has schemas of its own; there is one for each long message under way."""


def _ahead(items: Generator[T]) -> Iterator[T]:
    """The items, each made ahead by the same thread: libxml2 keeps what a parser knows for the thread it began in."""
    try:
        helper = _PARSERS.pop()
    except IndexError:
        helper = ThreadPoolExecutor(1, "parser", cores.use_all)
    try:
        yield from ahead(items, helper)
    finally:
        _PARSERS.append(helper)


def _alike(batch: etree._Element, field: Field, version: Version) -> list[etree._Element]:
    """The children that seem to be records; what is not known is not read, as in every message."""
    name, namespaces = field.element.lower(), (f"{{{version.namespace}}}", "")
    return [
        child
        for child in batch
        if (said := local_name(child)).lower() == name and child.tag[: -len(said)] in namespaces
    ]


def _alone(cls: type, field: Field, record: etree._Element, version: Version) -> Any:
    """A record, read as the only one of its message. Raises Malformed."""
    message = etree.Element(f"{{{version.namespace}}}{wire_of(cls).name_at(version)}", nsmap=default_namespace(version))
    message.append(record)
    (value,) = getattr(read(cls, message, version), field.attr)
    return value
