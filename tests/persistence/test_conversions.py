"""The conversion log: what came again is counted, and it stays within its bounds."""

from datetime import UTC, datetime, timedelta

import pytest

from clearinghouse.ochp.versions import V1_3, V1_4
from clearinghouse.persistence.conversions import LONGEST
from clearinghouse.services.conversion_port import Shortfall

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def shortfall(**changes):
    usual = {
        "partner": "acme",
        "version": V1_3,
        "subject": "RoamingAuthorisationInfo",
        "name": "DE-PRO-C00000001",
        "field": "permissions",
        "reason": "1.3 has no such field",
        "left_out": False,
    }
    return Shortfall(**{**usual, **changes})


@pytest.fixture
def note(store):
    def note(counted, now=NOON):
        with store.single() as books:
            books.conversions.note(counted, now)

    return note


@pytest.fixture
def recent(store):
    def recent(*arguments):
        with store.single() as books:
            return books.conversions.recent(*arguments)

    return recent


def test_the_same_loss_again_is_counted_with_its_first_and_last_time(note, recent):
    note({shortfall(): 2})
    note({shortfall(): 3}, NOON + timedelta(days=1))
    (line,) = recent()
    assert (line.times, line.first_at, line.last_at) == (5, NOON, NOON + timedelta(days=1))
    assert (line.partner, line.version, line.name, line.left_out) == ("acme", V1_3, "DE-PRO-C00000001", False)


@pytest.mark.parametrize(
    "changes",
    [
        {"partner": "other"},
        {"version": V1_4},
        {"subject": "CDRInfo"},
        {"name": "DE-PRO-C00000002"},
        {"field": "printedNumber"},
        {"reason": "another"},
        {"left_out": True},
    ],
)
def test_a_loss_that_differs_in_anything_is_a_line_of_its_own(note, recent, changes):
    note({shortfall(): 1, shortfall(**changes): 1})
    assert [line.times for line in recent()] == [1, 1]


def test_a_reader_finds_its_own_lines_the_newest_first(note, recent):
    note({shortfall(name="old"): 1})
    note({shortfall(name="new"): 1, shortfall(partner="other"): 1}, NOON + timedelta(hours=1))
    assert [line.name for line in recent("acme")] == ["new", "old"]
    assert len(recent(None, 2)) == 2


def test_names_that_agree_in_all_that_is_kept_of_them_share_a_line(note, recent):
    note({shortfall(name="x" * LONGEST + "1"): 1, shortfall(name="x" * LONGEST + "2"): 1})
    (line,) = recent()
    assert (line.name, line.times) == ("x" * LONGEST, 2)


def test_the_log_forgets_what_does_not_come_again_and_keeps_a_number_of_lines_for_each_reader(store, note, recent):
    for minute in range(5):
        note(
            {shortfall(name=f"{minute}"): 1, shortfall(partner="other", name=f"{minute}"): 1},
            NOON.replace(minute=minute),
        )
    with store.single() as books:
        assert books.conversions.forget(NOON.replace(minute=1), 3) == 4
    assert [line.name for line in recent("acme")] == ["4", "3", "2"]
    assert [line.name for line in recent("other")] == ["4", "3", "2"]
