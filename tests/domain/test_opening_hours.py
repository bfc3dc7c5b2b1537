"""Opening hours: every odd form that operators send, as instants of a day, and the same by the instant."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.opening_hours import Interval, is_open, minute, open_on, plain
from clearinghouse.domain.time_zones import MAIN_ZONES, known_zone, zone_of
from clearinghouse.ochp.hours import ExceptionalPeriod, Hours, RegularHours
from tests.services.points_house import point

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 6, 1)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""Sundays of 23 and of 25 hours."""


def regular(*periods):
    return Hours(
        regular_hours=tuple(
            RegularHours(weekday=day, period_begin=begin, period_end=end) for day, begin, end in periods
        )
    )


def shown(hours, day=MONDAY, zone=BERLIN):
    """The intervals of the day by the wall clock, as `hh:mm-hh:mm`, with the day where it is another."""
    return [
        "-".join(f"{instant.astimezone(zone):%H:%M}" for instant in (each.begin, each.end))
        for each in open_on(hours, day, zone)
    ]


def period(begin, end):
    """An exceptional period on the Monday in UTC."""
    at = datetime.combine(MONDAY, datetime.min.time(), UTC)
    return ExceptionalPeriod(period_begin=at + timedelta(hours=begin), period_end=at + timedelta(hours=end))


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (regular((1, "08:00", "18:00")), ["08:00-18:00"]),
        (regular((2, "08:00", "18:00")), []),
        (regular((1, "08:00", "12:00"), (1, "13:00", "18:00")), ["08:00-12:00", "13:00-18:00"]),
        (regular((1, "08:00", "12:00"), (1, "12:00", "18:00")), ["08:00-18:00"]),
        (regular((1, "08:00", "13:00"), (1, "10:00", "18:00")), ["08:00-18:00"]),
        (regular((1, "08:00", "24:00")), ["08:00-00:00"]),
        (regular((1, "08:00", "00:00")), ["08:00-00:00"]),
        (regular((1, "00:00", "24:00")), ["00:00-00:00"]),
        (regular((1, "00:00", "00:00")), ["00:00-00:00"]),
        (regular((1, "08:00", "29:59")), ["08:00-00:00"]),
        (regular((1, "22:00", "06:00")), ["22:00-00:00"]),
        (regular((7, "22:00", "06:00")), ["00:00-06:00"]),
        (regular((7, "22:00", "00:00")), []),
        (regular((1, "08:00", "08:00")), ["08:00-00:00"]),
        (Hours(twentyfourseven=True), ["00:00-00:00"]),
        (Hours(twentyfourseven=False), []),
        (Hours(twentyfourseven=False, exceptional_openings=(period(8, 10),)), ["10:00-12:00"]),
        (Hours(twentyfourseven=True, exceptional_closings=(period(8, 10),)), ["00:00-10:00", "12:00-00:00"]),
        (Hours(twentyfourseven=True, exceptional_closings=(period(-48, 48),)), []),
        (Hours(twentyfourseven=True, exceptional_closings=(period(10, 8),)), ["00:00-00:00"]),
    ],
)
def test_a_form_of_hours_is_read_as_people_mean_it(hours, expected):
    assert shown(hours) == expected


def test_an_exceptional_opening_adds_to_regular_hours_and_does_not_beat_a_closing_within_them():
    hours = Hours(
        regular_hours=regular((1, "10:00", "14:00")).regular_hours,
        exceptional_openings=(period(6, 10),),  # 08:00 to 12:00 in Berlin
        exceptional_closings=(period(9, 10),),  # 11:00 to 12:00
    )
    assert shown(hours) == ["08:00-11:00", "12:00-14:00"]


def test_days_of_clock_changes_have_their_true_length():
    always = Hours(twentyfourseven=True)
    assert [each.end - each.begin for each in open_on(always, SPRING, BERLIN)] == [timedelta(hours=23)]
    assert [each.end - each.begin for each in open_on(always, AUTUMN, BERLIN)] == [timedelta(hours=25)]
    night = regular((7, "01:00", "04:00"))
    assert [each.end - each.begin for each in open_on(night, SPRING, BERLIN)] == [timedelta(hours=2)]
    assert [each.end - each.begin for each in open_on(night, AUTUMN, BERLIN)] == [timedelta(hours=4)]


def test_regular_hours_are_the_wall_clocks_and_not_utc():
    hours = regular((1, "08:00", "18:00"))
    assert open_on(hours, MONDAY, BERLIN) == (
        Interval(datetime(2026, 6, 1, 6, tzinfo=UTC), datetime(2026, 6, 1, 16, tzinfo=UTC)),
    )
    assert is_open(hours, datetime(2026, 6, 1, 6, tzinfo=UTC), BERLIN)
    assert not is_open(hours, datetime(2026, 6, 1, 16, tzinfo=UTC), BERLIN)


CLOCK_TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 29), st.integers(0, 59))
INSTANTS = st.integers(0, 14 * 24 * 60).map(lambda each: datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=each))
PERIODS = st.lists(st.builds(ExceptionalPeriod, period_begin=INSTANTS, period_end=INSTANTS), max_size=3).map(tuple)
REGULAR = st.builds(RegularHours, weekday=st.integers(1, 7), period_begin=CLOCK_TIMES, period_end=CLOCK_TIMES)
ANY_HOURS = st.builds(
    Hours,
    regular_hours=st.lists(REGULAR, min_size=1, max_size=7).map(tuple),
    exceptional_openings=PERIODS,
    exceptional_closings=PERIODS,
)


@given(ANY_HOURS, INSTANTS)
def test_the_intervals_of_a_day_say_what_each_instant_says(hours, at):
    intervals = open_on(hours, at.astimezone(BERLIN).date(), BERLIN)
    assert any(each.begin <= at < each.end for each in intervals) is is_open(hours, at, BERLIN)
    assert all(one.end < other.begin for one, other in itertools.pairwise(intervals))


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        ([(1, "08:00", "18:00"), (1, "07:00", "09:00")], [(1, "08:00", "18:00"), (1, "07:00", "09:00")]),
        ([(1, "08:00", "00:00")], [(1, "08:00", "24:00")]),
        ([(1, "08:00", "29:00")], [(1, "08:00", "24:00")]),
        ([(1, "22:00", "06:00")], [(1, "22:00", "24:00"), (2, "00:00", "06:00")]),
        ([(7, "22:00", "06:00")], [(1, "00:00", "06:00"), (7, "22:00", "24:00")]),
        ([(1, "22:00", "06:00"), (2, "05:00", "08:00")], [(1, "22:00", "24:00"), (2, "00:00", "08:00")]),
        ([(day, "22:00", "06:00") for day in range(1, 8)], [(day, "22:00", "06:00") for day in range(1, 8)]),
    ],
)
def test_odd_periods_become_plain_where_there_is_room(periods, expected):
    assert plain(regular(*periods).regular_hours, 7) == regular(*expected).regular_hours


@given(st.lists(REGULAR, min_size=1, max_size=7), INSTANTS)
def test_plain_periods_mean_the_same(periods, at):
    told = Hours(regular_hours=plain(periods, 14))
    assert is_open(told, at, BERLIN) is is_open(Hours(regular_hours=tuple(periods)), at, BERLIN)


def test_a_minute_never_passes_the_end_of_the_day():
    assert [minute(each) for each in ("00:00", "23:59", "24:00", "29:59")] == [0, 1439, 1440, 1440]


def test_every_country_has_a_zone_that_there_is():
    assert all(known_zone(name) for name in MAIN_ZONES.values())


@pytest.mark.parametrize(
    ("zone", "country", "expected"),
    [
        ("Europe/Lisbon", "DEU", "Europe/Lisbon"),
        (None, "DEU", "Europe/Berlin"),
        ("Europe/Nowhere", "DEU", "Europe/Berlin"),
        ("Europe", "DEU", "Europe/Berlin"),
        ("../../etc/passwd", "DEU", "Europe/Berlin"),
        ("", "DEU", "Europe/Berlin"),
        (None, "ZZZ", "UTC"),
    ],
)
def test_the_zone_is_the_stated_one_or_that_of_the_country(zone, country, expected):
    address = point().charge_point_address
    stated = point(
        time_zone=zone,
        charge_point_address=address.__class__(address="High Street", city="Town", zip_code="1", country=country),
    )
    assert str(zone_of(stated)) == expected
