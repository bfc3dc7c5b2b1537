"""Reading SOAP 1.1 envelopes from whoever sends them: limits, headers, and the one body entry.

The parser gets the message in steps: until the Body begins, and the rest once the caller is known, so that strangers
cannot make the server work on large messages. Of a long one, no more is in memory at a time than a step brings.
Document types are refused (SOAP 1.1, section 3), entities are never resolved, and `href`/`id` are attributes like any
other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from lxml import etree

from clearinghouse.soap.codec import local_name
from clearinghouse.soap.documents import STEP
from clearinghouse.soap.faults import ENVELOPE, WSSE, FaultCode, Refusal, client_fault

ADDRESSING = re.compile(r"\{http://(www\.w3\.org/2005/08|schemas\.xmlsoap\.org/ws/2004/08)/addressing\}")
SECURITY = f"{{{WSSE}}}Security"
ROOT, HEADER, BODY = (f"{{{ENVELOPE}}}{name}" for name in ("Envelope", "Header", "Body"))
MUST_UNDERSTAND = f"{{{ENVELOPE}}}mustUnderstand"

DOCTYPE = b"<!DOCTYPE"
FIRST_STEP = 8192
MOST_ATTRIBUTES = 64
TOO_MANY_ATTRIBUTES = etree.XPath(f"boolean(descendant-or-self::*[@*[{MOST_ATTRIBUTES + 1}]])")
MOST_ENVELOPES = 2
MOST_HELD = 64 << 20
"""Bytes of a message that become one tree: ten times as many in memory. Records are let go of one after the other."""


class Envelope:
    """One message being read: first `head`, then `entry`. Both raise Refusal."""

    def __init__(self, pieces: Iterable[bytes], *, ends: bool = True) -> None:
        """`pieces` of the document in UTF-8 are taken as they are needed; without `ends` they are but its beginning."""
        self._pieces = iter(pieces)
        self._ends = ends
        self._parser: Any = etree.XMLPullParser(
            events=("start",),
            tag=(ROOT, BODY),
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        self._fed = self._held = 0
        self._root: etree._Element | None = None

    def head(self) -> etree._Element | None:
        """The header, read up to where the body begins; None where there is none."""
        while not self._in_body() and self.feed():
            pass
        return None if self._root is None else self._root.find(HEADER)

    def entry(self) -> Entry:
        """The one entry of the body, which may still be growing; of an envelope in the body, the entry of that one."""
        while self.begun() is None and self.feed():
            pass
        return Entry(self)

    def whole(self) -> etree._Element:
        """The one entry of the body, complete."""
        while self.feed():
            pass
        root = self._root
        for _ in range(MOST_ENVELOPES):
            entries = _entries(root)
            if len(entries) != 1:
                raise client_fault("The SOAP body must have exactly one entry.")
            root = entries[0]
            if root.tag != ROOT:
                return root
        raise client_fault("Envelopes inside envelopes are read two deep at most.")

    def begun(self) -> etree._Element | None:
        """The entry as far as it is there; None before it has begun, and for one that is an envelope again."""
        body = None if self._root is None else self._root.find(BODY)
        entry = None if body is None else next(iter(body), None)
        return None if entry is None or entry.tag == ROOT else entry

    def feed(self) -> bool:
        """Read on; whether there may be more."""
        if self._parser is None:
            return False
        piece = next(self._pieces, None)
        if piece is None:
            self._finish()
            return False
        if not self._fed:
            _check_beginning(piece)
        self._held += len(piece)
        if self._held > MOST_HELD:
            raise client_fault(f"The request, or a record of it, is larger than {MOST_HELD} bytes.", 413)
        try:
            self._parser.feed(piece)
        except etree.XMLSyntaxError as error:
            raise _syntax(error) from None
        self._fed += len(piece)
        if self._root is None:
            events: Any = self._parser.read_events()
            self._root = next((element for _, element in events), None)
        return True

    def let_go(self) -> None:
        """What was read so far is not kept any longer."""
        self._held = 0

    @property
    def has_ended(self) -> bool:
        """Whether all of it has been read."""
        return self._parser is None

    def _in_body(self) -> bool:
        return self._root is not None and self._root.find(BODY) is not None

    def _finish(self) -> None:
        if not self._fed:
            raise client_fault("The request is empty; a SOAP 1.1 envelope was expected.")
        if not self._ends:
            raise client_fault(f"The SOAP body must begin within the first {self._fed} bytes.")
        try:
            root = self._parser.close()
        except etree.XMLSyntaxError as error:
            raise _syntax(error) from None
        self._parser = None
        if root.getroottree().docinfo.internalDTD is not None:
            raise _no_document_type()
        if root.tag != ROOT:
            raise Refusal(FaultCode.VERSION_MISMATCH, f"A SOAP 1.1 envelope ({ENVELOPE}) was expected.")
        self._root = root


class Entry:
    """The body's entry: whole, or in batches of its children, which are gone from memory with the next batch."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        begun = envelope.begun()
        self._element = envelope.whole() if begun is None else begun

    @property
    def tag(self) -> str:
        """Its name in Clark notation."""
        return str(self._element.tag)

    def whole(self) -> etree._Element:
        """The complete element. Raises Refusal."""
        return _bounded(self._envelope.whole())

    def batches(self) -> Iterator[etree._Element]:
        """Elements of the entry's name, each with the next of its children. Raises Refusal."""
        if self._envelope.has_ended:
            yield self.whole()
            return
        element = self._element
        while self._envelope.feed():
            if len(element) > 1:
                self._envelope.let_go()
                yield _bounded(_moved(element, len(element) - 1))  # the last may be growing still
        self._envelope.whole()
        yield _bounded(element)


def _moved(element: etree._Element, count: int) -> etree._Element:
    """An element of the same name with the first children of this one."""
    batch = element.makeelement(element.tag)
    batch.extend(list(islice(element, count)))
    return batch


def steps(document: bytes) -> Iterator[bytes]:
    """A document in memory: what holds the header of every usual message, then as much as the parser takes at once."""
    yield document[:FIRST_STEP]
    for place in range(FIRST_STEP, len(document), STEP):
        yield document[place : place + STEP]


def _check_beginning(piece: bytes) -> None:
    if not piece:
        raise client_fault("The request is empty; a SOAP 1.1 envelope was expected.")
    if -1 < piece.find(DOCTYPE) < piece.find(b"Envelope"):
        raise _no_document_type()


def _no_document_type() -> Refusal:
    return client_fault("A SOAP message must not have a document type declaration.")


def _syntax(error: etree.XMLSyntaxError) -> Refusal:
    """Where the XML is broken; libxml2's own words may repeat the content, so they are left out."""
    line, column = error.position
    return client_fault(f"The request is not well-formed XML (line {line}, column {column}).")


def _entries(root: etree._Element | None) -> list[etree._Element]:
    body = None if root is None else root.find(BODY)
    if body is None:
        raise client_fault("The SOAP envelope has no body.")
    return [entry for entry in body if isinstance(entry.tag, str)]


def _bounded(element: etree._Element) -> etree._Element:
    """The element, if none in it has more attributes than a message could mean. Raises Refusal."""
    if TOO_MANY_ATTRIBUTES(element):
        raise client_fault(f"An element has more than {MOST_ATTRIBUTES} attributes.")
    return element


def header_entries(header: etree._Element | None) -> Iterator[etree._Element]:
    """The entries of a header, which may be absent."""
    return (entry for entry in (() if header is None else header) if isinstance(entry.tag, str))


def understand(header: etree._Element | None) -> etree._Element | None:
    """The Security entry of a header, if any. Raises Refusal for one that must be understood and is not."""
    security = None
    for entry in header_entries(header):
        if entry.tag == SECURITY:
            security = entry if security is None else security
        elif entry.get(MUST_UNDERSTAND) in ("1", "true") and not ADDRESSING.match(entry.tag):
            raise Refusal(FaultCode.MUST_UNDERSTAND, f"The header {local_name(entry)[:80]} is not understood.")
    return security
