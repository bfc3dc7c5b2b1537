"""An operator's CMS endpoint, put together in front of simulated stations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from clearinghouse.app.lines import clearing_line, partner_line, soap_line
from clearinghouse.app.node import Node, key_finder, retention_job, token_cycle, token_job, unexpected
from clearinghouse.domain.informing import Thresholds
from clearinghouse.domain.sessions import Deadlines
from clearinghouse.services.directory import Directory
from clearinghouse.settings import Settings

if TYPE_CHECKING:
    from clearinghouse.ochp.tokens import EmtId
    from clearinghouse.persistence.store import PostgresStore
    from clearinghouse.services.local_list import LocalList
    from clearinghouse.stations.simulator import Simulator


def operator(settings: Settings, books: PostgresStore) -> Node:
    """An operator's CMS endpoint in front of the simulated stations."""
    from clearinghouse.app.operator_clearing import clearing_of
    from clearinghouse.http.operator_api import operator_api
    from clearinghouse.jobs.timetable import Job
    from clearinghouse.services.claims import Claims
    from clearinghouse.services.doorkeepers import DirectDoorkeeper
    from clearinghouse.services.operator_desk import OperatorDesk
    from clearinghouse.services.operator_view import OperatorView
    from clearinghouse.services.session_keeper import SessionKeeper
    from clearinghouse.services.station_events import StationDesk
    from clearinghouse.services.telling import Teller
    from clearinghouse.stations.inventory import read_site
    from clearinghouse.stations.simulator import Simulator

    if settings.evse_file is None:
        raise ValueError("the operator needs an evse_file")
    clock = settings.clock
    site = read_site(settings.evse_file)
    simulator = Simulator(site.evses, books, clock, meter_interval=timedelta(seconds=settings.meter_every))
    directory = Directory(books, clock, settings.contract_pattern_case)
    line = soap_line(settings)
    clearing = clearing_of(settings, books, clearing_line(settings), site, simulator)
    keeper = SessionKeeper(books, simulator, clock, deadlines(settings), clearing.claim)
    station_desk = StationDesk(keeper, directory, thresholds(settings), unexpected)
    teller = Teller(books, partner_line(settings, line, directory), clock, unexpected)
    every = timedelta(seconds=settings.work_every)

    def act() -> None:
        while station_desk.work():
            pass

    return Node(
        OperatorDesk(keeper, settings.contract_pattern_case).handlers,
        DirectDoorkeeper(directory, clock),
        [
            token_job(settings, token_cycle(settings, books, line).reconcile),
            retention_job(settings, books),
            Job(name="stations", run=lambda: simulator.tick(clock()), every=every),
            Job(name="station events", run=act, every=every),
            Job(name="deadlines", run=station_desk.sweep, every=every),
            Job(name="tell providers", run=teller.work, every=every),
            *clearing.jobs(keeper.claimed),
        ],
        operator_api(
            OperatorView(books, simulator),
            key_finder(books),
            simulator=SimulatedDrivers(simulator, clearing.local_list),
            cdr_desk=Claims(books, clock),
            list_desk=clearing.local_list,
        ),
    )


def deadlines(settings: Settings) -> Deadlines:
    """The operator's deadlines as set."""
    return Deadlines(
        selection=timedelta(minutes=settings.selection_minutes),
        longest_reservation=timedelta(minutes=settings.longest_reservation_minutes),
        plug_in=timedelta(minutes=settings.plug_in_minutes),
        session=timedelta(hours=settings.session_hours),
        after_end=timedelta(minutes=settings.after_end_minutes),
    )


def thresholds(settings: Settings) -> Thresholds:
    """The operator's thresholds as set."""
    return Thresholds(
        energy=Decimal(str(settings.tell_energy)),
        power=Decimal(str(settings.tell_power)),
        spacing=timedelta(minutes=settings.tell_spacing),
        silence=timedelta(minutes=settings.tell_silence),
    )


CAR_FIELDS = {
    "max_ac_kw": "max_ac_power",
    "max_dc_kw": "max_dc_power",
    "battery_kwh": "battery",
    "soc": "state_of_charge",
    "phases": "phases",
}


@dataclass(frozen=True)
class SimulatedDrivers:
    """What drivers do at the simulator, in the words of the JSON API."""

    simulator: Simulator
    local_list: LocalList

    def plug(self, evse_key: str, car: dict[str, Any]) -> None:
        """A car is connected."""
        self.simulator.plug(evse_key, self._car(car))

    def unplug(self, evse_key: str) -> None:
        """The car is disconnected."""
        self.simulator.unplug(evse_key)

    def present_card(self, evse_key: str, contract_id: str, car: dict[str, Any]) -> None:
        """A card is held to the reader, and the car connected."""
        self.simulator.present_card(evse_key, contract_id, self._car(car))

    def present_token(self, evse_key: str, token: EmtId, car: dict[str, Any]) -> None:
        """A card is held to the reader, and starts a charge where the roaming list has it. Raises CardRefused."""
        from clearinghouse.stations.state import Card

        permit = self.local_list.authorise(token, evse_key)
        card = Card(token=token, live_auth_id=permit.live_auth_id)
        self.simulator.present_card(evse_key, permit.line.contract_id, self._car(car), card)

    def fault(self, evse_key: str) -> None:
        """The EVSE breaks."""
        self.simulator.fault(evse_key)

    def clear_fault(self, evse_key: str) -> None:
        """The EVSE is mended."""
        self.simulator.clear_fault(evse_key)

    @staticmethod
    def _car(stated: dict[str, Any]) -> Any:
        from clearinghouse.stations.physics import Car

        return Car(**{CAR_FIELDS[name]: value for name, value in stated.items()})
