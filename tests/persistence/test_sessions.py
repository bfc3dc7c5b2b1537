"""Sessions of an operator: one open session per EVSE, locks, deadlines."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from threading import Barrier

import pytest
from sqlalchemy import func, select

from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.sessions import OPEN, Limits, Reading, Session, State
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.persistence.tables import session
from clearinghouse.services.stations_port import Reservation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SELECTED = Session(
    direct_id="D-1",
    evse_id="DE*SWB*E1",
    evse_key="DESWBE1",
    contract_id="DE-FAS-C00000001",
    state=State.SELECTED,
    deadline=NOW + timedelta(minutes=5),
    selected_at=NOW,
)
FULL = replace(
    SELECTED,
    state=State.CHARGING,
    started_at=NOW,
    limits=Limits(max_power=Decimal("11.050"), one_phase=False, departure=NOW),
    meter_start=Decimal("100.1"),
    reading=Reading(meter=Decimal("101.25"), power=Decimal(11), at=NOW.astimezone(timezone(timedelta(hours=2)))),
    told_energy=Decimal("1.10"),
    told_at=NOW,
    local=True,
)


def test_a_session_comes_back_digit_for_digit(store: PostgresStore) -> None:
    with store.single() as books:
        assert books.sessions.open(FULL) is None
    with store.single() as books:
        found = books.sessions.get("D-1")
    assert found == FULL
    assert found is not None
    assert found.limits.max_power is not None
    assert str(found.limits.max_power) == "11.050"
    assert found.reading is not None
    assert found.reading.at.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("state", State)
def test_only_an_open_session_holds_its_evse(store: PostgresStore, state: State) -> None:
    first, second = replace(SELECTED, state=state), replace(SELECTED, direct_id="D-2")
    with store.books() as books:
        books.sessions.open(first)
        assert books.sessions.open(second) == (first if state in OPEN else None)
        assert (books.sessions.get("D-2") is None) == (state in OPEN)
        assert books.sessions.open_at("DESWBE1") == (first if state in OPEN else second)


def test_a_closed_session_frees_its_evse(store: PostgresStore) -> None:
    with store.books() as books:
        books.sessions.open(SELECTED)
        books.sessions.save(replace(SELECTED, state=State.CLOSED, deadline=None))
        assert books.sessions.open_at("DESWBE1") is None
        assert books.sessions.open(replace(SELECTED, direct_id="D-2")) is None


def test_a_session_that_was_never_opened_cannot_be_saved(store: PostgresStore) -> None:
    with pytest.raises(UnknownId, match="'D-1'"), store.single() as books:
        books.sessions.save(SELECTED)


def test_sixteen_at_once_get_one_session_and_all_others_its_holder(store: PostgresStore) -> None:
    barrier = Barrier(16)

    def select_evse(direct_id: str, evse_key: str) -> Session | None:
        barrier.wait()
        with store.single() as books:
            return books.sessions.open(replace(SELECTED, direct_id=direct_id, evse_key=evse_key))

    with ThreadPoolExecutor(16) as pool:
        for evse_key in (f"DESWBE{n}" for n in range(10)):
            ids = [f"{evse_key}-{n}" for n in range(16)]
            answers = list(pool.map(select_evse, ids, [evse_key] * 16))
            assert answers.count(None) == 1
            assert {each.direct_id for each in answers if each} == {ids[answers.index(None)]}
    with store._transactions.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(session)) == 10


KEPT = Reservation(evse_key="DESWBE1", document={"by": "D-1"}, until=NOW)


def test_a_new_session_keeps_its_idle_evse_over_what_that_remembers(store: PostgresStore) -> None:
    with store.books() as books:
        books.simulated.put("DESWBE1", {"by": "nobody", "meter": "7.5"}, idle=True, wakes_at=None)
    with store.single() as books:
        assert books.sessions.open_reserved(SELECTED, KEPT) == (None, True)
    with store.books() as books:
        assert books.simulated.due(NOW) == {"DESWBE1": {"by": "D-1", "meter": "7.5"}}
        assert books.sessions.get("D-1") == SELECTED


def test_a_session_whose_evse_is_not_idle_is_opened_and_keeps_nothing(store: PostgresStore) -> None:
    with store.books() as books:
        books.simulated.put("DESWBE1", {"by": "a card"}, idle=False, wakes_at=None)
    with store.single() as books:
        assert books.sessions.open_reserved(SELECTED, KEPT) == (None, False)
    with store.books() as books:
        assert books.simulated.get("DESWBE1") == {"by": "a card"}
        assert books.sessions.open_at("DESWBE1") == SELECTED


def test_a_session_that_meets_another_keeps_nothing(store: PostgresStore) -> None:
    with store.books() as books:
        books.sessions.open(SELECTED)
    with store.single() as books:
        assert books.sessions.open_reserved(replace(SELECTED, direct_id="D-2"), KEPT) == (SELECTED, False)
    with store.books() as books:
        assert books.simulated.get("DESWBE1") is None


def test_of_sixteen_at_once_one_keeps_the_evse(store: PostgresStore) -> None:
    barrier = Barrier(16)

    def select_evse(direct_id: str) -> tuple[Session | None, bool]:
        barrier.wait()
        with store.single() as books:
            return books.sessions.open_reserved(
                replace(SELECTED, direct_id=direct_id), replace(KEPT, document={"by": direct_id})
            )

    ids = [f"D-{number}" for number in range(16)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(select_evse, ids))
    first = ids[answers.index((None, True))]
    assert [each.direct_id for each, kept in answers if each and not kept] == [first] * 15
    with store.books() as books:
        assert books.simulated.get("DESWBE1") == {"by": first}


def test_a_locked_session_waits_for_its_holder(store: PostgresStore) -> None:
    with store.books() as books:
        books.sessions.open(SELECTED)

    def add_energy(_: int) -> None:
        with store.books() as books:
            found = books.sessions.get("D-1", lock=True)
            assert found is not None
            books.sessions.save(replace(found, told_energy=found.told_energy + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_energy, range(40)))
    with store.single() as books:
        found = books.sessions.get("D-1")
    assert found is not None
    assert found.told_energy == 40


def test_overdue_sessions_come_oldest_first_and_never_to_two(store: PostgresStore) -> None:
    sessions = [
        replace(SELECTED, direct_id=f"D-{n}", evse_key=f"DESWBE{n}", deadline=NOW + timedelta(minutes=9 - n))
        for n in range(4)
    ]
    closed = replace(SELECTED, direct_id="D-closed", state=State.EXPIRED, deadline=NOW)
    with store.books() as books:
        for each in [*sessions, closed]:
            books.sessions.open(each)
    at = NOW + timedelta(minutes=8)
    with store.books() as one, store.books() as other:
        assert [each.direct_id for each in one.sessions.overdue(at, limit=2)] == ["D-3", "D-2"]
        assert [each.direct_id for each in other.sessions.overdue(at)] == ["D-1"]


def test_recent_sessions_come_newest_first(store: PostgresStore) -> None:
    with store.books() as books:
        for n in range(3):
            books.sessions.open(
                replace(SELECTED, direct_id=f"D-{n}", evse_key=f"E{n}", selected_at=NOW + timedelta(hours=n))
            )
        assert [each.direct_id for each in books.sessions.recent(2)] == ["D-2", "D-1"]
