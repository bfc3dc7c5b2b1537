"""The availability filter of the annex, step by step."""

from datetime import UTC, datetime, timedelta

import pytest

from clearinghouse.domain.availability import Step, removed_by, usable_now
from clearinghouse.domain.charge_points import closed, status_at
from clearinghouse.ochp.charge_points import ChargePointStatus, StatusSchedule
from clearinghouse.ochp.hours import ExceptionalPeriod, Hours, RegularHours
from clearinghouse.ochp.live import MajorStatus
from tests.services.points_house import point

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday, 14:00 in Germany
NOW = (ExceptionalPeriod(period_begin=NOON - timedelta(hours=1), period_end=NOON + timedelta(hours=1)),)
INSIDE = (RegularHours(weekday=1, period_begin="08:00", period_end="18:00"),)
OUTSIDE = (RegularHours(weekday=1, period_begin="08:00", period_end="13:00"),)
AVAILABLE = MajorStatus.AVAILABLE
OPERATIVE, INOPERATIVE = ChargePointStatus.OPERATIVE, ChargePointStatus.INOPERATIVE


def schedule(status, begin, end=None):
    return StatusSchedule(
        start_date=NOON + timedelta(days=begin), end_date=end and NOON + timedelta(days=end), status=status
    )


@pytest.mark.parametrize("status", ChargePointStatus)
def test_only_an_operative_point_passes_step_a(status):
    expected = None if status is OPERATIVE else Step.OUT_OF_SERVICE
    assert removed_by(point(status=status), AVAILABLE, NOON) is expected


def test_a_point_without_a_status_is_operative_where_it_has_a_live_status():
    assert removed_by(point(status=None), AVAILABLE, NOON) is None
    assert removed_by(point(status=None), None, NOON) is Step.OUT_OF_SERVICE


@pytest.mark.parametrize(
    ("schedules", "expected"),
    [
        ((), OPERATIVE),
        ((schedule(INOPERATIVE, -1),), INOPERATIVE),
        ((schedule(INOPERATIVE, -1, 1),), INOPERATIVE),
        ((schedule(INOPERATIVE, 0, 1),), INOPERATIVE),
        ((schedule(INOPERATIVE, -2, -1),), OPERATIVE),
        ((schedule(INOPERATIVE, 1),), OPERATIVE),
        ((schedule(INOPERATIVE, -3), schedule(OPERATIVE, -1)), OPERATIVE),
        ((schedule(OPERATIVE, -1), schedule(INOPERATIVE, -3)), OPERATIVE),
    ],
)
def test_a_scheduled_status_beats_the_other_while_it_lasts(schedules, expected):
    assert status_at(point(status_schedule=schedules), NOON) is expected
    removed = removed_by(point(status_schedule=schedules), AVAILABLE, NOON)
    assert removed is (None if expected is OPERATIVE else Step.OUT_OF_SERVICE)


def test_a_point_that_went_is_closed_whatever_was_scheduled():
    gone = closed(point(status_schedule=(schedule(OPERATIVE, -1),)))
    assert status_at(gone, NOON) is ChargePointStatus.CLOSED


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (None, None),
        (Hours(twentyfourseven=True), None),
        (Hours(twentyfourseven=False), Step.OUTSIDE_HOURS),
        (Hours(regular_hours=INSIDE), None),
        (Hours(regular_hours=OUTSIDE), Step.OUTSIDE_HOURS),
        (Hours(regular_hours=INSIDE, exceptional_closings=NOW), Step.CLOSED_TODAY),
        (Hours(twentyfourseven=True, exceptional_closings=NOW), Step.CLOSED_TODAY),
        (Hours(regular_hours=OUTSIDE, exceptional_openings=NOW), None),
        (Hours(twentyfourseven=False, exceptional_openings=NOW), None),
        (Hours(regular_hours=INSIDE, exceptional_openings=NOW, exceptional_closings=NOW), Step.CLOSED_TODAY),
        (Hours(regular_hours=OUTSIDE, exceptional_openings=NOW, exceptional_closings=NOW), None),
    ],
)
def test_hours_are_passed_as_steps_b_to_d_say(hours, expected):
    assert removed_by(point(opening_times=hours), AVAILABLE, NOON) is expected
    assert removed_by(point(access_times=hours), AVAILABLE, NOON) is expected


@pytest.mark.parametrize("live", [None, *MajorStatus])
def test_only_a_live_status_of_available_passes_step_f(live):
    assert removed_by(point(), live, NOON) is (None if live is AVAILABLE else Step.NOT_AVAILABLE)


def test_the_points_that_can_be_used_are_left():
    points = [point("DE*ABC*E1"), point("DEABCE2"), point("DEABCE3", status=ChargePointStatus.PLANNED)]
    live = {"DEABCE1": AVAILABLE, "DEABCE2": MajorStatus.NOT_AVAILABLE, "DEABCE3": AVAILABLE}
    assert [each.evse_id for each in usable_now(points, live, NOON)] == ["DE*ABC*E1"]
