"""What a provider judges a CDR by: what it knows of the charge, how far a CDR may be off, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from clearinghouse.domain.charges import Charge
from clearinghouse.domain.tariffs import TariffVersion
from clearinghouse.ochp.cdrs import BillingItem, CdrInfo
from clearinghouse.ochp.tokens import RoamingAuthorisationInfo, TokenType

NOTHING = Decimal(0)


class Verdict(StrEnum):
    """What becomes of a CDR, from the mildest to the gravest: `wait` leaves it to a person."""

    APPROVE = "approve"
    WAIT = "wait"
    DECLINE = "decline"


GRAVITY = (Verdict.APPROVE, Verdict.WAIT, Verdict.DECLINE)


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """How far a CDR may be off: energy in kWh and as a part of what was told, money, clocks, and the largest total.

    A new tariff may have been in force for `tariff_delay` before it was downloaded.
    """

    energy: Decimal = Decimal("0.1")
    energy_part: Decimal = Decimal("0.02")
    money: Decimal = Decimal("0.02")
    clock: timedelta = timedelta(minutes=5)
    tariff_delay: timedelta = timedelta(hours=1)
    largest_total: Decimal = Decimal(500)


EXACTLY_ENOUGH = Tolerances()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the provider itself knows of a charge.

    `charge` is its own, of a direct session; `rivals` are other CDRs that claim the same session or overlap at the
    EVSE; `lines` those of its token list for the token, None where it keeps no list; `tariff` the versions of the
    connector's tariff, oldest first, none where it is not known.
    """

    now: datetime
    provider_ids: frozenset[str]
    charge: Charge | None = None
    rivals: tuple[CdrInfo, ...] = ()
    lines: tuple[RoamingAuthorisationInfo, ...] | None = None
    tariff: tuple[TariffVersion, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A rule that a CDR breaks, why, and what the rule then asks for."""

    rule: str
    verdict: Verdict
    text: str


def is_direct(cdr: CdrInfo) -> bool:
    """Whether the CDR is of a direct session: its token is the direct id (OCHP-direct 0.2, CDR link)."""
    return cdr.emt_id.token_type is TokenType.REMOTE


def energy_of(cdr: CdrInfo) -> Decimal:
    """The energy billed, in kWh."""
    periods = (each for each in cdr.charging_periods if each.billing_item is BillingItem.ENERGY)
    return sum((each.billing_value for each in periods), NOTHING)


def total_of(cdr: CdrInfo) -> Decimal:
    """The net total: as stated, or the sum of the periods."""
    return cdr.total_cost if cdr.total_cost is not None else sum_of_periods(cdr)


def sum_of_periods(cdr: CdrInfo) -> Decimal:
    """What the periods cost together, each as stated, or its value times its price."""
    costs = (
        each.period_cost if each.period_cost is not None else each.billing_value * each.item_price
        for each in cdr.charging_periods
    )
    return sum(costs, NOTHING)
