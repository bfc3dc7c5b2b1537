"""Live status: single words, and what is newer among very many, through the whole stack and without SOAP."""

from __future__ import annotations

import random
import statistics
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from clearinghouse.domain.live_status import Trust
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.live import EvseStatus, GetStatusRequest, MajorStatus, MinorStatus, UpdateStatusRequest
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.services.live_status import StatusExchange
from tests.benchmarks import evses
from tests.benchmarks.house import CPO, EMP, LIVE, OPERATOR, PROVIDER, House, house
from tests.benchmarks.measuring import Row, Turn, judged, or_why_not, row_from
from tests.benchmarks.scene import Progress, Scene, call_rate, scene, silent, spent

THREADS = 4
TABLE = "live_status"
LATELY = 600
"""Entries that are newer than the question: what 5 million words a day are in ten seconds."""
TEN_SECONDS = timedelta(seconds=10)
WORDS_GOAL, QUESTION_GOAL = "≥ 800/s", "≤ 100 ms"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many EVSEs there are, and how often is measured for how many seconds."""

    evses: int
    seconds: float
    rounds: int


FULL = Sizes(evses=600_000, seconds=5, rounds=7)
QUICK = Sizes(evses=60_000, seconds=1.5, rounds=3)


def rows(quick: bool = False, progress: Progress = silent) -> list[Row]:
    """Words a second, and the milliseconds of a question, among all EVSEs of one operator."""
    sizes = QUICK if quick else FULL
    with house() as on:
        progress(f"{sizes.evses:,} EVSEs")
        on.execute(evses.STATUSES, evses=sizes.evses)
        on.tidy(TABLE)
        return [
            *or_why_not("live status", f"{WORDS_GOAL}, {QUESTION_GOAL}", partial(full, on, sizes, progress)),
            *or_why_not("without SOAP", "", partial(alone, on, sizes, progress)),
        ]


# -- Through the whole stack


def full(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """Operators tell, providers ask."""
    with scene(on, partial(_ready, sizes)) as stage:
        progress("waiting until the connections are older than what is asked for: all behind a new one is newer")
        time.sleep(TEN_SECONDS.total_seconds() + 1)
        progress("questions")
        answers = [_answer(stage, sizes.evses) for _ in range(2 * sizes.rounds)]
        turns = []
        for number in range(sizes.rounds):
            progress(f"words, round {number + 1} of {sizes.rounds}")
            turns.append(_words(stage, sizes.evses, sizes.seconds))
    words = call_rate("UpdateStatus of one EVSE, 2 processes", "words/s", turns)
    milliseconds = [turn.seconds * 1e3 for turn in answers]
    what = f"GetStatus since 10 s ago, {LATELY} of {sizes.evses:,} newer"
    question = row_from(what, "ms", milliseconds, notes=spent(answers))
    return [
        judged(words, {WORDS_GOAL: (words.median or 0) >= 800}, aim="1,500/s"),
        judged(question, {QUESTION_GOAL: statistics.median(milliseconds) <= 100}, aim="30 ms"),
    ]


def _ready(sizes: Sizes, stage: Scene) -> None:
    """Words on an EVSE that the questions will find anyway, and a question, to get ready by."""
    _words(stage, 1, 0.1, first=sizes.evses - 1)
    _asked(stage, datetime.now(UTC))


def _words(stage: Scene, count: int, seconds: float, first: int = 0) -> Turn:
    return stage.calls("UpdateStatus", seconds, login=stage.house.login(CPO), first=first, count=count)


def _answer(stage: Scene, count: int) -> Turn:
    """What is newer than ten seconds; the same EVSEs again and again. Raises RuntimeError for another answer."""
    stage.upload(CPO, "words", LATELY, first=count - LATELY, path=LIVE)
    turn = _asked(stage, datetime.now(UTC) - TEN_SECONDS)
    if turn.done != LATELY:
        raise RuntimeError(f"{turn.done} entries are newer, not {LATELY}")
    return turn


def _asked(stage: Scene, since: datetime) -> Turn:
    request = GetStatusRequest(start_date_time=since)
    return stage.download(EMP, request, b"<evse ", path=LIVE, ok="GetStatusResponse")


# -- The use cases and the database alone


def alone(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """The same in this process, of several threads."""
    with on.site.store() as store:
        exchange = StatusExchange(store, lambda: datetime.now(UTC), Trust())
        rates = []
        for number in range(sizes.rounds):
            progress(f"words without SOAP, round {number + 1} of {sizes.rounds}")
            rates.append(_rate(exchange, sizes))
        answers = [_question(exchange, sizes.evses) for _ in range(2 * sizes.rounds)]
    return [
        row_from(f"UpdateStatus of one EVSE, {THREADS} threads, without SOAP", "words/s", rates),
        row_from(f"GetStatus, {LATELY} of {sizes.evses:,} newer, without SOAP", "ms", answers),
    ]


def _tell(exchange: StatusExchange, *numbers: int) -> None:
    major, minor = MajorStatus.NOT_AVAILABLE, MinorStatus.CHARGING
    entries = tuple(EvseStatus(evse_id=evses.evse_id(number), major=major, minor=minor) for number in numbers)
    teller = Partner(name=CPO, operator_ids=frozenset({OPERATOR}))
    exchange.update(UpdateStatusRequest(evse=entries), teller, V1_4_1)


def _rate(exchange: StatusExchange, sizes: Sizes) -> float:
    until, done = time.monotonic() + sizes.seconds, [0] * THREADS

    def tell(worker: int) -> None:
        while time.monotonic() < until:
            _tell(exchange, random.randrange(sizes.evses))
            done[worker] += 1

    workers = [threading.Thread(target=tell, args=(worker,)) for worker in range(THREADS)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    return sum(done) / sizes.seconds


def _question(exchange: StatusExchange, count: int) -> float:
    """The milliseconds of a question for what is newer. Raises RuntimeError where the answer is another."""
    since = datetime.now(UTC)
    _tell(exchange, *random.sample(range(count), LATELY))
    started = time.perf_counter()
    asked = GetStatusRequest(start_date_time=since - timedelta(microseconds=1))
    answer = exchange.get(asked, Partner(name=EMP, provider_ids=frozenset({PROVIDER})), V1_4_1)
    found = len(tuple(answer.evse))
    taken = time.perf_counter() - started
    if found < LATELY:
        raise RuntimeError(f"{found} entries are newer, not {LATELY}")
    return taken * 1000
