"""AddCDRs through the whole stack, in batches of a hundred, with every check made."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from clearinghouse.soap.faults import CONTENT_TYPE
from tests.benchmarks import cdrs
from tests.benchmarks.house import PROVIDER, SERVICE, House, house
from tests.benchmarks.measuring import Row, Turn, judged, or_why_not, row_from
from tests.benchmarks.scene import WHO, Progress, Scene, call_rate, scene, silent, worst
from tests.benchmarks.stencils import single

CALL = "AddCDRs"
TABLES = ("cdr", "cdr_amount", "cdr_shown", "cdr_history")
OPERATORS = 4
"""Uploads of one operator come one after the other, so there are several."""
CDRS_A_SECOND = 50
GOAL = "≥ 600 a second, 95 % ≤ 300 ms at 50 a second"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """For how many seconds CDRs are uploaded."""

    seconds: float
    steady_seconds: float
    rounds: int


FULL = Sizes(seconds=10, steady_seconds=120, rounds=5)
QUICK = Sizes(seconds=2, steady_seconds=10, rounds=3)


def rows(quick: bool = False, progress: Progress = silent) -> list[Row]:
    """The full rate, and how long a batch takes at a steady one."""
    sizes = QUICK if quick else FULL
    with house() as on:
        return or_why_not("AddCDRs", GOAL, partial(uploads, on, sizes, progress))


class Uploaders:
    """Operators that send CDRs; no CDR comes twice."""

    def __init__(self, on: House, count: int = OPERATORS) -> None:
        self.ids = {f"cpo-{number}": f"DEX{number:02d}" for number in range(count)}
        self._house = on
        self._numbers: Iterator[int] = itertools.count(0, 1_000_000)
        for name, operator_id in self.ids.items():
            on.onboard(name, operator_ids=[operator_id])
        on.connect([*self.ids.values()], [PROVIDER])

    def publish(self, stage: Scene) -> None:
        """Let every operator say what a charge costs: before the charges that are uploaded begin."""
        for name, operator_id in self.ids.items():
            body = single(self._house.logins[name], cdrs.tariff(operator_id))
            status, answer = stage.running.answers(SERVICE, body, {"Content-Type": CONTENT_TYPE})
            if status != 200 or b">ok<" not in answer:
                raise RuntimeError(f"UpdateTariffs: {status} {answer!r}")

    def send(self, stage: Scene, seconds: float, rate: float | None = None) -> Turn:
        """Batches for so long."""
        return stage.calls(CALL, seconds, connections=OPERATORS, rate=rate, **self.order())

    def order(self) -> dict[str, object]:
        """What the load generator is told: charges that begin in a minute, of numbers that were never used."""
        logins = [(self._house.login(name), operator_id) for name, operator_id in self.ids.items()]
        start = datetime.now(UTC) + timedelta(minutes=1)
        return {"logins": logins, "first": next(self._numbers), "start": start.isoformat()}


def uploads(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """As fast as they are taken, and at a steady rate; nothing may be flagged."""
    uploaders = Uploaders(on)
    with scene(on, uploaders.publish) as stage:
        uploaders.send(stage, 1.0)
        turns = []
        for number in range(sizes.rounds):
            progress(f"CDRs, round {number + 1} of {sizes.rounds}")
            turns.append(_of_cdrs(uploaders.send(stage, sizes.seconds)))
        progress(f"{CDRS_A_SECOND} CDRs a second")
        on.empty(*TABLES)
        steady = uploaders.send(stage, sizes.steady_seconds, CDRS_A_SECOND / cdrs.BATCH)
    _expect(on, steady.done * cdrs.BATCH)
    full = call_rate(f"AddCDRs in batches of {cdrs.BATCH}, 2 processes", "CDRs/s", turns)
    wait = row_from(
        f"AddCDRs, a batch of {cdrs.BATCH} at {CDRS_A_SECOND} CDRs a second, 95 % within",
        "ms",
        [steady.notes["95 % within"]],
        notes=call_rate("", "", [steady]).notes,
    )
    return [
        judged(full, {"≥ 600/s": (full.median or 0) >= 600}, aim="2,000/s"),
        judged(wait, {"≤ 300 ms": worst([steady], "95 % within") <= 300}),
    ]


def _of_cdrs(turn: Turn) -> Turn:
    """The turn with CDRs counted, not batches."""
    each = {name: turn.notes[name] / cdrs.BATCH for name in WHO}
    return replace(turn, done=turn.done * cdrs.BATCH, notes={**turn.notes, **each})


def _expect(on: House, count: int) -> None:
    """Every CDR is stored, and every check was made and found nothing. Raises RuntimeError."""
    kept, clean = (on.scalar(f"SELECT count(*) FROM cdr {which}") for which in ("", "WHERE findings = '[]'"))
    if (kept, clean) != (count, count):
        found = on.scalar("SELECT findings FROM cdr WHERE findings <> '[]' LIMIT 1")
        raise RuntimeError(f"{count} CDRs were uploaded, {kept} are stored, {clean} without findings: {found}")
