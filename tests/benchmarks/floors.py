"""The least that the lists can cost: libraries alone, without any handling, schema or index.

`python -m tests.benchmarks.floors` obeys orders. Making the messages and rows that go in is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import psycopg
from lxml import etree
from sqlalchemy import NullPool

from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.persistence.engine import make_engine
from clearinghouse.services.calls_port import Login
from tests.benchmarks import tokens
from tests.benchmarks.copying import copied
from tests.benchmarks.measuring import obey, peak_memory

NOBODY = Login("nobody", "nothing")


class Watch:
    """Time and processor time since it was made, less what the making of `unwatched` pieces took."""

    def __init__(self) -> None:
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def unwatched(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces; the watch stands still while they are made."""
        source = iter(pieces)
        while True:
            before, cpu = time.perf_counter(), time.process_time()
            piece = next(source, None)
            self._started += time.perf_counter() - before
            self._cpu += time.process_time() - cpu
            if piece is None:
                return
            yield piece

    def told(self, done: int) -> Mapping[str, Any]:
        """The turn that ends now."""
        seconds, cpu = time.perf_counter() - self._started, time.process_time() - self._cpu
        return {"done": done, "seconds": seconds, "cpu": cpu, "peak_memory": peak_memory()}


def parsed(pieces: Iterable[bytes], tag: str) -> int:
    """Let lxml's pull parser read a message and forget it; how many records went by."""
    parser: Any = etree.XMLPullParser(events=("end",), tag=f"{{{V1_4_1.namespace}}}{tag}", huge_tree=True)
    count = 0
    for piece in pieces:
        parser.feed(piece)
        ended = [element for _, element in parser.read_events()]
        if ended:
            del ended[0].getparent()[: len(ended)]
            count += len(ended)
    return count


def take_in(url: str, count: int) -> Mapping[str, Any]:
    """Parse the upload of so many tokens, and COPY their rows into a table with the same columns and no index."""
    with _connected(url) as db:
        db.execute("CREATE TABLE IF NOT EXISTS floor (LIKE roaming_authorisation)")
        db.execute("TRUNCATE floor")
        db.commit()
        watch = Watch()
        message = tokens.SET.stream(NOBODY, range(count), tokens.usual)
        done = parsed(watch.unwatched(message), tokens.TAG)
        copied(db, "floor", tokens.COLUMNS, watch.unwatched(tokens.rows(range(count), 1)))
        db.commit()
        told = watch.told(done)
        db.execute("DROP TABLE floor")
        db.commit()
    return told


def give_out(url: str) -> Mapping[str, Any]:
    """COPY the shown columns of all tokens out, and fill a template with each."""
    watch, done, size = Watch(), 0, 0
    with (
        _connected(url) as db,
        db.cursor().copy(f"COPY (SELECT {', '.join(tokens.SHOWN)} FROM roaming_authorisation) TO STDOUT") as copy,
    ):
        for row in copy:
            size += len(tokens.RENDERED % tuple(bytes(row)[:-1].split(b"\t")))
            done += 1
    return watch.told(done)


def _connected(url: str) -> Any:
    """The driver's own connection."""
    return psycopg.connect(
        make_engine(url, poolclass=NullPool).url.set(drivername="postgresql").render_as_string(False)
    )


ORDERS: Mapping[str, Callable[..., Mapping[str, Any]]] = {"take in": take_in, "give out": give_out}

if __name__ == "__main__":
    obey(lambda order, **said: ORDERS[order](**said))
