"""SelectEvse: the whole stack next to stock Spyne without any of it, and to a few lines of lxml."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from sqlalchemy import NullPool, text

from clearinghouse.ochp.operations import Role
from clearinghouse.persistence.engine import make_engine
from tests.benchmarks.measuring import Child, Goal, Row, Turn, row_of, taking_turns
from tests.benchmarks.site import HOST, Ground, Running, Site, authorization, database_cpu, ground, let_in

RIVAL = "stock Spyne, in process, 1 process"
FLOOR = "lxml alone, in process, 1 process"
SOAP = "our SOAP layer, in process, 1 process"
FULL = "full stack, 2 processes"
WORKERS = 2
CONNECTIONS = 16
MOST_A_SECOND = 6000
"""More EVSEs than that in a second would have to be in the file."""
GOAL = Goal(text="≥ 0.5 × rival", to=RIVAL, least=0.5)


CLEARING = ("charge_point_upload", "tariff_upload", "status_upload", "roaming_list_download", "cdr_upload")
ALONE = dict.fromkeys(CLEARING, False)
"""There is no house here to exchange anything with: what is measured is the direct port."""


def rows(quick: bool = False, progress: Callable[[str], None] = lambda _: None) -> list[Row]:
    """The rates of all four, taking turns."""
    seconds, rounds = (2.0, 3) if quick else (5.0, 11)
    with ExitStack() as stack:
        contenders: dict[str, Callable[[], Turn]] = {}
        for name, module in ((RIVAL, "spyne"), (FLOOR, "lxml"), (SOAP, "soap")):
            child = stack.enter_context(Child("tests.benchmarks.contenders", module))
            contenders[name] = lambda child=child: child.turn(seconds)
        full = stack.enter_context(full_stack(int(seconds * MOST_A_SECOND)))
        full(1.0)
        contenders[FULL] = lambda: full(seconds)
        turns = taking_turns(contenders, rounds, progress)
    return [row_of(name, turns, (FLOOR, RIVAL), GOAL if name == FULL else None) for name in contenders]


@contextmanager
def full_stack(evses: int, workers: int = WORKERS) -> Iterator[Callable[[float], Turn]]:
    """The operator's role in production's shape, and its load: what runs a turn of so many seconds."""
    with ground() as on:
        site = Site(on, Role.OPERATOR, evses=evses, workers=workers, **ALONE)
        with site.store() as store:
            pairs = let_in(store)
        load = {
            "order": "calls",
            "call": "SelectEvse",
            "host": HOST,
            "port": site.port,
            "ca": str(on.authority),
            "authorization": authorization(pairs),
            "evses": evses,
            "connections": CONNECTIONS,
        }
        with site.running() as running, Child("tests.benchmarks.client") as generator:
            running.answers("/readyz")
            yield lambda seconds: turn(on, running, lambda: Turn(**generator.ask(**load, seconds=seconds)))


def turn(on: Ground, running: Running, generate: Callable[[], Turn]) -> Turn:
    """One turn on an empty database. Raises RuntimeError where the store does not hold a session for each answer."""
    emptied(running.site)
    before = running.cpu(), database_cpu(on)
    load = generate()
    role, database = (after - was for was, after in zip(before, (running.cpu(), database_cpu(on)), strict=True))
    kept = counted(running.site)
    if kept != load.done:
        raise RuntimeError(f"{load.done} requests were answered with ok, but the store has {kept} sessions")
    taken = {"role": role, "PostgreSQL": database, "load": load.cpu}
    notes = {**{name: spent / load.done * 1e3 for name, spent in taken.items()}, **load.notes}
    return replace(load, cpu=sum(taken.values()), peak_memory=running.memory(), notes=notes)


def emptied(site: Site) -> None:
    """Free every EVSE."""
    with make_engine(site.url, poolclass=NullPool).begin() as connection:
        connection.execute(text("TRUNCATE session, simulated_evse"))


def counted(site: Site) -> int:
    """How many sessions are selected, each with its EVSE reserved."""
    joined = "SELECT count(*) FROM session JOIN simulated_evse USING (evse_key) WHERE state = 'selected' AND NOT idle"
    with make_engine(site.url, poolclass=NullPool).connect() as connection:
        return int(connection.scalar(text(joined)) or 0)


if __name__ == "__main__":
    with full_stack(60_000, int(os.environ.get("WORKERS", "2"))) as run:
        for _ in range(5):
            print(run(4.0))
