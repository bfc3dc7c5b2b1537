"""A house that runs, and a client beside it: what uploads, downloads and calls cost, and whom."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.benchmarks.house import SERVICE, WORKERS, House
from tests.benchmarks.measuring import Child, Row, Turn, memory_of, noting, row_from, row_of
from tests.benchmarks.site import Running, cores, database_cpu
from tests.benchmarks.stencils import single

WHO = ("role", "PostgreSQL", "load")


@dataclass(frozen=True)
class Scene:
    """A running house and its client."""

    house: House
    running: Running
    client: Child

    def upload(self, partner: str, message: str, count: int, first: int = 0, path: str = SERVICE) -> Turn:
        """Send records from number `first` on, in one request. Raises RuntimeError."""
        to = self.house.address(path, partner)
        return self._turn(order="upload", message=message, first=first, count=count, **to)

    def download(self, partner: str, request: Any, tag: bytes, path: str = SERVICE, **more: Any) -> Turn:
        """Read the answer to its end; the note `first` is when its first byte came. Raises RuntimeError."""
        body = single(self.house.logins[partner], request).decode()
        return self._turn(order="download", request=body, tag=tag.decode(), **more, **self.house.address(path, partner))

    def calls(
        self, call: str, seconds: float, *, connections: int = 16, rate: float | None = None, **said: Any
    ) -> Turn:
        """Calls for so long; processor times are noted in milliseconds for each. Raises RuntimeError."""
        order = {"call": call, "seconds": seconds, "connections": connections, "rate": rate, **said}
        told, taken = self._asked(order="calls", **self.house.place, **order)
        each = {name: spent / told["done"] * 1e3 for name, spent in taken.items()}
        return Turn(**{**told, **self._cost(taken), "notes": {**each, **told["notes"]}})

    def _turn(self, **order: Any) -> Turn:
        told, taken = self._asked(**order)
        more = {name: float(told[name]) for name in ("first", "bytes", "is_compressed") if name in told}
        return Turn(done=told["done"], seconds=told["seconds"], notes={**taken, **more}, **self._cost(taken))

    def _cost(self, taken: Mapping[str, float]) -> dict[str, float]:
        memory = {"peak_memory": self.running.memory(), "grown": self.running.grown()}
        return {"cpu": sum(taken.values()), **memory}

    def _asked(self, **order: Any) -> tuple[dict[str, Any], dict[str, float]]:
        """What the client says to an order, and who took how many seconds of processor time for it."""
        ground = self.running.site.ground
        before = self.running.cpu(), database_cpu(ground)
        told = self.client.ask(**order)
        after = self.running.cpu(), database_cpu(ground)
        return told, dict(zip(WHO, (after[0] - before[0], after[1] - before[1], told["cpu"]), strict=True))


@contextmanager
def scene(house: House, prelude: Callable[[Scene], object]) -> Iterator[Scene]:
    """The house, freshly started, and a client; the prelude makes every process ready, and what it costs is idle."""
    with house.running() as running, Child("tests.benchmarks.client") as client:
        made = Scene(house, running, client)
        for _ in range(4 * WORKERS):
            prelude(made)
        running.rest()
        yield made


def rates(what: str, unit: str, turns: Mapping[str, Sequence[Turn]]) -> list[Row]:
    """The rate of `what` with its ratios to all others, and their rates."""
    others = [name for name in turns if name != what]
    own = replace(row_of(what, turns, others, unit=unit), notes=spent(turns[what]))
    return [own, *(replace(row_of(name, turns, (), unit=unit), notes="") for name in others)]


def duration(what: str, turns: Sequence[Turn]) -> Row:
    """How long something took."""
    seconds = [turn.seconds for turn in turns]
    return row_from(what, "s", seconds, notes=spent(turns), **memory_of(turns))


def spent(turns: Sequence[Turn]) -> str:
    """Who took how much processor time, and which part of the machine the load generator had."""
    each = (f"{name} {statistics.median(turn.notes[name] for turn in turns):.2f} s" for name in WHO)
    return f"CPU: {', '.join(each)}; load generator {load_share(turns):.0%} of the machine"


def load_share(turns: Sequence[Turn]) -> float:
    """Which part of all the machine's processor time the load generator took."""
    return statistics.median(turn.notes["load"] / turn.seconds / cores() for turn in turns)


def call_rate(what: str, unit: str, turns: Sequence[Turn]) -> Row:
    """The rate of calls, and what each cost; `unit` is what is counted, of which there may be several in a call."""
    share = statistics.median(turn.notes["load"] / 1e3 * turn.rate / cores() for turn in turns)
    unsent = sum(turn.unsent for turn in turns)
    told = (f"load generator {share:.0%} of the machine", unsent and f"{unsent} could not be sent in time")
    return noting(row_of(what, {what: turns}, (), unit=unit), "; ".join(filter(None, told)))


def worst(turns: Sequence[Turn], note: str) -> float:
    """The largest that was noted."""
    return max(turn.notes[note] for turn in turns)


Progress = Callable[[str], None]


def silent(_: str) -> None:
    """No progress is shown."""
