"""Lists that are found while they are sent, and read while they come in."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
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


END = object()


def ahead(items: Iterator[T], helper: Executor) -> Generator[T]:
    """The items, of which the helper makes the next one while one is worked on; a generator is closed at the end.

    It is for what leaves the interpreter to others for long: the parser, the schema, the database.
    """
    coming: Future[T | object] = helper.submit(next, items, END)
    try:
        while (item := coming.result()) is not END:
            coming = helper.submit(next, items, END)
            yield item  # type: ignore[misc]
    finally:
        wait([coming])
        if isinstance(items, Generator):
            items.close()
