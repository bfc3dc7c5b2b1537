"""Reading SOAP 1.1 envelopes from whoever sends them: limits, headers, and the one body entry.

The parser gets the message in steps: until the Body begins, and the rest once the caller is known, so that strangers
cannot make the server work on large messages. `entries` has how long ones are read. Document types
are refused (SOAP 1.1, section 3), entities are never resolved, and `href`/`id` are attributes like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree

from clearinghouse.soap.documents import STEP
from clearinghouse.soap.elements import local_name
from clearinghouse.soap.faults import ENVELOPE, WSSE, FaultCode, Refusal, client_fault

ADDRESSING = re.compile(r"\{http://(www\.w3\.org/2005/08|schemas\.xmlsoap\.org/ws/2004/08)/addressing\}")
SECURITY = f"{{{WSSE}}}Security"
ROOT, HEADER, BODY = (f"{{{ENVELOPE}}}{name}" for name in ("Envelope", "Header", "Body"))
MUST_UNDERSTAND = f"{{{ENVELOPE}}}mustUnderstand"

SAFELY: dict[str, Any] = {
    "encoding": "utf-8",
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}
"""How whatever comes from outside is parsed."""
DOCTYPE = b"<!DOCTYPE"
FIRST_STEP = 8192
MOST_ATTRIBUTES = 64
TOO_MANY_ATTRIBUTES = etree.XPath(f"boolean(descendant-or-self::*[@*[{MOST_ATTRIBUTES + 1}]])")
MOST_ENVELOPES = 2
MOST_HELD = 64 << 20
"""Bytes of a message that become one tree: ten times as many in memory. Records are let go of one after the other."""


@dataclass(frozen=True)
class Place:
    """A place in a text: lines before it, and bytes before it in its line."""

    line: int = 0
    column: int = 0

    def after(self, text: bytes | bytearray) -> Place:
        """The place behind a text that begins here."""
        lines = text.count(b"\n")
        return Place(self.line + lines, len(text) - text.rindex(b"\n") - 1 if lines else self.column + len(text))


class Envelope:
    """One message being read: first `head`, then `entry`. Both raise Refusal."""

    def __init__(self, pieces: Iterable[bytes], *, ends: bool = True) -> None:
        """`pieces` of the document in UTF-8 are taken as they are needed; without `ends` they are but its beginning."""
        self._pieces = iter(pieces)
        self._ends = ends
        self._parser: Any = etree.XMLPullParser(events=("start",), tag=(ROOT, BODY), **SAFELY)
        self._fed = 0
        self._beginning: list[bytes] | None = []
        self._seam = Place(), Place()
        self._root: etree._Element | None = None

    def head(self) -> etree._Element | None:
        """The header, read up to where the body begins; None where there is none."""
        while not self._in_body() and self.feed():
            pass
        return None if self._root is None else self._root.find(HEADER)

    def whole(self) -> etree._Element:
        """The one entry of the body, complete; of an envelope in the body, the entry of that one."""
        self._beginning = None
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

    def opened(self) -> tuple[Envelope, Place, bytes, Iterator[bytes]]:
        """This envelope up to its entry's start tag, where that ends, what was read behind it, and what is to come.

        It is there as long as nothing has been read beyond `begun`.
        """
        text = b"".join(self._beginning or ())
        tags = _up_to_each_tag(text)
        frame = Envelope(tags)
        while frame.begun() is None and frame.feed():
            pass
        rest = b"".join(tags)
        return frame, Place().after(text.removesuffix(rest)), rest, self._pieces

    def go_on(self, rest: bytes, left: Place, resumed: Place) -> None:
        """Let this be all that is still to come, after what was `left` out until the message is `resumed`."""
        self._pieces = iter((rest,))
        self._seam = left, resumed

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
        if self._fed + len(piece) > MOST_HELD:
            raise too_large()
        if self._beginning is not None:
            self._beginning.append(piece)
        try:
            self._parser.feed(piece)
        except etree.XMLSyntaxError as error:
            raise not_well_formed(error, *self._seam) from None
        self._fed += len(piece)
        if self._root is None:
            events: Any = self._parser.read_events()
            self._root = next((element for _, element in events), None)
        return True

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
            raise not_well_formed(error, *self._seam) from None
        self._parser = None
        if root.getroottree().docinfo.internalDTD is not None:
            raise _no_document_type()
        if root.tag != ROOT:
            raise Refusal(FaultCode.VERSION_MISMATCH, f"A SOAP 1.1 envelope ({ENVELOPE}) was expected.")
        self._root = root


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


def _up_to_each_tag(text: bytes) -> Iterator[bytes]:
    """Pieces of a text that end where a tag may end."""
    start = 0
    while end := text.find(b">", start) + 1:
        yield text[start:end]
        start = end
    yield text[start:]


def too_large() -> Refusal:
    """What to answer to more than may be in memory at once."""
    return client_fault(f"The request, or a record of it, is larger than {MOST_HELD} bytes.", 413)


def not_well_formed(error: etree.XMLSyntaxError, parsed: Place, meant: Place) -> Refusal:
    """Where the XML is broken; libxml2's own words may repeat the content, so they are left out.

    What was `parsed` at one place begins where it is `meant` to be in the message.
    """
    line, column = error.position
    column += meant.column - parsed.column if line == parsed.line + 1 else 0
    line += meant.line - parsed.line
    return client_fault(f"The request is not well-formed XML (line {line}, column {column}).")


def _entries(root: etree._Element | None) -> list[etree._Element]:
    body = None if root is None else root.find(BODY)
    if body is None:
        raise client_fault("The SOAP envelope has no body.")
    return [entry for entry in body if isinstance(entry.tag, str)]


def bounded(element: etree._Element) -> etree._Element:
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
