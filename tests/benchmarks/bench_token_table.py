"""Updates, deltas and single look-ups through the whole stack, while the table of all providers' tokens grows."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from clearinghouse.ochp.tokens import GetRoamingAuthorisationListUpdatesRequest
from tests.benchmarks import tokens
from tests.benchmarks.house import CPO, EMP, OPERATOR, OTHERS, House, house, new_second
from tests.benchmarks.measuring import Row, Turn, compared, in_words, judged, or_why_not, row_from
from tests.benchmarks.scene import Progress, Scene, call_rate, duration, scene, silent

TABLE = "roaming_authorisation"
ITEM = b"<roamingAuthorisationInfo>"
"""What a record of the delta begins with."""
BLOCK = 1_000_000
"""Numbers of tokens that are uploaded at one size of the table."""
FEW = 10
"""Tokens of the requests that get everything ready."""
STEADY = 500
"""Look-ups a second."""
NO_SLOWER = 1.2
"""By so much may two figures differ and be the same."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How large the table is, a tenth of the last size among the others, and how much and how often is measured."""

    tables: tuple[int, ...]
    changes: int
    rounds: int
    seconds: float
    steady_seconds: float


FULL = Sizes(
    tables=(100_000, 600_000, 1_000_000, 6_000_000), changes=10_000, rounds=6, seconds=5.0, steady_seconds=60.0
)
QUICK = Sizes(tables=(10_000, 100_000), changes=1_000, rounds=3, seconds=1.0, steady_seconds=4.0)


def rows(quick: bool = False, progress: Progress = silent) -> list[Row]:
    """The rows at the largest size, and what each record costs at every size."""
    sizes = QUICK if quick else FULL
    with house() as on:
        growth = Growth(sizes)
        growth.measure(on, progress)
    return [
        *or_why_not("UpdateRoamingAuthorisationList", "≤ 2 s", growth.updated),
        *or_why_not("GetRoamingAuthorisationListUpdates", "≤ 0.5 s", growth.told),
        *or_why_not("GetSingleRoamingAuthorisation", "≥ 1,500/s", growth.looked_up),
        *or_why_not("GetSingleRoamingAuthorisation, steady", "99 % ≤ 20 ms", growth.steady),
        *growth.curves(),
    ]


class Growth:
    """What was measured at each size of the table."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._turns: dict[str, dict[int, list[Turn]]] = defaultdict(dict)
        self._failures: dict[str, str] = {}

    # -- Measuring

    def measure(self, on: House, progress: Progress) -> None:
        """Let the table grow; what fails at one size is not tried at the next."""
        sizes = self._sizes
        on.onboard(OTHERS, provider_ids=tokens.providers(sizes.tables[-1]))
        on.connect([OPERATOR], tokens.providers(sizes.tables[-1]))
        there = 0
        with scene(on, _ready) as stage:
            for number, size in enumerate(sizes.tables):
                progress(f"{size:,} tokens in the table")
                numbers = range(tokens.FIRST_OF_OTHERS + there, tokens.FIRST_OF_OTHERS + size)
                on.fill(TABLE, tokens.COLUMNS, partial(tokens.rows, numbers))
                there = size
                self._try("update", size, partial(_updates, stage, sizes, number * BLOCK))
                self._try("delta", size, partial(_deltas, stage, sizes, number * BLOCK + BLOCK // 2))
                self._try("look-up", size, partial(_look_ups, stage, sizes, size))
            progress(f"{STEADY} look-ups a second")
            self._try("steady", there, lambda: [_looked_up(stage, there, sizes.steady_seconds, STEADY)])

    def _try(self, what: str, size: int, measure: Callable[[], list[Turn]]) -> None:
        if what in self._failures:
            return
        try:
            self._turns[what][size] = measure()
        except Exception as error:  # noqa: BLE001 - its row tells it, and the others are worth having
            self._failures[what] = f"among {size:,}: {in_words(error)}"

    def _of(self, what: str) -> dict[int, list[Turn]]:
        """The turns by size. Raises RuntimeError where one failed."""
        if what in self._failures or what not in self._turns:
            raise RuntimeError(self._failures.get(what, "it was not tried"))
        return self._turns[what]

    # -- Rows

    def updated(self) -> list[Row]:
        """How long an update of a large table takes."""
        row, _ = self._at_a_tenth("UpdateRoamingAuthorisationList", "update")
        return [judged(row, {"≤ 2 s": (row.median or 0) <= 2}, aim="0.7 s")]

    def told(self) -> list[Row]:
        """How long the delta takes, and how much longer than from a table of a tenth."""
        row, ratio = self._at_a_tenth("GetRoamingAuthorisationListUpdates", "delta")
        demands = {"≤ 0.5 s": (row.median or 0) <= 0.5, f"no slower than {self._tenth}": ratio <= NO_SLOWER}
        return [judged(row, demands, aim="0.2 s")]

    def looked_up(self) -> list[Row]:
        """How many look-ups are answered in a second."""
        size, turns = self._sizes.tables[-1], self._of("look-up")
        row = call_rate(f"GetSingleRoamingAuthorisation among {size:,}, 2 processes", "look-ups/s", turns[size])
        return [judged(row, {"≥ 1,500/s": (row.median or 0) >= 1500}, aim="3,000/s")]

    def steady(self) -> list[Row]:
        """How long look-ups wait at a steady rate."""
        ((size, turns),) = self._of("steady").items()
        what = f"GetSingleRoamingAuthorisation at {STEADY} a second among {size:,}, 99 % within"
        waits = [turn.notes["99 % within"] for turn in turns]
        return [
            judged(row_from(what, "ms", waits, notes=call_rate("", "", turns).notes), {"≤ 20 ms": max(waits) <= 20})
        ]

    def curves(self) -> list[Row]:
        """The time for each record at every size, and its ratio to that at the smallest."""
        return [
            *self._curve("update", self._sizes.changes),
            *self._curve("delta", self._sizes.changes),
            *self._curve("look-up", None),
        ]

    def _curve(self, what: str, records: int | None) -> list[Row]:
        measured = [
            row_from(
                f"{what}, each record, among {size:,}",
                "µs",
                [turn.seconds / (records or turn.done) * 1e6 for turn in turns],
            )
            for size, turns in self._turns[what].items()
        ]
        return [compared(row, "at the smallest", (row.median or 0) / (measured[0].median or 1)) for row in measured]

    def _at_a_tenth(self, operation: str, what: str) -> tuple[Row, float]:
        size, turns = self._sizes.tables[-1], self._of(what)
        row = duration(f"{operation}, {self._sizes.changes:,} of {size:,}", turns[size])
        ratio = _median(turns[size]) / _median(turns[size // 10])
        return compared(row, self._tenth, ratio), ratio

    @property
    def _tenth(self) -> str:
        return f"among {self._sizes.tables[-1] // 10:,}"


def _median(turns: list[Turn]) -> float:
    return statistics.median(turn.seconds for turn in turns)


# -- What is measured


def _ready(stage: Scene) -> None:
    """An update, a question and look-ups to get ready by."""
    stage.upload(EMP, "token updates", FEW, first=tokens.FIRST_OF_OTHERS - FEW)
    stage.download(CPO, GetRoamingAuthorisationListUpdatesRequest(last_update=datetime.now(UTC)), ITEM)
    _looked_up(stage, FEW, 0.1, first=tokens.FIRST_OF_OTHERS - FEW)


def _updates(stage: Scene, sizes: Sizes, first: int) -> list[Turn]:
    """Half of the tokens of each update are new, half are known and change."""
    messages = ("token updates", "changed tokens")
    return [
        stage.upload(EMP, messages[number % 2], sizes.changes, first + number * sizes.changes // 2)
        for number in range(sizes.rounds)
    ]


def _deltas(stage: Scene, sizes: Sizes, first: int) -> list[Turn]:
    """The same delta again and again. Raises RuntimeError where it is not what changed."""
    asked = GetRoamingAuthorisationListUpdatesRequest(last_update=new_second())
    stage.upload(EMP, "token updates", sizes.changes, first)
    turns = [stage.download(CPO, asked, ITEM) for _ in range(sizes.rounds)]
    for turn in turns:
        if turn.done != sizes.changes:
            raise RuntimeError(f"the delta has {turn.done} tokens instead of {sizes.changes}")
    return turns


def _look_ups(stage: Scene, sizes: Sizes, size: int) -> list[Turn]:
    return [_looked_up(stage, size, sizes.seconds) for _ in range(sizes.rounds)]


def _looked_up(
    stage: Scene, size: int, seconds: float, rate: float | None = None, first: int = tokens.FIRST_OF_OTHERS
) -> Turn:
    login = stage.house.login(CPO)
    return stage.calls("GetSingleRoamingAuthorisation", seconds, rate=rate, login=login, first=first, count=size)
