"""Charge data between versions: 1.3's flat address and socket power, currencies by period, and references to CDRs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from clearinghouse.ochp.cdrs import AddCdrsResponse, CdrInfo, CdrPeriod, CdrReference, ConfirmCdrsRequest
from clearinghouse.ochp.connectors import Ratings
from clearinghouse.ochp.crossing import Bridge, Bridges, Loss, Undeliverable
from clearinghouse.ochp.locations import Address, house_number_1_3
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1

UNSAID_STREET, UNSAID_CITY, UNSAID_ZIP = "--", "-", "-"
"""What stands in an address, where later versions need it, for what a 1.3 CDR does not say."""
SHORTEST_CITY = 2
FLAT = ("house_number", "address", "zip_code", "city", "country")


def cdr_up(said: dict[str, Any]) -> dict[str, Any]:
    """A CDR of 1.3 gets an address, ratings, and the currency that its periods agree on (else that of the first)."""
    rest = {name: entry for name, entry in said.items() if name not in (*FLAT, "max_socket_power")}
    periods: tuple[CdrPeriod, ...] = said["charging_periods"]
    agreed = len({period.currency for period in periods}) == 1
    address = Address(
        house_number=said.get("house_number"),
        address=said.get("address", UNSAID_STREET),
        city=said.get("city", UNSAID_CITY),
        zip_code=said.get("zip_code", UNSAID_ZIP),
        country=said["country"],
    )
    return {
        **rest,
        "charge_point_address": address,
        "ratings": Ratings(maximum_power=said["max_socket_power"]),
        "charging_periods": tuple(_priced(period, None) for period in periods) if agreed else periods,
        "currency": periods[0].currency,
    }


def cdr_down_to_1_3(cdr: CdrInfo) -> CdrInfo:
    """A CDR for a 1.3 reader: its address flat, its maximum power as that of the socket, a currency in each period."""
    address = cdr.charge_point_address
    return dataclasses.replace(
        cdr,
        house_number=house_number_1_3(address.house_number),
        address=None if address.address == UNSAID_STREET else address.address,
        zip_code=None if address.zip_code == UNSAID_ZIP else address.zip_code,
        city=address.city if len(address.city) >= SHORTEST_CITY else None,
        country=address.country,
        max_socket_power=cdr.ratings.maximum_power if cdr.ratings else Decimal(0),
        charging_periods=tuple(_priced(period, period.currency or cdr.currency) for period in cdr.charging_periods),
    )


def cdr_down(cdr: CdrInfo) -> CdrInfo:
    """A CDR for a reader since 1.4, who sees one currency. Raises Undeliverable where its periods have several."""
    if any(period.currency not in (None, cdr.currency) for period in cdr.charging_periods):
        raise Undeliverable("its periods are in several currencies")
    return dataclasses.replace(cdr, charging_periods=tuple(_priced(period, None) for period in cdr.charging_periods))


def _priced(period: CdrPeriod, currency: str | None) -> CdrPeriod:
    return period if period.currency == currency else dataclasses.replace(period, currency=currency)


def cdr_losses_to_1_3(cdr: CdrInfo) -> Iterator[Loss]:
    """What a 1.3 CDR has no place for."""
    if cdr.ratings and cdr.ratings.guaranteed_power is not None:
        yield Loss("ratings/guaranteedPower", "1.3 says the maximum power of a CDR alone")
    if cdr.ratings and cdr.ratings.nominal_voltage is not None:
        yield Loss("ratings/nominalVoltage", "1.3 says the maximum power of a CDR alone")
    city = cdr.charge_point_address.city
    if len(city) < SHORTEST_CITY and city != UNSAID_CITY:
        yield Loss("chargePointAddress/city", "1.3 asks for two letters")


def referring(request: ConfirmCdrsRequest) -> ConfirmCdrsRequest:
    """The request with references instead of the whole CDRs that a 1.3 peer repeats."""
    return dataclasses.replace(
        request, approved=tuple(map(reference, request.approved)), declined=tuple(map(reference, request.declined))
    )


def reference(cdr: CdrReference | CdrInfo) -> CdrReference:
    """Which CDR is meant."""
    return cdr if isinstance(cdr, CdrReference) else CdrReference(cdr_id=cdr.cdr_id, evse_id=cdr.evse_id)


def naming(response: AddCdrsResponse) -> AddCdrsResponse:
    """The response with the ids of implausible CDRs instead of the CDRs."""
    ids = tuple(cdr.cdr_id if isinstance(cdr, CdrInfo) else cdr for cdr in response.implausible_cdrs_array)
    return dataclasses.replace(response, implausible_cdrs_array=ids)


TO_1_3 = Bridge(
    cdr_up,
    cdr_down_to_1_3,
    tells=frozenset({"charge_point_address", "ratings", "currency"}),
    loses=cdr_losses_to_1_3,
)

CDR_BRIDGES: Bridges = {
    (CdrInfo, V1_3): TO_1_3,
    **{(CdrInfo, version): Bridge(down=cdr_down) for version in (V1_4, V1_4_1)},
    **{(ConfirmCdrsRequest, version): Bridge(down=referring) for version in (V1_4, V1_4_1)},
    **{(AddCdrsResponse, version): Bridge(down=naming) for version in (V1_4, V1_4_1)},
}
