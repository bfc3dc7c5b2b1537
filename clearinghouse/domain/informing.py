"""What the operator tells the provider about a session, and when an update is worth telling (InformProvider)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from clearinghouse.domain.partners import MeterUnit
from clearinghouse.domain.sessions import Reading, Session, State
from clearinghouse.ochp.cdrs import CdrPeriod
from clearinghouse.ochp.direct import OK, DirectMessage, InformProviderMessage, MeterReading
from clearinghouse.ochp.results import DirectResult

NO_POWER = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a session has cost so far, and for what, in net money."""

    periods: tuple[CdrPeriod, ...] = ()
    cost: Decimal
    currency: str


def message_for(
    session: Session,
    message: DirectMessage,
    *,
    time_zone: str = "UTC",
    result: DirectResult = OK,
    bill: Bill | None = None,
) -> InformProviderMessage:
    """What is known of the session now; the meter is told by the EVSE's wall clock (an IANA time zone).

    Raises ZoneInfoNotFoundError where there is no such time zone.
    """
    limits = session.limits
    return InformProviderMessage(
        result=result,
        message=message,
        evse_id=session.evse_id,
        contract_id=session.contract_id,
        direct_id=session.direct_id,
        ttl=session.deadline if session.is_open else None,
        max_power=limits.max_power,
        max_current=limits.max_current,
        one_phase=limits.one_phase,
        max_energy=limits.max_energy,
        min_energy=limits.min_energy,
        departure=limits.departure,
        current_power=_power(session),
        charged_energy=session.energy if session.meter_start is not None else None,
        meter_reading=_meter(session.reading, time_zone),
        charging_periods=bill.periods if bill else (),
        current_cost=bill.cost if bill else None,
        currency=bill.currency if bill else None,
    )


def _power(session: Session) -> Decimal | None:
    """The power in kW: what was measured while the car charges, none at any other time."""
    if session.state is not State.CHARGING:
        return NO_POWER
    return session.reading.power if session.reading else None


def _meter(reading: Reading | None, time_zone: str) -> MeterReading | None:
    if reading is None:
        return None
    at = reading.at.astimezone(ZoneInfo(time_zone)).replace(microsecond=0)
    return MeterReading(meter_value=reading.meter, meter_time=at)


WATT_HOURS = Decimal(1000)


def in_kwh(message: InformProviderMessage, unit: MeterUnit) -> InformProviderMessage:
    """The message of an operator that writes its meter in that unit, with the meter in kWh as everybody else reads it.

    OCHP-direct 0.2 names both units: Wh at MeterReading, kWh at the message.
    """
    reading = message.meter_reading
    if reading is None or unit is MeterUnit.KWH:
        return message
    in_kwh = dataclasses.replace(reading, meter_value=reading.meter_value / WATT_HOURS)
    return dataclasses.replace(message, meter_reading=in_kwh)


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """How much must have changed since the provider was last told: kWh, kW, and the power as a share of what was told.

    Nothing is told more often than every `spacing` (OCHP-direct 0.2: at most every 15 minutes), and something at
    least every `silence`. A threshold of None is not looked at.
    """

    energy: Decimal | None = Decimal(1)
    power: Decimal | None = Decimal(1)
    power_share: Decimal | None = None
    spacing: timedelta = timedelta(minutes=15)
    silence: timedelta = timedelta(hours=1)


def is_worth_telling(session: Session, reading: Reading, thresholds: Thresholds) -> bool:
    """Whether a new measurement is told as `info`."""
    if session.told_at is None:
        return True
    waited = reading.at - session.told_at
    if waited < thresholds.spacing:
        return False
    return waited >= thresholds.silence or _has_moved(session, reading, thresholds)


def _has_moved(session: Session, reading: Reading, thresholds: Thresholds) -> bool:
    energy = reading.meter - session.meter_start if session.meter_start is not None else session.told_energy
    power = abs(reading.power - session.told_power)
    reached = (
        (energy - session.told_energy, thresholds.energy),
        (power, thresholds.power),
        (power, None if thresholds.power_share is None else thresholds.power_share * session.told_power),
    )
    return any(threshold is not None and moved > 0 and moved >= threshold for moved, threshold in reached)
