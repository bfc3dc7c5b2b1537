"""The day of the tokens: when a token of day N is sent, accepted and dropped (OCHP-direct, token distribution).

A sender uses the tokens of the calendar day that its own clock shows, in UTC. A receiver accepts those of day N from
23:50 of the day before until 00:30 of the day after. No tolerance for clocks that differ is added, because none is
needed: where each clock is at most 2 minutes off, a sender's first call of day N reaches the receiver at 23:56 of its
clock or later, and its last one at 00:04 or earlier. The window leaves another 6 and 26 minutes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.ochp.bridges import end_of_validity

OVERLAP_START = time(23, 50)
"""The tokens of a day are accepted from this time of the day before."""

ONE_DAY = timedelta(days=1)
CLOCK_SKEW = timedelta(minutes=2)
"""How far a partner's clock may be off."""
EARLY = timedelta(minutes=10)
"""So long before midnight a partner's clock may already show the next day."""


def valid_from(day: date) -> datetime:
    """The first instant at which a receiver accepts the tokens of the day."""
    return datetime.combine(day - ONE_DAY, OVERLAP_START, UTC)


def valid_until(day: date) -> datetime:
    """The last instant at which a receiver accepts the tokens of the day."""
    return end_of_validity(day)


def sending_day(now: datetime) -> date:
    """The day whose tokens a sender uses: the calendar day in UTC."""
    return now.astimezone(UTC).date()


def is_valid(day: date, now: datetime) -> bool:
    """Whether a receiver accepts tokens of the day."""
    return valid_from(day) <= now <= valid_until(day)


def accepts(own_day: date, peer_day: date, now: datetime) -> bool:
    """Whether a receiver accepts the combination of its token of one day with the sender's of another.

    Mixed days never pass.
    """
    return own_day == peer_day and is_valid(own_day, now)


def accepts_from(peer: Endpoint, own_day: date, now: datetime) -> bool:
    """Whether a receiver accepts its token of a day from the holder of this endpoint's token.

    A static token of 0.1 goes with every day until it ends.
    """
    if peer.valid_until is not None:
        return is_valid(own_day, now) and now <= peer.valid_until
    return accepts(own_day, peer.day, now)


def is_living(endpoint: Endpoint, now: datetime) -> bool:
    """Whether a call made with this endpoint's token may be accepted now."""
    if endpoint.valid_until is not None:
        return now <= endpoint.valid_until
    return is_valid(endpoint.day, now)


def pass_together(one: Endpoint, other: Endpoint, now: datetime) -> bool:
    """Whether the tokens of these two make a combination that is accepted now: of one day, unless one is static."""
    is_one_day = one.day == other.day or one.valid_until is not None or other.valid_until is not None
    return is_one_day and is_living(one, now) and is_living(other, now)


def is_static(day: date, ends_at: datetime | None, now: datetime) -> bool:
    """Whether a token of 0.1 is meant to be valid from now until it ends: its day is one that the cycle is not at yet.

    A clock that is a little ahead of the house's may speak of the day after tomorrow before midnight.
    """
    return ends_at is not None and day > sending_day(now + EARLY) + ONE_DAY


def is_for_sending(endpoint: Endpoint, now: datetime) -> bool:
    """Whether a call made now uses this endpoint's token."""
    if endpoint.valid_until is not None:
        return now <= endpoint.valid_until
    return endpoint.day == sending_day(now)
