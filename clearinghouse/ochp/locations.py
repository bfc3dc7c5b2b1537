"""Where an EVSE is: address, points on the map, parking spots, images and pages in the web."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from clearinghouse.ochp.marks import (
    Attribute,
    Boxed,
    Named,
    Range,
    Text,
    When,
    members_replaced,
    members_since,
    named_type,
)
from clearinghouse.ochp.scalars import Latitude, Longitude, ParkingId
from clearinghouse.ochp.versions import V1_3, V1_4


@members_since(PRIVATE=V1_4)
@members_replaced(PRIVATE="OTHER")
class GeneralLocation(StrEnum):
    """What kind of place it is."""

    ON_STREET = "on-street"
    PARKING_GARAGE = "parking-garage"
    UNDERGROUND_GARAGE = "underground-garage"
    PARKING_LOT = "parking-lot"
    OTHER = "other"
    UNKNOWN = "unknown"
    PRIVATE = "private"


@members_since(CARSHARING=V1_4)
class Restriction(StrEnum):
    """Who may park there."""

    EV_ONLY = "evonly"
    PLUGGED = "plugged"
    DISABLED = "disabled"
    CUSTOMERS = "customers"
    MOTORCYCLES = "motorcycles"
    CARSHARING = "carsharing"


class ImageClass(StrEnum):
    """What an image shows."""

    NETWORK_LOGO = "networkLogo"
    OPERATOR_LOGO = "operatorLogo"
    OWNER_LOGO = "ownerLogo"
    STATION_PHOTO = "stationPhoto"
    LOCATION_PHOTO = "locationPhoto"
    ENTRANCE_PHOTO = "entrancePhoto"
    OTHER_PHOTO = "otherPhoto"
    OTHER_LOGO = "otherLogo"
    OTHER_GRAPHIC = "otherGraphic"


class ResourceClass(StrEnum):
    """What a page in the web is about."""

    OPERATOR_MAP = "operatorMap"
    OPERATOR_PAYMENT = "operatorPayment"
    STATION_INFO = "stationInfo"
    SURROUNDING_INFO = "surroundingInfo"
    OWNER_HOMEPAGE = "ownerHomepage"
    FEEDBACK_FORM = "feedbackForm"


class GeoPointKind(StrEnum):
    """What is at a point near the charge point."""

    ENTRANCE = "entrance"
    EXIT = "exit"
    ACCESS = "access"
    USER_INTERFACE = "ui"
    OTHER = "other"


HouseNumber = Annotated[str, Text(min=1, max=6, patterns=(r"[A-Z0-9 \-]{1,6}",))]

Street = Annotated[str, Text(min=2, max=45)]

City = Annotated[str, Text(min=1, max=45)]

ZipCode = Annotated[str, Text(patterns=(r"[A-Z0-9 \-]{1,10}",))]

Country = Annotated[str, Text(patterns=("[A-Z]{3}",))]

HouseNumber13 = Annotated[str, Text(min=1, max=6, patterns=("[A-Z0-9 ]{1,6}",))]

FloorLevel = Annotated[str, Text(patterns=(r"[A-Z0-9\-\+/]{1,4}",))]

SpotNumber = Annotated[str, Text(patterns=(r"[A-Z0-9\-\+/]{1,5}",))]

PIXELS = Range(above=0, most=99999)


@named_type("AddressType")
@dataclass(frozen=True, kw_only=True)
class Address:
    """A postal address; the country in three capitals of ISO 3166. 1.3 has its parts side by side with others."""

    house_number: HouseNumber | None = None
    address: Street
    city: City
    zip_code: ZipCode
    country: Country


@named_type("GeoPointType")
@dataclass(frozen=True, kw_only=True)
class GeoPoint:
    """A point on the globe, in degrees of WGS 84."""

    lat: Annotated[Latitude, Attribute()]
    lon: Annotated[Longitude, Attribute()]


@named_type("AdditionalGeoPointType")
@dataclass(frozen=True, kw_only=True)
class AdditionalGeoPoint(GeoPoint):
    """A point near the charge point: an entrance, an exit, the user interface of several EVSEs."""

    name: Annotated[str | None, Attribute(), Text(max=255)] = None
    type: Annotated[GeoPointKind, Attribute()]


@named_type("EvseImageUrlType")
@dataclass(frozen=True, kw_only=True)
class EvseImage:
    """An image in the web, with its size in pixels."""

    uri: Annotated[str, Text(max=255, patterns=(r"(http|https|ftp|file):\/\/.+",))]
    thumb_uri: Annotated[str, Text(max=255, patterns=(r"(http|https|ftp|file):\/\/.+",))] | None = None
    image_class: Annotated[ImageClass, Named("class")]
    type: Annotated[str, Text(min=1, max=4)]
    width: Annotated[int, PIXELS] | None = None
    height: Annotated[int, PIXELS] | None = None


@named_type("RelatedResourceType")
@dataclass(frozen=True, kw_only=True)
class RelatedResource:
    """A page in the web about the charge point."""

    uri: Annotated[str, Text(max=255, patterns=(r"(http|https):\/\/.+",))]
    resource_class: Annotated[ResourceClass, Named("class")]


RestrictionBox = Annotated[
    Restriction,
    When((Boxed("ParkingRestrictionType", "ParkingRestrictionType"),), until=V1_3),
    When((Boxed("RestrictionType", "RestrictionType"),), since=V1_4),
]


@named_type("ParkingSpotInfo")
@dataclass(frozen=True, kw_only=True)
class ParkingSpot:
    """A parking spot that belongs to an EVSE."""

    parking_id: ParkingId
    restriction: tuple[RestrictionBox, ...] = ()
    floor_level: FloorLevel | None = None
    parking_spot_number: SpotNumber | None = None


def house_number_1_3(number: str | None) -> str | None:
    """A house number without hyphens, which 1.3 does not allow: `12-14` becomes `12 14`."""
    if number is None or "-" not in number:
        return number
    return number.replace("-", " ").strip() or None
