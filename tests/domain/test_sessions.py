"""The session's table of states and moves, its deadlines and its limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.sessions import (
    OPEN,
    TRANSITIONS,
    Deadlines,
    Limits,
    Move,
    Reading,
    Session,
    State,
    answer_to,
    next_state,
)
from clearinghouse.ochp.results import DirectResultCode

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
EVERY_PAIR = [(state, move) for state in State for move in Move]

LEGAL = """
selected: start>starting release>closed time-out>expired
starting: start>starting connect>charging change>starting end>ended release>closed stop>ended time-out>expired
charging: start>charging change>charging end>ended release>closed stop>ended time-out>ended
ended: start>starting end>ended release>closed stop>ended time-out>closed
closed:
expired:
"""


def legal() -> dict[tuple[State, Move], State]:
    told = {}
    for line in LEGAL.split("\n")[1:-1]:
        state, _, moves = line.partition(":")
        for move, _, after in (each.partition(">") for each in moves.split()):
            told[State(state), Move(move)] = State(after)
    return told


def test_the_table_says_what_the_protocol_says() -> None:
    assert legal() == TRANSITIONS


@pytest.mark.parametrize(("state", "move"), EVERY_PAIR)
def test_every_move_in_every_state_is_legal_or_answered(state: State, move: Move) -> None:
    after = next_state(state, move)
    if after is not None:
        assert state in OPEN
        assert answer_to(state, move) is DirectResultCode.OK
    else:
        refused = DirectResultCode.PARTLY if state in OPEN else DirectResultCode.INVALID_ID
        assert answer_to(state, move) is refused


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_session_can_be_released_and_times_out(state: State) -> None:
    assert next_state(state, Move.RELEASE) is State.CLOSED
    assert next_state(state, Move.TIME_OUT) is not None
    assert Deadlines().of(state, NOW) is not None


@pytest.mark.parametrize("state", sorted(OPEN))
def test_time_outs_alone_lead_out_of_every_open_state(state: State) -> None:
    passed = 0
    while state in OPEN:
        after = next_state(state, Move.TIME_OUT)
        assert after is not None
        state, passed = after, passed + 1
    assert passed <= 2


@pytest.mark.parametrize("state", [State.CLOSED, State.EXPIRED])
def test_what_is_over_stays_over(state: State) -> None:
    assert [move for move in Move if next_state(state, move)] == []
    assert Deadlines().of(state, NOW) is None
    assert not session(state=state).is_open


def test_a_change_before_the_start_is_answered_partly() -> None:
    assert answer_to(State.SELECTED, Move.CHANGE) is DirectResultCode.PARTLY


def test_ending_twice_is_ok() -> None:
    assert answer_to(State.ENDED, Move.END) is DirectResultCode.OK


def test_a_release_while_charging_ends_and_closes() -> None:
    assert next_state(State.CHARGING, Move.RELEASE) is State.CLOSED


@pytest.mark.parametrize(
    ("state", "minutes"), [(State.SELECTED, 5), (State.STARTING, 5), (State.CHARGING, 24 * 60), (State.ENDED, 15)]
)
def test_the_deadlines_are_the_recommended_ones(state: State, minutes: int) -> None:
    assert Deadlines().of(state, NOW) == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("asked", "granted"), [(None, 5), (-1, 5), (0, 5), (1, 1), (20, 20), (30, 30), (31, 30), (600, 30)]
)
def test_a_reservation_is_granted_as_asked_up_to_the_longest(asked: int | None, granted: int) -> None:
    until = None if asked is None else NOW + timedelta(minutes=asked)
    assert Deadlines().reservation(NOW, until) == NOW + timedelta(minutes=granted)


def test_an_evse_may_give_another_longest_reservation() -> None:
    until = NOW + timedelta(hours=5)
    assert Deadlines().reservation(NOW, until, timedelta(hours=2)) == NOW + timedelta(hours=2)
    assert Deadlines().reservation(NOW, until, timedelta(0)) == NOW


def test_newer_limits_go_over_older_ones_and_leave_the_rest() -> None:
    older = Limits(max_power=Decimal(11), max_energy=Decimal(20), one_phase=True)
    newer = Limits(max_power=Decimal(0), one_phase=False, departure=NOW)
    merged = Limits(max_power=Decimal(0), max_energy=Decimal(20), one_phase=False, departure=NOW)
    assert older.merged(newer) == merged


def session(**changes: object) -> Session:
    valid: dict[str, object] = {
        "direct_id": "A-1",
        "evse_id": "DE*823*E1",
        "evse_key": "DE823E1",
        "contract_id": "NLTNMC00122045K",
        "state": State.CHARGING,
        "deadline": NOW,
        "selected_at": NOW,
    }
    return Session(**{**valid, **changes})


def test_energy_is_what_the_meter_moved_since_the_start() -> None:
    reading = Reading(meter=Decimal("1003.5"), power=Decimal(11), at=NOW)
    assert session(meter_start=Decimal("1000.25"), reading=reading).energy == Decimal("3.25")
    assert session(reading=reading).energy == 0
    assert session(meter_start=Decimal(1)).energy == 0
