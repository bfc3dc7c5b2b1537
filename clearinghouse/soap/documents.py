"""The bytes of a message, as they may come: from memory or a file, compressed or not, in whatever encoding."""

from __future__ import annotations

import re
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Callable, Iterator
from typing import BinaryIO

from clearinghouse.soap.faults import client_fault

STEP = 256 << 10
"""Bytes of a long message that are read at once."""
WHITE_SPACE = b" \t\r\n"

CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-15": "iso-8859-15",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
"""What a partner may call its encoding, and how it is read (Latin-1 as Windows-1252, as every browser does)."""

DECLARED = re.compile(rb"<\?xml[^>]{0,80}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,30})[\"']")
DECLARATION = re.compile(rb"\s*<\?xml\s[^>]*\?>")


def charset_parameter(content_type: str) -> str | None:
    """The character encoding that an HTTP Content-Type names, if any."""
    pairs = (parameter.partition("=") for parameter in content_type.split(";")[1:])
    return next((value for name, _, value in pairs if name.strip().lower() == "charset"), None)


def utf8(
    body: bytes | BinaryIO, encoding: str | None, charset: str | None, limit: int, *, ends: bool = True
) -> Iterator[bytes]:
    """The document in UTF-8, without byte order mark and leading white space, piece by piece. Raises Refusal.

    `encoding` is that of the content (gzip), inflated to `limit` bytes at most. Of encodings of characters, a byte
    order mark wins over the HTTP header (`charset`), and that over the XML declaration; what claims to be UTF-8 and is
    not is read as Windows-1252, since that is what it has always been. Without `ends` the body is but a beginning.
    """
    if isinstance(body, bytes) and len(body) <= limit and not encoding and _is_usual(body, charset):
        return iter((body,))
    return _recoded(lambda: _inflated(_pieces(body), encoding, limit, ends), charset, ends)


def _is_usual(body: bytes, charset: str | None) -> bool:
    """Whether nothing has to be done to the document, as with nearly every short message."""
    is_utf8 = charset is None or charset.strip("\"' ").lower() == "utf-8"
    return is_utf8 and body.isascii() and body.startswith(b"<") and not body.startswith(b"<?xml")


def _pieces(body: bytes | BinaryIO) -> Iterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    body.seek(0)
    while piece := body.read(STEP):
        yield piece


def _inflated(pieces: Iterator[bytes], encoding: str | None, limit: int, ends: bool) -> Iterator[bytes]:
    encoding = (encoding or "identity").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        pieces = _unzipped(pieces, ends)
    elif encoding != "identity":
        raise client_fault("Content-Encoding may be gzip or identity.", 415)
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise client_fault(f"The request is larger than {limit} bytes.", 413)
        yield piece


def _unzipped(pieces: Iterator[bytes], ends: bool) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits=31)
    for packed in pieces:
        rest = packed
        while rest and not inflater.eof:
            try:
                yield inflater.decompress(rest, STEP)
            except zlib.error:
                raise client_fault("The body is not compressed as its Content-Encoding says.") from None
            rest = inflater.unconsumed_tail
    if ends and not inflater.eof:
        raise client_fault("The compressed body is incomplete.")


def _recoded(pieces: Callable[[], Iterator[bytes]], charset: str | None, ends: bool) -> Iterator[bytes]:
    encoding = _encoding(next(pieces(), b"").lstrip(WHITE_SPACE), charset)
    if encoding == "utf-8" and not _is_utf8(pieces(), ends):
        encoding = "cp1252"
    decoder = getincrementaldecoder(encoding)("replace" if encoding == "cp1252" else "strict")
    begun = False
    try:
        for piece in pieces():
            text = piece if encoding == "utf-8" else decoder.decode(piece).encode()
            if not begun:
                text = text.lstrip(WHITE_SPACE).removeprefix(BOM_UTF8).lstrip(WHITE_SPACE)
                text = text if encoding == "utf-8" else DECLARATION.sub(b"", text, count=1)
                begun = bool(text)
            yield text
        decoder.decode(b"", final=ends)
    except UnicodeError:
        raise client_fault("The bytes of the document do not fit its encoding.") from None


def _is_utf8(pieces: Iterator[bytes], ends: bool) -> bool:
    decoder = getincrementaldecoder("utf-8")()
    try:
        for piece in pieces:
            if decoder.getstate()[0] or not piece.isascii():
                decoder.decode(piece)
        decoder.decode(b"", final=ends)
    except UnicodeDecodeError:
        return False
    return True


def _encoding(body: bytes, charset: str | None) -> str:
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if body.startswith(BOM_UTF8):
        return "utf-8"
    if body[:2] in (b"<\0", b"\0<"):
        return "utf-16-le" if body[:1] == b"<" else "utf-16-be"
    declared = DECLARED.match(body)
    name = charset or (declared[1].decode() if declared else "utf-8")
    encoding = CHARSETS.get(name.strip("\"' ").lower())
    if encoding is None:
        raise client_fault("The document's character encoding is not supported; send UTF-8.")
    return "utf-8" if encoding.startswith("utf-16") else encoding
