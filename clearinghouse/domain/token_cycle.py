"""The token cycle of a day as reconciliation: what a back end should do now, from what it has (token distribution).

Whoever asks every `BEAT`, at whatever times and after whatever outage, ends with what the table asks for:

    00:30  drop tokens of day N-1, make the own token of N+1
    00:31  upload it, until it succeeds; before 11:55, and later rather than never
    12:05  download the partners' tokens of N+1, until it succeeds, and again every hour
    23:50  tokens of N+1 are valid: by the clock, nothing is to do

11:55 and 12:05 are of 0.2; 0.1 says 12:00 for both, which they obey.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from clearinghouse.domain.token_day import ONE_DAY, is_valid, sending_day, valid_until
from clearinghouse.ochp.bridges import OVERLAP_END

MAKE_FROM = OVERLAP_END
UPLOAD_FROM = time(0, 31)
UPLOAD_BEFORE = time(11, 55)
FETCH_AFTER = time(12, 5)

BEAT = timedelta(minutes=5)
"""How often to ask what is due, at the least."""

RETRY = timedelta(minutes=10)
"""The time between two attempts, where there is time."""

RUSH = timedelta(minutes=30)
"""So long before its day, and during it, a token that is not exchanged is tried for at every beat."""

REFRESH = timedelta(hours=1) - BEAT
"""The age at which a download is repeated, so that one falls into every hour: late uploads of partners heal."""


class Chore(StrEnum):
    """What the cycle asks for."""

    PURGE = "purge"
    MAKE = "make"
    UPLOAD = "upload"
    FETCH = "fetch"


PARTNER_CHORES = frozenset(Chore)
HOUSE_CHORES = frozenset({Chore.PURGE})
"""The clearing house has no tokens of its own: it drops those of past days."""


@dataclass(frozen=True, kw_only=True)
class DayState:
    """How far the tokens of a day are. `uploaded_at` and `fetched_at` are successes, `…_tried_at` the last attempts."""

    day: date
    made: bool = False
    uploaded_at: datetime | None = None
    upload_tried_at: datetime | None = None
    fetched_at: datetime | None = None
    fetch_tried_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CycleState:
    """What a back end has: one entry for each day of which it keeps any token, own or foreign."""

    days: tuple[DayState, ...] = ()

    def of(self, day: date) -> DayState:
        """The state of a day, of which there may be nothing yet."""
        return next((each for each in self.days if each.day == day), DayState(day=day))


@dataclass(frozen=True, order=True)
class Action:
    """One chore for one day. PURGE names the first day that is kept."""

    chore: Chore
    day: date


def due(now: datetime, state: CycleState, chores: frozenset[Chore] = PARTNER_CHORES) -> tuple[Action, ...]:
    """What should be done now, in this order: an UPLOAD may rely on the MAKE before it.

    Asking changes nothing, and what is done is not due again.
    """
    now = now.astimezone(UTC)
    today = state.of(sending_day(now))
    tomorrow = state.of(today.day + ONE_DAY)
    actions = [
        *_purge(now, state),
        *(Action(Chore.MAKE, each.day) for each in (today, tomorrow) if _is_to_make(each, now, first=not today.made)),
        *(Action(Chore.UPLOAD, each.day) for each in (today, tomorrow) if _is_to_upload(each, now, not today.made)),
        *(Action(Chore.FETCH, each.day) for each in (today, tomorrow) if _is_to_fetch(each, now, not today.made)),
    ]
    return tuple(action for action in actions if action.chore in chores)


def _purge(now: datetime, state: CycleState) -> list[Action]:
    """Only what ended strictly before now goes: at 00:30 sharp a call with yesterday's tokens still passes."""
    ended = [each.day for each in state.days if valid_until(each.day) < now]
    return [Action(Chore.PURGE, max(ended) + ONE_DAY)] if ended else []


def _has_begun(day: date, since: time, now: datetime) -> bool:
    """Whether the time for a chore has come: for a later day on the day before, for today and the past always."""
    return now >= datetime.combine(day - ONE_DAY, since, UTC)


def _may_try(day: date, tried_at: datetime | None, now: datetime) -> bool:
    """Whether the last attempt is long enough ago. An attempt in the future was made by a clock since corrected."""
    if tried_at is None or tried_at > now:
        return True
    is_urgent = now >= datetime.combine(day, time(), UTC) - RUSH
    return now - tried_at >= (BEAT if is_urgent else RETRY)


def _is_to_make(state: DayState, now: datetime, *, first: bool) -> bool:
    return not state.made and (first or _has_begun(state.day, MAKE_FROM, now))


def _is_to_upload(state: DayState, now: datetime, first: bool) -> bool:
    return (
        state.uploaded_at is None
        and (first or _has_begun(state.day, UPLOAD_FROM, now))
        and _may_try(state.day, state.upload_tried_at, now)
    )


def _is_to_fetch(state: DayState, now: datetime, first: bool) -> bool:
    is_stale = state.fetched_at is None or state.fetched_at > now or now - state.fetched_at >= REFRESH
    has_begun = now > datetime.combine(state.day - ONE_DAY, FETCH_AFTER, UTC)
    return is_stale and (first or has_begun) and _may_try(state.day, state.fetch_tried_at, now)


def is_late(day: date, now: datetime) -> bool:
    """Whether an upload for the day comes after 11:55 of the day before: partners see it an hour later at the worst."""
    return now >= datetime.combine(day - ONE_DAY, UPLOAD_BEFORE, UTC)


class Standing(StrEnum):
    """How far a day's tokens are, in a word or two for people."""

    MISSING = "missing"
    MADE = "made, not uploaded"
    UPLOADED = "uploaded, partners' not downloaded"
    READY = "ready"
    IN_USE = "in use"
    ACCEPTED = "still accepted"
    ENDED = "ended"


def standing_of(state: DayState, now: datetime) -> Standing:
    """The word for a day's tokens. What is not exchanged is told even while the day runs."""
    if now > valid_until(state.day):
        return Standing.ENDED
    lacks = [
        standing
        for standing, has in (
            (Standing.MISSING, state.made),
            (Standing.MADE, state.uploaded_at),
            (Standing.UPLOADED, state.fetched_at),
        )
        if not has
    ]
    if lacks:
        return lacks[0]
    if sending_day(now) == state.day:
        return Standing.IN_USE
    return Standing.ACCEPTED if sending_day(now) > state.day and is_valid(state.day, now) else Standing.READY
