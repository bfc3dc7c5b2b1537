"""What an EVSE is doing, and how that goes on by itself as time passes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from clearinghouse.domain.sessions import NO_LIMITS, Limits, Reading
from clearinghouse.ochp.live import EvseStatus, MajorStatus, MinorStatus
from clearinghouse.ochp.tokens import EmtId
from clearinghouse.services.stations_port import Evse, StationEvent, StationEventKind
from clearinghouse.stations.physics import NOTHING, Car, Course, course_of, offered_power

WATT = Decimal("0.001")
"""The resolution of a meter: 1 W and 1 Wh."""
HOUR_IN_MICROSECONDS = Decimal(3_600_000_000)
NEAR_FUTURE = timedelta(minutes=5)
LONGEST_FORECAST = Decimal(24)


class Phase(StrEnum):
    """How far the use of an EVSE has come."""

    IDLE = "idle"
    RESERVED = "reserved"
    READY = "ready"
    """Authorised: charging begins as soon as a car is plugged in."""
    CHARGING = "charging"
    FINISHED = "finished"
    """The charge is over and the cable is still in."""


RUNNING = frozenset({Phase.READY, Phase.CHARGING})


class StopReason(StrEnum):
    """Why a charge ended."""

    ASKED = "asked"
    UNPLUGGED = "unplugged"
    FAULT = "fault"
    LIMIT = "limit"
    FULL = "full"


@dataclass(frozen=True, kw_only=True)
class Card:
    """A card that was held to the reader: its token, and what the house said to it where it was asked (1.3)."""

    token: EmtId
    live_auth_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class EvseState:
    """An EVSE at the instant `at`. The meter counts kWh and never goes back; `energy` is the session's part of it.

    `contract_id` and `direct_id` name who uses the EVSE, or used it last; a charge begun with a `card` has no
    `direct_id` until the operator gives it one. A `fault` puts the EVSE out of order in whatever phase it is.
    """

    at: datetime
    phase: Phase = Phase.IDLE
    contract_id: str | None = None
    direct_id: str | None = None
    card: Card | None = None
    until: datetime | None = None
    limits: Limits = NO_LIMITS
    meter: Decimal = NOTHING
    energy: Decimal = NOTHING
    metered_at: datetime | None = None
    car: Car | None = None
    fault: str | None = None

    @property
    def is_idle(self) -> bool:
        """Whether anybody may have the EVSE: unused, unplugged and in order."""
        return self.phase is Phase.IDLE and self.car is None and self.fault is None

    def runs(self, direct_id: str) -> bool:
        """Whether this session charges or waits for its car."""
        return self.phase in RUNNING and self.direct_id == direct_id


def wakes_at(state: EvseState) -> datetime | None:
    """From when on the passing of time may change something; None where it never does."""
    if state.phase is Phase.CHARGING:
        return state.at
    return state.until if state.phase is Phase.RESERVED else None


Outcome = tuple[EvseState, tuple[StationEvent, ...]]
"""The state after something happened, and what the station reports about it."""


def course(state: EvseState, evse: Evse) -> Course:
    """How the charge at this EVSE will go on; empty where none runs."""
    if state.phase is not Phase.CHARGING or state.car is None:
        return Course(())
    return course_of(state.car, offered_power(evse, state.car, state.limits))


def reading(state: EvseState, evse: Evse) -> Reading:
    """What the meter shows: whole Wh that were completed, and W."""
    return Reading(
        meter=state.meter.quantize(WATT, ROUND_DOWN),
        power=course(state, evse).power.quantize(WATT, ROUND_DOWN),
        at=state.at,
    )


def report(state: EvseState, evse: Evse, kind: StationEventKind, reason: StopReason | None = None) -> StationEvent:
    """The event that this happened now."""
    return StationEvent(
        evse_key=evse.key,
        kind=kind,
        at=state.at,
        direct_id=state.direct_id,
        contract_id=state.contract_id,
        token=state.card.token if state.card else None,
        live_auth_id=state.card.live_auth_id if state.card else None,
        reading=reading(state, evse),
        reason=None if reason is None else reason.value,
    )


def vacated(state: EvseState) -> EvseState:
    """Nobody holds the EVSE any more; a car may still be plugged in."""
    return dataclasses.replace(state, phase=Phase.IDLE, card=None, until=None, metered_at=None)


def begun(state: EvseState, evse: Evse) -> Outcome:
    """Charging starts; there is a car."""
    state = dataclasses.replace(state, phase=Phase.CHARGING, until=None, metered_at=state.at)
    return state, (report(state, evse, StationEventKind.CHARGING),)


def stopped(state: EvseState, evse: Evse, reason: StopReason) -> Outcome:
    """The charge, or the wait for a car, is over."""
    phase = Phase.IDLE if state.car is None else Phase.FINISHED
    state = dataclasses.replace(vacated(state), phase=phase)
    return state, (report(state, evse, StationEventKind.STOPPED, reason),)


def step(state: EvseState, evse: Evse, now: datetime) -> Outcome:
    """The state as it is now if nobody touched the EVSE since, however long that is; nothing where `now` is earlier."""
    if now <= state.at:
        return state, ()
    if state.phase is Phase.CHARGING and state.car is not None:
        return _charged(state, state.car, evse, now)
    later = dataclasses.replace(state, at=now)
    is_void = state.phase is Phase.RESERVED and state.until is not None and state.until <= now
    return (vacated(later) if is_void else later), ()


def _charged(state: EvseState, car: Car, evse: Evse, now: datetime) -> Outcome:
    ahead = course(state, evse)
    left, reason = _remaining(state, ahead)
    gained = ahead.energy_after(_hours(now - state.at))
    if gained < left:
        return _counted(state, car, gained, now), ()
    end, events = stopped(_counted(state, car, left, _end(state, ahead, left, now)), evse, reason)
    return dataclasses.replace(end, at=now), events


def _remaining(state: EvseState, ahead: Course) -> tuple[Decimal, StopReason]:
    """The energy after which the charge ends by itself, and why it will."""
    if state.limits.max_energy is not None:
        allowed = max(NOTHING, state.limits.max_energy - state.energy)
        if allowed <= ahead.energy:
            return allowed, StopReason.LIMIT
    return ahead.energy, StopReason.FULL


def _counted(state: EvseState, car: Car, energy: Decimal, at: datetime) -> EvseState:
    return dataclasses.replace(
        state, at=at, meter=state.meter + energy, energy=state.energy + energy, car=car.charged(energy)
    )


def _end(state: EvseState, ahead: Course, left: Decimal, latest: datetime) -> datetime:
    hours = ahead.hours_to(left)
    if hours is None or hours >= _hours(latest - state.at):
        return latest
    return state.at + _duration(hours)


def _hours(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1)) / HOUR_IN_MICROSECONDS


def _duration(hours: Decimal) -> timedelta:
    return timedelta(microseconds=int((hours * HOUR_IN_MICROSECONDS).to_integral_value()))


def expected_end(state: EvseState, evse: Evse) -> datetime | None:
    """When the charge will end by itself, at most a day ahead; None where it will not."""
    ahead = course(state, evse)
    hours = ahead.hours_to(_remaining(state, ahead)[0])
    return None if hours is None else state.at + _duration(min(hours, LONGEST_FORECAST))


def status(state: EvseState, evse: Evse) -> EvseStatus:
    """The live status (OCHP 1.4, Live status: a fault first, then charging, blocked, reserved)."""
    soon = state.at + NEAR_FUTURE
    if state.fault is not None:
        return _status(evse, MinorStatus.OUT_OF_ORDER, None)
    if state.phase is Phase.CHARGING:
        return _status(evse, MinorStatus.CHARGING, expected_end(state, evse) or soon)
    if state.car is not None:
        return _status(evse, MinorStatus.BLOCKED, soon)
    if state.phase in (Phase.RESERVED, Phase.READY):
        return _status(evse, MinorStatus.RESERVED, state.until or soon)
    return _status(evse, MinorStatus.AVAILABLE, soon)


def _status(evse: Evse, minor: MinorStatus, ttl: datetime | None) -> EvseStatus:
    is_available = minor is MinorStatus.AVAILABLE
    major = MajorStatus.AVAILABLE if is_available else MajorStatus.NOT_AVAILABLE
    return EvseStatus(evse_id=evse.evse_id, major=major, minor=minor, ttl=ttl)
