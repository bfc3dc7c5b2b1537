"""Messages of any size: they are made while they are sent, and what is read is counted and forgotten."""

from __future__ import annotations

import socket
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPResponse, HTTPSConnection
from itertools import chain
from typing import Any

from clearinghouse.services.calls_port import Login
from clearinghouse.soap.faults import CONTENT_TYPE
from tests.benchmarks import evses, tokens
from tests.benchmarks.stencils import Message, Values

PIECE = 64 << 10
WINDOW = 256 << 10
"""The receive buffer of a reader with a slow line: what the system would take in for it, the line would not have."""
TIMEOUT = 1800.0
END = b"</soap:Envelope>"
SHOWN = 600
"""So many bytes of an answer are given back."""

MESSAGES: Mapping[str, tuple[Message, Values]] = {
    "tokens": (tokens.SET, tokens.usual),
    "tokens, 1 % changed": (tokens.SET, tokens.changed_in_a_hundred),
    "token updates": (tokens.UPDATE, tokens.usual),
    "changed tokens": (tokens.UPDATE, tokens.changed),
    "charge points": (evses.SET, evses.usual),
    "charge point updates": (evses.UPDATE, evses.changed),
    "words": (evses.WORDS, int),
}


class Unanswered(RuntimeError):  # noqa: N818
    """There was no answer, or another one than expected."""


class Line(HTTPSConnection):
    """A connection that takes no more bytes a second than its line carries."""

    def __init__(self, host: str, port: int, ca: str, pace: float | None = None) -> None:
        super().__init__(host, port, timeout=TIMEOUT, context=ssl.create_default_context(cafile=ca))
        self._pace = pace

    def connect(self) -> None:
        """As usual, with a small buffer where the line is slow."""
        super().connect()
        if self._pace:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)

    def pieces(self, answer: HTTPResponse) -> Iterator[bytes]:
        """The body as it comes."""
        started, size = time.perf_counter(), 0
        while piece := answer.read1(PIECE):
            yield piece
            size += len(piece)
            if self._pace:
                time.sleep(max(0.0, started + size / self._pace - time.perf_counter()))


def upload(
    host: str, port: int, ca: str, path: str, login: list[str], message: str, first: int, count: int
) -> Mapping[str, Any]:
    """Send records `first` to `first + count` in one request. Raises Unanswered."""
    form, values = MESSAGES[message]
    who = Login(*login)
    length = form.length(who, count, values)
    headers = {"Content-Type": CONTENT_TYPE, "Content-Length": str(length)}
    started, cpu = time.perf_counter(), time.process_time()
    line = Line(host, port, ca)
    with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):  # who hangs up may have said why before
        line.request("POST", path, form.stream(who, range(first, first + count), values), headers)
    answer = line.getresponse()
    body = answer.read()
    seconds = time.perf_counter() - started
    line.close()
    _expect(answer, body)
    cpu = time.process_time() - cpu
    return {"done": count, "seconds": seconds, "cpu": cpu, "bytes": length, "answer": body[:SHOWN].decode()}


def download(
    host: str,
    port: int,
    ca: str,
    path: str,
    login: list[str],
    request: str,
    tag: str,
    ok: str = ">ok<",
    pace: float | None = None,
    gzip: bool = False,
) -> Mapping[str, Any]:
    """Read an answer to its end and count its records, which begin with `tag`; its beginning has the word `ok`.

    At most `pace` bytes are taken in a second. Raises Unanswered.
    """
    headers = {"Content-Type": CONTENT_TYPE, **({"Accept-Encoding": "gzip"} if gzip else {})}
    started, cpu = time.perf_counter(), time.process_time()
    line = Line(host, port, ca, pace)
    line.request("POST", path, request.encode(), headers)
    answer = line.getresponse()
    counted = Counter(tag.encode(), compressed=answer.getheader("content-encoding") == "gzip")
    first = 0.0
    for piece in line.pieces(answer):
        first = first or time.perf_counter() - started
        counted(piece)
    seconds = time.perf_counter() - started
    line.close()
    _expect(answer, counted.beginning, ok)
    if not counted.is_whole:
        raise Unanswered(f"the answer broke off after {counted.records} records: …{counted.ending!r}")
    return {
        "done": counted.records,
        "seconds": seconds,
        "cpu": time.process_time() - cpu,
        "first": first,
        "bytes": counted.received,
        "is_compressed": counted.compressed,
        "answer": counted.beginning.decode(errors="replace"),
    }


def downloads(readers: Sequence[Mapping[str, Any]], seconds: float) -> Mapping[str, Any]:
    """Let readers download at the same time, each again and again as long as another time fits into the seconds."""
    started, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(len(readers)) as pool:
        done = list(chain.from_iterable(pool.map(lambda reader: _again_and_again(reader, seconds), readers)))
    return {
        "done": len(done),
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "each": [each["seconds"] for each in done],
        "records": sorted({each["done"] for each in done}),
    }


def _again_and_again(reader: Mapping[str, Any], seconds: float) -> list[Mapping[str, Any]]:
    done: list[Mapping[str, Any]] = []
    started = time.perf_counter()
    while not done or time.perf_counter() - started + done[-1]["seconds"] < seconds:
        done.append(download(**reader))
    return done


class Counter:
    """Counts records in a text that comes in pieces, which end anywhere."""

    def __init__(self, tag: bytes, *, compressed: bool = False) -> None:
        self.compressed = compressed
        self.records = self.received = 0
        self.beginning = self.ending = b""
        self._tag = tag
        self._unpack = zlib.decompressobj(31)

    @property
    def is_whole(self) -> bool:
        """Whether the last that came is the end of an envelope."""
        return self.ending.rstrip().endswith(END)

    def __call__(self, piece: bytes) -> None:
        """Take in what comes next."""
        self.received += len(piece)
        for text in self._unpacked(piece) if self.compressed else (piece,):
            before = self.ending[len(self.ending) - len(self._tag) + 1 :]
            self.records += (before + text).count(self._tag)
            self.beginning += text[: SHOWN - len(self.beginning)]
            self.ending = (self.ending + text)[-SHOWN:]

    def _unpacked(self, piece: bytes) -> Iterator[bytes]:
        """What the piece says; a compressed text may consist of several, one after the other."""
        while piece:
            yield self._unpack.decompress(piece)
            piece = self._unpack.unused_data
            if self._unpack.eof:
                self._unpack = zlib.decompressobj(31)


def _expect(answer: HTTPResponse, body: bytes, ok: str = ">ok<") -> None:
    if answer.status != 200 or ok.encode() not in body[:SHOWN]:
        raise Unanswered(f"HTTP {answer.status}: {body[:SHOWN].decode(errors='replace')}")
