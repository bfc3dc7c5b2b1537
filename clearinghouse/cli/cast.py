"""Who takes part in the demo: the partners, what they have, and their contracts and EVSEs that the story is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

HOUSE, OPERATOR, PIONEER, PROVIDER, VETERAN = "house", "operator", "pioneer", "provider", "veteran"
EVSE, SECOND_EVSE, THIRD_EVSE = "DE*OPS*E1001", "DE*OPS*E1003", "DE*OPS*E1002"
PIONEER_EVSE = "NL*LAD*E1001"
CONTRACT, OLD_CONTRACT = "DEPROC12345678", "NLVETC00000001"
AGREED = "0.20"
"""The price per kWh that oudlader insists on, in EUR; the tariff says 0.39."""
SPEED = 30
MORNING = datetime(2027, 3, 28, 9, 0, tzinfo=UTC)
"""A day on which clocks in Europe change, which must not matter."""
MONTH = f"{MORNING:%Y-%m}"


@dataclass(frozen=True, kw_only=True)
class Player:
    """A partner: its role, its name, its party ID, the versions of OCHP that it speaks, and settings of its own."""

    role: str
    name: str
    party_id: str
    dialects: Sequence[str]
    own: Mapping[str, object] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, object]:
        """What its settings file says but for what all roles of a stage share."""
        return {"party_ids": [self.party_id], "dialects": [*self.dialects], **self.own}


PARTNERS: Mapping[str, Player] = {
    OPERATOR: Player(
        role="operator",
        name="stromkreis",
        party_id="DEOPS",
        dialects=("1.4", "1.4.1"),
        own={
            "selection_minutes": 20,
            "tell_spacing": 1,
            "tell_silence": 2,
            "work_every": 0.2,
            "check_cdr_minutes": 0.5,
        },
    ),
    PIONEER: Player(
        role="operator",
        name="laadnet",
        party_id="NLLAD",
        dialects=("1.3",),
        own={
            "evse_file": "laadnet-evses.json",
            "tariff_file": "laadnet-tariffs.json",
            "work_every": 0.2,
        },
    ),
    PROVIDER: Player(
        role="provider",
        name="fahrstrom",
        party_id="DEPRO",
        dialects=("1.4.1",),
        own={"get_cdr_minutes": 0.5},
    ),
    VETERAN: Player(
        role="provider",
        name="oudlader",
        party_id="NLVET",
        dialects=("1.3",),
        own={"get_cdr_minutes": 0.5, "cdr_largest_total": 0},
    ),
}
"""The partners by the names of their processes."""
CONNECTIONS = (("DEOPS", "DEPRO"), ("DEOPS", "NLVET"), ("NLLAD", "DEPRO"))
"""The operators and providers that roam with each other."""

FILES: Mapping[str, Any] = {
    "laadnet-evses.json": [
        {
            "evse_id": PIONEER_EVSE,
            "max_power_kw": "11",
            "phases": "3",
            "direct": True,
            "time_zone": "Europe/Amsterdam",
            "connector": "IEC_62196_T2",
            "latitude": "52.37276",
            "longitude": "4.89360",
            "location_id": "DAM",
            "name": "Dam",
            "address": "Dam",
            "house_number": "1",
            "city": "Amsterdam",
            "zip": "1012 JS",
            "country": "NLD",
            "tariff_id": "NL*LAD*TAC",
            "opening": "24/7",
        }
    ],
    "laadnet-tariffs.json": [
        {
            "tariff_id": "NL*LAD*TAC",
            "individual_tariff": [
                {
                    "currency": "EUR",
                    "tariff_element": [
                        {"price_component": {"billing_item": "energy", "item_price": "0.45", "step_size": "0"}}
                    ],
                }
            ],
        }
    ],
}
"""What laadnet has, as files: an EVSE, and the tariff by which it bills, which OCHP 1.3 has no way to upload."""
