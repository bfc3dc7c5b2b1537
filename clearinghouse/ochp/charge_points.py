"""Charge point information: where an EVSE is, when it is open, what plugs it has, who may use it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from clearinghouse.ochp.connectors import ChargePointType, Connector, MeteringInfo, Ratings
from clearinghouse.ochp.hours import Hours
from clearinghouse.ochp.locations import (
    AdditionalGeoPoint,
    Address,
    City,
    Country,
    EvseImage,
    FloorLevel,
    GeneralLocation,
    GeoPoint,
    HouseNumber13,
    ParkingSpot,
    RelatedResource,
    RestrictionBox,
    SpotNumber,
    Street,
    ZipCode,
)
from clearinghouse.ochp.marks import Boxed, Named, Range, Required, Since, Text, Until, When, message, named_type
from clearinghouse.ochp.results import Result
from clearinghouse.ochp.scalars import EvseId, Language, UtcDateTime
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1


class ChargePointStatus(StrEnum):
    """Whether a charge point is in service at all, for days and more; the live status is another matter."""

    UNKNOWN = "Unknown"
    OPERATIVE = "Operative"
    INOPERATIVE = "Inoperative"
    PLANNED = "Planned"
    CLOSED = "Closed"


class AuthMethod(StrEnum):
    """How a driver starts a charge."""

    PUBLIC = "Public"
    LOCAL_KEY = "LocalKey"
    DIRECT_CASH = "DirectCash"
    DIRECT_CREDIT_CARD = "DirectCreditcard"
    DIRECT_DEBIT_CARD = "DirectDebitcard"
    RFID_MIFARE_CLASSIC = "RfidMifareCls"
    RFID_MIFARE_DESFIRE = "RfidMifareDes"
    RFID_CALYPSO = "RfidCalypso"
    ISO_15118 = "Iec15118"
    OCHP_DIRECT = "OchpDirectAuth"
    OPERATOR = "OperatorAuth"


PHONE_1_3 = r"[0-9 \-]{1,20}"

PHONE = r"[\+]{0,1}[1-9]{0,1}[0-9 \-]{1,17}"


@named_type("ChargePointScheduleType")
@dataclass(frozen=True, kw_only=True)
class StatusSchedule:
    """A status for a time to come, without an end for ever."""

    start_date: UtcDateTime
    end_date: UtcDateTime | None = None
    status: Annotated[ChargePointStatus, Boxed("ChargePointStatusType", "ChargePointStatusType")]


@named_type("ChargePointInfo")
@dataclass(frozen=True, kw_only=True)
class ChargePointInfo:
    """Everything about one EVSE.

    `house_number` to `country`, `floor_level` and `parking_slot_number` are how 1.3 says the address and the parking
    spot; they are empty but on the way to and from a 1.3 peer. `category` and `access_times` exist in 1.3 alone.
    """

    evse_id: EvseId
    location_id: Annotated[str, Text(min=1, max=15, patterns=("[A-Z0-9 ]{1,15}",))]
    timestamp: UtcDateTime | None = None
    location_name: Annotated[str, Text(min=1, max=100)]
    location_name_lang: Language
    images: tuple[EvseImage, ...] = ()
    related_resource: tuple[RelatedResource, ...] = ()
    house_number: Annotated[HouseNumber13 | None, Until(V1_3)] = None
    address: Annotated[Street | None, Until(V1_3), Required()] = None
    city: Annotated[City | None, Until(V1_3), Required()] = None
    zip_code: Annotated[ZipCode | None, Until(V1_3), Required()] = None
    country: Annotated[Country | None, Until(V1_3), Required()] = None
    charge_point_address: Annotated[Address, Since(V1_4)]
    charge_point_location: GeoPoint
    related_location: tuple[AdditionalGeoPoint, ...] = ()
    time_zone: Annotated[str, Text(max=255)] | None = None
    category: Annotated[str | None, Until(V1_3), Text(min=1, max=2)] = None
    opening_times: Annotated[Hours | None, When((Named("operatingTimes"),), until=V1_3)] = None
    access_times: Annotated[Hours | None, Until(V1_3)] = None
    status: Annotated[ChargePointStatus | None, Boxed("ChargePointStatusType", "ChargePointStatusType")] = None
    status_schedule: tuple[StatusSchedule, ...] = ()
    telephone_number: Annotated[
        str | None,
        When((Text(patterns=(PHONE_1_3,)),), until=V1_3),
        When((Text(patterns=(PHONE,)),), since=V1_4),
    ] = None
    location: Annotated[GeneralLocation, Boxed("GeneralLocationType", "GeneralLocationType")]
    floor_level: Annotated[FloorLevel | None, Until(V1_3)] = None
    parking_slot_number: Annotated[SpotNumber | None, Until(V1_3)] = None
    parking_spot: Annotated[tuple[ParkingSpot, ...], Since(V1_4)] = ()
    restriction: Annotated[tuple[RestrictionBox, ...], When((Named("parkingRestriction"),), until=V1_3)] = ()
    auth_methods: Annotated[tuple[Annotated[AuthMethod, Boxed("AuthMethodType", "AuthMethodType")], ...], Required()]
    connectors: Annotated[tuple[Connector, ...], Required()]
    charge_point_type: Annotated[ChargePointType, Since(V1_4)]
    ratings: Ratings | None = None
    user_interface_lang: tuple[Language, ...] = ()
    max_reservation: Annotated[int | None, Since(V1_4), Range(above=0, most=1000)] = None
    metering_info: Annotated[MeteringInfo | None, Since(V1_4_1)] = None


@message()
@dataclass(frozen=True, kw_only=True)
class SetChargePointListRequest:
    """An operator uploads all its charge points; they replace what it uploaded before."""

    charge_point_info_array: Annotated[Iterable[ChargePointInfo], Required()]


@message()
@dataclass(frozen=True, kw_only=True)
class SetChargePointListResponse:
    """What the clearing house made of the list, and the charge points that it did not take."""

    result: Result
    refused_charge_point_info: tuple[ChargePointInfo, ...] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class UpdateChargePointListRequest:
    """An operator uploads new and changed charge points."""

    charge_point_info_array: Annotated[Iterable[ChargePointInfo], Required()]


@message()
@dataclass(frozen=True, kw_only=True)
class UpdateChargePointListResponse:
    """What the clearing house made of the charge points, and those that it did not take."""

    result: Result
    refused_charge_point_info: tuple[ChargePointInfo, ...] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class GetChargePointListRequest:
    """A partner asks for the charge points of all operators connected to it."""


@message()
@dataclass(frozen=True, kw_only=True)
class GetChargePointListResponse:
    """The charge points of all operators connected to the caller."""

    result: Result
    charge_point_info_array: Iterable[ChargePointInfo] = ()


@message()
@dataclass(frozen=True, kw_only=True)
class GetChargePointListUpdatesRequest:
    """A partner asks for what changed since it asked last."""

    last_update: UtcDateTime


@message()
@dataclass(frozen=True, kw_only=True)
class GetChargePointListUpdatesResponse:
    """The charge points that changed; one that is `Closed` is gone or going."""

    result: Result
    charge_point_info_array: Iterable[ChargePointInfo] = ()
