"""Charges of a provider, their history, and messages remembered once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.charges import Charge, ChargeState
from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.sessions import Limits
from clearinghouse.persistence.store import PostgresStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHARGE = Charge(
    id="c-0",
    evse_id="DE*SWB*E1",
    contract_id="DE-FAS-C00000001-X",
    state=ChargeState.REQUESTED,
    created_at=NOW,
    changed_at=NOW,
)
FULL = replace(
    CHARGE,
    state=ChargeState.CHARGING,
    direct_id="D-1",
    operator="DESWB",
    ttl=NOW,
    limits=Limits(max_energy=Decimal("20.0")),
    cost=Decimal("1.20"),
    currency="EUR",
    announced=True,
)


def test_a_charge_comes_back_as_it_was_saved(store: PostgresStore) -> None:
    with store.books() as books:
        books.charges.add(CHARGE)
        assert books.charges.get("c-0") == CHARGE
        books.charges.save(FULL)
        assert books.charges.get("c-0", lock=True) == FULL
        assert books.charges.by_direct_id("D-1", lock=True) == FULL
        assert books.charges.get("c-1") is None
        assert books.charges.by_direct_id("D-2") is None
        with pytest.raises(UnknownId, match="'c-1'"):
            books.charges.save(replace(FULL, id="c-1"))


def test_a_repeated_direct_id_means_the_newest_charge(store: PostgresStore) -> None:
    newer = replace(FULL, id="c-1", created_at=NOW + timedelta(days=1))
    with store.books() as books:
        books.charges.add(newer)
        books.charges.add(FULL)
        assert books.charges.by_direct_id("D-1") == newer


def test_charges_are_found_newest_first_and_page_by_page(store: PostgresStore) -> None:
    with store.books() as books:
        for n in range(5):
            books.charges.add(replace(CHARGE, id=f"c-{n}", created_at=NOW + timedelta(hours=n // 2)))
        books.charges.add(replace(CHARGE, id="other", contract_id="DE-FAS-C00000002-X", evse_id="DE*SWB*E2"))
        ids = [each.id for each in books.charges.find(contract_id=CHARGE.contract_id, limit=3)]
        assert ids == ["c-4", "c-3", "c-2"]
        rest = books.charges.find(contract_id=CHARGE.contract_id, limit=3, before="c-2")
        assert [each.id for each in rest] == ["c-1", "c-0"]
        assert [each.id for each in books.charges.find(evse_id="DE*SWB*E2")] == ["other"]
        assert len(books.charges.find()) == 6
        with pytest.raises(UnknownId, match="'gone'"):
            books.charges.find(before="gone")


def test_charges_are_found_by_any_spelling_of_their_ids(store: PostgresStore) -> None:
    with store.books() as books:
        books.charges.add(CHARGE)
        assert books.charges.find(contract_id="defasc00000001") == [CHARGE]
        assert books.charges.find(evse_id="DESWBE1") == [CHARGE]
        assert books.charges.find(evse_id="DESWBE2") == []


def test_the_history_is_read_on_from_a_number(store: PostgresStore) -> None:
    with store.books() as books:
        books.charges.add(CHARGE)
        books.charges.add(replace(CHARGE, id="c-1"))
        first = books.charges.note("c-0", NOW, "selected", {"ttl": NOW, "cost": Decimal("1.20")})
        second = books.charges.note("c-1", NOW, "failed", {"reason": "no"})
        third = books.charges.note("c-0", NOW, "released", {})
        assert first.detail == {"ttl": NOW.isoformat(), "cost": "1.20"}
        assert books.charges.history() == [first, second, third]
        assert books.charges.history("c-0") == [first, third]
        assert books.charges.history(after=first.number, limit=1) == [second]


def test_a_reader_who_resumes_by_number_misses_nothing_of_a_slow_writer(store: PostgresStore) -> None:
    with store.books() as books:
        books.charges.add(CHARGE)

    def note_slowly() -> None:
        with store.books() as books:
            books.charges.note("c-0", NOW, "slow", {})
            time.sleep(0.4)

    def note_fast() -> None:
        time.sleep(0.1)
        with store.books() as books:
            books.charges.note("c-0", NOW, "fast", {})

    seen: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(note_slowly), pool.submit(note_fast)]
        after, deadline = 0, time.monotonic() + 20
        while len(seen) < 2 and time.monotonic() < deadline:
            with store.single() as books:
                for event in books.charges.history(after=after):
                    seen.append(event.kind)
                    after = event.number
        for each in writers:
            each.result()
    assert seen == ["slow", "fast"]


def test_a_message_is_new_once_even_to_many_at_once(store: PostgresStore) -> None:
    def remember(_: int) -> bool:
        with store.single() as books:
            return books.charges.remember("D-1", "info", "2026-03-01T12:00:00Z")

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(remember, range(24))) == 1
    with store.single() as books:
        assert books.charges.remember("D-1", "info", "2026-03-01T12:01:00Z")
