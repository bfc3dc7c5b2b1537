"""Live events: one poller per process feeds any number of listeners, none of whom holds a thread or a connection."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from types import FrameType
from typing import Any, Generic, Protocol, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread

log = structlog.get_logger("clearinghouse.http.events")

PAGE = 500
BACKLOG = 1000


class Numbered(Protocol):
    """Something with a place in the order of all events."""

    @property
    def number(self) -> int:
        """Rises over the whole store."""


T = TypeVar("T")
E = TypeVar("E", bound=Numbered)

EventsAfter = Callable[[int, int], Sequence[E]]
"""The events after a number, at most so many, oldest first."""


class Listener(Generic[E]):
    """One reader's queue. One that does not keep up is cut off: it comes back with the number it has seen."""

    def __init__(self) -> None:
        self.waiting: deque[E] = deque()
        self.woken = asyncio.Event()
        self.cut = False

    def put(self, events: Sequence[E]) -> None:
        """Hand over events, or give up on a reader who does not read."""
        if len(self.waiting) + len(events) > BACKLOG:
            self.cut = True
        else:
            self.waiting.extend(events)
        self.woken.set()


class EventFeed(Generic[E]):
    """Polls the store for new events while somebody listens.

    Numbers must become visible in the order of their rise, or a listener misses what appears late.
    """

    def __init__(self, after: EventsAfter[E], newest: Callable[[], int], *, interval: float = 0.5) -> None:
        self._after = after
        self._newest = newest
        self._interval = interval
        self._listeners: set[Listener[E]] = set()
        self._somebody = asyncio.Event()
        self._live = asyncio.Event()
        self._position = 0
        self._threads = CapacityLimiter(2)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Poll while this lasts. A SIGTERM cuts the listeners off at once: their streams would never end."""
        poller = asyncio.create_task(self._poll())
        with on_term(asyncio.get_running_loop(), self.cut_off):
            try:
                yield
            finally:
                self.cut_off()
                poller.cancel()
                with suppress(asyncio.CancelledError):
                    await poller

    async def listen(
        self, after: int | None, catch_up: EventsAfter[E] | None = None, wanted: Callable[[E], bool] | None = None
    ) -> AsyncGenerator[E]:
        """Every wanted event after a number, or from now on; first those of `catch_up`, then those that come."""
        listener = Listener[E]()
        self._listeners.add(listener)
        self._somebody.set()
        try:
            await self._live.wait()
            last = await self._in_thread(self._newest) if after is None else after
            while page := await self._in_thread(catch_up or self._after, last, PAGE):
                for event in page:
                    last = event.number
                    yield event
            async for event in self._coming(listener):
                if event.number > last and (wanted is None or wanted(event)):
                    yield event
        finally:
            self._listeners.discard(listener)
            if not self._listeners:
                self._somebody.clear()

    def cut_off(self) -> None:
        """End every stream; readers resume at another worker or later."""
        for listener in self._listeners:
            listener.cut = True
            listener.woken.set()

    async def _coming(self, listener: Listener[E]) -> AsyncIterator[E]:
        while not listener.cut:
            await listener.woken.wait()
            listener.woken.clear()
            while listener.waiting and not listener.cut:
                yield listener.waiting.popleft()

    async def _poll(self) -> None:
        while True:
            try:
                await self._round()
            except Exception as error:  # noqa: BLE001 - the store may be away for a while; listeners stay
                log.warning("events cannot be read", error=type(error).__name__)
                await asyncio.sleep(self._interval)

    async def _round(self) -> None:
        """One look at the store. Listeners catch up only after the poller knows from where on it will tell them."""
        if not self._somebody.is_set():
            self._live.clear()
            await self._somebody.wait()
        if not self._live.is_set():
            self._position = await self._in_thread(self._newest)
            self._live.set()
        events = await self._in_thread(self._after, self._position, PAGE)
        if events:
            self._position = events[-1].number
            for listener in self._listeners:
                listener.put(events)
        if len(events) < PAGE:
            await asyncio.sleep(self._interval)

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        return await to_thread.run_sync(work, *args, limiter=self._threads)


@contextmanager
def on_term(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> Iterator[None]:
    """While this lasts, also act on SIGTERM, besides what the server does.

    The server's own handler hangs on the loop's wake-up descriptor, which a handler of the interpreter leaves alone.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.getsignal(signal.SIGTERM)

    def handler(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        if callable(previous):
            previous(number, frame)

    signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
