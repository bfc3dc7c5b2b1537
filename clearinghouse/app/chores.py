"""What a partner keeps up at the house, as jobs: each does the chores that may wait for one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from clearinghouse.domain.upkeep import Chore, Rhythm
from clearinghouse.jobs.timetable import Job
from clearinghouse.services.ports import Store
from clearinghouse.services.upkeep import Upkeep
from clearinghouse.settings import Settings

log = structlog.get_logger("clearinghouse.clearing")

Chores = Mapping[Chore, Callable[[], str]]


@dataclass(frozen=True)
class Round:
    """Chores, what says which of them have something to do, and after how many seconds to look again."""

    name: str
    every: float
    chores: Chores
    wanted: Callable[[], frozenset[Chore]]
    is_on: bool = True


def jobs_of(rounds: list[Round], settings: Settings, store: Store, minutes: Mapping[Chore, float]) -> list[Job]:
    """A job for each round that is switched on and has chores; `minutes` is how often some chores are done."""
    rhythm: Rhythm = {chore: timedelta(minutes=each) for chore, each in minutes.items()}
    return [
        Job(
            name=each.name,
            run=Upkeep(store, settings.clock, each.chores, each.wanted, reported, rhythm).work,
            every=timedelta(seconds=each.every),
        )
        for each in rounds
        if each.is_on and each.chores
    ]


def only(chores: Chores, *, chosen: Mapping[Chore, bool]) -> Chores:
    """The chores without those that are switched off."""
    return {chore: do for chore, do in chores.items() if chosen.get(chore, True)}


def reported(chore: Chore, text: str, failed: bool) -> None:
    """Log what a chore did."""
    if failed:
        log.warning(chore.value, failure=text)
    else:
        log.info(chore.value, outcome=text)
