"""Records that the house takes and refuses, and the files and stores they are in."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

from clearinghouse.ochp.cdrs import BillingItem, CdrStatus
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.tariffs import IndividualTariff, PriceComponent, TariffElement, TariffInfo
from clearinghouse.ochp.tokens import EmtId, Permission, RoamingAuthorisationInfo, TokenType
from clearinghouse.services.record_files import READERS, WRITERS, FileFormat
from clearinghouse.services.records import CLASSES, Choice, Noun
from tests.cdr_builders import NOW, cdr, hours_later
from tests.services.points_house import point

PARTNER = {Noun.TOKENS: "fahrstrom"}
"""Who uploads; the operator unless said."""


def token(instance="04A2B3C4", contract_id="DEPROC000000018", **changes):
    emt_id = EmtId(instance=instance, token_type=TokenType.RFID)
    expiry = (NOW + timedelta(days=3650)).replace(microsecond=0)
    return dataclasses.replace(
        RoamingAuthorisationInfo(emt_id=emt_id, contract_id=contract_id, expiry_date=expiry), **changes
    )


def tariff(tariff_id="DE*OPS*T1", price="0.40"):
    component = PriceComponent(billing_item=BillingItem.ENERGY, item_price=Decimal(price), step_size=Decimal(1))
    entry = IndividualTariff(tariff_element=(TariffElement(price_component=component),), currency="EUR")
    return TariffInfo(tariff_id=tariff_id, individual_tariff=(entry,))


PAST = hours_later(cdr(), -24 * 365)
GOOD = {
    Noun.TOKENS: (token(), token("04FF", printed_number='=1+1 "x",\ny', permissions=(Permission.AC,))),
    Noun.CHARGE_POINTS: (
        point("DE*OPS*E1", location_id="SITE 1", telephone_number="+49 241 1"),
        point("DEOPSE2", location_id="SITE 2"),
    ),
    Noun.TARIFFS: (tariff(), tariff("DEOPST2", "0.55")),
    Noun.CDRS: (PAST, hours_later(PAST, 24, cdr_id="DEOPS0002")),
}
FOREIGN = {
    Noun.TOKENS: (token("04A9", "DEOTHC000000018"), "contracts of DEOTH are not the caller's"),
    Noun.CHARGE_POINTS: (point("DEOTHE1"), "DEOTHE1 belongs to DEOTH, which is not yours"),
    Noun.TARIFFS: (tariff("DE*OTH*T1"), "DE*OTH*T1 belongs to DEOTH, which is not yours"),
    Noun.CDRS: (dataclasses.replace(PAST, evse_id="DEOTHE1"), "the EVSE does not belong to the uploader"),
}


def file_of(path, noun, records):
    """A file with records, in the format of its ending."""
    with path.open("w", newline="") as file:
        WRITERS[FileFormat(path.suffix[1:])](CLASSES[noun], records, file)
    return path


def records_of(path, noun):
    """The records of a file."""
    with path.open(newline="") as file:
        return [each.record for each in READERS[FileFormat(path.suffix[1:])](CLASSES[noun], file)]


def held(store, noun, role=Role.HOUSE):
    """What the store has."""
    with store.books() as books:
        return [*books.holdings.of(role, noun, Choice())]


def partner_of(noun):
    return ("--partner", PARTNER.get(noun, "stadtwerke"))


def as_stored(noun, records):
    """The house accepts CDRs that are new."""
    return [dataclasses.replace(each, status=CdrStatus.ACCEPTED) if noun is Noun.CDRS else each for each in records]
