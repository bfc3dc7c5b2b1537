"""The outbox: order within a session, leases, superseded infos, retries."""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clearinghouse.ochp.direct import DirectMessage, InformProviderMessage, MeterReading
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.services.ports import Books
from clearinghouse.services.sessions_port import Parcel

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE = NOW + timedelta(seconds=30)


def parcel(direct_id: str, message: DirectMessage, *, energy: int = 0, due: datetime = NOW) -> Parcel:
    return Parcel(
        direct_id=direct_id,
        message=InformProviderMessage(
            message=message,
            evse_id="DE*SWB*E1",
            contract_id="DE-FAS-C00000001",
            direct_id=direct_id,
            charged_energy=Decimal(energy),
            meter_reading=MeterReading(meter_value=Decimal("7.50"), meter_time=NOW),
        ),
        created_at=NOW,
        next_attempt_at=due,
    )


def told(books: Books, direct_id: str) -> list[str]:
    return [each.message.message.value for each in books.outbox.of(direct_id)]


def test_a_parcel_comes_back_whole(store: PostgresStore) -> None:
    sent = parcel("A", DirectMessage.START, energy=3)
    with store.single() as books:
        books.outbox.put(sent)
    with store.single() as books:
        (found,) = books.outbox.of("A")
    assert found.message == sent.message
    assert (found.created_at, found.next_attempt_at, found.attempts) == (NOW, NOW, 0)


def test_a_session_has_one_parcel_under_way_and_the_next_after_delivery(store: PostgresStore) -> None:
    with store.books() as books:
        for message in (DirectMessage.START, DirectMessage.CHANGE, DirectMessage.END):
            books.outbox.put(parcel("A", message))
        books.outbox.put(parcel("B", DirectMessage.START))
        first = books.outbox.claim(NOW, LEASE)
        assert [(each.direct_id, each.message.message) for each in first] == [("A", "start"), ("B", "start")]
        assert books.outbox.claim(NOW, LEASE) == []
        books.outbox.delivered(first[0].number, NOW)
        assert [each.message.message for each in books.outbox.claim(NOW, LEASE)] == ["change"]
        assert books.outbox.waiting() == 3


def test_a_lease_that_ended_lets_another_worker_have_the_parcel(store: PostgresStore) -> None:
    with store.books() as books:
        books.outbox.put(parcel("A", DirectMessage.START))
        (first,) = books.outbox.claim(NOW, LEASE)
        assert books.outbox.claim(LEASE - timedelta(seconds=1), LEASE) == []
        assert [each.number for each in books.outbox.claim(LEASE, LEASE + timedelta(seconds=30))] == [first.number]


def test_a_failed_parcel_holds_back_its_session_until_its_time(store: PostgresStore) -> None:
    later = NOW + timedelta(seconds=5)
    with store.books() as books:
        books.outbox.put(parcel("A", DirectMessage.START))
        books.outbox.put(parcel("A", DirectMessage.END))
        (first,) = books.outbox.claim(NOW, LEASE)
        books.outbox.failed(first.number, "no answer", later, NOW)
        assert books.outbox.claim(NOW, LEASE) == []
        (again,) = books.outbox.claim(later, LEASE)
        assert (again.number, again.attempts, again.last_error) == (first.number, 1, "no answer")


def test_a_parcel_given_up_lets_the_next_one_go(store: PostgresStore) -> None:
    with store.books() as books:
        books.outbox.put(parcel("A", DirectMessage.START))
        books.outbox.put(parcel("A", DirectMessage.END))
        (first,) = books.outbox.claim(NOW, LEASE)
        books.outbox.failed(first.number, "x" * 5000, None, NOW)
        (given_up, _) = books.outbox.of("A")
        assert given_up.given_up_at == NOW
        assert len(given_up.last_error or "") == 500
        assert [each.message.message for each in books.outbox.claim(NOW, LEASE)] == ["end"]
        assert books.outbox.waiting() == 1


def test_an_undelivered_info_is_superseded_in_its_own_session_only(store: PostgresStore) -> None:
    with store.books() as books:
        books.outbox.put(parcel("A", DirectMessage.START))
        books.outbox.put(parcel("A", DirectMessage.INFO, energy=1))
        books.outbox.put(parcel("B", DirectMessage.INFO, energy=1))
        books.outbox.put(parcel("A", DirectMessage.INFO, energy=2))
        assert told(books, "A") == ["start", "info"]
        assert books.outbox.of("A")[1].message.charged_energy == 2
        assert told(books, "B") == ["info"]
        books.outbox.put(parcel("A", DirectMessage.END))
        assert told(books, "A") == ["start", "end"]


def test_an_info_that_is_under_way_or_delivered_stays(store: PostgresStore) -> None:
    with store.books() as books:
        books.outbox.put(parcel("A", DirectMessage.INFO, energy=1))
        (under_way,) = books.outbox.claim(NOW, LEASE)
        books.outbox.put(parcel("A", DirectMessage.INFO, energy=2))
        assert told(books, "A") == ["info", "info"]
        books.outbox.delivered(under_way.number, NOW)
        books.outbox.put(parcel("A", DirectMessage.INFO, energy=3))
        assert [each.message.charged_energy for each in books.outbox.of("A")] == [1, 3]


def test_a_delivery_confirmed_after_its_lease_counts_once(store: PostgresStore) -> None:
    with store.books() as books:
        books.outbox.put(parcel("A", DirectMessage.START))
        (first,) = books.outbox.claim(NOW, LEASE)
        books.outbox.claim(LEASE, LEASE + timedelta(seconds=30))
        books.outbox.delivered(first.number, LEASE)
        books.outbox.failed(first.number, "the slow worker", None, LEASE)
        (found,) = books.outbox.of("A")
        assert (found.delivered_at, found.given_up_at, found.last_error) == (LEASE, None, None)


@pytest.mark.parametrize("workers", [8])
def test_many_workers_deliver_every_session_in_order_and_never_two_at_once(store: PostgresStore, workers: int) -> None:
    sessions, length = 12, 6
    with store.books() as books:
        for energy in range(length):
            for n in range(sessions):
                books.outbox.put(parcel(f"S{n}", DirectMessage.CHANGE, energy=energy))
    under_way: set[str] = set()
    delivered: dict[str, list[int]] = defaultdict(list)
    faults: list[str] = []
    guard = threading.Lock()

    def work(_: int) -> None:
        while True:
            with store.single() as books:
                claimed = books.outbox.claim(NOW, LEASE, limit=3)
            with guard:
                faults.extend(each.direct_id for each in claimed if each.direct_id in under_way)
                under_way.update(each.direct_id for each in claimed)
            for each in claimed:
                with guard:
                    delivered[each.direct_id].append(int(each.message.charged_energy or 0))
                    under_way.discard(each.direct_id)
                with store.single() as books:
                    books.outbox.delivered(each.number, NOW)
            with store.single() as books:
                if books.outbox.waiting() == 0:
                    return

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    assert faults == []
    assert delivered == {f"S{n}": list(range(length)) for n in range(sessions)}
