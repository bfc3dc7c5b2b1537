"""Charge points through the whole stack: the list of one operator, next to stock Spyne, and changes among very many."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from clearinghouse.ochp.charge_points import GetChargePointListRequest, GetChargePointListUpdatesRequest
from tests.benchmarks import evses
from tests.benchmarks.house import CPO, EMP, OTHERS, PROVIDER, House, house, new_second
from tests.benchmarks.measuring import Child, Row, Turn, judged, or_why_not, taking_turns
from tests.benchmarks.scene import Progress, Scene, duration, rates, scene, silent

READS, WRITES = "stock Spyne, reading EVSEs", "stock Spyne, writing EVSEs"
TABLE = "charge_point"
LIST_GOAL = "≥ 8 × rival, ≤ +128 MB"
DELTA_GOAL = "≤ 0.3 s"
FEW = 5
"""EVSEs of the requests that get everything ready."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured, and how often."""

    points: int
    rival: int
    changes: int
    table: int
    rounds: int


FULL = Sizes(points=100_000, rival=2_000, changes=1_000, table=600_000, rounds=3)
QUICK = Sizes(points=2_000, rival=200, changes=200, table=6_000, rounds=2)


def rows(quick: bool = False, progress: Progress = silent) -> list[Row]:
    """Every row on charge points; one that cannot be measured is there, too."""
    sizes = QUICK if quick else FULL
    with house() as on:
        return [
            *or_why_not(f"SetChargePointList of {sizes.points:,}", LIST_GOAL, partial(uploads, on, sizes, progress)),
            *or_why_not(f"GetChargePointList of {sizes.points:,}", LIST_GOAL, partial(full_lists, on, sizes, progress)),
            *or_why_not("GetChargePointListUpdates", DELTA_GOAL, partial(deltas, on, sizes, progress)),
        ]


def uploads(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """The whole list into an empty table."""
    what = f"SetChargePointList of {sizes.points:,}"
    with (
        scene(on, lambda stage: stage.upload(CPO, "charge points", FEW)) as stage,
        Child("tests.benchmarks.stock_spyne", "charge points", str(sizes.rival)) as rival,
    ):
        contenders: dict[str, Callable[[], Turn]] = {
            what: lambda: _upload(stage, sizes.points),
            READS: lambda: rival.turn(0.5),
        }
        return _next_to(what, READS, taking_turns(contenders, sizes.rounds, progress))


def _upload(stage: Scene, count: int) -> Turn:
    stage.house.empty(TABLE)
    turn = stage.upload(CPO, "charge points", count)
    if (kept := stage.house.scalar(f"SELECT count(*) FROM {TABLE}")) != count:
        raise RuntimeError(f"{count} EVSEs were sent, {kept} are stored")
    return turn


def full_lists(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """The whole list for a reader that is connected to its one operator."""
    what = f"GetChargePointList of {sizes.points:,}"
    on.empty(TABLE)
    on.fill(TABLE, evses.COLUMNS, partial(evses.rows, range(sizes.points)))
    with (
        scene(on, _news) as stage,
        Child("tests.benchmarks.stock_spyne", "charge points", str(sizes.rival), "writes") as rival,
    ):
        contenders: dict[str, Callable[[], Turn]] = {
            what: lambda: _counted(stage.download(EMP, GetChargePointListRequest(), evses.SET.tag), sizes.points),
            WRITES: lambda: rival.turn(0.5),
        }
        return _next_to(what, WRITES, taking_turns(contenders, sizes.rounds, progress))


def deltas(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """What changed among the EVSEs of many operators."""
    on.empty(TABLE)
    others = evses.operators(sizes.table)
    on.onboard(OTHERS, operator_ids=others)
    on.connect(others, [PROVIDER])
    progress(f"{sizes.table:,} EVSEs in the table")
    numbers = range(evses.FIRST_OF_OTHERS, evses.FIRST_OF_OTHERS + sizes.table)
    on.fill(TABLE, evses.COLUMNS, partial(evses.rows, numbers))
    with scene(on, _ready) as stage:
        asked = GetChargePointListUpdatesRequest(last_update=new_second())
        stage.upload(CPO, "charge point updates", sizes.changes)
        turns = [_counted(stage.download(EMP, asked, evses.SET.tag), sizes.changes) for _ in range(2 * sizes.rounds)]
    row = duration(f"GetChargePointListUpdates, {sizes.changes:,} of {sizes.table:,}", turns)
    return [judged(row, {DELTA_GOAL: statistics.median(turn.seconds for turn in turns) <= 0.3}, aim="0.1 s")]


def _news(stage: Scene) -> Turn:
    """A question to get ready by: there is no change since now."""
    return stage.download(EMP, GetChargePointListUpdatesRequest(last_update=datetime.now(UTC)), evses.SET.tag)


def _ready(stage: Scene) -> None:
    """An update and a question to get ready by."""
    stage.upload(CPO, "charge point updates", FEW, first=evses.FIRST_OF_OTHERS - FEW)
    _news(stage)


def _counted(turn: Turn, count: int) -> Turn:
    if turn.done != count:
        raise RuntimeError(f"the answer has {turn.done} EVSEs instead of {count}")
    return turn


def _next_to(what: str, rival: str, turns: dict[str, list[Turn]]) -> list[Row]:
    row, *others = rates(what, "EVSEs/s", turns)
    demands = {"≥ 8 × rival": row.ratios[rival] >= 8, "≤ +128 MB": (row.grown or 0) <= 128}
    return [judged(row, demands, aim="20 × rival"), *others]
