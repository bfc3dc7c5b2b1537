"""The rules of plausibility about amounts: values, prices, sums, currencies and energy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from clearinghouse.domain.cdr_case import Case, Fault, Skipped, periods
from clearinghouse.domain.iso_codes import CURRENCIES
from clearinghouse.domain.settlement import cost_of, currencies_of, price_of, total
from clearinghouse.ochp.cdrs import BillingItem, CdrInfo, CdrPeriod

PERIOD_CENT, TOTAL_CENTS = Decimal("0.01"), Decimal("0.02")
"""What rounding may explain."""
ONE = Decimal(1)
MOST_ENERGY = Decimal(1000)
POWER_SLACK, METER_STEP = Decimal("1.1"), Decimal("0.5")
"""A meter may show a tenth more than the rated power would, and half a kWh."""
SECONDS_PER_HOUR = Decimal(3600)
ONE_OFF = frozenset({BillingItem.SERVICE_FEE, BillingItem.RESERVATION})


def negative_value(case: Case) -> Fault:
    """Nobody charges less than nothing."""
    return _first(case, lambda period: period.billing_value < 0, "has a value below zero")


def negative_price(case: Case) -> Fault:
    """Prices are seldom below zero."""
    return _first(case, lambda period: period.item_price < 0, "has a price below zero")


def not_once(case: Case) -> Fault:
    """A service fee or a reservation is charged once."""
    wrong = _first(case, lambda period: period.billing_item in ONE_OFF and period.billing_value != ONE, "")
    return f"{wrong}charges a one-off fee with a value that is not 1" if wrong else None


def wrong_period_cost(case: Case) -> Fault:
    """A period costs its value times its price, give or take a cent."""
    for number, period in periods(case):
        if period.period_cost is not None and abs(period.period_cost - price_of(period)) > PERIOD_CENT:
            return (
                f"period {number} costs {period.period_cost}, but {period.billing_value} at {period.item_price} "
                f"are {_short(price_of(period))}"
            )
    return None


def wrong_total(case: Case) -> Fault:
    """The total is the sum of the periods, give or take two cents, whether each was rounded or not."""
    cdr = case.cdr
    if cdr.total_cost is None:
        return None
    sums = {total(map(cost_of, cdr.charging_periods)), total(map(price_of, cdr.charging_periods))}
    if any(abs(cdr.total_cost - each) <= TOTAL_CENTS for each in sums):
        return None
    return f"its total is {cdr.total_cost}, but its periods add up to {_short(min(sums))}"


def unknown_currency(case: Case) -> Fault:
    """The currency is one of ISO 4217."""
    unknown = sorted({case.cdr.currency, *currencies_of(case.cdr)} - CURRENCIES)
    return f"{unknown[0]!r} is no currency" if unknown else None


def mixed_currencies(case: Case) -> Fault:
    """A CDR is in one currency: 1.4 cannot say more, so its providers do not get this one."""
    found = sorted(currencies_of(case.cdr))
    return f"its periods are in several currencies: {', '.join(found)}" if len(found) > 1 else None


def wrong_price(case: Case) -> Fault:
    """Prices are those of the tariff that applied; a price of zero means that the CDR is not rated."""
    tariff = case.tariff
    if tariff is None:
        return Skipped("the house knows no tariff for it, so its prices were not checked")
    for number, period in periods(case):
        if not period.item_price:
            continue
        if (period.currency or case.cdr.currency) != tariff.currency:
            return f"period {number} is not in the currency of the tariff, {tariff.currency}"
        prices = tariff.prices(period)
        if period.item_price not in prices:
            allowed = " or ".join(str(each) for each in sorted(prices)) or "nothing"
            return f"period {number} asks {period.item_price} for {period.billing_item}, the tariff {allowed}"
    return None


def beyond_power(case: Case) -> Fault:
    """No more energy than the rated power gives in the time of the charge."""
    cdr = case.cdr
    power = cdr.ratings.maximum_power if cdr.ratings else Decimal(0)
    if power <= 0 or cdr.end_date_time < cdr.start_date_time:
        return None
    seconds = Decimal((cdr.end_date_time - cdr.start_date_time) // timedelta(seconds=1))
    possible = power * seconds / SECONDS_PER_HOUR * POWER_SLACK + METER_STEP
    energy = energy_of(cdr)
    if energy <= possible:
        return None
    return (
        f"{_short(energy)} kWh in {cdr.end_date_time - cdr.start_date_time} are more than {_short(power)} kW can give"
    )


def enormous_energy(case: Case) -> Fault:
    """No car takes more than 1000 kWh; some partners write Wh."""
    energy = energy_of(case.cdr)
    return f"{_short(energy)} kWh are more than 1000; are they Wh?" if energy > MOST_ENERGY else None


def energy_of(cdr: CdrInfo) -> Decimal:
    """The energy that a CDR charges for, in kWh."""
    return total(each.billing_value for each in cdr.charging_periods if each.billing_item is BillingItem.ENERGY)


def _first(case: Case, wrong: Callable[[CdrPeriod], bool], what: str) -> Fault:
    return next((f"period {number} {what}" for number, period in periods(case) if wrong(period)), None)


def _short(amount: Decimal) -> str:
    return f"{amount:.4f}".rstrip("0").rstrip(".")
