"""Everything at once: full downloads, status changes, charge data and look-ups, as a busy house has them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from clearinghouse.ochp.live import EvseStatus, GetStatusRequest, MajorStatus, MinorStatus, UpdateStatusRequest
from clearinghouse.ochp.tokens import GetRoamingAuthorisationListRequest
from clearinghouse.soap.faults import CONTENT_TYPE
from tests.benchmarks import cdrs, evses, tokens
from tests.benchmarks.bench_cdrs import Uploaders
from tests.benchmarks.house import CPO, EMP, LIVE, PROVIDER, SERVICE, House, house
from tests.benchmarks.measuring import Child, Row, judged, noting, or_why_not, row_from
from tests.benchmarks.scene import Progress, Scene, scene, silent
from tests.benchmarks.site import cores, database_cpu
from tests.benchmarks.stencils import single

PACE = 10e6 / 8
"""Bytes a second that each reader of a full list takes: 10 Mbit/s."""
BETWEEN_PROBES = 1.0
GOAL = "no errors, look-ups 99 % ≤ 100 ms, a status visible ≤ 5 s"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many readers there are, of how long a list, among how many EVSEs, for how many seconds, and how much else."""

    readers: int
    tokens: int
    evses: int
    seconds: float
    words: float = 300
    cdrs: float = 50
    look_ups: float = 500
    """So many a second, CDRs in batches."""


FULL = Sizes(readers=20, tokens=1_000_000, evses=600_000, seconds=600)
QUICK = Sizes(readers=4, tokens=15_000, evses=20_000, seconds=15)


@dataclass
class Outcome:
    """What each kind of load said, the seconds after which words were visible to others, and what went wrong."""

    told: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    visible: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def of(self, name: str) -> Mapping[str, Any]:
        """What a kind of load said. Raises RuntimeError, with everything that went wrong, where it said nothing."""
        if name not in self.told:
            raise RuntimeError("; ".join(self.errors) or f"there were no {name}")
        return self.told[name]


def rows(quick: bool = False, progress: Progress = silent) -> list[Row]:
    """The look-ups' waits while everything else goes on, and how soon others see a status."""
    with house() as on:
        return or_why_not("everything at once", GOAL, partial(everything, on, QUICK if quick else FULL, progress))


def everything(on: House, sizes: Sizes, progress: Progress) -> list[Row]:
    """Measured while it runs once."""
    with busy(on, sizes, progress) as (stage, run):
        ground = stage.running.site.ground
        before = stage.running.cpu(), database_cpu(ground)
        outcome = run()
        role, database = stage.running.cpu() - before[0], database_cpu(ground) - before[1]
        memory = {"peak_memory": stage.running.memory(), "grown": stage.running.grown()}
    load = sum(each["cpu"] for each in outcome.told.values())
    share = load / sizes.seconds / cores()
    notes = f"CPU: role {role:.1f} s, PostgreSQL {database:.1f} s, load {load:.1f} s, {share:.0%} of the machine"
    return _rows(sizes, outcome, memory, notes)


def _rows(sizes: Sizes, outcome: Outcome, memory: dict[str, float], notes: str) -> list[Row]:
    what = f"everything at once for {sizes.seconds:g} s"
    waits, seen, whole = (
        f"{what}, {rest}"
        for rest in (
            "look-ups 99 % within",
            "a status visible to others",
            f"a full download of {sizes.tokens:,} at 10 Mbit/s",
        )
    )
    return [
        *or_why_not(waits, "no errors, ≤ 100 ms", lambda: [noting(_waits(waits, outcome, memory), notes)]),
        *or_why_not(seen, "≤ 5 s", lambda: [_seen(seen, outcome)]),
        *or_why_not(whole, "each complete", lambda: [_whole(whole, outcome, sizes)]),
    ]


def _waits(what: str, outcome: Outcome, memory: dict[str, float]) -> Row:
    looked_up, word, batch = (outcome.of(name)["notes"] for name in ("look-ups", "words", "CDRs"))
    row = row_from(what, "ms", [looked_up["99 % within"]], **memory)
    told = (
        f"a word 99 % within {word['99 % within']:.0f} ms",
        f"a batch of CDRs 95 % within {batch['95 % within']:.0f} ms",
        *outcome.errors,
    )
    demands = {"no errors": not outcome.errors, "≤ 100 ms": looked_up["99 % within"] <= 100}
    return noting(judged(row, demands, aim="30 ms"), "; ".join(told))


def _seen(what: str, outcome: Outcome) -> Row:
    if not outcome.visible:
        raise RuntimeError("; ".join(outcome.errors) or "nothing was seen")
    return judged(row_from(what, "s", outcome.visible), {"≤ 5 s": max(outcome.visible) <= 5})


def _whole(what: str, outcome: Outcome, sizes: Sizes) -> Row:
    lists = outcome.of("full downloads")
    complete = {"each complete": lists["records"] == [sizes.tokens]}
    row = judged(row_from(what, "s", lists["each"]), complete)
    return noting(row, f"{lists['done']} by {sizes.readers} partners")


# -- The load


@contextmanager
def busy(on: House, sizes: Sizes, progress: Progress) -> Iterator[tuple[Scene, Callable[[], Outcome]]]:
    """A house with all that is asked for, and what puts the whole load on it once."""
    progress("filling the tables")
    on.fill("roaming_authorisation", tokens.COLUMNS, partial(tokens.rows, range(sizes.tokens)))
    on.execute(evses.STATUSES, evses=sizes.evses)
    on.tidy("live_status")
    readers = {f"reader-{number}": f"DER{number:02d}" for number in range(sizes.readers)}
    for name, operator_id in readers.items():
        on.onboard(name, operator_ids=[operator_id])
    on.connect([*readers.values()], [PROVIDER])
    uploaders = Uploaders(on)
    orders = {
        "look-ups": _calls(on, "GetSingleRoamingAuthorisation", sizes.look_ups, sizes.tokens),
        "words": _calls(on, "UpdateStatus", sizes.words, sizes.evses),
    }
    downloads = {"order": "downloads", "readers": [_reader(on, name) for name in readers]}
    with scene(on, partial(_ready, uploaders)) as stage, ExitStack() as stack:
        clients = {
            name: stack.enter_context(Child("tests.benchmarks.client")) for name in (*orders, "CDRs", "full downloads")
        }

        def run() -> Outcome:
            progress(f"everything at once for {sizes.seconds:g} s")
            said = {
                **orders,
                "CDRs": _of(on, "AddCDRs", sizes.cdrs / cdrs.BATCH, **uploaders.order()),
                "full downloads": downloads,
            }
            return together(stage, clients, {name: {**each, "seconds": sizes.seconds} for name, each in said.items()})

        yield stage, run


def _ready(uploaders: Uploaders, stage: Scene) -> None:
    """Tariffs, and a question of each side, to get ready by."""
    uploaders.publish(stage)
    _ask(stage, CPO, UpdateStatusRequest())
    _ask(stage, EMP, GetStatusRequest(start_date_time=datetime.now(UTC)))


def _calls(on: House, call: str, rate: float, count: int) -> dict[str, Any]:
    return _of(on, call, rate, login=on.login(CPO), first=0, count=count)


def _of(on: House, call: str, rate: float, **said: object) -> dict[str, Any]:
    return {"order": "calls", "call": call, "rate": rate, "connections": 16, **on.place, **said}


def _reader(on: House, name: str) -> dict[str, Any]:
    request = single(on.logins[name], GetRoamingAuthorisationListRequest()).decode()
    return {**on.address(SERVICE, name), "request": request, "tag": tokens.SET.tag.decode(), "pace": PACE}


def together(stage: Scene, clients: Mapping[str, Child], orders: Mapping[str, Mapping[str, Any]]) -> Outcome:
    """Give every client its order at the same time, and look when words become visible until all are done."""
    outcome, is_over = Outcome(), threading.Event()
    with ThreadPoolExecutor(len(clients) + 1) as pool:
        asked = {name: pool.submit(clients[name].ask, **order) for name, order in orders.items()}
        probing = pool.submit(_probe, stage, outcome.visible, is_over)
        for name, future in asked.items():
            _note(name, future, outcome)
        is_over.set()
        _note("a status visible to others", probing, outcome)
    return outcome


def _note(name: str, future: Future[Any], outcome: Outcome) -> None:
    error = future.exception()
    if error is not None:
        outcome.errors.append(f"{name}: {error}")
    elif (told := future.result()) is not None:
        outcome.told[name] = told
        if told.get("unsent"):
            outcome.errors.append(f"{name}: {told['unsent']} could not be sent in time")


# -- When others see it


def _probe(stage: Scene, visible: list[float], is_over: threading.Event) -> None:
    """Again and again, tell of an EVSE that nobody told of before, and ask as another until it is there."""
    number = evses.FIRST_OF_OTHERS - 1
    while not is_over.wait(BETWEEN_PROBES):
        identifier = f"DE*BEN*E{number:08d}"
        status = EvseStatus(evse_id=identifier, major=MajorStatus.NOT_AVAILABLE, minor=MinorStatus.CHARGING)
        started, since = time.perf_counter(), datetime.now(UTC)
        _ask(stage, CPO, UpdateStatusRequest(evse=(status,)))
        while identifier.encode() not in _ask(stage, EMP, GetStatusRequest(start_date_time=since)):
            pass
        visible.append(time.perf_counter() - started)
        number -= 1


def _ask(stage: Scene, partner: str, request: Any) -> bytes:
    """The answer, on a connection of its own. Raises RuntimeError for a fault."""
    connection = stage.running.site.connect()
    try:
        connection.request("POST", LIVE, single(stage.house.logins[partner], request), {"Content-Type": CONTENT_TYPE})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise RuntimeError(f"HTTP {answer.status}: {body[:500]!r}")
    return body
