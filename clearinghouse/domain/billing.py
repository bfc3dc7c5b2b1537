"""What a session costs by the operator's own tariff: exact Decimals, net, rounded to cents once per line of the bill.

Each billing item is one line, at the price that applies when the line begins, as whoever checks the CDR has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from clearinghouse.domain.informing import Bill
from clearinghouse.domain.pricing import HOUR, SECOND, Situation, in_steps, item_prices
from clearinghouse.domain.sessions import Session
from clearinghouse.domain.tariffs import entries_for
from clearinghouse.ochp.cdrs import BillingItem, CdrPeriod
from clearinghouse.ochp.tariffs import IndividualTariff, TariffInfo

CENT = Decimal("0.01")
FINEST = Decimal("0.0001")
"""Hours are billed to this fraction, less than half a second, where the tariff has no steps."""
NOTHING = Decimal(0)
ONCE = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A session as it is billed: when the driver had the EVSE, when energy flowed and how much, in kWh.

    `rating` is what the EVSE is made for, in kW. `reserved` tells whether it was kept before the charge began.
    """

    selected_at: datetime
    started_at: datetime
    ended_at: datetime
    energy: Decimal
    rating: Decimal | None
    reserved: bool


def stay_of(session: Session, rating: Decimal | None, time_zone: str) -> Stay:
    """The session to be billed, in whole seconds of its EVSE's wall clock (an IANA time zone)."""
    zone = ZoneInfo(time_zone)
    started = session.started_at or session.selected_at
    ended = max(session.ended_at or (session.reading.at if session.reading else started), started)
    selected = min(session.selected_at, started)
    return Stay(
        selected_at=_by_the_wall(selected, zone),
        started_at=_by_the_wall(started, zone),
        ended_at=_by_the_wall(ended, zone),
        energy=session.energy,
        rating=rating,
        reserved=not session.local,
    )


def _by_the_wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(microsecond=0)


# -- How much of what --------------------------------------------------------------------------------------------


def _hours(duration: timedelta) -> Decimal:
    return (Decimal(duration // SECOND) / HOUR).quantize(FINEST, ROUND_HALF_UP)


def _energy(stay: Stay) -> Decimal:
    return stay.energy


def _charging_hours(stay: Stay) -> Decimal:
    return _hours(stay.ended_at - stay.started_at)


def _reserved_hours(stay: Stay) -> Decimal:
    return _hours(stay.started_at - stay.selected_at) if stay.reserved else NOTHING


def _once(_: Stay) -> Decimal:
    return ONCE


def _once_if_reserved(stay: Stay) -> Decimal:
    return ONCE if stay.reserved else NOTHING


MEASURES: dict[BillingItem, Callable[[Stay], Decimal]] = {
    BillingItem.RESERVATION: _once_if_reserved,
    BillingItem.RESERVATION_TIME: _reserved_hours,
    BillingItem.SERVICE_FEE: _once,
    BillingItem.ENERGY: _energy,
    BillingItem.USAGE_TIME: _charging_hours,
    BillingItem.PARKING_TIME: _charging_hours,
}
"""How much of a billing item a session used, in the item's unit. Others are not measured here, and not billed."""
BEFORE_THE_CHARGE = frozenset({BillingItem.RESERVATION, BillingItem.RESERVATION_TIME})
UNPRICED = (BillingItem.ENERGY, BillingItem.USAGE_TIME)
"""What a record without a tariff states, at no price (OCHP 1.4: an unrated record)."""


# -- The bill ----------------------------------------------------------------------------------------------------


def bill_of(stay: Stay, tariff: TariffInfo | None, provider_id: str, currency: str) -> Bill:
    """What the session costs a customer of the provider; `currency` is that of a bill without prices."""
    entry = next(iter(entries_for(tariff, frozenset({provider_id}))), None) if tariff else None
    priced = tuple(_lines(stay, entry)) if entry else ()
    if entry and priced:
        return bill(priced, entry.currency)
    return bill(tuple(_line(stay, item, MEASURES[item](stay), NOTHING) for item in UNPRICED), currency)


def bill(periods: tuple[CdrPeriod, ...], currency: str) -> Bill:
    """The bill with its sum."""
    return Bill(
        periods=periods, cost=sum((each.period_cost or NOTHING for each in periods), NOTHING), currency=currency
    )


def _lines(stay: Stay, entry: IndividualTariff) -> Iterator[CdrPeriod]:
    for item, measure in MEASURES.items():
        used = measure(stay)
        component = next(iter(item_prices(entry, item, _situation(stay, item))), None)
        if component is not None and used > NOTHING:
            yield _line(stay, item, in_steps(used, component.step_size), component.item_price)


def _situation(stay: Stay, item: BillingItem) -> Situation:
    """What restrictions of the tariff look at when a line of the bill begins."""
    begin, end = _span(stay, item)
    seconds = (end - begin) // SECOND
    average = stay.energy * HOUR / seconds if item is BillingItem.ENERGY and seconds else stay.rating
    return Situation(at=begin, power=average, elapsed=begin - stay.selected_at)


def _span(stay: Stay, item: BillingItem) -> tuple[datetime, datetime]:
    if item in BEFORE_THE_CHARGE:
        return stay.selected_at, stay.started_at
    return stay.started_at, stay.ended_at


def _line(stay: Stay, item: BillingItem, value: Decimal, price: Decimal) -> CdrPeriod:
    begin, end = _span(stay, item)
    return CdrPeriod(
        start_date_time=begin,
        end_date_time=end,
        billing_item=item,
        billing_value=value,
        item_price=price,
        period_cost=cost(value, price),
    )


def cost(value: Decimal, price: Decimal) -> Decimal:
    """Amount times price, in cents; half a cent is rounded away from zero."""
    return (value * price).quantize(CENT, ROUND_HALF_UP)
