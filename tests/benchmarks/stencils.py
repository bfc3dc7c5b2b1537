"""Messages of very many records as streams: the codec writes one record, and a million are filled in from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from clearinghouse.ochp.shape import fields_of
from clearinghouse.ochp.versions import V1_4_1, Version
from clearinghouse.services.calls_port import Login
from clearinghouse.soap.codec import encode
from clearinghouse.soap.faults import OPENING, TAIL, envelope
from clearinghouse.soap.security import security_header

AT_ONCE = 200
"""Records that travel together."""
Marks = Mapping[str, bytes]
"""Words that stand in one record for what differs, each with its format."""
Values = Callable[[int], Any]
"""What differs, by the record's number, as the formats take it: a tuple in the order of the words, or a dictionary.

Every text has always the same length.
"""


def stencil(text: bytes, marks: Marks) -> bytes:
    """The text as a format, in which words became formats of values."""
    text = text.replace(b"%", b"%%")
    for mark, form in marks.items():
        text = text.replace(mark.encode(), form)
    return text


def filled(form: bytes, numbers: Iterable[int], values: Values) -> Iterator[bytes]:
    """The format with the values of each number, some at a time."""
    texts = (form % values(number) for number in numbers)
    while piece := b"".join(islice(texts, AT_ONCE)):
        yield piece


@dataclass(frozen=True)
class Message:
    """A request of many records of one kind: what stands before them, one of them, what stands after them."""

    head: bytes
    record: bytes
    tail: bytes
    tag: bytes
    """What every record begins with."""

    @classmethod
    def of(cls, request: Any, marks: Marks, version: Version = V1_4_1) -> Message:
        """From a request with one record."""
        (listed,) = [each for each in fields_of(type(request), version) if each.is_list and getattr(request, each.attr)]
        start, end = f"<{listed.element}".encode(), f"</{listed.element}>".encode()
        head, _, rest = encode(request, version).partition(start)
        record, _, tail = rest.rpartition(end)
        return cls(head, stencil(start + record + end, marks), tail, start + record[:1])

    def stream(self, login: Login, numbers: Iterable[int], values: Values) -> Iterator[bytes]:
        """The whole envelope with a record for each number."""
        yield self._begin(login)
        yield from filled(self.record, numbers, values)
        yield self.tail + TAIL

    def length(self, login: Login, count: int, values: Values) -> int:
        """The bytes of the stream of so many records."""
        return len(self._begin(login)) + count * len(self.record % values(0)) + len(self.tail + TAIL)

    def _begin(self, login: Login) -> bytes:
        return b"%b<soap:Header>%b</soap:Header><soap:Body>%b" % (OPENING, security_header(login), self.head)


def single(login: Login, value: Any, version: Version = V1_4_1) -> bytes:
    """The envelope of a request without many records."""
    return envelope(encode(value, version), security_header(login))
