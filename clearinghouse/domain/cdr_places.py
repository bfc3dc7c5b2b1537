"""What a reader's version asks for and a CDR does not say, taken from the charge point where the charge was."""

from __future__ import annotations

import dataclasses

from clearinghouse.ochp.cdr_bridges import UNSAID_CITY, UNSAID_STREET, UNSAID_ZIP
from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.locations import Address
from clearinghouse.ochp.versions import V1_3, Version

UNSAID = {"address": UNSAID_STREET, "city": UNSAID_CITY, "zip_code": UNSAID_ZIP}
"""What stands in an address for what a CDR of 1.3 leaves open."""


def is_incomplete(cdr: CdrInfo, version: Version) -> bool:
    """Whether a reader is owed more than the CDR says: the power in 1.3, the whole address later."""
    if version is V1_3:
        return cdr.ratings is None
    return any(getattr(cdr.charge_point_address, part) == unsaid for part, unsaid in UNSAID.items())


def completed(cdr: CdrInfo, point: ChargePointInfo, version: Version) -> CdrInfo:
    """The CDR with what it leaves open as the charge point has it; what it says itself stays."""
    if version is V1_3:
        return dataclasses.replace(cdr, ratings=cdr.ratings or point.ratings)
    address = _completed(cdr.charge_point_address, point.charge_point_address)
    return dataclasses.replace(cdr, charge_point_address=address)


def _completed(said: Address, known: Address) -> Address:
    """An address in another country is none of the same place."""
    if said.country != known.country:
        return said
    parts = {part: getattr(known, part) for part, unsaid in UNSAID.items() if getattr(said, part) == unsaid}
    number = said.house_number or (known.house_number if "address" in parts else None)
    return dataclasses.replace(said, **parts, house_number=number)
