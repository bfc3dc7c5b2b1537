"""What a tariff asks for a charge: which price applies to each period of a CDR, and what the period costs by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import TypeVar

from clearinghouse.domain.opening_hours import covers
from clearinghouse.domain.tariffs import TariffVersion, entries_for
from clearinghouse.ochp.cdrs import BillingItem, CdrInfo, CdrPeriod
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.tariffs import IndividualTariff, PriceComponent, TariffRestriction

T = TypeVar("T", datetime, Decimal, int)

SECOND = timedelta(seconds=1)
HOUR = 3600
ZERO = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What restrictions of a tariff ask for: wall clock, energy so far in kWh, power in kW, time since the start."""

    at: datetime
    energy: Decimal = ZERO
    power: Decimal | None = None
    elapsed: timedelta = timedelta()


@dataclass(frozen=True, kw_only=True)
class PricedPeriod:
    """A period of a CDR and what the tariff says to it.

    `component` is None where the tariff has no price for it; `billed` is the value in whole steps.
    """

    period: CdrPeriod
    component: PriceComponent | None
    billed: Decimal
    cost: Decimal | None

    @property
    def fits(self) -> bool:
        """Whether the CDR states the tariff's price."""
        return self.component is not None and self.component.item_price == self.period.item_price


def applies(restriction: TariffRestriction, situation: Situation) -> bool:
    """Whether a price applies: every bound that is given includes its start and excludes its end (OCHP, tariffs)."""
    hours = restriction.regular_hours
    return (
        (not hours or any(covers(each, situation.at) for each in hours))
        and _within(restriction.start_date_time, situation.at, restriction.end_date_time)
        and _within(restriction.min_energy, situation.energy, restriction.max_energy)
        and _power_fits(restriction, situation)
        and _within(restriction.min_duration, situation.elapsed // SECOND, restriction.max_duration)
    )


def _power_fits(restriction: TariffRestriction, situation: Situation) -> bool:
    """A power that is not known fits everywhere."""
    return situation.power is None or _within(restriction.min_power, situation.power, restriction.max_power)


def _within(least: T | None, value: T, end: T | None) -> bool:
    return (least is None or least <= value) and (end is None or value < end)


def item_prices(entry: IndividualTariff, item: BillingItem, situation: Situation) -> tuple[PriceComponent, ...]:
    """The prices for a billing item that apply in a situation, in the tariff's order."""
    return tuple(
        each.price_component
        for each in entry.tariff_element
        if each.price_component.billing_item is item and applies(each.tariff_restriction, situation)
    )


def in_steps(value: Decimal, step: Decimal) -> Decimal:
    """The value in whole steps, begun ones count: 8 minutes in steps of 0.1 h are 12. A step of 0 is exact."""
    return value if step <= ZERO else (value / step).to_integral_value(ROUND_CEILING) * step


def version_at(versions: Iterable[TariffVersion], at: datetime) -> TariffVersion | None:
    """The version of a tariff that was in force."""
    return next((each for each in versions if each.holds_at(at)), None)


def price(cdr: CdrInfo, versions: Sequence[TariffVersion]) -> tuple[PricedPeriod, ...] | None:
    """Every period of a CDR priced by the tariff that was in force at its start.

    None where no version was, or where it has nothing for the CDR's provider in the CDR's currency. A period is
    judged by the situation at its beginning: an operator that changes its price within a charge begins a new period.
    """
    version = version_at(versions, cdr.start_date_time)
    if version is None:
        return None
    entries = entries_for(version.tariff, frozenset({party_id(cdr.contract_id)}))
    entry = next((each for each in entries if each.currency == cdr.currency), None)
    return None if entry is None else tuple(_priced(period, entry, cdr) for period in cdr.charging_periods)


def _priced(period: CdrPeriod, entry: IndividualTariff, cdr: CdrInfo) -> PricedPeriod:
    """Of several prices the one that the CDR states, or else the first."""
    found = item_prices(entry, period.billing_item, situation_of(period, cdr))
    component = next((each for each in found if each.item_price == period.item_price), next(iter(found), None))
    if component is None:
        return PricedPeriod(period=period, component=None, billed=period.billing_value, cost=None)
    billed = in_steps(period.billing_value, component.step_size)
    return PricedPeriod(period=period, component=component, billed=billed, cost=billed * component.item_price)


def situation_of(period: CdrPeriod, cdr: CdrInfo) -> Situation:
    """The situation at the beginning of a period, as far as the CDR tells it."""
    charged = (
        each.billing_value
        for each in cdr.charging_periods
        if each.billing_item is BillingItem.ENERGY and each.end_date_time <= period.start_date_time
    )
    return Situation(
        at=period.start_date_time,
        energy=sum(charged, ZERO),
        power=_power(period, cdr),
        elapsed=period.start_date_time - cdr.start_date_time,
    )


def _power(period: CdrPeriod, cdr: CdrInfo) -> Decimal | None:
    """The power of a period in kW: as billed, as its energy tells, or else what the EVSE is made for."""
    if period.billing_item is BillingItem.POWER:
        return period.billing_value
    seconds = (period.end_date_time - period.start_date_time) // SECOND
    if period.billing_item is BillingItem.ENERGY and seconds > 0:
        return period.billing_value * HOUR / seconds
    return cdr.ratings.maximum_power if cdr.ratings else None
