"""What providers owe operators: the net amount of a CDR, and pairs of partners set off against each other.

Rounding happens in one place: each approved CDR is rounded to the smallest unit of its currency once, half a unit
upwards in size. All sums are sums of such amounts, so they are exact and do not depend on how they are grouped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from clearinghouse.domain.iso_codes import smallest_unit
from clearinghouse.ochp.cdrs import CdrInfo, CdrPeriod

EXACT = Context(prec=100)
"""Wide enough that no product or sum of amounts on the wire is rounded by the way."""
NOTHING = Decimal(0)


def price_of(period: CdrPeriod) -> Decimal:
    """Value times price, not rounded (OCHP 1.4, CDRInfo: net, without VAT)."""
    return EXACT.multiply(period.billing_value, period.item_price)


def cost_of(period: CdrPeriod) -> Decimal:
    """What a period costs: as the operator says, else value times price."""
    return price_of(period) if period.period_cost is None else period.period_cost


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    result = NOTHING
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount in whole smallest units; half a unit is rounded away from zero."""
    return amount.quantize(smallest_unit(currency), ROUND_HALF_UP, EXACT)


def currencies_of(cdr: CdrInfo) -> frozenset[str]:
    """The currencies of a CDR: one, but for some of 1.3, whose periods may differ."""
    return frozenset(period.currency or cdr.currency for period in cdr.charging_periods)


def amounts_of(cdr: CdrInfo) -> dict[str, Decimal]:
    """What is owed for a CDR, by currency: its total cost where it says one, else the sum of its periods."""
    if cdr.total_cost is not None:
        return {cdr.currency: rounded(cdr.total_cost, cdr.currency)}
    exact: defaultdict[str, Decimal] = defaultdict(Decimal)
    for period in cdr.charging_periods:
        currency = period.currency or cdr.currency
        exact[currency] = EXACT.add(exact[currency], cost_of(period))
    return {currency: rounded(amount, currency) for currency, amount in exact.items()}


@dataclass(frozen=True, kw_only=True)
class SettlementLine:
    """What a provider owes an operator for the charges of a month, in one currency: net, from approved CDRs."""

    month: str
    """`2027-01`, of the end of the charge by the clock on the charge point's wall."""
    operator_id: str
    provider_id: str
    currency: str
    cdrs: int
    net: Decimal


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What remains between two partners of a month when their claims are set off; zero balances are listed too."""

    month: str
    debtor: str
    creditor: str
    currency: str
    amount: Decimal


def netted(
    lines: Iterable[SettlementLine], operators: Mapping[str, str], providers: Mapping[str, str]
) -> list[Balance]:
    """The balances of all pairs of partners; the mappings tell which partner acts under an operator or provider ID.

    An ID that no partner owns any more stands for itself. What a partner owes itself is left out.
    """
    sums: defaultdict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    for line in lines:
        debtor = providers.get(line.provider_id, line.provider_id)
        creditor = operators.get(line.operator_id, line.operator_id)
        if debtor == creditor:
            continue
        first, second = sorted((debtor, creditor))
        signed = line.net if debtor == first else -line.net
        key = (line.month, first, second, line.currency)
        sums[key] = EXACT.add(sums[key], signed)
    return [_balance(*key, owed) for key, owed in sorted(sums.items())]


def _balance(month: str, first: str, second: str, currency: str, owed: Decimal) -> Balance:
    debtor, creditor = (first, second) if owed >= 0 else (second, first)
    return Balance(month=month, debtor=debtor, creditor=creditor, currency=currency, amount=abs(owed))
