"""The entry of a body: whole, or record by record while it comes in.

A long message is cut between records, and each batch is a document of its own. It is parsed in half the time that a
growing one takes, it is gone from memory with the next one, and parser and schema leave the interpreter to others
meanwhile, so that the next batch may be made `ahead` while records of this one are worked on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from clearinghouse.soap.envelopes import MOST_HELD, SAFELY, Envelope, Place, bounded, not_well_formed, too_large

BATCH = 1 << 19
"""Bytes of a batch, at least. A thread that waits for the interpreter gets it after 5 ms: batches take longer."""
ASIDE = re.compile(rb"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)
"""Where tags are no tags."""


class Entry:
    """The one entry of an envelope's body; of an envelope in the body, the entry of that one."""

    def __init__(self, envelope: Envelope) -> None:
        """Reads until it has begun. Raises Refusal."""
        self._envelope = envelope
        while envelope.begun() is None and envelope.feed():
            pass
        begun = envelope.begun()
        self._element = envelope.whole() if begun is None else begun

    @property
    def tag(self) -> str:
        """Its name in Clark notation."""
        return str(self._element.tag)

    @property
    def has_ended(self) -> bool:
        """Whether all of it has been read."""
        return self._envelope.has_ended

    def whole(self) -> etree._Element:
        """The complete element. Raises Refusal."""
        return bounded(self._envelope.whole())

    def batches(self, record: str) -> Iterator[etree._Element]:
        """Elements of the entry's name with the next of its children, cut behind records of this local name.

        Raises Refusal.
        """
        if self.has_ended:
            yield self.whole()
            return
        frame, left, content, pieces = self._envelope.opened()
        cutter = Cutter(self._element, record, left)
        held, enough = bytearray(content), BATCH
        for piece in pieces:
            held += piece
            if len(held) > MOST_HELD:
                raise too_large()
            if len(held) < enough:
                continue
            end = cutter.end_of_records(held)
            if end:
                yield bounded(cutter.batch(held[:end]))
                del held[:end]
            enough = BATCH if end else 2 * len(held)
        frame.go_on(bytes(held), left, cutter.place)
        yield bounded(frame.whole())


class Cutter:
    """Makes documents of parts of an entry's content."""

    def __init__(self, entry: etree._Element, record: str, place: Place) -> None:
        empty = etree.tostring(etree.Element(entry.tag, nsmap=entry.nsmap))  # type: ignore[arg-type]
        name = empty[1:].split()[0].rstrip(b"/>")
        self._start, self._end = empty.removesuffix(b"/>") + b">", b"</%b>" % name
        self._record = re.compile(rb"</(?:[^\s<>/:]+:)?%b\s*>" % re.escape(record.encode()), re.IGNORECASE)
        self._parser = etree.XMLParser(**SAFELY)
        self.place = place

    def end_of_records(self, text: bytearray) -> int:
        """Where the last complete record ends; 0 where there is none."""
        plain = text
        if any(sign[1:] in text and sign in text for sign in (b"<!", b"<?")):  # one byte is sought ten times as fast
            plain = bytearray(ASIDE.sub(lambda aside: b" " * len(aside[0]), text))
        place = len(plain)
        while (place := plain.rfind(b"</", 0, place)) >= 0:
            if found := self._record.match(plain, place):
                return found.end()
        return 0

    def batch(self, records: bytearray) -> etree._Element:
        """The element with these records. Raises Refusal."""
        try:
            batch = etree.fromstring(bytes(self._start + records + self._end), self._parser)
        except etree.XMLSyntaxError as error:
            raise not_well_formed(error, Place().after(self._start), self.place) from None
        self.place = self.place.after(records)
        return batch
