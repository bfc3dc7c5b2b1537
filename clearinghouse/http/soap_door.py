"""The door for SOAP: bodies come in asynchronously, answers are made by a few threads, long ones piece by piece."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Generator
from functools import partial

from clearinghouse.http.bodies import Bodies, Bounds, ClientGone, Receive, Scope, Send, drain
from clearinghouse.http.compression import compressed
from clearinghouse.http.hands import Hands
from clearinghouse.http.problems import Refusal
from clearinghouse.services.calls_port import HttpAnswer, HttpRequest
from clearinghouse.services.turns import Turns

Answer = Callable[[HttpRequest], HttpAnswer]
Welcome = Callable[[HttpRequest], HttpAnswer | None]
"""What refuses a request by the beginning of its body; None where the rest may come."""

LONG = 64 << 10
"""Bytes of a request that others should not have to wait for."""
LONG_HANDS = 2
"""Threads for long requests: more would only take turns at the interpreter."""
COURTESY, MOMENT = 25, 0.002
"""How often, and for how many seconds each time, the next piece of a long answer waits for short requests."""

SOAP_PATH = re.compile(r"/+(?:service|live|direct(?:/+(?:operator|provider))?)/+ochp/+v[^/]+(?:/.*)?")
SLASHES = re.compile(r"//+")
HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
SCHEMES = frozenset({"http", "https"})


class Unwelcome(Refusal):
    """A request that is answered before all of it is there."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(answer.status, "")
        self.answer = answer


class SoapDoor:
    """An ASGI application that hands complete requests to a synchronous function.

    Long requests and answers have threads of their own, so that short ones never wait for them.
    """

    def __init__(
        self,
        answer: Answer,
        bodies: Bodies,
        bounds: Bounds,
        *,
        threads: int,
        trust_forwarded: bool,
        turns: Turns | None = None,
        welcome: Welcome | None = None,
    ) -> None:
        self._answer = answer
        self._welcome = welcome
        self._bodies = bodies
        self._bounds = bounds
        self._trust_forwarded = trust_forwarded
        self._turns = turns or Turns(threads)
        self._hands = Hands(threads, "soap", self._turns)
        self._long_hands = Hands(LONG_HANDS, "soap-long")
        self._list_hand = Hands(1, "soap-list")
        self._open = 0
        self._short = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises Refusal for what is not even looked at, and ClientGone."""
        if scope["method"] not in ("POST", "GET"):
            await drain(scope, receive)
            raise Refusal(405, "Here are SOAP ports: POST a message, or GET with ?wsdl.", {"allow": "GET, POST"})
        if self._open >= self._bounds.max_open:
            await drain(scope, receive)
            raise Refusal(503, "Too many requests at this time.", {"retry-after": "5"})
        self._open += 1
        try:
            answer = await self._answered(scope, receive)
            scope["facts"].update(answer.facts)
            await self._send(answer, receive, send)
        finally:
            self._open -= 1

    async def _answered(self, scope: Scope, receive: Receive) -> HttpAnswer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = partial(
            HttpRequest,
            method=scope["method"],
            path=SLASHES.sub("/", scope["path"]).rstrip("/"),
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            base_url=caller_url(scope, headers, trust_forwarded=self._trust_forwarded),
        )
        try:
            body = await self._bodies.read(scope, receive, partial(self._admit, request) if self._welcome else None)
        except Unwelcome as refusal:
            return refusal.answer
        is_short = isinstance(body, bytes) and len(body) < LONG
        hands = self._hands if is_short else self._long_hands
        self._short += is_short
        try:
            return await hands(lambda: compressed(self._answer(request(body=body)), headers))
        finally:
            self._short -= is_short
            self._bodies.forget(body)

    async def _admit(self, request: Callable[..., HttpRequest], beginning: bytes) -> None:
        assert self._welcome is not None  # noqa: S101 - or nobody would ask
        refusal = await self._hands(partial(self._welcome, request(body=beginning)))
        if refusal is not None:
            raise Unwelcome(refusal)

    async def _send(self, answer: HttpAnswer, receive: Receive, send: Send) -> None:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
        if isinstance(answer.body, bytes):
            headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if isinstance(answer.body, bytes):
            await send({"type": "http.response.body", "body": answer.body})
        else:
            await self._stream(answer.body, receive, send)

    async def _stream(self, pieces: Generator[bytes], receive: Receive, send: Send) -> None:
        """Send pieces as fast as they are taken. Raises ClientGone; what holds them is let go of in any case."""
        gone = asyncio.ensure_future(receive())
        try:
            while piece := await self._list_hand(partial(self._next, pieces)):
                async with asyncio.timeout(self._bounds.body_seconds):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                if gone.done():
                    raise ClientGone
        except TimeoutError:
            raise ClientGone from None
        finally:
            gone.cancel()
            await self._list_hand(pieces.close)
        await send({"type": "http.response.body", "body": b""})

    def _next(self, pieces: Generator[bytes]) -> bytes:
        """The next piece; empty at the end. Short requests go first, for a moment: they want the same interpreter.

        One thread makes the pieces of all lists: of two, a call would have to wait for each whenever it goes on. Who
        waits for a partner or for the store does not count.
        """
        for _ in range(COURTESY):
            if self._short <= self._turns.away:
                break
            time.sleep(MOMENT)
        return next(pieces, b"")

    def close(self) -> None:
        """Let the threads end; what they work on is finished."""
        self._hands.close()
        self._long_hands.close()
        self._list_hand.close()


def caller_url(scope: Scope, headers: dict[str, str], *, trust_forwarded: bool) -> str:
    """Scheme, host and port as the caller used them; a proxy's word counts only where it is trusted.

    Raises Refusal where the name could be no host: it would be written into contracts.
    """
    scheme, host = scope["scheme"], headers.get("host", "")
    if trust_forwarded:
        scheme = _last(headers.get("x-forwarded-proto", "")) or scheme
        host = _last(headers.get("x-forwarded-host", "")) or host
    if not host and scope.get("server"):
        host = "{}:{}".format(*scope["server"])
    if scheme not in SCHEMES or not HOST.fullmatch(host):
        raise Refusal(400, "The Host header names no host.")
    return f"{scheme}://{host}"


def _last(values: str) -> str:
    """What the nearest proxy said: each one appends."""
    return values.rpartition(",")[2].strip()
