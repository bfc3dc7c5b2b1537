"""Turns at the interpreter: more threads than turns, because some of them wait for partners."""

from __future__ import annotations

import threading


class Turns:
    """So many threads work at a time; one that is going to wait for a partner gives its turn to another before.

    Threads that all work at once only take the interpreter from one another. A thread keeps its turn from one piece of
    work to the next, so that a turn costs nothing where nobody waits; who has waited finishes without one.
    """

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)
        self._own = threading.local()

    def take(self) -> None:
        """Wait for a turn, unless this thread has one."""
        if not getattr(self._own, "has", False):
            self._free.acquire()
            self._own.has = True

    def give_up(self) -> None:
        """Let another thread work instead of this one; of a thread without a turn this changes nothing."""
        if getattr(self._own, "has", False):
            self._own.has = False
            self._free.release()
