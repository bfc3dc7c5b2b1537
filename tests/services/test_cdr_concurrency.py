"""Uploads, downloads and decisions at the same time, in threads of their own."""

from functools import partial

import pytest

from clearinghouse.domain.cdr_life import DECISIONS, Move
from clearinghouse.domain.cdrs import key_of
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.versions import V1_3
from tests.cdr_builders import cdr, cheaper, hours_later
from tests.services.cdr_house import CdrHouse, at_once, code

KEY = key_of(cdr())
ROUNDS = 6


@pytest.fixture
def house(store):
    return CdrHouse(store)


def numbered(number):
    return hours_later(cdr(cdr_id=f"DEOPS{number:04}"), -2 * number)


def assert_history_is_a_life(house, key):
    """Each line begins where the one before ended, and the last tells the status."""
    lines = house.history(key)
    states = [None, *(each.after for each in lines)]
    assert [each.before for each in lines] == states[:-1]
    assert house.record(key).info.status == states[-1]
    return lines


def test_of_two_contrary_decisions_at_once_one_counts(house):
    for number in range(ROUNDS):
        each = numbered(number)
        house.add(each)
        first, second = at_once(partial(house.confirm, approved=[each]), partial(house.confirm, declined=[each]))
        assert {code(first), code(second)} == {"ok", "invalid-id"}
        lines = assert_history_is_a_life(house, key_of(each))
        winner = Move.APPROVE if code(first) == "ok" else Move.DECLINE
        assert (len(lines), lines[-1].move, lines[-1].after) == (2, winner, DECISIONS[winner])


def test_the_same_decision_twice_at_once_is_made_once(house):
    for number in range(ROUNDS):
        each = numbered(number)
        house.add(each)
        answers = at_once(*[partial(house.confirm, approved=[each])] * 3)
        assert [code(answer) for answer in answers] == ["ok"] * 3
        assert len(assert_history_is_a_life(house, key_of(each))) == 2


def test_a_revision_during_a_confirmation_is_never_confirmed_unseen(house):
    for number in range(3 * ROUNDS):
        each = numbered(number)
        house.add(each)
        house.get()
        revision = cheaper(each, status=CdrStatus.REVISED)
        revised, confirmed = at_once(partial(house.add, revision), partial(house.confirm, approved=[each]))
        lines = assert_history_is_a_life(house, key_of(each))
        record = house.record(key_of(each))
        if code(confirmed) == "ok":
            assert code(revised) == "format"
            assert record.info == cdr_with(each, CdrStatus.APPROVED)
        else:
            assert (code(confirmed), code(revised)) == ("invalid-id", "ok")
            assert record.info == revision
        assert len(lines) == 2


def cdr_with(given, status):
    return hours_later(given, 0, status=status)


@pytest.mark.parametrize("same", [True, False])
def test_two_uploads_of_one_id_at_once_store_one_cdr(house, same):
    for number in range(ROUNDS):
        each = numbered(number)
        other = each if same else cheaper(each)
        answers = at_once(partial(house.add, each), partial(house.add, other))
        assert sorted(code(answer) for answer in answers) == (["ok", "ok"] if same else ["format", "ok"])
        assert len(house.history(key_of(each))) == 1


def test_overlapping_uploads_decisions_and_downloads_in_any_order_wait_for_nobody_forever(house):
    many = [numbered(number) for number in range(12)]
    house.add(*many)
    house.get()
    revised = [cheaper(each, status=CdrStatus.REVISED) for each in many]
    at_once(
        lambda: house.add(*revised[::-1]),
        lambda: house.add(*many),
        lambda: house.confirm(approved=many[::-1]),
        lambda: house.confirm(declined=many),
        house.get,
        lambda: house.get(version=V1_3),
    )
    for each in many:
        assert_history_is_a_life(house, key_of(each))


def test_a_download_during_a_revision_does_not_count_for_it(house):
    for number in range(ROUNDS):
        each = numbered(number)
        house.add(each)
        revision = cheaper(each, status=CdrStatus.REVISED)
        answer, _ = at_once(house.get, partial(house.add, revision))
        got = next(one for one in answer.cdr_info_array if one.cdr_id == each.cdr_id)
        confirmed = house.confirm(approved=[each])
        saw_revision = got.status is CdrStatus.REVISED
        assert code(confirmed) == ("ok" if saw_revision else "invalid-id")
        house.get()
        assert code(house.confirm(approved=[each])) == "ok"
