"""A charge point of which nothing is known but its EVSE-ID: what every other one says more than."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from clearinghouse.ochp.charge_points import AuthMethod, ChargePointInfo, ChargePointStatus
from clearinghouse.ochp.connectors import ChargePointType, Connector, ConnectorFormat, ConnectorStandard
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.locations import Address, GeneralLocation, GeoPoint

COUNTRIES: dict[str, str] = dict(
    pair.split(":")
    for pair in """
    AD:AND AL:ALB AT:AUT BA:BIH BE:BEL BG:BGR BY:BLR CA:CAN CH:CHE CN:CHN CY:CYP CZ:CZE DE:DEU DK:DNK EE:EST ES:ESP
    FI:FIN FO:FRO FR:FRA GB:GBR GI:GIB GR:GRC HR:HRV HU:HUN IE:IRL IL:ISR IS:ISL IT:ITA JP:JPN LI:LIE LT:LTU LU:LUX
    LV:LVA MC:MCO MD:MDA ME:MNE MK:MKD MT:MLT NL:NLD NO:NOR PL:POL PT:PRT RO:ROU RS:SRB SE:SWE SI:SVN SK:SVK SM:SMR
    TR:TUR UA:UKR US:USA VA:VAT
    """.split()  # noqa: SIM905 - fifty literals are harder to read
)
"""The three letters of ISO 3166 for the two with which IDs of operators begin."""
UNKNOWN_COUNTRY = "ZZZ"
"""Left to its users by ISO 3166."""
NOWHERE = GeoPoint(lat=Decimal(0), lon=Decimal(0))
USUAL_CONNECTOR = {
    ChargePointType.AC: Connector(
        connector_standard=ConnectorStandard.IEC_62196_T2, connector_format=ConnectorFormat.SOCKET
    ),
    ChargePointType.DC: Connector(
        connector_standard=ConnectorStandard.IEC_62196_T2_COMBO, connector_format=ConnectorFormat.CABLE
    ),
}
CARDS = (AuthMethod.RFID_MIFARE_CLASSIC, AuthMethod.RFID_MIFARE_DESFIRE)


def bare_point(evse_id: str, *, direct_current: bool = False, **stated: Any) -> ChargePointInfo:
    """A valid charge point with dashes for its address; it is at no place on the map.

    It takes cards, and has the usual connector of its current. What is `stated` are further fields, or other values.
    """
    current = ChargePointType.DC if direct_current else ChargePointType.AC
    usual: dict[str, Any] = {
        "location_id": location_of(evse_key(evse_id) or evse_id),
        "location_name": evse_id,
        "location_name_lang": "ENG",
        "charge_point_location": NOWHERE,
        "status": ChargePointStatus.OPERATIVE,
        "location": GeneralLocation.UNKNOWN,
        "auth_methods": CARDS,
        "connectors": (USUAL_CONNECTOR[current],),
        "charge_point_type": current,
    }
    if "charge_point_address" not in stated:
        usual["charge_point_address"] = bare_address(evse_id)
    return ChargePointInfo(evse_id=evse_id, **(usual | stated))


def bare_address(evse_id: str, **stated: str) -> Address:
    """An address with dashes for what is not `stated`, in the country that the operator's ID begins with."""
    return Address(**({"address": "--", "city": "-", "zip_code": "-", "country": country_of(evse_id)} | stated))


def country_of(evse_id: str) -> str:
    """The country that the operator's ID begins with, in three letters."""
    return COUNTRIES.get(evse_id[:2].upper(), UNKNOWN_COUNTRY)


def location_of(key: str) -> str:
    """A location of its own for an EVSE: the end of its key, without stars, at most 15 characters."""
    return key[5:].replace("*", "")[-15:]
