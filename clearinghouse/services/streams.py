"""Lists that are found while they are sent."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


def opened(records: Generator[T]) -> Iterable[T]:
    """The records, of which the first is there already: what fails at once does so before an answer has begun.

    An empty list is an empty tuple. Anything else is a generator that frees what the records need when it is closed.
    """
    for first in records:
        resumed = _resumed(first, records)
        next(resumed)
        return resumed
    return ()


def _resumed(first: T, rest: Generator[T]) -> Generator[T]:
    """The first and the rest. It is started by a first `next`, since closing what never began would close nothing."""
    with closing(rest):
        yield first
        yield first
        yield from rest
