"""The inbox of station events: order per EVSE, one worker per EVSE."""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from clearinghouse.domain.sessions import Reading
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.services.stations_port import StationEvent, StationEventKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def event(evse_key: str, meter: int) -> StationEvent:
    return StationEvent(
        evse_key=evse_key,
        kind=StationEventKind.METERED,
        at=NOW,
        reading=Reading(meter=Decimal(meter), power=Decimal(11), at=NOW),
    )


def meters(events: list[StationEvent]) -> list[tuple[str, int]]:
    return [(each.evse_key, int(each.reading.meter)) for each in events if each.reading]


def test_events_come_back_numbered_in_the_order_they_were_added(store: PostgresStore) -> None:
    sent = [event("E1", 1), event("E2", 2), event("E1", 3)]
    with store.books() as books:
        books.station_events.add([])
        books.station_events.add(sent)
        found = books.station_events.pending()
    assert meters(found) == [("E1", 1), ("E2", 2), ("E1", 3)]
    assert [each.number for each in found] == sorted({each.number for each in found})


def test_what_is_done_is_pending_no_more(store: PostgresStore) -> None:
    with store.books() as books:
        books.station_events.add([event("E1", 1), event("E1", 2)])
        books.station_events.done(books.station_events.pending()[0].number)
        assert meters(books.station_events.pending()) == [("E1", 2)]


def test_two_workers_never_have_events_of_the_same_evse(store: PostgresStore) -> None:
    with store.books() as books:
        books.station_events.add([event("E1", 1), event("E2", 1), event("E1", 2)])
    with store.books() as one:
        assert meters(one.station_events.pending(limit=1)) == [("E1", 1)]
        with store.books() as other:
            assert meters(other.station_events.pending()) == [("E2", 1)]
            other.station_events.add([event("E1", 3)])
        with store.books() as third:
            assert meters(third.station_events.pending()) == [("E2", 1)]


def test_events_of_a_failed_worker_are_pending_again(store: PostgresStore) -> None:
    with store.books() as books:
        books.station_events.add([event("E1", 1)])

    def act_and_fail() -> None:
        with store.books() as books:
            books.station_events.done(books.station_events.pending()[0].number)
            raise KeyError

    with pytest.raises(KeyError):
        act_and_fail()
    with store.books() as books:
        assert meters(books.station_events.pending()) == [("E1", 1)]


def test_many_workers_act_in_order_at_every_evse(store: PostgresStore) -> None:
    evses, length = 10, 12
    with store.books() as books:
        books.station_events.add([event(f"E{n}", meter) for meter in range(length) for n in range(evses)])
    seen: dict[str, list[int]] = defaultdict(list)
    busy: set[str] = set()
    faults: list[str] = []
    guard = threading.Lock()

    def work(_: int) -> None:
        remaining = True
        while remaining:
            with store.books() as books:
                events = books.station_events.pending(limit=7)
                keys = {each.evse_key for each in events}
                with guard:
                    faults.extend(keys & busy)
                    busy.update(keys)
                for each in events:
                    books.station_events.done(each.number)
                with guard:
                    for key, meter in meters(events):
                        seen[key].append(meter)
                    busy.difference_update(keys)
                    remaining = sum(map(len, seen.values())) < evses * length

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert faults == []
    assert seen == {f"E{n}": list(range(length)) for n in range(evses)}
