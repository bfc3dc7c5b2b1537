"""Tariffs (since 1.4): what an operator asks for a charge, for everybody or for single providers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from clearinghouse.ochp.cdrs import BillingItem
from clearinghouse.ochp.hours import RegularHours
from clearinghouse.ochp.marks import Boxed, Most, Named, Required, Text, Whole, message, named_type
from clearinghouse.ochp.results import Result
from clearinghouse.ochp.scalars import (
    Amount,
    AnyCurrency,
    KilowattHours,
    Kilowatts,
    Money,
    Seconds,
    TariffId,
    UtcDateTime,
)


@named_type("PriceComponentType")
@dataclass(frozen=True, kw_only=True)
class PriceComponent:
    """A net price for a unit of a billing item, billed in whole steps."""

    billing_item: Annotated[BillingItem, Boxed("BillingItemType", "BillingItemType")]
    item_price: Money
    step_size: Amount


@named_type("TariffRestrictionType")
@dataclass(frozen=True, kw_only=True)
class TariffRestriction:
    """When a price applies: hours, dates, energy, power and duration, each from its start up to its end."""

    regular_hours: Annotated[tuple[RegularHours, ...], Most(14)] = ()
    start_date_time: UtcDateTime | None = None
    end_date_time: UtcDateTime | None = None
    min_energy: KilowattHours | None = None
    max_energy: KilowattHours | None = None
    min_power: Kilowatts | None = None
    max_power: Kilowatts | None = None
    min_duration: Seconds | None = None
    max_duration: Seconds | None = None


@named_type("TariffElementType")
@dataclass(frozen=True, kw_only=True)
class TariffElement:
    """A price and when it applies: always, with an empty restriction."""

    price_component: PriceComponent
    tariff_restriction: TariffRestriction = TariffRestriction()


@named_type("IndividualTariffType")
@dataclass(frozen=True, kw_only=True)
class IndividualTariff:
    """Prices for these providers; without any, for all others."""

    tariff_element: Annotated[tuple[TariffElement, ...], Required(), Whole()]
    recipient: tuple[Annotated[str, Text(min=1, max=5, patterns=("[A-Z0-9]{1,5}",))], ...] = ()
    currency: AnyCurrency


@named_type("TariffInfo")
@dataclass(frozen=True, kw_only=True)
class TariffInfo:
    """A tariff, which connectors refer to by its id."""

    tariff_id: TariffId
    individual_tariff: Annotated[tuple[IndividualTariff, ...], Required()]


@message()
@dataclass(frozen=True, kw_only=True)
class UpdateTariffsRequest:
    """An operator uploads new and changed tariffs, each of them whole."""

    tariff_info_array: Annotated[Iterable[TariffInfo], Named("TariffInfoArray"), Required()]


@message()
@dataclass(frozen=True, kw_only=True)
class UpdateTariffsResponse:
    """What the clearing house made of the tariffs, and those that it did not take."""

    result: Result
    refused_tariff_info: tuple[TariffInfo, ...] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class GetTariffUpdatesRequest:
    """A provider asks for the tariffs that changed since then, or for all."""

    last_update: UtcDateTime | None = None


@message()
@dataclass(frozen=True, kw_only=True)
class GetTariffUpdatesResponse:
    """The tariffs that apply to the caller."""

    result: Result
    tariff_info_array: Annotated[Iterable[TariffInfo], Named("TariffInfoArray")] = ()
