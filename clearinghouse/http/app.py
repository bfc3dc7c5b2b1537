"""The ASGI application of a role: SOAP, probes, figures and the JSON API behind one front that logs and counts."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import structlog

from clearinghouse.http import problems
from clearinghouse.http.bodies import Asgi, Bodies, Bounds, ClientGone, Receive, Scope, Send
from clearinghouse.http.metrics import MEDIA_TYPE, Metrics
from clearinghouse.http.problems import Refusal
from clearinghouse.http.soap_door import SOAP_PATH, Answer, SoapDoor, Welcome
from clearinghouse.services.turns import Turns

Ready = Callable[[], str | None]
"""Tells why the process cannot work now, None where it can; whatever it raises counts as a reason."""

READY_SECONDS = 5.0
LONGEST_LOGGED_PATH = 200
UNLOGGED = frozenset({"healthz", "readyz", "metrics"})
NO_STORE = {"cache-control": "no-store"}

log = structlog.get_logger("clearinghouse.http")


class Api(Protocol):
    """A JSON API: an ASGI application with a life of its own."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""

    def life(self) -> AbstractAsyncContextManager[None]:
        """What has to run while requests are served."""


def build(
    *,
    answer: Answer,
    ready: Ready,
    welcome: Welcome | None = None,
    threads: int = 2,
    turns: Turns | None = None,
    api: Api | None = None,
    bounds: Bounds | None = None,
    trust_forwarded: bool = False,
    on_stop: Callable[[], None] = lambda: None,
) -> Asgi:
    """The application of one worker process.

    `answer` serves SOAP in `threads` threads, as many at a time as there are `turns`; `ready` checks the store;
    `welcome` lets uploads in, and there are none without it; `api` is the role's JSON API; `on_stop` is called once
    when the worker ends.
    """
    bounds = bounds or Bounds()
    bodies = Bodies(bounds)
    door = SoapDoor(
        answer, bodies, bounds, threads=threads, trust_forwarded=trust_forwarded, turns=turns, welcome=welcome
    )
    return Front(door, Probes(ready), bodies, api, on_stop)


class Probes:
    """`/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, ready: Ready) -> None:
        self._ready = ready
        self.metrics = Metrics()
        self._pages = {"/healthz": self._health, "/readyz": self._readiness, "/metrics": self._figures}

    def __contains__(self, path: str) -> bool:
        return path in self._pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show one of the pages."""
        if scope["method"] not in ("GET", "HEAD"):
            raise Refusal(405, "This page is only shown.", {"allow": "GET, HEAD"})
        scope["facts"]["operation"] = scope["path"].strip("/")
        status, media_type, body = await self._pages[scope["path"]]()
        await reply(send, status, media_type, b"" if scope["method"] == "HEAD" else body, NO_STORE)

    async def _health(self) -> tuple[int, str, bytes]:
        return 200, "application/json", b'{"status":"up"}'

    async def _readiness(self) -> tuple[int, str, bytes]:
        try:
            why = await asyncio.wait_for(asyncio.to_thread(self._ready), READY_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is "not ready"
            why = type(error).__name__
        if why is not None:
            return 503, problems.MEDIA_TYPE, problems.encode(problems.document(503, why))
        return 200, "application/json", b'{"status":"ready"}'

    async def _figures(self) -> tuple[int, str, bytes]:
        self.metrics.settle()
        return 200, MEDIA_TYPE, await asyncio.to_thread(self.metrics.text)


class Front:
    """Sees every request first and every answer last: sends it to its place, logs it, counts it."""

    def __init__(
        self, door: SoapDoor, probes: Probes, bodies: Bodies, api: Api | None, on_stop: Callable[[], None]
    ) -> None:
        self._door = door
        self._probes = probes
        self._metrics = probes.metrics
        self._bodies = bodies
        self._api = api
        self._on_stop = on_stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the worker."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        facts: dict[str, str] = {}
        scope["facts"] = facts
        status = 0

        def watched(message: Any) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        self._metrics.opened()
        try:
            await self._place(scope["path"])(scope, receive, watched)
        except ClientGone:
            facts["outcome"] = "client-gone"
        except Refusal as refusal:
            problem = problems.encode(problems.document(refusal.status, refusal.detail))
            await reply(watched, refusal.status, problems.MEDIA_TYPE, problem, refusal.headers)
        except Exception as error:  # noqa: BLE001 - the last place that can still answer
            log.error("failed", error=type(error).__name__, where=where(error))  # noqa: TRY400 - texts may hold secrets
            if not status:
                await reply(watched, 500, problems.MEDIA_TYPE, problems.encode(problems.document(500)))
        finally:
            self._record(scope, status, facts, time.perf_counter() - started)

    def _place(self, path: str) -> Asgi:
        if SOAP_PATH.fullmatch(path):
            return self._door
        if path in self._probes:
            return self._probes
        if self._api is not None and path.startswith("/api/"):
            return self._to_api
        return nowhere

    async def _to_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The API gets its request whole too, so that a slow client holds nothing but its connection."""
        assert self._api is not None  # noqa: S101 - `_place` looked
        body = await self._bodies.read(scope, receive)
        told = False

        async def whole() -> Any:
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            await self._api(scope, whole, send)
        finally:
            self._bodies.forget(body)
            if (route := scope.get("route")) is not None:
                scope["facts"].setdefault("operation", f"{scope['method']} {route.path}")

    def _record(self, scope: Scope, status: int, facts: dict[str, str], seconds: float) -> None:
        facts.setdefault("outcome", str(status))
        operation = facts.setdefault("operation", "none")
        self._metrics.closed(operation, facts.get("version", ""), facts["outcome"], seconds)
        if operation not in UNLOGGED:
            path = loggable(scope["path"])
            log.info(
                "request", method=scope["method"], path=path, status=status, ms=round(seconds * 1000, 2), facts=facts
            )

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self._life():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _life(self) -> AsyncIterator[None]:
        try:
            if self._api is None:
                yield
            else:
                async with self._api.life():
                    yield
        finally:
            await asyncio.to_thread(self._door.close)
            await asyncio.to_thread(self._on_stop)


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Where no other place is."""
    raise Refusal(404, "There is nothing at this path.")


async def reply(send: Send, status: int, media_type: str, body: bytes, headers: dict[str, str] | None = None) -> None:
    """Send a short answer."""
    stated = {"content-type": media_type, "content-length": str(len(body))} | (headers or {})
    lines = [(name.encode(), value.encode("latin-1")) for name, value in stated.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def loggable(path: str) -> str:
    """A path that cannot break a line of the log, nor fill it."""
    shown = path[:LONGEST_LOGGED_PATH]
    return shown if shown.isprintable() else shown.encode("unicode_escape").decode("ascii")


def where(error: BaseException) -> str:
    """The innermost places that an error passed, without its text and without any value."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
