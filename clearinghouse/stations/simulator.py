"""Simulated stations: any process gives commands, one of them lets the time pass; the store holds every state.

Nothing is kept in memory between two calls, so several processes share the stations and a killed one loses nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.sessions import Limits, Reading
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.ochp.scalars import ContractId
from clearinghouse.services.ports import Books, Store
from clearinghouse.services.stations_port import Evse, Reservation, StationEventKind
from clearinghouse.stations import actions
from clearinghouse.stations.facets import form_of
from clearinghouse.stations.physics import Car
from clearinghouse.stations.state import Card, EvseState, Outcome, Phase, reading, report, status, step, wakes_at

CONTRACT_ID = form_of(ContractId)

Action = Callable[[EvseState, Evse], Outcome]


class Simulator:
    """Stations whose EVSEs come from a file: the operator's commands, the driver's actions, and time."""

    def __init__(
        self,
        inventory: Mapping[str, Evse],
        store: Store,
        clock: Clock,
        *,
        meter_interval: timedelta = timedelta(seconds=10),
    ) -> None:
        self._inventory = inventory
        self._store = store
        self._clock = clock
        self._meter_interval = meter_interval

    # -- The operator's commands --------------------------------------------------------------------------------

    def evse(self, evse_key: str) -> Evse | None:
        """The EVSE's data, or None where the file has no such EVSE."""
        return self._inventory.get(evse_key)

    def status(self, evse_keys: Sequence[str]) -> list[EvseStatus]:
        """The live status of the known ones among these EVSEs, as of now."""
        known = [key for key in evse_keys if key in self._inventory]
        with self._store.single() as books:
            documents = books.simulated.documents(known)
        now = self._clock()
        return [status(self._as_of(now, key, documents.get(key)), self._inventory[key]) for key in known]

    def taken(self) -> frozenset[str]:
        """The keys of the EVSEs that are not available; what time alone ended may be among them."""
        with self._store.single() as books:
            return books.simulated.busy()

    def reading(self, evse_key: str) -> Reading | None:
        """What the meter shows now, or None where the file has no such EVSE."""
        if evse_key not in self._inventory:
            return None
        with self._store.single() as books:
            document = books.simulated.get(evse_key)
        return reading(self._as_of(self._clock(), evse_key, document), self._inventory[evse_key])

    def reservation(self, evse_key: str, contract_id: str, direct_id: str, until: datetime) -> Reservation:
        """What keeps an idle EVSE for a session until then. Raises NotFound."""
        self._known(evse_key)
        document = to_plain(actions.reserved(self._clock(), contract_id, direct_id, until))
        del document["meter"]
        return Reservation(evse_key=evse_key, document=document, until=until)

    def reserve(self, evse_key: str, contract_id: str, direct_id: str, until: datetime) -> None:
        """Keep the EVSE for a session until then, or renew that. Raises NotFound and EvseUnavailable."""
        self._act(evse_key, lambda state, _: actions.reserve(state, contract_id, direct_id, until))

    def cancel(self, evse_key: str, direct_id: str) -> None:
        """Drop the session's reservation, if it is still there. Raises NotFound."""
        self._act(evse_key, lambda state, _: actions.cancel(state, direct_id))

    def start(self, evse_key: str, direct_id: str, limits: Limits) -> tuple[str, ...]:
        """Let the driver charge; returns the limits that cannot be kept. Raises NotFound and EvseUnavailable."""
        self._act(evse_key, lambda state, evse: actions.start(state, evse, direct_id, limits))
        return actions.not_applicable(limits, self._known(evse_key))

    def limit(self, evse_key: str, direct_id: str, limits: Limits) -> tuple[str, ...]:
        """Change the running charge; returns the limits that cannot be kept, all where none runs. Raises NotFound."""
        state = self._act(evse_key, lambda state, _: actions.limit(state, direct_id, limits))
        if not state.runs(direct_id):
            return actions.stated(limits)
        return actions.not_applicable(limits, self._known(evse_key))

    def stop(self, evse_key: str, direct_id: str) -> None:
        """End the session's charge, if it runs. Raises NotFound."""
        self._act(evse_key, lambda state, evse: actions.stop(state, evse, direct_id))

    def adopt(self, evse_key: str, direct_id: str) -> bool:
        """Name a charge that was begun with a card; False where there is none without a name or of this one."""
        state = self._act(evse_key, lambda state, _: actions.adopt(state, direct_id))
        return state.phase in (Phase.CHARGING, Phase.FINISHED) and state.direct_id == direct_id

    # -- The driver's actions -----------------------------------------------------------------------------------

    def plug(self, evse_key: str, car: Car) -> None:
        """Plug a car in. Raises NotFound, EvseUnavailable, and NotPossible where it does not fit."""
        self._act(evse_key, lambda state, evse: actions.plug(state, evse, car))

    def unplug(self, evse_key: str) -> None:
        """Take the cable out. Raises NotFound, and NotPossible where none is in."""
        self._act(evse_key, actions.unplug)

    def present_card(self, evse_key: str, contract_id: str, car: Car | None = None, card: Card | None = None) -> None:
        """Start a charge with a card. Raises NotFound, EvseUnavailable, and NotPossible where there is no car."""
        if not CONTRACT_ID.fullmatch(contract_id):
            raise actions.NotPossible(f"{contract_id!r} is no Contract-ID")
        self._act(evse_key, lambda state, evse: actions.present_card(state, evse, contract_id, car, card))

    def fault(self, evse_key: str, text: str = "fault") -> None:
        """Put the EVSE out of order. Raises NotFound."""
        self._act(evse_key, lambda state, evse: actions.fault(state, evse, text))

    def clear_fault(self, evse_key: str) -> None:
        """Put the EVSE in order. Raises NotFound, and NotPossible where it is."""
        self._act(evse_key, actions.clear_fault)

    # -- Time ---------------------------------------------------------------------------------------------------

    def tick(self, now: datetime) -> int:
        """Report what happened until now, each EVSE in its own transaction; returns for how many there was something.

        States are exact functions of time, so an EVSE that has nothing to report needs no write. One that left the
        file stays as it is until the file has it again.
        """
        with self._store.single() as books:
            documents = books.simulated.due(now)
        due = [
            key for key, document in documents.items() if key in self._inventory and self._is_due(now, key, document)
        ]
        for key in due:
            self._act(key, self._measured, now)
        return len(due)

    def _is_due(self, now: datetime, evse_key: str, document: dict[str, Any]) -> bool:
        evse, before = self._inventory[evse_key], _state(document, now)
        after, events = step(before, evse, now)
        return bool(events) or after.phase is not before.phase or self._is_to_be_metered(after)

    def _is_to_be_metered(self, state: EvseState) -> bool:
        since = state.metered_at
        return state.phase is Phase.CHARGING and since is not None and state.at - since >= self._meter_interval

    def _measured(self, state: EvseState, evse: Evse) -> Outcome:
        if not self._is_to_be_metered(state):
            return state, ()
        state = dataclasses.replace(state, metered_at=state.at)
        return state, (report(state, evse, StationEventKind.METERED),)

    # -- The store ----------------------------------------------------------------------------------------------

    def _act(self, evse_key: str, action: Action, now: datetime | None = None) -> EvseState:
        """Let the time pass and do the action, in one transaction; returns the state after it."""
        evse = self._known(evse_key)
        with self._store.books() as books:
            document = books.simulated.get(evse_key, lock=True)
            now = now or self._clock()  # asked after the wait for the lock
            before = _state(document, now)
            state, passed = step(before, evse, now)
            state, events = action(state, evse)
            _write(books, evse_key, before, state)
            if passed or events:
                books.station_events.add((*passed, *events))
        return state

    def _known(self, evse_key: str) -> Evse:
        evse = self._inventory.get(evse_key)
        if evse is None:
            raise NotFound(f"there is no EVSE {evse_key}")
        return evse

    def _as_of(self, now: datetime, evse_key: str, document: dict[str, Any] | None) -> EvseState:
        state, _ = step(_state(document, now), self._inventory[evse_key], now)
        return state


def _state(document: dict[str, Any] | None, now: datetime) -> EvseState:
    return EvseState(at=now) if document is None else from_plain(EvseState, document)


def _write(books: Books, evse_key: str, before: EvseState, after: EvseState) -> None:
    if after != before:
        books.simulated.put(evse_key, to_plain(after), idle=after.is_idle, wakes_at=wakes_at(after))
