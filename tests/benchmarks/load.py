"""A load generator that leaves the processor to the server: one thread, raw TLS sockets, requests out of templates.

Every answer is read whole and has to be `ok`.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from tests.benchmarks import messages
from tests.benchmarks.calls import CALLS
from tests.benchmarks.measuring import peak_memory

PIECE = 64 << 10
PATIENCE = 30.0
END_OF_HEAD = b"\r\n\r\n"
LAST_CHUNK = b"\r\n0\r\n\r\n"


class HungUp(Exception):  # noqa: N818
    """The server closed a line."""


class Line:
    """A kept connection with at most one request under way."""

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext) -> None:
        self._address = address
        self._context = context
        self.socket = self._connected()
        self.since = 0.0
        self._message = self._received = b""
        self._is_again = False

    def _connected(self) -> socket.socket:
        plain = socket.create_connection(self._address, timeout=PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = self._context.wrap_socket(plain, server_hostname=self._address[0])
        line.setblocking(False)
        return line

    def send(self, message: bytes, since: float) -> None:
        """Put a request on the line; it was to be sent at `since`."""
        self._is_again = False
        self._put(message)
        self.since = since

    def _put(self, message: bytes) -> None:
        self._message, self._received = message, b""
        self.socket.settimeout(PATIENCE)
        with suppress(OSError):  # a line that has just been closed says so when it is read
            self.socket.sendall(message)
        self.socket.setblocking(False)

    def reopen(self) -> None:
        """Replace a line that the server closed, as it may after a silence; the request under way is sent once more.

        Raises RuntimeError where a silence is no excuse: it was sent once more already, or the answer had begun.
        """
        if self._message and (self._is_again or self._received):
            raise RuntimeError("the server hung up")
        self.socket.close()
        self.socket = self._connected()
        if self._message:
            self._is_again = True
            self._put(self._message)

    def answer(self) -> bytes | None:
        """The answer, once it is complete. Raises HungUp."""
        while True:
            try:
                piece = self.socket.recv(PIECE)
            except ssl.SSLWantReadError:
                return None
            except OSError:
                piece = b""
            if not piece:
                raise HungUp
            self._received += piece
            if is_complete(self._received):
                self._message = b""
                return self._received


def is_complete(received: bytes) -> bool:
    """Whether these bytes are a whole HTTP answer, of a stated length or in chunks."""
    head, end, body = received.partition(END_OF_HEAD)
    if not end:
        return False
    _, stated, length = head.lower().partition(b"content-length:")
    return len(body) >= int(length.partition(b"\r\n")[0]) if stated else body.endswith(LAST_CHUNK)


class Load:
    """Requests over several connections at once: one after the other, or at a steady `rate` a second.

    At a steady rate a wait begins when the request was due, whether there was a connection for it or not; those for
    which there is none until the end have waited at least so long, and are counted as `unsent`.
    """

    def __init__(self, lines: Sequence[Line], requests: Iterator[bytes], seconds: float, rate: float | None) -> None:
        self.waits: list[float] = []
        self.unsent = 0
        self.started = time.perf_counter()
        self._free = deque(lines)  # in turn, so that each process of the server has its share
        self._lines = len(lines)
        self._requests = requests
        self._number = 0
        self._due = self.started
        self._ends = self.started + seconds
        self._pause = 1 / rate if rate else None

    def run(self) -> None:
        """Send for as long as was said, then wait for what is under way. Raises RuntimeError for a wrong answer."""
        with selectors.DefaultSelector() as selector:
            for line in self._free:
                selector.register(line.socket, selectors.EVENT_READ, line)
            while self._send() or len(self._free) < self._lines:
                self._receive(selector)

    def _send(self) -> bool:
        """Send what is due; whether anything is still to come."""
        now = time.perf_counter()
        if now >= self._ends:
            self._give_up(now)
            return False
        if self._pause is None:
            self._due = now
        while self._free and self._due <= now:
            request = next(self._requests, None)
            if request is None:
                self._ends = self._due = now
                return False
            self._free.popleft().send(request, self._due)
            self._next_due()
        return True

    def _next_due(self) -> None:
        self._number += 1
        if self._pause:
            self._due = self.started + self._number * self._pause

    def _give_up(self, now: float) -> None:
        while self._pause and self._due < self._ends:
            self.waits.append(now - self._due)
            self.unsent += 1
            self._next_due()

    def _receive(self, selector: selectors.BaseSelector) -> None:
        """Take in answers, until the next request is due at the latest."""
        now = time.perf_counter()
        is_waiting = bool(self._free) and now < self._ends
        ready = selector.select(max(0.0, min(self._due, self._ends) - now) if is_waiting else PATIENCE)
        if not ready and not is_waiting:
            raise RuntimeError(f"no answer within {PATIENCE:g} s")
        for key, _ in ready:
            line: Line = key.data
            try:
                answer = line.answer()
            except HungUp:
                selector.unregister(key.fileobj)
                line.reopen()
                selector.register(line.socket, selectors.EVENT_READ, line)
                continue
            if answer is None:
                continue
            if not answer.startswith(b"HTTP/1.1 200") or messages.OK not in answer:
                raise RuntimeError(f"not ok: {answer[:1000]!r}")
            self.waits.append(time.perf_counter() - line.since)
            self._free.append(line)


def make_calls(
    call: str,
    host: str,
    port: int,
    ca: str,
    connections: int,
    seconds: float,
    rate: float | None = None,
    **said: Any,
) -> Mapping[str, Any]:
    """Make calls of a kind for so long; the notes are in milliseconds. Raises RuntimeError for a wrong answer."""
    context = ssl.create_default_context(cafile=ca)
    requests = CALLS[call](f"{host}:{port}", **said)
    lines = [Line((host, port), context) for _ in range(connections)]
    cpu = time.process_time()
    load = Load(lines, requests, seconds, rate)
    load.run()
    taken, cpu = time.perf_counter() - load.started, time.process_time() - cpu
    for line in lines:
        line.socket.close()
    return {
        "done": len(load.waits) - load.unsent,
        "unsent": load.unsent,
        "seconds": taken,
        "cpu": cpu,
        "peak_memory": peak_memory(),
        "notes": waits_of(load.waits),
    }


def waits_of(waits: Sequence[float]) -> dict[str, float]:
    """Within how many milliseconds so many of the answers came. Raises RuntimeError where there are none."""
    if not waits:
        raise RuntimeError("nothing was sent")
    ordered = sorted(waits)
    return {
        f"{name} within": ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1e3
        for name, percent in (("half", 50), ("95 %", 95), ("99 %", 99))
    }
