"""Charge points between versions: 1.3's flat address, its parking spot without an id, access times and telephones."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Any

from clearinghouse.ochp.charge_points import PHONE, PHONE_1_3, ChargePointInfo
from clearinghouse.ochp.connectors import ChargePointType, Connector, ConnectorStandard, Ratings
from clearinghouse.ochp.crossing import Bridge, Bridges, Loss, Undeliverable
from clearinghouse.ochp.hours import hours_in_common
from clearinghouse.ochp.locations import Address, ParkingSpot, house_number_1_3
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1

FLAT = ("house_number", "address", "city", "zip_code", "country")
SPOT = ("floor_level", "parking_slot_number")
OUTLET = re.compile(r"([A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?)[Ee](.*)")
DIRECT_CURRENT = frozenset(
    {ConnectorStandard.CHADEMO, ConnectorStandard.IEC_62196_T1_COMBO, ConnectorStandard.IEC_62196_T2_COMBO}
)
STRONGEST_AC = 43
"""The kW up to which a plug that serves both currents is taken to give alternating current."""


def parking_id_of(evse_id: str) -> str:
    """The parking id made up for the spot in front of an EVSE, where 1.3 says a floor or number but no id."""
    found = OUTLET.fullmatch(evse_id)
    if found is None:
        raise ValueError(f"no EVSE-ID: {evse_id!r}")
    return f"{found[1]}P{found[2]}"


def type_by_connectors(connectors: Iterable[Connector], ratings: Ratings | None) -> ChargePointType:
    """Which current an EVSE gives, as its connectors and its power tell."""
    standards = {connector.connector_standard for connector in connectors}
    fast = ratings is not None and ratings.maximum_power > STRONGEST_AC
    if standards & DIRECT_CURRENT or (ConnectorStandard.TESLA_S in standards and fast):
        return ChargePointType.DC
    return ChargePointType.AC


def charge_point_up(said: dict[str, Any]) -> dict[str, Any]:
    """A charge point of 1.3 gets an address, a parking spot with an id, and the type that its connectors tell."""
    rest = {name: entry for name, entry in said.items() if name not in (*FLAT, *SPOT)}
    address = Address(
        house_number=said.get("house_number"),
        address=said["address"],
        city=said["city"],
        zip_code=said["zip_code"],
        country=said["country"],
    )
    kind = type_by_connectors(said["connectors"], said.get("ratings"))
    spots = {"parking_spot": (_spot(said),)} if any(said.get(name) for name in SPOT) else {}
    return {**rest, "charge_point_address": address, "charge_point_type": kind, **spots}


def _spot(said: dict[str, Any]) -> ParkingSpot:
    return ParkingSpot(
        parking_id=parking_id_of(said["evse_id"]),
        floor_level=said.get("floor_level"),
        parking_spot_number=said.get("parking_slot_number"),
    )


def charge_point_down_to_1_3(point: ChargePointInfo) -> ChargePointInfo:
    """A charge point for a 1.3 reader: its address and first parking spot flat. Raises Undeliverable for fuels."""
    if point.charge_point_type not in (ChargePointType.AC, ChargePointType.DC):
        raise Undeliverable(f"1.3 knows no {point.charge_point_type}")
    address, spot = point.charge_point_address, next(iter(point.parking_spot), None)
    return dataclasses.replace(
        point,
        house_number=house_number_1_3(address.house_number),
        address=address.address,
        city=address.city,
        zip_code=address.zip_code,
        country=address.country,
        floor_level=spot.floor_level if spot else None,
        parking_slot_number=spot.parking_spot_number if spot else None,
        telephone_number=point.telephone_number and phone_1_3(point.telephone_number),
    )


def charge_point_down(point: ChargePointInfo) -> ChargePointInfo:
    """A charge point for a reader since 1.4, who sees one set of hours: those in which one may both come and charge."""
    number = point.telephone_number and phone_since_1_4(point.telephone_number)
    if point.access_times is None and number == point.telephone_number:
        return point
    hours = point.opening_times
    if point.access_times is not None:
        hours = point.access_times if hours is None else hours_in_common(hours, point.access_times)
    return dataclasses.replace(point, opening_times=hours, access_times=None, telephone_number=number)


def phone_1_3(number: str) -> str:
    """A telephone number without a plus, which 1.3 does not allow; without separators where it would be too long."""
    number = number.replace("+", "00")
    return number if re.fullmatch(PHONE_1_3, number) else re.sub("[ -]", "", number)


def phone_since_1_4(number: str) -> str:
    """A telephone number as it is; shortened where it would be too long."""
    return number if re.fullmatch(PHONE, number) else re.sub("^00", "+", re.sub("[ -]", "", number))


def charge_point_losses_to_1_3(point: ChargePointInfo) -> Iterator[Loss]:
    """What a 1.3 charge point has no place for."""
    if point.charge_point_type is not type_by_connectors(point.connectors, point.ratings):
        yield Loss("chargePointType", "1.3 does not say it, and the connectors tell otherwise")
    for number, spot in enumerate(point.parking_spot):
        if number > 0:
            yield Loss("parkingSpot", "1.3 has one parking spot for an EVSE")
            continue
        if spot.parking_id != parking_id_of(point.evse_id) or not (spot.floor_level or spot.parking_spot_number):
            yield Loss("parkingSpot/parkingId", "1.3 has no ids of parking spots")
        if spot.restriction:
            yield Loss("parkingSpot/restriction", "1.3 restricts EVSEs, not parking spots")


TO_1_3 = Bridge(
    charge_point_up,
    charge_point_down_to_1_3,
    tells=frozenset({"charge_point_address", "charge_point_type", "parking_spot"}),
    loses=charge_point_losses_to_1_3,
)

CHARGE_POINT_BRIDGES: Bridges = {
    (ChargePointInfo, V1_3): TO_1_3,
    **{(ChargePointInfo, version): Bridge(down=charge_point_down) for version in (V1_4, V1_4_1)},
}
