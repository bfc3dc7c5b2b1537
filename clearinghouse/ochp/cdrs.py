"""Charge data: what was charged when, where and by whom, what it costs, and what the provider says to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from clearinghouse.ochp.connectors import ChargePointType, Connector, MeteringInfo, Ratings
from clearinghouse.ochp.locations import Address, HouseNumber13, Street
from clearinghouse.ochp.marks import (
    Boxed,
    Holds,
    Named,
    Required,
    Since,
    Text,
    Until,
    When,
    Whole,
    inlined,
    members_replaced,
    members_since,
    members_spelled,
    message,
    named_type,
)
from clearinghouse.ochp.results import Result
from clearinghouse.ochp.scalars import (
    Amount,
    AnyCurrency,
    CdrId,
    ContractId,
    Duration,
    EvseId,
    Kilowatts,
    LiveAuthId,
    LocalDateTime,
    Money,
    Percent,
)
from clearinghouse.ochp.tokens import EmtId
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1


@members_since(RESERVATION=V1_4, RESERVATION_TIME=V1_4, VOLUME=V1_4_1, MASS=V1_4_1)
@members_replaced(RESERVATION="SERVICE_FEE", RESERVATION_TIME="PARKING_TIME")
class BillingItem(StrEnum):
    """What a period charges for; the unit of its value follows from it."""

    PARKING_TIME = "parkingtime"
    USAGE_TIME = "usagetime"
    ENERGY = "energy"
    POWER = "power"
    SERVICE_FEE = "serviceFee"
    RESERVATION = "reservation"
    RESERVATION_TIME = "reservationtime"
    VOLUME = "volume"
    MASS = "mass"


@members_since(REVISED=V1_4)
@members_replaced(REVISED="ACCEPTED")
@members_spelled(V1_3, {"declined": "owner declined"}.get)
class CdrStatus(StrEnum):
    """Where a CDR stands between operator, clearing house and provider."""

    NEW = "new"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DECLINED = "declined"
    APPROVED = "approved"
    REVISED = "revised"


CdrStatusBox = Annotated[CdrStatus, Boxed("CdrStatusType", "CdrStatusType")]
City13 = Annotated[str, Text(min=2, max=45)]
ZipCode13 = Annotated[str, Text(min=1, max=10, patterns=(r"[A-Z0-9\- ]{1,10}",))]
Country13 = Annotated[str, Text(length=3, patterns=("[A-Z]{3}",))]


@named_type("CdrPeriodType")
@dataclass(frozen=True, kw_only=True)
class CdrPeriod:
    """One line of the bill: so much of a billing item at a price, in net money.

    `currency` is said by 1.3 alone; elsewhere it is set only where the periods of a CDR disagree about it.
    """

    start_date_time: LocalDateTime
    end_date_time: LocalDateTime
    billing_item: Annotated[BillingItem, Boxed("BillingItemType", "BillingItemType")]
    billing_value: Amount
    currency: Annotated[AnyCurrency | None, Until(V1_3), Required(until=V1_3)] = None
    item_price: Money
    period_cost: Money | None = None
    taxrate: Annotated[Percent | None, Since(V1_4)] = None


@named_type("CDRInfo")
@dataclass(frozen=True, kw_only=True)
class CdrInfo:
    """A charge data record: one charge, and what it costs.

    `house_number` to `country` and `max_socket_power` are how 1.3 says the address and the ratings; they are empty but
    on the way to and from a 1.3 peer. `live_auth_id` and `product_type` exist in 1.3 alone.
    """

    cdr_id: Annotated[CdrId, Named("CdrId")]
    evse_id: EvseId
    emt_id: EmtId
    contract_id: ContractId
    live_auth_id: Annotated[LiveAuthId | None, Until(V1_3)] = None
    status: CdrStatusBox
    start_date_time: LocalDateTime
    end_date_time: LocalDateTime
    duration: Duration | None = None
    house_number: Annotated[HouseNumber13 | None, Until(V1_3)] = None
    address: Annotated[Street | None, Until(V1_3)] = None
    zip_code: Annotated[ZipCode13 | None, Until(V1_3)] = None
    city: Annotated[City13 | None, Until(V1_3)] = None
    country: Annotated[Country13 | None, Until(V1_3), Required()] = None
    charge_point_address: Annotated[Address, Since(V1_4)]
    charge_point_type: ChargePointType
    connector_type: Connector
    max_socket_power: Annotated[Kilowatts | None, Until(V1_3), Required()] = None
    ratings: Annotated[Ratings | None, Since(V1_4)] = None
    product_type: Annotated[str | None, Until(V1_3), Text(min=1, max=2)] = None
    meter_id: Annotated[str, Text(min=1, max=20)] | None = None
    charging_periods: Annotated[tuple[CdrPeriod, ...], Required(), Whole()]
    total_cost: Annotated[Money | None, Since(V1_4)] = None
    currency: Annotated[AnyCurrency, Since(V1_4)]
    metering_info: Annotated[MeteringInfo | None, Since(V1_4_1)] = None


@inlined
@dataclass(frozen=True, kw_only=True)
class CdrReference:
    """Which CDR is meant: its id, and the EVSE within which ids of 1.3 are unique."""

    cdr_id: CdrId
    evse_id: EvseId


AnyCdr = Annotated[tuple[CdrReference | CdrInfo, ...], When((Holds(CdrInfo),), until=V1_3)]
"""CDRs that a message names: 1.3 repeats them whole, later versions refer to them."""


@message("AddCDRsRequest")
@dataclass(frozen=True, kw_only=True)
class AddCdrsRequest:
    """An operator uploads charge data."""

    cdr_info_array: Annotated[Iterable[CdrInfo], Required()]


@message("AddCDRsResponse")
@dataclass(frozen=True, kw_only=True)
class AddCdrsResponse:
    """What the clearing house made of the CDRs, and those that it did not take: whole in 1.3, later their ids."""

    result: Result
    implausible_cdrs_array: Annotated[tuple[CdrId | CdrInfo, ...], When((Holds(CdrInfo),), until=V1_3)] = ()


@message("GetCDRsRequest")
@dataclass(frozen=True, kw_only=True)
class GetCdrsRequest:
    """A provider asks for charge data of its contracts; without a status, for what it has not confirmed yet."""

    cdr_status: Annotated[CdrStatusBox | None, Since(V1_4)] = None


@message("GetCDRsResponse")
@dataclass(frozen=True, kw_only=True)
class GetCdrsResponse:
    """The CDRs of the caller's contracts."""

    result: Result
    cdr_info_array: Iterable[CdrInfo] = ()


@message("CheckCDRsRequest")
@dataclass(frozen=True, kw_only=True)
class CheckCdrsRequest:
    """An operator asks what became of its CDRs; without a status, for the declined ones (since 1.4)."""

    cdr_status: CdrStatusBox | None = None


@message("CheckCDRsResponse")
@dataclass(frozen=True, kw_only=True)
class CheckCdrsResponse:
    """The CDRs that the caller uploaded (since 1.4)."""

    result: Result
    cdr_info_array: Iterable[CdrInfo] = ()


@message("ConfirmCDRsRequest")
@dataclass(frozen=True, kw_only=True)
class ConfirmCdrsRequest:
    """A provider approves and declines CDRs."""

    approved: AnyCdr = ()
    declined: AnyCdr = ()


@message("ConfirmCDRsResponse")
@dataclass(frozen=True, kw_only=True)
class ConfirmCdrsResponse:
    """Whether the clearing house took note of all of them."""

    result: Result
