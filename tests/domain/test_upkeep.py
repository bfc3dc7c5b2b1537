"""What is due at the house, from what was done when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.status_upload import ToldStatus, to_tell
from clearinghouse.domain.upkeep import LONGEST_PAUSE, RULES, Chore, Progress, due, is_doubtful, pause
from clearinghouse.ochp.live import EvseStatus, MajorStatus, MinorStatus

NOON = datetime(2027, 1, 10, 12, tzinfo=UTC)
ALL = frozenset(Chore)
OPERATORS = frozenset(list(Chore)[: list(Chore).index(Chore.SET_ROAMING_LIST)])
PROVIDERS = ALL - OPERATORS


def done(chore, ago=timedelta(0), **rest):
    return Progress(chore=chore, succeeded_at=NOON - ago, tried_at=NOON - ago, **rest)


def journal(*entries):
    return {each.chore: each for each in entries}


def test_every_chore_has_a_rule():
    assert RULES.keys() == ALL


def test_at_first_everything_whole_is_fetched_and_sent():
    assert due(NOON, {}, OPERATORS, ()) == (Chore.SET_CHARGE_POINTS, Chore.GET_ROAMING_LIST, Chore.CHECK_CDRS)
    downloads = (Chore.GET_CHARGE_POINTS, Chore.GET_TARIFFS, Chore.GET_STATUS, Chore.GET_CDRS)
    assert due(NOON, {}, PROVIDERS, ()) == downloads


def test_what_is_whole_spares_its_parts():
    assert due(NOON, {}, OPERATORS, ALL) == (
        Chore.SET_CHARGE_POINTS,
        Chore.UPDATE_TARIFFS,
        Chore.UPDATE_STATUS,
        Chore.GET_ROAMING_LIST,
        Chore.ADD_CDRS,
        Chore.CHECK_CDRS,
    )
    assert due(NOON, {}, PROVIDERS, ALL) == (
        Chore.SET_ROAMING_LIST,
        Chore.GET_CHARGE_POINTS,
        Chore.GET_TARIFFS,
        Chore.GET_STATUS,
        Chore.GET_CDRS,
        Chore.CONFIRM_CDRS,
    )


def test_changes_follow_a_whole_list_by_minutes_and_the_next_whole_one_by_a_day():
    mine = (Chore.GET_ROAMING_LIST, Chore.GET_ROAMING_UPDATES)
    whole = done(Chore.GET_ROAMING_LIST, timedelta(minutes=4))
    assert due(NOON, journal(whole), mine, ()) == ()
    whole = done(Chore.GET_ROAMING_LIST, timedelta(minutes=5))
    assert due(NOON, journal(whole), mine, ()) == (Chore.GET_ROAMING_UPDATES,)
    whole = done(Chore.GET_ROAMING_LIST, timedelta(days=1))
    fresh = done(Chore.GET_ROAMING_UPDATES, timedelta(minutes=1))
    assert due(NOON, journal(whole, fresh), mine, ()) == (Chore.GET_ROAMING_LIST,)


def test_a_rhythm_of_ones_own_holds():
    fresh = done(Chore.CHECK_CDRS, timedelta(seconds=30))
    assert due(NOON, journal(fresh), OPERATORS, (), {Chore.CHECK_CDRS: timedelta(seconds=20)})[-1] is Chore.CHECK_CDRS


def test_a_failure_pauses_its_chore_alone():
    failed = Progress(chore=Chore.ADD_CDRS, tried_at=NOON - timedelta(seconds=5), failures=1)
    mine = (Chore.ADD_CDRS, Chore.UPDATE_STATUS)
    assert due(NOON, journal(failed), mine, mine) == (Chore.UPDATE_STATUS,)
    assert due(NOON + timedelta(seconds=5), journal(failed), mine, mine) == (Chore.UPDATE_STATUS, Chore.ADD_CDRS)


@given(st.integers(1, 10_000))
def test_pauses_grow_to_a_quarter_of_an_hour(failures):
    assert pause(failures) <= pause(failures + 1) <= LONGEST_PAUSE


def test_a_clock_that_was_set_back_holds_up_nothing():
    ahead = done(Chore.CHECK_CDRS, -timedelta(days=400))
    assert due(NOON, journal(ahead), (Chore.CHECK_CDRS,), ()) == (Chore.CHECK_CDRS,)


@pytest.mark.parametrize(
    ("entries", "doubtful"),
    [
        ((), True),
        ((done(Chore.GET_ROAMING_LIST, timedelta(hours=7)),), True),
        ((done(Chore.GET_ROAMING_LIST, timedelta(hours=5)),), False),
        ((done(Chore.GET_ROAMING_LIST), done(Chore.GET_ROAMING_UPDATES, failures=3)), True),
        ((done(Chore.GET_ROAMING_LIST), done(Chore.GET_ROAMING_UPDATES, failures=2)), False),
    ],
)
def test_the_copy_of_the_list_is_doubted_after_a_gap_or_failures(entries, doubtful):
    assert is_doubtful(NOON, journal(*entries), Chore.GET_ROAMING_LIST, Chore.GET_ROAMING_UPDATES) is doubtful


# -- Live status ---------------------------------------------------------------------------------------------------


def status(minor=MinorStatus.AVAILABLE, ttl=timedelta(minutes=5)):
    major = MajorStatus.AVAILABLE if minor is MinorStatus.AVAILABLE else MajorStatus.NOT_AVAILABLE
    return EvseStatus(evse_id="DE*OPS*E1", major=major, minor=minor, ttl=None if ttl is None else NOON + ttl)


def told(**of):
    each = status(**of)
    return {each.evse_id: ToldStatus(major=each.major, minor=each.minor, ttl=each.ttl)}


@pytest.mark.parametrize(
    ("known", "is_news"),
    [
        ({}, True),
        (told(), False),
        (told(minor=MinorStatus.CHARGING), True),
        (told(ttl=timedelta(minutes=2)), False),
        (told(ttl=timedelta(minutes=1)), True),
        (told(ttl=-timedelta(hours=1)), True),
        (told(ttl=None), False),
    ],
)
def test_status_is_told_on_change_and_before_it_runs_out(known, is_news):
    assert bool(to_tell(NOON, [status()], known)) is is_news


def test_a_status_that_gets_no_more_time_is_not_repeated():
    ending = status(ttl=timedelta(seconds=30))
    assert to_tell(NOON, [ending], told(ttl=timedelta(seconds=30))) == []
