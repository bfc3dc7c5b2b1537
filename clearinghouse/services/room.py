"""Room for calls under way: so that a partner that is slow keeps only itself waiting."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from clearinghouse.domain.errors import PartnerUnreachable


class Room:
    """Admits so many calls of each partner at a time, and so many of all; who finds no room is refused at once.

    Whoever waits for a slow partner keeps a thread. With this bound set below the number of threads, there is always
    one left for the calls that wait for nobody.
    """

    def __init__(self, *, of_each: int, of_all: int) -> None:
        self._of_each = of_each
        self._of_all = of_all
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def taken(self, name: str) -> Iterator[None]:
        """A place for one call in the name of a partner. Raises PartnerUnreachable where there is none."""
        with self._lock:
            if self._under_way[name] >= self._of_each:
                raise PartnerUnreachable(f"Too many calls of {name} are under way.")
            if self._under_way.total() >= self._of_all:
                raise PartnerUnreachable("Too many calls are under way.")
            self._under_way[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[name] -= 1
                if not self._under_way[name]:
                    del self._under_way[name]
