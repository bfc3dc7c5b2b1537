"""The tariffs that applied to CDRs, for the check of their prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from clearinghouse.domain.cdr_case import AppliedTariff
from clearinghouse.domain.cdrs import CdrKey, key_of
from clearinghouse.domain.pricing import PricedPeriod, price
from clearinghouse.ochp.cdrs import CdrInfo, CdrPeriod
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.services.ports import Books


@dataclass(frozen=True)
class PricedCdr:
    """Implements `AppliedTariff` by the periods of a CDR as the tariff prices them."""

    currency: str
    priced: tuple[PricedPeriod, ...]

    def prices(self, period: CdrPeriod) -> tuple[Decimal, ...]:
        """The tariff's price for this period of the CDR, if it has one."""
        return tuple(each.component.item_price for each in self.priced if each.period == period and each.component)


def tariffs_that_applied(books: Books, cdrs: Sequence[CdrInfo]) -> Mapping[CdrKey, AppliedTariff]:
    """Those of the CDRs for which the house knows a tariff of their time, provider and currency."""
    priced = priced_by_tariff(books, cdrs)
    return {key_of(each): PricedCdr(each.currency, priced[key_of(each)]) for each in cdrs if key_of(each) in priced}


def priced_by_tariff(books: Books, cdrs: Sequence[CdrInfo]) -> dict[CdrKey, tuple[PricedPeriod, ...]]:
    """The periods of CDRs priced by the tariff of their connector that was in force when the charge began.

    Where a CDR names no tariff, that of the EVSE's connector of the same standard and format counts. A CDR for which
    there is no such tariff, or one with nothing for its provider in its currency, is left out: nothing can be said.
    """
    places = books.charge_points.get([each.evse_id for each in cdrs if not each.connector_type.tariff_id])
    named = [(each, each.connector_type.tariff_id or _tariff_at(places.get(each.evse_id), each)) for each in cdrs]
    asked = {(tariff_id, each.start_date_time) for each, tariff_id in named if tariff_id}
    held = books.tariffs.held(asked) if asked else {}
    priced = ((key_of(each), price(each, held.get(tariff_id or "", ()))) for each, tariff_id in named)
    return {key: periods for key, periods in priced if periods is not None}


def _tariff_at(point: ChargePointInfo | None, cdr: CdrInfo) -> str | None:
    """The tariff of the connector that was used, as far as the EVSE tells."""
    used = (cdr.connector_type.connector_standard, cdr.connector_type.connector_format)
    connectors = point.connectors if point else ()
    return next(
        (each.tariff_id for each in connectors if (each.connector_standard, each.connector_format) == used), None
    )
