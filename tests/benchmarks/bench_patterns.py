"""Pattern look-up: the index at three sizes next to a linear scan, in one run."""

from __future__ import annotations

import random
import statistics
import string
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.patterns import PatternIndex, matches
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import ORDER, V1_4
from tests.benchmarks.measuring import Row, row_from

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
SIZES = (1_000, 100_000, 1_000_000)
QUICK_SIZES = (1_000, 100_000)
LONGEST_SCAN = 100_000
LONGEST_LOOK_UP = 5.0
ENDPOINTS = 1_000
PARTIES = 1_000
LONG = 36
ALPHABET = string.digits + string.ascii_uppercase


def _word(dice: random.Random, shortest: int, longest: int) -> str:
    return "".join(dice.choices(ALPHABET, k=dice.randint(shortest, longest)))


def _patterns(size: int, dice: random.Random, parties: int) -> list[str]:
    """Different patterns of all lengths, half of them exact."""
    heads = [f"DE{_word(dice, 3, 3)}E" for _ in range(parties)]
    found: dict[str, None] = {}
    while len(found) < size:
        found[f"{dice.choice(heads)}{_word(dice, 1, 31)}{dice.choice(('%', ''))}"] = None
    return list(found)


def _endpoints(patterns: list[str]) -> list[Endpoint]:
    return [
        Endpoint(
            partner=str(number),
            role=Role.OPERATOR,
            url=f"https://{number}.example/",
            version=V1_4,
            access_token=str(number),
            day=NOW.date(),
            whitelist=tuple(patterns[number::ENDPOINTS]),
            uploaded_at=NOW,
        )
        for number in range(ENDPOINTS)
    ]


def _asked(patterns: list[str], dice: random.Random, count: int) -> list[str]:
    """EVSE-IDs as transmitted, of all lengths: two thirds are named by some pattern, one third is not."""
    some = [_spelled(pattern.removesuffix("%")) for pattern in dice.sample(patterns, count)]
    return [each if dice.random() < 2 / 3 else each[:8] + _word(dice, 1, 31) for each in some]


def _spelled(literal: str) -> str:
    return f"{literal[:2]}*{literal[2:5]}*{literal[5:]}"


def _microseconds(look_up: Callable[[str], object], identifiers: list[str], rounds: int = 7) -> list[float]:
    """Each round's mean time of one look-up."""
    means = []
    for _ in range(rounds):
        start = time.perf_counter()
        for identifier in identifiers:
            look_up(identifier)
        means.append((time.perf_counter() - start) / len(identifiers) * 1e6)
    return means


def _scan(endpoints: list[Endpoint], identifier: str) -> Endpoint | None:
    """What a system without an index does: ask every pattern of every endpoint."""
    for endpoint in endpoints:
        if any(matches(pattern, identifier, Role.OPERATOR) for pattern in endpoint.whitelist):
            return endpoint
    return None


def _built(endpoints: list[Endpoint]) -> tuple[PatternIndex, float, float]:
    """The index, the seconds to build it, and the megabytes that it holds beyond the endpoints."""
    start = time.perf_counter()
    PatternIndex(endpoints, Role.OPERATOR)
    seconds = time.perf_counter() - start
    tracemalloc.start()
    index = PatternIndex(endpoints, Role.OPERATOR)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return index, seconds, held / 1e6


def _row(size: int, dice: random.Random) -> Row:
    patterns = _patterns(size, dice, PARTIES)
    endpoints = _endpoints(patterns)
    index, seconds, megabytes = _built(endpoints)
    asked = _asked(patterns, dice, min(20_000, size))
    look_ups = _microseconds(lambda each: index.resolve(each, NOW, ORDER), asked)
    few = asked[: max(3, 100_000 // size)]
    scans = _microseconds(lambda each: _scan(endpoints, each), few, rounds=1) if size <= LONGEST_SCAN else []
    row = row_from(
        f"look-up among {size:,} patterns",
        "µs",
        look_ups,
        ratios={"linear scan": min(look_ups) / min(scans)} if scans else {},
        peak_memory=megabytes,
        notes=f"built in {seconds:.2f} s, memory is the index's alone, {_one_party(size, dice):.2f} µs where all "
        "are of one party and the longest identifiers are asked for"
        + (f", a scan {min(scans):,.0f} µs" if scans else ""),
    )
    return replace(row, goal=f"≤ {LONGEST_LOOK_UP:g} µs", is_met=row.median <= LONGEST_LOOK_UP)


def _one_party(size: int, dice: random.Random) -> float:
    """The least favourable case: a single party with prefixes of all lengths, asked for its longest IDs."""
    patterns = _patterns(size, dice, 1)
    index = PatternIndex(_endpoints(patterns), Role.OPERATOR)
    longest = [each for each in _asked(patterns, dice, min(50_000, size)) if len(each) > LONG]
    return statistics.median(_microseconds(lambda each: index.resolve(each, NOW, ORDER), longest))


def rows(quick: bool = False, progress: Callable[[str], None] = lambda _: None) -> list[Row]:
    """One row for each number of patterns; the ratio to the smallest shows whether the time grows."""
    dice = random.Random(1)
    measured: list[Row] = []
    for size in QUICK_SIZES if quick else SIZES:
        progress(f"{size:,} patterns")
        measured.append(_row(size, dice))
    smallest = measured[0]
    return [
        replace(row, ratios={**row.ratios, f"{SIZES[0]:,} patterns": row.median / smallest.median}) for row in measured
    ]
