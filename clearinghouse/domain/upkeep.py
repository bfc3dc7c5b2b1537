"""What a partner keeps up at the house, as reconciliation: what should be done now, from what was done when.

Whoever asks often enough, after whatever outage, ends with everything uploaded once and everything downloaded lately.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

OVERLAP = timedelta(minutes=5)
"""Deltas are asked for from so long before the previous call, since clocks differ."""
GAP = timedelta(hours=6)
"""A list that was not brought up to date for so long is downloaded whole."""
MOST_FAILURES = 3
"""So many failed deltas in a row make the list doubtful."""
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)


class Chore(StrEnum):
    """One kind of call to the house; the value is what people read in logs."""

    SET_CHARGE_POINTS = "upload all charge points"
    UPDATE_CHARGE_POINTS = "upload changed charge points"
    UPDATE_TARIFFS = "upload tariffs"
    UPDATE_STATUS = "upload live status"
    GET_ROAMING_LIST = "download the roaming list"
    GET_ROAMING_UPDATES = "download changes of the roaming list"
    ADD_CDRS = "upload CDRs"
    CHECK_CDRS = "ask for declined CDRs"
    SET_ROAMING_LIST = "upload the roaming list"
    UPDATE_ROAMING_LIST = "upload changed tokens"
    GET_CHARGE_POINTS = "download charge points"
    GET_CHARGE_POINT_UPDATES = "download changed charge points"
    GET_TARIFFS = "download tariffs"
    GET_TARIFF_UPDATES = "download changed tariffs"
    GET_STATUS = "download live status"
    GET_CDRS = "download CDRs"
    CONFIRM_CDRS = "confirm CDRs"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a chore is due: `every` so often, or only when there is something to do; then it may spare another."""

    every: timedelta | None = None
    spares: Chore | None = None


RULES: Mapping[Chore, Rule] = {
    Chore.SET_CHARGE_POINTS: Rule(every=timedelta(days=1), spares=Chore.UPDATE_CHARGE_POINTS),
    Chore.UPDATE_CHARGE_POINTS: Rule(),
    Chore.UPDATE_TARIFFS: Rule(),
    Chore.UPDATE_STATUS: Rule(),
    Chore.GET_ROAMING_LIST: Rule(every=timedelta(days=1), spares=Chore.GET_ROAMING_UPDATES),
    Chore.GET_ROAMING_UPDATES: Rule(every=timedelta(minutes=5)),
    Chore.ADD_CDRS: Rule(),
    Chore.CHECK_CDRS: Rule(every=timedelta(minutes=5)),
    Chore.SET_ROAMING_LIST: Rule(spares=Chore.UPDATE_ROAMING_LIST),
    Chore.UPDATE_ROAMING_LIST: Rule(),
    Chore.GET_CHARGE_POINTS: Rule(every=timedelta(days=1), spares=Chore.GET_CHARGE_POINT_UPDATES),
    Chore.GET_CHARGE_POINT_UPDATES: Rule(every=timedelta(minutes=15)),
    Chore.GET_TARIFFS: Rule(every=timedelta(days=1), spares=Chore.GET_TARIFF_UPDATES),
    Chore.GET_TARIFF_UPDATES: Rule(every=timedelta(minutes=15)),
    Chore.GET_STATUS: Rule(every=timedelta(minutes=1)),
    Chore.GET_CDRS: Rule(every=timedelta(minutes=5)),
    Chore.CONFIRM_CDRS: Rule(),
}
"""The cadence that partners are used to (OCHP, How to connect: everything once a day, changes as they happen)."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a chore is. `succeeded_at` is when the last call that succeeded began; `failures` are those since."""

    chore: Chore
    succeeded_at: datetime | None = None
    tried_at: datetime | None = None
    failures: int = 0
    error: str | None = None


Journal = Mapping[Chore, Progress]
Rhythm = Mapping[Chore, timedelta]
"""How often chores are done, where not as the table says."""
AS_THE_TABLE_SAYS: Rhythm = {}


def due(
    now: datetime,
    journal: Journal,
    mine: Collection[Chore],
    wanted: Collection[Chore],
    rhythm: Rhythm = AS_THE_TABLE_SAYS,
) -> tuple[Chore, ...]:
    """Which of `mine` should be done now, in the table's order; `wanted` are those with something to do.

    Asking changes nothing, and what succeeded is not due again before its time.
    """
    periods = {chore: rhythm.get(chore, rule.every) for chore, rule in RULES.items()}
    ripe = [c for c in RULES if c in mine and (c in wanted or _is_old(c, periods[c], journal, now))]
    spared = {RULES[chore].spares for chore in ripe}
    return tuple(chore for chore in ripe if chore not in spared and _may_try(journal.get(chore), now))


def _is_old(chore: Chore, every: timedelta | None, journal: Journal, now: datetime) -> bool:
    """Whether the last success is too long ago. One in the future was noted by a clock since corrected."""
    last = latest_success(journal, chore, *(other for other, rule in RULES.items() if rule.spares is chore))
    return every is not None and (last is None or last > now or now - last >= every)


def latest_success(journal: Journal, *chores: Chore) -> datetime | None:
    """When the last call of any of these chores that succeeded began."""
    times = [each.succeeded_at for chore in chores if (each := journal.get(chore)) and each.succeeded_at]
    return max(times, default=None)


def pause(failures: int) -> timedelta:
    """The time to wait after so many failures in a row: doubling, up to a quarter of an hour."""
    if failures == 0:
        return timedelta(0)
    doubled: int = 2 ** min(failures - 1, 20)
    return min(FIRST_PAUSE * doubled, LONGEST_PAUSE)


def _may_try(progress: Progress | None, now: datetime) -> bool:
    if progress is None or progress.tried_at is None or progress.tried_at > now:
        return True
    return now - progress.tried_at >= pause(progress.failures)


def is_doubtful(now: datetime, journal: Journal, whole: Chore, changes: Chore) -> bool:
    """Whether the local copy of a list should be made anew: deltas failed, or were not asked for too long."""
    updates = journal.get(changes)
    last = latest_success(journal, whole, changes)
    return last is None or now - last > GAP or (updates is not None and updates.failures >= MOST_FAILURES)
