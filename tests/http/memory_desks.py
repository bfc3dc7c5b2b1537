"""Desks that keep everything in memory: what the APIs talk to in these tests."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from clearinghouse.domain.api_keys import key_hash
from clearinghouse.domain.charges import Charge, ChargeEvent, ChargeState
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import (
    Conflict,
    EvseUnavailable,
    NotFound,
    PartnerTimedOut,
    RefusedByPartner,
    UnknownId,
)
from clearinghouse.domain.sessions import Limits, Reading, Session, State
from clearinghouse.ochp.direct import DirectMessage, InformProviderMessage
from clearinghouse.ochp.live import EvseStatus, MajorStatus, MinorStatus
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import DirectResultCode
from clearinghouse.ochp.versions import V1_4
from clearinghouse.services.api_keys_port import ApiKey
from clearinghouse.services.sessions_port import Discrepancy, Parcel

KEY = "clh_test"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVSE = "DE*ABC*E1234"
CONTRACT = "DE-ABC-C12345678-X"
TROUBLES = {
    "DE*ABC*E404": NotFound("DE*ABC*E404 is not known."),
    "DE*ABC*E409": EvseUnavailable("occupied"),
    "DE*ABC*E502": RefusedByPartner(DirectResultCode.NOT_SUPPORTED, "no direct charging here"),
    "DE*ABC*E503": RefusedByPartner(DirectResultCode.SERVER, "evse-unavailable: reserved"),
    "DE*ABC*E504": PartnerTimedOut("https://cpo.example did not answer within 10 s."),
    "DE*ABC*E500": RuntimeError("password=hunter2"),
}


def find_key(hashed: str) -> ApiKey | None:
    """The one key there is."""
    return ApiKey(id=1, name="app", created_at=NOON) if hashed == key_hash(KEY) else None


class MemoryProviderDesk:
    """A provider whose operators always say yes, except at the EVSEs of TROUBLES."""

    def __init__(self) -> None:
        self.charges: dict[str, Charge] = {}
        self.events: list[ChargeEvent] = []
        self.reports: list[tuple[str, str]] = []
        self.polls = 0
        self._lock = threading.Lock()

    def start(self, charge_id, evse_id, contract_id, limits, *, reserve_until, start):
        if evse_id in TROUBLES:
            raise TROUBLES[evse_id]
        if known := self.charges.get(charge_id):
            if (known.evse_id, known.contract_id) != (evse_id, contract_id):
                raise Conflict("This key was used for another charge.")
            return known
        state = ChargeState.STARTING if start else ChargeState.SELECTED
        return self._save(
            Charge(
                id=charge_id,
                evse_id=evse_id,
                contract_id=contract_id,
                state=state,
                created_at=NOON,
                changed_at=NOON,
                ttl=reserve_until,
                limits=limits,
            )
        )

    def begin(self, charge_id, limits):
        return self._save(
            dataclasses.replace(self.get(charge_id), state=ChargeState.STARTING, limits=limits), "started"
        )

    def change(self, charge_id, limits):
        charge = self.get(charge_id)
        return self._save(dataclasses.replace(charge, limits=charge.limits.merged(limits)), "changed")

    def stop(self, charge_id):
        return self._save(dataclasses.replace(self.get(charge_id), state=ChargeState.ENDED), "ended")

    def release(self, charge_id):
        return self._save(dataclasses.replace(self.get(charge_id), state=ChargeState.RELEASED), "released")

    def get(self, charge_id):
        if charge_id not in self.charges:
            raise UnknownId("There is no such charge.")
        return self.charges[charge_id]

    def history(self, charge_id, after=0, limit=1000):
        return [event for event in self.events if event.charge_id == charge_id and event.number > after][:limit]

    def events_after(self, number, limit):
        self.polls += 1
        return [event for event in self.events if event.number > number][:limit]

    def newest_event(self):
        return len(self.events)

    def find(self, *, contract_id, evse_id, limit, before):
        newest = list(reversed(self.charges.values()))
        if before:
            newest = newest[[charge.id for charge in newest].index(before) + 1 :]
        return [charge for charge in newest if contract_id in (None, charge.contract_id)][:limit]

    def status(self, evse_ids):
        return [
            EvseStatus(evse_id=each, major=MajorStatus.AVAILABLE, minor=MinorStatus.AVAILABLE, ttl=NOON)
            for each in evse_ids
        ]

    def report(self, evse_id, text):
        self.reports.append((evse_id, text))

    def operators(self):
        return [
            Endpoint(
                partner="DEABC",
                role=Role.OPERATOR,
                version=V1_4,
                url="https://cpo.example/direct/ochp/v1.4",
                access_token="secret-token",
                day=date(2026, 3, 1),
                whitelist=("DEABCE%",),
                uploaded_at=NOON,
            )
        ]

    def _save(self, charge, kind="selected"):
        with self._lock:
            self.charges[charge.id] = charge
            number = len(self.events) + 1
            self.events.append(
                ChargeEvent(number=number, charge_id=charge.id, at=NOON, kind=kind, detail={"state": charge.state})
            )
        return charge


class MemoryOperatorDesk:
    """An operator with one session, and a simulator that writes down what is done to it."""

    def __init__(self) -> None:
        self.acts: list[tuple[object, ...]] = []
        self._session = Session(
            direct_id="AB-1",
            evse_id=EVSE,
            evse_key="DEABCE1234",
            contract_id=CONTRACT,
            state=State.CHARGING,
            deadline=NOON + timedelta(hours=1),
            selected_at=NOON,
            limits=Limits(max_power=Decimal("11.50")),
            meter_start=Decimal("100.1"),
            reading=Reading(meter=Decimal("100.4"), power=Decimal(11), at=NOON),
        )

    def sessions(self, limit):
        return [self._session]

    def session(self, direct_id):
        if direct_id != self._session.direct_id:
            raise UnknownId("There is no such session.")
        return self._session

    def told(self, direct_id):
        message = InformProviderMessage(
            message=DirectMessage.START,
            evse_id=EVSE,
            contract_id=CONTRACT,
            direct_id=direct_id,
            charged_energy=Decimal("0.3"),
        )
        return [Parcel(number=7, direct_id=direct_id, message=message, created_at=NOON, next_attempt_at=NOON)]

    def status(self, evse_ids):
        return MemoryProviderDesk().status(evse_ids)

    def discrepancies(self, limit):
        return [Discrepancy(evse_id=EVSE, reporter="DEXYZ", report="The cable is gone.", at=NOON)]

    def plug(self, evse_key, car):
        self.acts.append(("plug", evse_key, car))

    def unplug(self, evse_key):
        self.acts.append(("unplug", evse_key))

    def present_card(self, evse_key, contract_id, car):
        self.acts.append(("card", evse_key, contract_id, car))

    def present_token(self, evse_key, token, car):
        self.acts.append(("token", evse_key, token, car))

    def fault(self, evse_key):
        self.acts.append(("fault", evse_key))

    def clear_fault(self, evse_key):
        self.acts.append(("clear", evse_key))
