"""The charge points of the EVSE file: what its further columns say of place, plugs, hours and ways to start."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from clearinghouse.domain.bare_points import CARDS, NOWHERE, USUAL_CONNECTOR, bare_address, bare_point
from clearinghouse.ochp.charge_points import AuthMethod, ChargePointInfo, ChargePointStatus
from clearinghouse.ochp.connectors import ChargePointType, Connector, ConnectorFormat, ConnectorStandard, Ratings
from clearinghouse.ochp.hours import Hours, RegularHours
from clearinghouse.ochp.locations import Country, GeneralLocation, GeoPoint, HouseNumber, ZipCode
from clearinghouse.ochp.scalars import Language, TariffId
from clearinghouse.services.stations_port import Evse
from clearinghouse.stations.facets import form_of

E = TypeVar("E", bound=StrEnum)
Read = Callable[[str], Any]

LOCATION_ID = re.compile(r"[A-Z0-9 ]{1,15}")
HOURS = re.compile(r"([1-7])(?:-([1-7]))? ([0-2]\d:[0-5]\d)-([0-2]\d:[0-5]\d)")
ALWAYS = "24/7"
MOST_VOLTS = Decimal(1000)
LONGEST_RESERVATION = 1000
"""In minutes."""
ALWAYS_OPEN = Hours(twentyfourseven=True)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a row says of an EVSE's charge point, by column."""

    evse: Evse
    said: Mapping[str, Any]

    @property
    def located(self) -> bool:
        """Whether the file says where it is: only then it is published."""
        return "latitude" in self.said

    @property
    def point(self) -> ChargePointInfo:
        """The charge point, made each time: few of a file's are asked for, and all would fill hundreds of megabytes."""
        return _point(self.evse, self.said)


# -- Columns ----------------------------------------------------------------------------------------------------


def _of(scalar: Any, example: str) -> Read:
    form = form_of(scalar)

    def read(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(f"is not of the form {example}")
        return text

    return read


def _words(longest: int, shortest: int = 1) -> Read:
    def read(text: str) -> str:
        if not shortest <= len(text) <= longest:
            raise ValueError(f"has not {shortest} to {longest} characters")
        return text

    return read


def _member(members: type[E]) -> Callable[[str], E]:
    """Reads a word of OCHP, in capitals or not."""
    known = {each.value.lower(): each for each in members}

    def read(text: str) -> E:
        if text.lower() not in known:
            raise ValueError(f"is none of {', '.join(members)}")
        return known[text.lower()]

    return read


def _location_id(text: str) -> str:
    if not LOCATION_ID.fullmatch(text):
        raise ValueError("is not 1 to 15 capitals, digits and spaces")
    return text


def _degrees(most: int) -> Read:
    def read(text: str) -> Decimal:
        try:
            degrees = Decimal(text)
        except InvalidOperation:
            degrees = Decimal("NaN")
        if not degrees.is_finite() or abs(degrees) > most:
            raise ValueError(f"is no number of degrees from -{most} to {most}")
        return degrees

    return read


@functools.lru_cache(maxsize=1024)
def _methods(text: str) -> tuple[AuthMethod, ...]:
    return tuple(_member(AuthMethod)(each) for each in text.split())


@functools.lru_cache(maxsize=1024)
def _opening(text: str) -> Hours | None:
    """`24/7`, `unknown`, or weekdays and times such as `1-5 08:00-18:00; 6 10:00-14:00`."""
    if text == "unknown":
        return None
    if text == ALWAYS:
        return ALWAYS_OPEN
    days: list[RegularHours] = []
    for part in text.split(";"):
        found = HOURS.fullmatch(part.strip())
        if not found or found[3] >= found[4]:
            raise ValueError("is neither 24/7 nor hours such as 1-5 08:00-18:00; 6 10:00-14:00")
        first, last = int(found[1]), int(found[2] or found[1])
        days += [
            RegularHours(weekday=day, period_begin=found[3], period_end=found[4]) for day in range(first, last + 1)
        ]
    if len(days) > 7:
        raise ValueError("has more than seven periods")
    return Hours(regular_hours=tuple(days))


PLACE_COLUMNS: Mapping[str, Read] = {
    "location_id": _location_id,
    "name": _words(100),
    "language": _of(Language, "ENG"),
    "house_number": _of(HouseNumber, "12-14 or 3 A"),
    "address": _words(45, 2),
    "city": _words(45),
    "zip": _of(ZipCode, "52062"),
    "country": _of(Country, "DEU"),
    "latitude": _degrees(90),
    "longitude": _degrees(180),
    "location": _member(GeneralLocation),
    "status": _member(ChargePointStatus),
    "connector": _member(ConnectorStandard),
    "connector_format": _member(ConnectorFormat),
    "current": _member(ChargePointType),
    "auth": _methods,
    "tariff_id": _of(TariffId, "DE*ABC*T1"),
    "opening": _opening,
}
"""What the file may say of a charge point, all of it optional, and how it is read."""

OWN_FIELDS = {
    "location_id": "location_id",
    "name": "location_name",
    "language": "location_name_lang",
    "location": "location",
    "status": "status",
    "current": "charge_point_type",
    "auth": "auth_methods",
    "opening": "opening_times",
}
ADDRESS_FIELDS = {
    "house_number": "house_number",
    "address": "address",
    "city": "city",
    "zip": "zip_code",
    "country": "country",
}
CONNECTOR_FIELDS = {
    "connector": "connector_standard",
    "connector_format": "connector_format",
    "tariff_id": "tariff_id",
}
GEO_FIELDS = {"latitude": "lat", "longitude": "lon"}


def place_of(evse: Evse, row: Mapping[str, str]) -> tuple[Place | None, list[str]]:
    """The charge point that a row describes, and what is wrong with the row, by column."""
    said: dict[str, Any] = {}
    wrong: list[str] = []
    for column, text in row.items():
        if not text or column not in PLACE_COLUMNS:
            continue
        try:
            said[column] = PLACE_COLUMNS[column](text)
        except ValueError as problem:
            wrong.append(f"{column}: {text!r} {problem}")
    if ("latitude" in said) != ("longitude" in said):
        wrong.append("latitude and longitude go together")
    return (None if wrong else Place(evse=evse, said=said)), wrong


def _point(evse: Evse, said: Mapping[str, Any]) -> ChargePointInfo:
    current = ChargePointType.DC if evse.phases == 0 else ChargePointType.AC
    usual = USUAL_CONNECTOR[current]
    plug = {"connector_standard": usual.connector_standard, "connector_format": usual.connector_format}
    geo = _stated(said, GEO_FIELDS)
    usual_fields: dict[str, Any] = {
        "auth_methods": (*CARDS, AuthMethod.OCHP_DIRECT) if evse.direct else CARDS,
        "opening_times": ALWAYS_OPEN,
        "time_zone": evse.time_zone,
        "max_reservation": evse.max_reservation and min(evse.max_reservation, LONGEST_RESERVATION),
        "ratings": _ratings(evse.max_power, evse.voltage),
        "charge_point_address": bare_address(evse.evse_id, **_stated(said, ADDRESS_FIELDS)),
        "charge_point_location": GeoPoint(**geo) if geo else NOWHERE,
        "connectors": (Connector(**(plug | _stated(said, CONNECTOR_FIELDS))),),
    }
    return bare_point(evse.evse_id, direct_current=evse.phases == 0, **(usual_fields | _stated(said, OWN_FIELDS)))


@functools.lru_cache(maxsize=1024)
def _ratings(power: Decimal, voltage: Decimal) -> Ratings:
    """What the EVSE is made for; OCHP knows whole volts up to 1000."""
    is_sayable = voltage == voltage.to_integral_value() and voltage <= MOST_VOLTS
    return Ratings(maximum_power=power, nominal_voltage=int(voltage) if is_sayable else None)


def _stated(said: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """What the row says of some fields."""
    return {name: said[column] for column, name in fields.items() if column in said}
