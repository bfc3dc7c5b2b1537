"""The day of the tokens and what the cycle asks for, situation by situation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.token_cycle import (
    BEAT,
    HOUSE_CHORES,
    REFRESH,
    RETRY,
    Action,
    Chore,
    CycleState,
    DayState,
    Standing,
    due,
    is_late,
    standing_of,
)
from clearinghouse.domain.token_day import accepts, accepts_from, is_for_sending, sending_day, valid_from, valid_until
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_3

DAY = date(2026, 1, 2)
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
SECOND = timedelta(seconds=1)


def at(hour: int, minute: int, second: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)


def test_a_day_is_valid_for_24_hours_and_40_minutes() -> None:
    assert valid_from(DAY) == at(23, 50, day=BEFORE)
    assert valid_until(DAY) == at(0, 30, day=AFTER)
    assert valid_until(DAY) - valid_from(DAY) == timedelta(hours=24, minutes=40)


@pytest.mark.parametrize(
    ("now", "passes"),
    [
        (at(23, 50, day=BEFORE) - SECOND, False),
        (at(23, 50, day=BEFORE), True),
        (at(12, 0), True),
        (at(0, 30, day=AFTER), True),
        (at(0, 30, day=AFTER) + SECOND, False),
    ],
)
def test_tokens_pass_within_their_window_only(now: datetime, passes: bool) -> None:
    assert accepts(DAY, DAY, now) is passes


def test_mixed_days_are_refused_even_where_both_are_valid() -> None:
    midnight = at(0, 0)
    assert accepts(BEFORE, BEFORE, midnight)
    assert accepts(DAY, DAY, midnight)
    assert not accepts(BEFORE, DAY, midnight)
    assert not accepts(DAY, BEFORE, midnight)


def test_the_sending_day_is_of_utc_whatever_the_zone() -> None:
    berlin = datetime(2026, 1, 3, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert sending_day(berlin) == DAY


def endpoint(day: date = DAY, static_until: datetime | None = None) -> Endpoint:
    return Endpoint(
        partner="DE823",
        role=Role.OPERATOR,
        url="https://cms.example/",
        version=V1_3,
        access_token="a token",
        day=day,
        whitelist=("DE823E%",),
        uploaded_at=at(0, 31, day=BEFORE),
        valid_until=static_until,
    )


def test_a_static_token_goes_with_any_own_day_until_it_ends() -> None:
    static = endpoint(day=date(2026, 6, 1), static_until=at(12, 0))
    assert accepts_from(static, DAY, at(12, 0))
    assert not accepts_from(static, DAY, at(12, 0, 1))
    assert not accepts_from(static, AFTER, at(11, 0))
    assert is_for_sending(static, at(12, 0))
    assert not is_for_sending(static, at(12, 0, 1))


def test_a_token_of_a_day_goes_with_the_same_day_only() -> None:
    assert accepts_from(endpoint(), DAY, at(12, 0))
    assert not accepts_from(endpoint(), AFTER, at(23, 55))
    assert is_for_sending(endpoint(), at(23, 59))
    assert not is_for_sending(endpoint(), at(23, 59, day=BEFORE))


DONE = DayState(day=DAY, made=True, uploaded_at=at(0, 31, day=BEFORE), fetched_at=at(11, 50))
NEXT = DayState(day=AFTER, made=True, uploaded_at=at(0, 31), fetched_at=None)


def state(*days: DayState) -> CycleState:
    return CycleState(days=days)


def chores(now: datetime, *days: DayState) -> list[tuple[str, date]]:
    return [(str(action.chore), action.day) for action in due(now, state(*days))]


def test_the_first_day_makes_and_exchanges_two_days_at_once() -> None:
    assert chores(at(9, 0)) == [
        ("make", DAY),
        ("make", AFTER),
        ("upload", DAY),
        ("upload", AFTER),
        ("fetch", DAY),
        ("fetch", AFTER),
    ]


def test_nothing_is_due_where_all_is_done() -> None:
    assert chores(at(12, 0), DONE, NEXT) == []


def test_the_day_before_is_purged_after_its_last_instant() -> None:
    past = DayState(day=BEFORE, made=True)
    assert Action(Chore.PURGE, DAY) not in due(at(0, 30), state(past, DONE))
    assert Action(Chore.PURGE, DAY) in due(at(0, 30, 1), state(past, DONE))
    assert due(at(0, 31), state(past), HOUSE_CHORES) == (Action(Chore.PURGE, DAY),)


def test_the_next_day_is_made_at_half_past_midnight_and_uploaded_a_minute_later() -> None:
    fresh = replace(DONE, fetched_at=at(0, 20))
    made = DayState(day=AFTER, made=True)
    assert chores(at(0, 29, 59), fresh) == []
    assert chores(at(0, 30), fresh) == [("make", AFTER)]
    assert chores(at(0, 30, 59), fresh, made) == []
    assert chores(at(0, 31), fresh, made) == [("upload", AFTER)]


def test_an_upload_is_tried_again_every_ten_minutes_and_after_the_guard_band_too() -> None:
    tried = replace(NEXT, uploaded_at=None, upload_tried_at=at(11, 50))
    assert chores(at(11, 59), DONE, tried) == []
    assert chores(at(12, 0), DONE, tried) == [("upload", AFTER)]
    assert not is_late(AFTER, at(11, 54, 59))
    assert is_late(AFTER, at(11, 55))


def test_the_next_day_is_downloaded_after_five_past_noon_until_it_succeeds() -> None:
    fresh = replace(DONE, fetched_at=at(12, 0))
    tried = replace(NEXT, fetch_tried_at=at(12, 6))
    assert chores(at(12, 5), fresh, NEXT) == []
    assert chores(at(12, 6), fresh, NEXT) == [("fetch", AFTER)]
    assert chores(at(12, 6) + RETRY - SECOND, fresh, tried) == []
    assert chores(at(12, 6) + RETRY, fresh, tried) == [("fetch", AFTER)]


def test_a_download_is_repeated_within_the_hour_so_that_late_uploads_heal() -> None:
    fetched = replace(NEXT, fetched_at=at(14, 0), fetch_tried_at=at(14, 0))
    fresh = replace(DONE, fetched_at=at(14, 0), fetch_tried_at=at(14, 0))
    assert chores(at(14, 0) + REFRESH - SECOND, fresh, fetched) == []
    assert chores(at(14, 0) + REFRESH, fresh, fetched) == [("fetch", DAY), ("fetch", AFTER)]
    assert timedelta(hours=1) >= REFRESH + BEAT


def test_what_is_missing_today_is_tried_at_every_beat() -> None:
    tried = DayState(day=DAY, made=True, upload_tried_at=at(9, 0), fetch_tried_at=at(9, 0))
    assert chores(at(9, 0) + BEAT - SECOND, tried, NEXT) == []
    assert chores(at(9, 0) + BEAT, tried, NEXT) == [("upload", DAY), ("fetch", DAY)]


def test_what_is_missing_shortly_before_its_day_is_tried_at_every_beat() -> None:
    fresh = replace(DONE, fetched_at=at(23, 30))
    tried = replace(NEXT, fetch_tried_at=at(23, 30))
    assert chores(at(23, 35), fresh, tried) == [("fetch", AFTER)]
    fresh = replace(DONE, fetched_at=at(22, 30))
    assert chores(at(22, 35), fresh, replace(NEXT, fetch_tried_at=at(22, 30))) == []


def test_an_attempt_in_the_future_was_of_a_clock_since_corrected() -> None:
    wrong = at(12, 0) + timedelta(days=30)
    tried = replace(NEXT, uploaded_at=None, upload_tried_at=wrong)
    assert chores(at(10, 0), replace(DONE, fetched_at=wrong), tried) == [("upload", AFTER), ("fetch", DAY)]


def test_asking_twice_changes_nothing() -> None:
    assert due(at(12, 6), state(DONE, NEXT)) == due(at(12, 6), state(DONE, NEXT))


def test_the_order_of_the_days_does_not_matter() -> None:
    assert due(at(12, 6), state(DONE, NEXT)) == due(at(12, 6), state(NEXT, DONE))


def test_the_zone_of_the_clock_does_not_matter() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for hour in range(24):
        now = at(hour, 33)
        assert due(now, state(DONE)) == due(now.astimezone(berlin), state(DONE))


@pytest.mark.parametrize(
    ("day", "now", "standing"),
    [
        (DayState(day=AFTER), at(12, 0), Standing.MISSING),
        (DayState(day=AFTER, made=True), at(12, 0), Standing.MADE),
        (NEXT, at(12, 0), Standing.UPLOADED),
        (replace(NEXT, fetched_at=at(12, 6)), at(12, 7), Standing.READY),
        (DONE, at(23, 59), Standing.IN_USE),
        (replace(DONE, fetched_at=None), at(23, 59), Standing.UPLOADED),
        (DONE, at(0, 30, day=AFTER), Standing.ACCEPTED),
        (DONE, at(0, 30, 1, day=AFTER), Standing.ENDED),
    ],
)
def test_a_days_tokens_have_a_word(day: DayState, now: datetime, standing: Standing) -> None:
    assert standing_of(day, now) is standing
