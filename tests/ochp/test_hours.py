"""What two sets of hours have in common: what is closed never looks open."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.ochp.hours import ExceptionalPeriod, Hours, RegularHours, hours_in_common

ALWAYS, NEVER = Hours(twentyfourseven=True), Hours(twentyfourseven=False)


def weekly(*periods: tuple[int, str, str]) -> Hours:
    hours = (RegularHours(weekday=day, period_begin=begin, period_end=end) for day, begin, end in periods)
    return Hours(regular_hours=tuple(hours))


def said(hours: Hours) -> list[tuple[int, str, str]]:
    return [(each.weekday, each.period_begin, each.period_end) for each in hours.regular_hours]


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (weekly((1, "08:00", "18:00")), weekly((1, "06:00", "12:00")), [(1, "08:00", "12:00")]),
        (weekly((1, "08:00", "18:00")), ALWAYS, [(1, "08:00", "18:00")]),
        (weekly((1, "08:00", "00:00")), ALWAYS, [(1, "08:00", "24:00")]),
        (weekly((7, "22:00", "06:00")), ALWAYS, [(1, "00:00", "06:00"), (7, "22:00", "24:00")]),
        (
            weekly((1, "08:00", "12:00"), (1, "13:00", "18:00")),
            weekly((1, "10:00", "14:00")),
            [(1, "10:00", "12:00"), (1, "13:00", "14:00")],
        ),
    ],
)
def test_regular_hours_intersect(one: Hours, other: Hours, common: list[tuple[int, str, str]]) -> None:
    assert said(hours_in_common(one, other)) == said(hours_in_common(other, one)) == common


def test_without_any_hour_in_common_it_is_never_open() -> None:
    for one, other in ((weekly((1, "08:00", "12:00")), weekly((2, "08:00", "12:00"))), (ALWAYS, NEVER)):
        assert hours_in_common(one, other).twentyfourseven is False


def test_always_and_always_is_always() -> None:
    assert hours_in_common(ALWAYS, ALWAYS) == ALWAYS


def exception(begin: int, end: int) -> ExceptionalPeriod:
    return ExceptionalPeriod(
        period_begin=datetime(2027, 4, 4, begin, tzinfo=UTC), period_end=datetime(2027, 4, 4, end, tzinfo=UTC)
    )


def test_an_exceptional_opening_counts_where_the_other_is_open_without_doubt() -> None:
    opened = Hours(twentyfourseven=False, exceptional_openings=(exception(8, 12),))
    assert hours_in_common(opened, ALWAYS).exceptional_openings == (exception(8, 12),)
    assert hours_in_common(opened, weekly((7, "00:00", "24:00"))).exceptional_openings == ()
    later = Hours(twentyfourseven=False, exceptional_openings=(exception(10, 14),))
    assert hours_in_common(opened, later).exceptional_openings == (exception(10, 12),)


def test_closings_add_up_and_charging_when_closed_needs_both() -> None:
    one = Hours(twentyfourseven=True, exceptional_closings=(exception(8, 9),), closed_charging=True)
    other = Hours(twentyfourseven=True, exceptional_closings=(exception(10, 11),))
    common = hours_in_common(one, other)
    assert common.exceptional_closings == (exception(8, 9), exception(10, 11))
    assert not common.closed_charging and hours_in_common(one, one).closed_charging


CLOCK = st.integers(0, 24 * 4).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
WEEKS = st.lists(st.tuples(st.integers(1, 7), CLOCK, CLOCK), min_size=1, max_size=4).map(lambda each: weekly(*each))


def is_open(hours: Hours, day: int, minute: int) -> bool:
    """A naive reading of regular hours; those that do not end after they begin go on over midnight."""
    if hours.twentyfourseven is not None:
        return hours.twentyfourseven
    for each in hours.regular_hours:
        begin, end = (int(time[:2]) * 60 + int(time[3:]) for time in (each.period_begin, each.period_end))
        end = end or 24 * 60
        if end > begin:
            if each.weekday == day and begin <= minute < end:
                return True
        elif (each.weekday == day and minute >= begin) or (each.weekday % 7 + 1 == day and minute < end):
            return True
    return False


@given(WEEKS, WEEKS)
def test_it_is_open_when_both_are(one: Hours, other: Hours) -> None:
    common = hours_in_common(one, other)
    for day in range(1, 8):
        for minute in range(0, 24 * 60, 15):
            both = is_open(one, day, minute) and is_open(other, day, minute)
            assert is_open(common, day, minute) is both
