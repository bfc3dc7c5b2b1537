"""The charging stations of an operator: what they are, what they do, and the memory of the simulated ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from clearinghouse.domain.sessions import Limits, Reading
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.ochp.tokens import EmtId


@dataclass(frozen=True, kw_only=True)
class Evse:
    """What the operator's own data say of an EVSE. Powers in kW, currents in A; `phases` is 0 for direct current."""

    evse_id: str
    key: str
    max_power: Decimal
    phases: int = 3
    voltage: Decimal = Decimal(230)
    direct: bool = True
    max_reservation: int | None = None
    time_zone: str = "UTC"


class StationEventKind(StrEnum):
    """What a station can report."""

    CHARGING = "charging"
    """The car is connected, the process authorised, energy flows."""
    METERED = "metered"
    STOPPED = "stopped"
    """The process is over: `reason` says why (`unplugged`, `fault`, `limit`, `full`, `asked`)."""
    CARD = "card"
    """A card (`token`) was presented at an idle EVSE and a charge started locally: `contract_id` says whose."""


@dataclass(frozen=True, kw_only=True)
class StationEvent:
    """One report of a station; `number` orders all events. `direct_id` names the session where the station knows it."""

    number: int = 0
    evse_key: str
    kind: StationEventKind
    at: datetime
    direct_id: str | None = None
    contract_id: str | None = None
    token: EmtId | None = field(default=None, repr=False)
    live_auth_id: str | None = None
    reading: Reading | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """What an idle EVSE of stations that live in the store becomes when it is kept until a time."""

    evse_key: str
    document: Mapping[str, Any]
    until: datetime


class Stations(Protocol):
    """The charging stations of an operator. Events go to `Books.station_events`, in the order they happened."""

    def evse(self, evse_key: str) -> Evse | None:
        """The EVSE's data, or None where the operator has no such EVSE."""

    def status(self, evse_keys: Sequence[str]) -> list[EvseStatus]:
        """The live status of the known ones among these EVSEs."""

    def taken(self) -> frozenset[str]:
        """The keys of the EVSEs that are not available, whether used or out of order; some more are no harm."""

    def reservation(self, evse_key: str, contract_id: str, direct_id: str, until: datetime) -> Reservation | None:
        """What keeps the EVSE, if it is idle, when it is stored with the session; None where a station has to be told.

        Where it is not stored, because the EVSE is not idle, `reserve` decides.
        """

    def reserve(self, evse_key: str, contract_id: str, direct_id: str, until: datetime) -> None:
        """Keep the EVSE for a contract. Raises EvseUnavailable where it is taken or out of order."""

    def cancel(self, evse_key: str, direct_id: str) -> None:
        """Drop the reservation of this session, if it is still there."""

    def start(self, evse_key: str, direct_id: str, limits: Limits) -> tuple[str, ...]:
        """Let the driver plug in and charge. Returns the names of limits that could not be applied.

        Raises EvseUnavailable where the EVSE went out of order.
        """

    def limit(self, evse_key: str, direct_id: str, limits: Limits) -> tuple[str, ...]:
        """Apply new limits to the running charge. Returns the names of limits that could not be applied."""

    def stop(self, evse_key: str, direct_id: str) -> None:
        """End the charge; the driver may unplug. Stopping what does not run is no error."""

    def adopt(self, evse_key: str, direct_id: str) -> bool:
        """Let the session be that of the charge begun with a card; its later events name it. Repeating is no error.

        False where the EVSE has no such charge, or it belongs to another session.
        """

    def reading(self, evse_key: str) -> Reading | None:
        """The newest measurement of the EVSE's meter; None where the operator has no such EVSE."""


class SimulatedEvses(Protocol):
    """The memory of the station simulator: one document per EVSE; an EVSE without one is idle and unplugged."""

    def get(self, evse_key: str, *, lock: bool = False) -> dict[str, Any] | None:
        """The EVSE's document; with `lock`, nobody else changes this EVSE until the transaction ends."""

    def put(self, evse_key: str, document: dict[str, Any], *, idle: bool, wakes_at: datetime | None) -> None:
        """Store the document, and when time alone will change it, if ever."""

    def due(self, now: datetime) -> dict[str, dict[str, Any]]:
        """The documents of the EVSEs whose time to wake has come, by key."""

    def documents(self, evse_keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The documents of these EVSEs, those that have one."""

    def busy(self) -> frozenset[str]:
        """The keys of the EVSEs that were stored as not idle."""
