"""A few threads for work that takes a millisecond: of that, an executor's bookkeeping would take a twentieth."""

from __future__ import annotations

import asyncio
import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from clearinghouse.services.turns import Turns

A = TypeVar("A")


class Hands:
    """Does one piece of work after the other, in so many threads, each at its turn."""

    def __init__(self, threads: int, name: str, turns: Turns | None = None) -> None:
        self._turns = turns or Turns(threads)
        self._asked: SimpleQueue[tuple[Callable[[], Any], Future[Any], AbstractEventLoop] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}_{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def __call__(self, work: Callable[[], A]) -> Future[A]:
        """What comes of the work, for the running event loop; whatever it raises is raised there.

        Work whose result nobody waits for any more when its turn comes is dropped.
        """
        loop = asyncio.get_running_loop()
        answer: Future[A] = loop.create_future()
        self._asked.put((work, answer, loop))
        return answer

    def close(self) -> None:
        """Do what is asked already, and let the threads end."""
        for _ in self._threads:
            self._asked.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while True:
            self._turns.take()
            asked = self._asked.get()
            if asked is None:
                self._turns.give_up()
                return
            work, answer, loop = asked
            if not answer.cancelled():
                tell = _done(work, answer)
                with suppress(RuntimeError):  # the loop has ended, and with it who asked
                    loop.call_soon_threadsafe(tell)
            del asked, work, answer  # not to be held until there is more to do


def _done(work: Callable[[], Any], answer: Future[Any]) -> Callable[[], None]:
    try:
        return partial(_told, answer, answer.set_result, work())
    except BaseException as error:  # noqa: BLE001 - who asked gets it
        return partial(_told, answer, answer.set_exception, error)


def _told(answer: Future[Any], tell: Callable[[Any], None], what: Any) -> None:
    if not answer.done():
        tell(what)
