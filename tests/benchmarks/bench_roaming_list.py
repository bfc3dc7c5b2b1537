"""The roaming list through the whole stack: uploads and full lists, next to floors and to stock Spyne."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from clearinghouse.ochp.tokens import GetRoamingAuthorisationListRequest, GetRoamingAuthorisationListUpdatesRequest
from tests.benchmarks import tokens
from tests.benchmarks.house import CPO, EMP, House, house
from tests.benchmarks.measuring import (
    Child,
    Row,
    Turn,
    compared,
    judged,
    noting,
    or_why_not,
    taking_turns,
    time_ratio,
)
from tests.benchmarks.scene import Progress, Scene, duration, rates, scene, silent, worst

FLOOR_IN = "floor, lxml pull parser and COPY in"
FLOOR_OUT = "floor, COPY out and a template"
READS, WRITES = "stock Spyne, reading tokens", "stock Spyne, writing tokens"
TABLE = "roaming_authorisation"
MEGABITS_100 = 100e6 / 8
FEW = 10
"""Tokens of the requests that get everything ready."""
MOST_MEMORY = 64
"""Megabytes that a process may grow by, however long the list."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured, and how often."""

    tokens: int
    rival: int
    compressed: int
    rounds: int


FULL = Sizes(tokens=1_000_000, rival=20_000, compressed=200_000, rounds=3)
QUICK = Sizes(tokens=50_000, rival=2_000, compressed=20_000, rounds=2)


def rows(quick: bool = False, progress: Progress = silent) -> list[Row]:
    """Every row on the roaming list; one that cannot be measured is there, too."""
    sizes = QUICK if quick else FULL
    with house() as on:
        return [
            *or_why_not(
                f"SetRoamingAuthorisationList of {sizes.tokens:,}", UPLOAD_GOAL, partial(uploads, on, sizes, progress)
            ),
            *or_why_not(
                f"GetRoamingAuthorisationList of {sizes.tokens:,}", LIST_GOAL, partial(full_lists, on, sizes, progress)
            ),
            *or_why_not("GetRoamingAuthorisationList, gzip", GZIP_GOAL, partial(compressed, on, sizes, progress)),
        ]


# -- Uploads

UPLOAD_GOAL = "≥ 0.35 × floor, ≤ +64 MB"


def uploads(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """The whole list into an empty table, and the same again with one of a hundred changed."""
    first = f"SetRoamingAuthorisationList of {sizes.tokens:,}"
    again: list[Turn] = []
    with (
        scene(on, lambda stage: stage.upload(EMP, "tokens", FEW)) as stage,
        Child("tests.benchmarks.floors") as floor,
        Child("tests.benchmarks.stock_spyne", "tokens", str(sizes.rival)) as rival,
    ):
        contenders: dict[str, Callable[[], Turn]] = {
            first: lambda: _twice(stage, sizes, again),
            FLOOR_IN: lambda: Turn(**floor.ask(order="take in", url=on.site.url, count=sizes.tokens)),
            READS: lambda: rival.turn(0.5),
        }
        turns = taking_turns(contenders, sizes.rounds, progress)
    row, *others = rates(first, "tokens/s", turns)
    demands = {"≥ 0.35 × floor": row.ratios[FLOOR_IN] >= 0.35, "≤ +64 MB": (row.grown or 0) <= MOST_MEMORY}
    return [judged(row, demands, aim="0.6 × floor"), *others, _again(again, turns[first], sizes)]


def _twice(stage: Scene, sizes: Sizes, again: list[Turn]) -> Turn:
    """The first upload; the second one is added to `again`, with the number of tokens that changed by it."""
    on = stage.house
    on.empty(TABLE)
    first = stage.upload(EMP, "tokens", sizes.tokens)
    if (kept := on.scalar(f"SELECT count(*) FROM {TABLE}")) != sizes.tokens:
        raise RuntimeError(f"{sizes.tokens} tokens were sent, {kept} are stored")
    on.tidy(TABLE)
    second = stage.upload(EMP, "tokens, 1 % changed", sizes.tokens)
    changed = on.scalar(f"SELECT count(*) FROM {TABLE} WHERE change = (SELECT max(number) FROM change)")
    again.append(replace(second, notes={**second.notes, "changed": changed}))
    return first


def _again(again: list[Turn], first: list[Turn], sizes: Sizes) -> Row:
    row = duration("the same again, 1 % changed", again)
    ratio = time_ratio(again, first)
    demands = {
        "faster than the first": ratio < 1,
        "1 % counts as changed": all(turn.notes["changed"] == sizes.tokens // 100 for turn in again),
    }
    return judged(compared(row, "first", ratio), demands, aim="half the time of the first")


# -- Full lists

LIST_GOAL = "≥ 0.4 × floor, first byte < 0.5 s, ≤ +64 MB"


def full_lists(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """The whole list for a reader that is connected to its one provider."""
    what = f"GetRoamingAuthorisationList of {sizes.tokens:,}"
    on.empty(TABLE)
    on.fill(TABLE, tokens.COLUMNS, partial(tokens.rows, range(sizes.tokens)))
    with (
        scene(on, _news) as stage,
        Child("tests.benchmarks.floors") as floor,
        Child("tests.benchmarks.stock_spyne", "tokens", str(sizes.rival), "writes") as rival,
    ):
        contenders: dict[str, Callable[[], Turn]] = {
            what: lambda: _whole_list(stage, sizes.tokens),
            FLOOR_OUT: lambda: Turn(**floor.ask(order="give out", url=on.site.url)),
            WRITES: lambda: rival.turn(0.5),
        }
        turns = taking_turns(contenders, sizes.rounds, progress)
    row, *others = rates(what, "tokens/s", turns)
    first = worst(turns[what], "first")
    demands = {
        "≥ 0.4 × floor": row.ratios[FLOOR_OUT] >= 0.4,
        "first byte < 0.5 s": first < 0.5,
        "≤ +64 MB": (row.grown or 0) <= MOST_MEMORY,
    }
    return [noting(judged(row, demands, aim="0.75 × floor"), f"first byte after {first:.2f} s"), *others]


def _whole_list(stage: Scene, count: int, **line: object) -> Turn:
    turn = stage.download(CPO, GetRoamingAuthorisationListRequest(), tokens.SET.tag, **line)
    if turn.done != count:
        raise RuntimeError(f"the list has {turn.done} tokens instead of {count}")
    return turn


def _news(stage: Scene) -> Turn:
    """A question to get ready by: there is no change since now."""
    asked = GetRoamingAuthorisationListUpdatesRequest(last_update=datetime.now(UTC))
    return stage.download(CPO, asked, tokens.SET.tag)


GZIP_GOAL = "no slower than without"


def compressed(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """The whole list for a reader at 100 Mbit/s, as it is and compressed."""
    on.empty(TABLE)
    on.fill(TABLE, tokens.COLUMNS, partial(tokens.rows, range(sizes.compressed)))
    with scene(on, _news) as stage:
        contenders = {
            name: partial(_whole_list, stage, sizes.compressed, pace=MEGABITS_100, gzip=gzip)
            for name, gzip in (("plain", False), ("gzip", True))
        }
        turns = taking_turns(contenders, sizes.rounds, progress)
    row = duration(f"GetRoamingAuthorisationList of {sizes.compressed:,}, gzip, at 100 Mbit/s", turns["gzip"])
    ratio = time_ratio(turns["gzip"], turns["plain"])
    demands = {
        GZIP_GOAL: ratio <= 1,
        "compressed when asked": all(turn.notes["is_compressed"] for turn in turns["gzip"]),
    }
    size = worst(turns["plain"], "bytes") / worst(turns["gzip"], "bytes")
    return [noting(compared(judged(row, demands), "plain", ratio), f"{size:.1f} times smaller")]
