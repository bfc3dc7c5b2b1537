"""Legal pairs, time to live, and what full parking spots make of an EVSE."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from clearinghouse.domain.live_status import LEGAL, LiveStatus, Subject, Trust, combined, is_legal
from clearinghouse.ochp.live import MajorStatus, MinorStatus

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
AVAILABLE, NOT_AVAILABLE, UNKNOWN = MajorStatus.AVAILABLE, MajorStatus.NOT_AVAILABLE, MajorStatus.UNKNOWN
TRUST = Trust()

PAIRS = {
    (UNKNOWN, None),
    (AVAILABLE, None),
    (AVAILABLE, MinorStatus.AVAILABLE),
    (AVAILABLE, MinorStatus.RESERVED),
    (NOT_AVAILABLE, None),
    (NOT_AVAILABLE, MinorStatus.CHARGING),
    (NOT_AVAILABLE, MinorStatus.BLOCKED),
    (NOT_AVAILABLE, MinorStatus.RESERVED),
    (NOT_AVAILABLE, MinorStatus.OUT_OF_ORDER),
}


def status(major=AVAILABLE, minor=None, until=None, subject=Subject.EVSE, key="DEABCE1"):
    return LiveStatus(subject=subject, key=key, identifier=key, major=major, minor=minor, until=until)


def spot(major, until=None):
    return status(major, until=until, subject=Subject.PARKING, key="DEABCP1")


@pytest.mark.parametrize("pair", [*itertools.product(MajorStatus, (None, *MinorStatus))])
def test_every_pair_is_legal_or_not_as_the_table_says(pair):
    assert is_legal(*pair) is (pair in PAIRS)


def test_the_table_has_every_major_status():
    assert set(LEGAL) == set(MajorStatus)


@pytest.mark.parametrize(
    ("major", "stated", "minutes"),
    [
        (AVAILABLE, None, 5),
        (AVAILABLE, 60, 60),
        (AVAILABLE, 1, 1),
        (AVAILABLE, 48 * 60, 24 * 60),
        (NOT_AVAILABLE, None, 24 * 60),
        (NOT_AVAILABLE, 20, 20),
        (UNKNOWN, None, 24 * 60),
    ],
)
def test_a_status_is_believed_as_long_as_it_says_or_else_as_is_usual(major, stated, minutes):
    said = None if stated is None else NOON + timedelta(minutes=stated)
    assert TRUST.until(said, major, NOON) == NOON + timedelta(minutes=minutes)


def test_without_bounds_a_status_is_believed_for_ever():
    assert Trust(available=None, longest=None).until(None, AVAILABLE, NOON) is None


def test_a_status_is_unknown_from_the_end_of_its_time():
    entry = status(until=NOON)
    assert entry.at(NOON - timedelta(microseconds=1)) == entry
    assert entry.at(NOON) == status(UNKNOWN)


@pytest.mark.parametrize("evse", [status(UNKNOWN), status(NOT_AVAILABLE, MinorStatus.CHARGING, NOON)])
def test_an_evse_that_is_not_available_stays_what_it_is(evse):
    assert combined(evse, (spot(NOT_AVAILABLE),)) == evse


@pytest.mark.parametrize(
    "spots",
    [
        (),
        (None,),
        (spot(AVAILABLE),),
        (spot(UNKNOWN),),
        (spot(NOT_AVAILABLE), spot(AVAILABLE)),
        (spot(NOT_AVAILABLE), None),
    ],
)
def test_an_available_evse_with_a_spot_that_may_be_free_stays_available(spots):
    assert combined(status(), spots) == status()


def test_an_available_evse_without_a_free_spot_is_blocked_until_the_first_may_change():
    early, late = NOON, NOON + timedelta(hours=1)
    blocked = combined(status(until=late), (spot(NOT_AVAILABLE, late), spot(NOT_AVAILABLE, early)))
    assert blocked == status(NOT_AVAILABLE, MinorStatus.BLOCKED, early)
    assert combined(status(), (spot(NOT_AVAILABLE),)).until is None
