"""Turns at the interpreter: more threads than turns, because some of them wait for partners."""

from __future__ import annotations

import threading


class Turns:
    """So many threads work at a time; one that is going to wait for a partner gives its turn to another before.

    Threads that all work at once only take the interpreter from one another. A thread keeps its turn from one piece of
    work to the next, so that a turn costs nothing where nobody waits; who has waited finishes without one.
    """

    def __init__(self, count: int) -> None:
        self.away = 0
        """How many threads gave up their turn, and have not finished yet what they wait for."""
        self._counting = threading.Lock()
        self._free = threading.Semaphore(count)
        self._own = _Own()

    def take(self) -> None:
        """Wait for a turn, unless this thread has one."""
        if self._own.is_away:
            self._count(-1)
        if not self._own.has:
            self._free.acquire()
            self._own.has = True

    def give_up(self) -> None:
        """Let another thread work instead of this one; of a thread without a turn this changes nothing."""
        if self._own.has:
            self._own.has = False
            self._count(1)
            self._free.release()

    def _count(self, change: int) -> None:
        self._own.is_away = change > 0
        with self._counting:
            self.away += change


class _Own(threading.local):
    """What a thread has."""

    has = False
    is_away = False
