"""A site for tests: a few EVSEs over an in-memory store that locks, rolls back and keeps JSON, as a database does."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.services.stations_port import Evse, StationEvent
from clearinghouse.stations.simulator import Simulator

NOON = datetime(2027, 1, 10, 12, tzinfo=UTC)


class MemoryEvses:
    """`SimulatedEvses` in memory; `calls` lists the names of the methods that were called."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, bool, datetime | None]] = {}
        self.calls: list[str] = []

    def get(self, evse_key: str, *, lock: bool = False) -> dict[str, Any] | None:
        self.calls.append("get locked" if lock else "get")
        return json.loads(self.rows[evse_key][0]) if evse_key in self.rows else None

    def put(self, evse_key: str, document: dict[str, Any], *, idle: bool, wakes_at: datetime | None) -> None:
        self.calls.append("put")
        self.rows[evse_key] = (json.dumps(document), idle, wakes_at)

    def due(self, now: datetime) -> dict[str, dict[str, Any]]:
        self.calls.append("due")
        return {key: json.loads(text) for key, (text, _, wakes_at) in self.rows.items() if wakes_at and wakes_at <= now}

    def documents(self, evse_keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        self.calls.append("documents")
        return {key: json.loads(self.rows[key][0]) for key in evse_keys if key in self.rows}


class MemoryEvents:
    """`StationEvents` in memory."""

    def __init__(self) -> None:
        self.events: list[StationEvent] = []

    def add(self, events: Sequence[StationEvent]) -> None:
        for event in events:
            self.events.append(dataclasses.replace(event, number=len(self.events) + 1))

    def pending(self, limit: int = 100) -> list[StationEvent]:
        return self.events[:limit]

    def done(self, number: int) -> None:
        self.events = [event for event in self.events if event.number != number]


class MemoryStore:
    """`Store` and `Books` in one: one transaction at a time, undone when it raises."""

    def __init__(self) -> None:
        self.simulated = MemoryEvses()
        self.station_events = MemoryEvents()
        self._lock = threading.Lock()

    @contextmanager
    def books(self) -> Iterator[MemoryStore]:
        with self._lock:
            rows, events = dict(self.simulated.rows), list(self.station_events.events)
            try:
                yield self
            except BaseException:
                self.simulated.rows, self.station_events.events = rows, events
                raise

    @contextmanager
    def single(self) -> Iterator[MemoryStore]:
        with self.books():
            before = len(self.simulated.calls)
            yield self
            assert len(self.simulated.calls) == before + 1, "a single block is exactly one statement"


class Site:
    """A few EVSEs, a clock to turn, and the simulator under test."""

    def __init__(self) -> None:
        self.now = NOON
        self.store = MemoryStore()
        self.inventory = {each.key: each for each in (AC, ONE_PHASE, DC)}
        self.stations = self.restarted()

    def restarted(self) -> Simulator:
        """A new process over the same store."""
        self.stations = Simulator(self.inventory, self.store, lambda: self.now)  # type: ignore[arg-type]
        return self.stations

    def wait(self, *, ticks: int = 1, **duration: float) -> None:
        """Let the time pass, in so many ticks."""
        for _ in range(ticks):
            self.now += timedelta(**duration) / ticks
            self.stations.tick(self.now)

    @property
    def events(self) -> list[StationEvent]:
        return self.store.station_events.events

    @property
    def kinds(self) -> list[str]:
        """The events so far, without the meter's."""
        return [event.reason or event.kind.value for event in self.events if event.kind != "metered"]

    @property
    def soon(self) -> datetime:
        return self.now + timedelta(minutes=5)

    def energy(self, key: str) -> Decimal:
        reading = self.stations.reading(key)
        assert reading is not None
        return reading.meter

    def power(self, key: str) -> Decimal:
        reading = self.stations.reading(key)
        assert reading is not None
        return reading.power

    def state(self, key: str) -> tuple[str, str, datetime | None]:
        """Major and minor status, and their end."""
        (status,) = self.stations.status([key])
        assert status.minor is not None
        return status.major.value, status.minor.value, status.ttl


def make_evse(evse_id: str, max_power: str, phases: int = 3, voltage: int = 230) -> Evse:
    key = evse_key(evse_id)
    assert key is not None
    return Evse(evse_id=evse_id, key=key, max_power=Decimal(max_power), phases=phases, voltage=Decimal(voltage))


AC = make_evse("DE*OPS*E1", "22")
ONE_PHASE = make_evse("DE*OPS*E2", "3.7", phases=1)
DC = make_evse("DE*OPS*E3", "50", phases=0, voltage=400)
