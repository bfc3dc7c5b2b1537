"""Request bodies: read completely, in bounded size, time and memory, before anybody works on them.

A body that is too long for memory goes into a file, once its beginning has shown that its sender may upload: so a slow
client costs no thread, and a stranger no room on the disk.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from os import SEEK_END
from typing import Any, BinaryIO, cast

from clearinghouse.http.problems import Refusal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Admit = Callable[[bytes], Awaitable[None]]
"""Raises what refuses a long body, by what there is of it."""

DRAIN_SECONDS = 2.0
DRAIN_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much one process takes: bytes of a body in memory and in a file, of all bodies in each, open requests.

    Each `max_body` bytes may take `body_seconds` to arrive, and each piece of an answer as long to be taken.
    """

    max_body: int = 10 << 20
    max_upload: int = 0
    body_seconds: float = 30.0
    max_buffered: int = 256 << 20
    max_filed: int = 64 << 30
    max_open: int = 2000


class ClientGone(Exception):  # noqa: N818
    """The client hung up before its request was complete."""


class Bodies:
    """Reads bodies and keeps count of what all of them hold together."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.buffered = 0
        self.filed = 0

    async def read(self, scope: Scope, receive: Receive, admit: Admit | None = None) -> bytes | BinaryIO:
        """The whole body; a long one is a file, where `admit` lets it in. Whoever reads one says `forget`.

        Raises Refusal (400, 408, 413, 503), ClientGone, and what `admit` raises.
        """
        body = _Arriving(self, admit)
        try:
            body.check(_declared(scope))
            async with asyncio.timeout(self.bounds.body_seconds) as limit:
                while body.more:
                    chunk, body.more = await _next(receive)
                    if await body.take(chunk):
                        limit.reschedule(asyncio.get_running_loop().time() + self.bounds.body_seconds)
                return await body.whole()
        except BaseException as error:
            body.drop()
            if isinstance(error, TimeoutError):
                raise Refusal(408, f"The body did not arrive within {self.bounds.body_seconds:g} s.") from None
            if isinstance(error, Refusal) and body.more:
                await drain(scope, receive)
            raise

    def forget(self, body: bytes | BinaryIO) -> None:
        """The body is not kept any longer."""
        if isinstance(body, bytes):
            self.buffered -= len(body)
        else:
            self.filed -= body.seek(0, SEEK_END)
            body.close()


class _Arriving:
    """One body on its way: in memory at first, in a file when it gets long."""

    def __init__(self, bodies: Bodies, admit: Admit | None) -> None:
        self.more = True
        self._bodies = bodies
        self._admit = admit
        self._most = max(bodies.bounds.max_body, bodies.bounds.max_upload if admit else 0)
        self._chunks: list[bytes] = []
        self._held = 0
        self._file: BinaryIO | None = None
        self._filed = 0

    def check(self, size: int) -> None:
        """Raises Refusal where a body of so many bytes is too long, or all bodies are."""
        bounds = self._bodies.bounds
        if size > self._most:
            raise Refusal(413, f"The body is longer than {self._most} bytes.")
        growth = size - self._held - self._filed
        is_full = self._bodies.buffered + min(growth, bounds.max_body) > bounds.max_buffered
        if is_full or self._bodies.filed + self._held + growth > bounds.max_filed:
            raise Refusal(503, "Too many large requests at this time.", {"retry-after": "5"})

    async def take(self, chunk: bytes) -> bool:
        """Keep a chunk; returns whether memory was full and what it held is in the file now."""
        self.check(self._filed + self._held + len(chunk))
        self._chunks.append(chunk)
        self._held += len(chunk)
        self._bodies.buffered += len(chunk)
        if self._held <= self._bodies.bounds.max_body:
            return False
        await self._put_away()
        return True

    async def _put_away(self) -> None:
        data = b"".join(self._chunks)
        if self._file is None:
            assert self._admit is not None  # noqa: S101 - or it would have been too long
            await self._admit(data)
            self._file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - `forget` and `drop` close it
        await asyncio.to_thread(self._file.write, data)
        self._chunks = []
        self._filed += len(data)
        self._bodies.filed += len(data)
        self._held = 0
        self._bodies.buffered -= len(data)

    async def whole(self) -> bytes | BinaryIO:
        """All of it, at its beginning."""
        if self._file is None:
            return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        await self._put_away()
        self._file.seek(0)
        return self._file

    def drop(self) -> None:
        """Keep nothing of it."""
        self._bodies.buffered -= self._held
        self._bodies.filed -= self._filed
        if self._file is not None:
            self._file.close()


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise Refusal(400, "Content-Length is not a number.")
            return int(value)
    return 0


async def _next(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), message.get("more_body", False)


async def drain(scope: Scope, receive: Receive) -> None:
    """Take in what is still under way, for a moment, so that a client that only writes can read why it is refused.

    One that waits for `100 Continue` would take the reading for a yes.
    """
    if any(name == b"expect" for name, _ in scope["headers"]):
        return
    dropped, more = 0, True
    with suppress(TimeoutError, ClientGone):
        async with asyncio.timeout(DRAIN_SECONDS):
            while more and dropped < DRAIN_BYTES:
                chunk, more = await _next(receive)
                dropped += len(chunk)
