"""What becomes of each field between the versions: one peer writes, the house reads, another peer is written to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from lxml import etree

from clearinghouse.ochp.bridges import fitted
from clearinghouse.ochp.cdrs import (
    AddCdrsRequest,
    AddCdrsResponse,
    BillingItem,
    CdrReference,
    CdrStatus,
    ConfirmCdrsRequest,
)
from clearinghouse.ochp.charge_points import SetChargePointListRequest
from clearinghouse.ochp.connectors import ChargePointType, Connector, ConnectorFormat, ConnectorStandard, Ratings
from clearinghouse.ochp.direct import AddServiceEndpointsRequest, ProviderEndpoint
from clearinghouse.ochp.hours import ExceptionalPeriod, Hours, RegularHours
from clearinghouse.ochp.live import GetStatusRequest, MajorStatus, ParkingStatus, StatusType, UpdateStatusRequest
from clearinghouse.ochp.locations import Address, GeneralLocation, ParkingSpot, Restriction
from clearinghouse.ochp.operations import OPERATIONS
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tariffs import (
    IndividualTariff,
    PriceComponent,
    TariffElement,
    TariffInfo,
    UpdateTariffsRequest,
)
from clearinghouse.ochp.tokens import Permission, Representation, SetRoamingAuthorisationListRequest, TokenType
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1, Version
from clearinghouse.soap.codec import Unsayable, decode, encode
from clearinghouse.soap.xsd import validator
from tests.contract.builders import ADDRESS, CDR, COMBO, METER, NOZZLE, PERIOD, POINT, TYPE_2, cdr, cdr_of, point, token


def message(record: Any) -> Any:
    """A message that carries the record."""
    kinds = {
        "CdrInfo": lambda: AddCdrsRequest(cdr_info_array=(record,)),
        "ChargePointInfo": lambda: SetChargePointListRequest(charge_point_info_array=(record,)),
        "RoamingAuthorisationInfo": lambda: SetRoamingAuthorisationListRequest(
            roaming_authorisation_info_array=(record,)
        ),
        "TariffInfo": lambda: UpdateTariffsRequest(tariff_info_array=(record,)),
        "ProviderEndpoint": lambda: AddServiceEndpointsRequest(provider_endpoint_array=(record,)),
    }
    make = kinds.get(type(record).__name__)
    return make() if make else record


def written(value: Any, version: Version) -> etree._Element:
    element = etree.fromstring(encode(value, version))
    validator(version).assertValid(element)
    return element


def across(record: Any, origin: Version, reader: Version) -> tuple[etree._Element | None, list[str]]:
    """What a reader of one version gets of what a peer of another wrote, and what the house says is lost."""
    value = message(record)
    heard = decode(type(value), written(value, origin), origin)
    if value is record:
        fit, lost = fitted(heard, reader)
        return (None if fit is None else written(fit, reader)), [loss.path for loss in lost]
    (field,) = (name for name, entry in vars(heard).items() if entry)
    fit, lost = fitted(getattr(heard, field)[0], reader)
    return (None if fit is None else written(message(fit), reader)[0]), [loss.path for loss in lost]


class Row(NamedTuple):
    """A record as it is written in `origin`, and for a `reader` the text of elements (None: absent) and the losses."""

    record: Any
    origin: Version
    reader: Version
    says: dict[str, str | list[str] | None]
    lost: tuple[str, ...] = ()


def texts(element: etree._Element, path: str, version: Version) -> str | list[str] | None:
    if "@" in path:
        where, _, name = path.partition("/@")
        return element.find(qualified(where, version)).get(name)
    found = [(each.text or "") for each in element.iterfind(qualified(path, version))]
    return None if not found else found[0] if len(found) == 1 else found


def qualified(path: str, version: Version) -> str:
    return "/".join(f"{{{version.namespace}}}{step}" for step in path.split("/"))


KW, STATUS = "ratings/maximumPower", "status/CdrStatusType"
ITEM = "chargingPeriods/billingItem/BillingItemType"
STANDARD = "connectorStandard/ConnectorStandard"
GUARANTEED = Ratings(maximum_power=Decimal(22), guaranteed_power=Decimal(11), nominal_voltage=400)
NO_ADDRESS = Address(address="--", city="-", zip_code="-", country="DEU")
EUR, CHF = replace(PERIOD, currency="EUR"), replace(PERIOD, currency="CHF")
MORNINGS = Hours(regular_hours=(RegularHours(weekday=1, period_begin="06:00", period_end="12:00"),))
LATE = Hours(regular_hours=(RegularHours(weekday=1, period_begin="08:00", period_end="24:00"),))
ALWAYS = Hours(twentyfourseven=True)
FLOOR = ParkingSpot(parking_id="YY*XYZ*P1", floor_level="-1", parking_spot_number="A12")
TESLA = Connector(connector_standard=ConnectorStandard.TESLA_S, connector_format=ConnectorFormat.CABLE)


def tariff(item: BillingItem) -> TariffInfo:
    element = TariffElement(
        price_component=PriceComponent(billing_item=item, item_price=Decimal(1), step_size=Decimal(1))
    )
    energy = replace(element, price_component=replace(element.price_component, billing_item=BillingItem.ENERGY))
    return TariffInfo(
        tariff_id="YYXYZT1",
        individual_tariff=(
            IndividualTariff(tariff_element=(energy,), currency="EUR"),
            IndividualTariff(tariff_element=(energy, element), recipient=("YYABC",), currency="EUR"),
        ),
    )


def provider(*whitelist: str) -> ProviderEndpoint:
    return ProviderEndpoint(
        url="https://mdm.example",
        namespace_url=V1_3.namespace,
        access_token="t0k3n",
        valid_date=date(2027, 1, 10),
        whitelist=whitelist,
    )


ROWS = {
    "a plain token stays plain for a 1.4 reader": Row(token(), V1_3, V1_4, {"EmtId/@representation": "plain"}),
    "a plain token is called plain to a 1.3 reader": Row(token(), V1_4, V1_3, {"EmtId/@representation": "plain"}),
    "a hash is called one both up": Row(
        token(representation=Representation.SHA_160), V1_3, V1_4, {"EmtId/@representation": "sha-160"}
    ),
    "and down": Row(token(representation=Representation.SHA_256), V1_4_1, V1_3, {"EmtId/@representation": "sha-256"}),
    "a 1.4 token may charge AC and DC": Row(
        token(), V1_4, V1_4_1, {"permissions/PermissionsType": ["AC", "DC"], "EmtId/tokenType": "rfid"}
    ),
    "a 1.3 token may too": Row(token(), V1_3, V1_4_1, {"permissions/PermissionsType": ["AC", "DC"]}),
    "other permissions are lost on 1.4": Row(
        token((Permission.AC, Permission.H2)), V1_4_1, V1_4, {"permissions": None}, ("permissions",)
    ),
    "and AC alone means both to it": Row(token((Permission.AC,)), V1_4_1, V1_3, {}, ("permissions",)),
    "a declined CDR of 1.3 is declined": Row(cdr(status=CdrStatus.DECLINED), V1_3, V1_4, {STATUS: "declined"}),
    "a declined CDR is owner declined in 1.3": Row(
        cdr(status=CdrStatus.DECLINED), V1_4, V1_3, {STATUS: "owner declined"}
    ),
    "a revised CDR is accepted to 1.3": Row(
        cdr(status=CdrStatus.REVISED), V1_4, V1_3, {STATUS: "accepted"}, ("status",)
    ),
    "a live authorisation is lost on 1.4": Row(
        cdr(live_auth_id="A-1"), V1_3, V1_4, {"liveAuthId": None}, ("liveAuthId",)
    ),
    "but not on 1.3": Row(cdr(live_auth_id="A-1"), V1_3, V1_3, {"liveAuthId": "A-1"}),
    "and absent from what 1.4 wrote": Row(CDR, V1_4, V1_3, {"liveAuthId": None}),
    "a flat address becomes one": Row(
        CDR,
        V1_3,
        V1_4,
        {
            "chargePointAddress/houseNumber": "12",
            "chargePointAddress/address": "Main Road",
            "chargePointAddress/city": "Town",
            "chargePointAddress/zipCode": "12345",
            "chargePointAddress/country": "DEU",
        },
    ),
    "an address that 1.3 does not say is made up": Row(
        cdr(charge_point_address=NO_ADDRESS),
        V1_3,
        V1_4,
        {"chargePointAddress/address": "--", "chargePointAddress/city": "-", "chargePointAddress/zipCode": "-"},
    ),
    "and not told to 1.3": Row(
        cdr(charge_point_address=NO_ADDRESS), V1_3, V1_3, {"address": None, "city": None, "zipCode": None}
    ),
    "an address is flattened": Row(
        cdr(charge_point_address=replace(ADDRESS, house_number="12-14")),
        V1_4,
        V1_3,
        {"houseNumber": "12 14", "address": "Main Road", "zipCode": "12345", "city": "Town", "country": "DEU"},
    ),
    "a city of one letter is lost on a 1.3 CDR": Row(
        cdr(charge_point_address=replace(ADDRESS, city="Y")), V1_4, V1_3, {"city": None}, ("chargePointAddress/city",)
    ),
    "the socket's power is the maximum": Row(CDR, V1_3, V1_4, {KW: "22", "maxSocketPower": None}),
    "the maximum is the socket's power": Row(CDR, V1_4, V1_3, {"maxSocketPower": "22"}),
    "an unknown power is nought": Row(cdr(ratings=None), V1_4, V1_3, {"maxSocketPower": "0"}),
    "other ratings are lost on a 1.3 CDR": Row(
        cdr(ratings=GUARANTEED),
        V1_4,
        V1_3,
        {"maxSocketPower": "22", "ratings": None},
        ("ratings/guaranteedPower", "ratings/nominalVoltage"),
    ),
    "a product type is lost on 1.4": Row(cdr(product_type="A1"), V1_3, V1_4, {"productType": None}, ("productType",)),
    "the periods' currency is the CDR's": Row(CDR, V1_3, V1_4, {"currency": "EUR", "chargingPeriods/currency": None}),
    "and the other way round": Row(
        cdr(charging_periods=(PERIOD, PERIOD)), V1_4, V1_3, {"chargingPeriods/currency": ["EUR", "EUR"]}
    ),
    "several currencies stay for 1.3": Row(
        cdr(charging_periods=(EUR, CHF)), V1_3, V1_3, {"chargingPeriods/currency": ["EUR", "CHF"]}
    ),
    "a tax rate is lost on 1.3": Row(
        cdr_of(taxrate=19), V1_4, V1_3, {"chargingPeriods/taxrate": None}, ("chargingPeriods/taxrate",)
    ),
    "a sum is lost on 1.3": Row(cdr(total_cost=Decimal(5)), V1_4, V1_3, {"totalCost": None}, ("totalCost",)),
    "a reservation is a service fee to 1.3": Row(
        cdr_of(billing_item=BillingItem.RESERVATION), V1_4, V1_3, {ITEM: "serviceFee"}, ("chargingPeriods/billingItem",)
    ),
    "reserved time is parking time to 1.3": Row(
        cdr_of(billing_item=BillingItem.RESERVATION_TIME),
        V1_4,
        V1_3,
        {ITEM: "parkingtime"},
        ("chargingPeriods/billingItem",),
    ),
    "signed values are lost on a 1.4 CDR": Row(
        cdr(metering_info=METER), V1_4_1, V1_4, {"meteringInfo": None}, ("meteringInfo",)
    ),
    "and on a 1.4 charge point": Row(
        point(metering_info=METER), V1_4_1, V1_4, {"meteringInfo": None}, ("meteringInfo",)
    ),
    "connectors of 1.3 get underscores": Row(CDR, V1_3, V1_4, {f"connectorType/{STANDARD}": "IEC_62196_T2"}),
    "connectors for 1.3 get hyphens": Row(CDR, V1_4_1, V1_3, {f"connectorType/{STANDARD}": "IEC-62196-T2"}),
    "a connector's tariff is lost on 1.3": Row(
        cdr(connector_type=replace(TYPE_2, tariff_id="YYXYZT1")),
        V1_4,
        V1_3,
        {"connectorType/tariffId": None},
        ("connectorType/tariffId",),
    ),
    "a fuel connector beside another is left out": Row(
        point(connectors=(TYPE_2, NOZZLE)),
        V1_4_1,
        V1_4,
        {f"connectors/{STANDARD}": "IEC_62196_T2"},
        ("connectors/connectorStandard",),
    ),
    "a category is lost on 1.4": Row(point(category="A1"), V1_3, V1_4, {"category": None}, ("category",)),
    "access times narrow the opening times": Row(
        point(opening_times=LATE, access_times=MORNINGS),
        V1_3,
        V1_4,
        {
            "openingTimes/regularHours/@periodBegin": "08:00",
            "openingTimes/regularHours/@periodEnd": "12:00",
            "openingTimes/closedCharging": "false",
        },
        ("accessTimes",),
    ),
    "access times alone are the opening times": Row(
        point(access_times=MORNINGS),
        V1_3,
        V1_4_1,
        {"openingTimes/regularHours/@periodEnd": "12:00"},
        ("accessTimes",),
    ),
    "both stay for 1.3": Row(
        point(opening_times=LATE, access_times=MORNINGS),
        V1_3,
        V1_3,
        {"operatingTimes/regularHours/@periodBegin": "08:00", "accessTimes/regularHours/@periodBegin": "06:00"},
    ),
    "operating times become opening times": Row(
        point(opening_times=ALWAYS),
        V1_3,
        V1_4,
        {"openingTimes/twentyfourseven": "true", "openingTimes/closedCharging": "false"},
    ),
    "opening times become operating times": Row(
        point(opening_times=ALWAYS), V1_4, V1_3, {"operatingTimes/twentyfourseven": "true"}
    ),
    "charging when closed is lost on 1.3": Row(
        point(opening_times=replace(ALWAYS, closed_charging=True)),
        V1_4,
        V1_3,
        {"operatingTimes/closedCharging": None},
        ("openingTimes/closedCharging",),
    ),
    "a floor gets a parking spot with an id": Row(
        point(parking_spot=(FLOOR,)),
        V1_3,
        V1_4,
        {
            "parkingSpot/parkingId": "YY*XYZ*P1",
            "parkingSpot/floorLevel": "-1",
            "parkingSpot/parkingSpotNumber": "A12",
            "floorLevel": None,
        },
    ),
    "the first parking spot is told to 1.3": Row(
        point(parking_spot=(FLOOR, replace(FLOOR, parking_id="YY*XYZ*P2", floor_level="3"))),
        V1_4,
        V1_3,
        {"floorLevel": "-1", "parkingSlotNumber": "A12"},
        ("parkingSpot",),
    ),
    "its own id is lost": Row(
        point(parking_spot=(replace(FLOOR, parking_id="YY*XYZ*P77"),)),
        V1_4,
        V1_3,
        {"floorLevel": "-1"},
        ("parkingSpot/parkingId",),
    ),
    "restrictions of 1.3 are the EVSE's": Row(
        point(restriction=(Restriction.PLUGGED,)), V1_3, V1_4, {"restriction/RestrictionType": "plugged"}
    ),
    "car sharing is lost on 1.3": Row(
        point(restriction=(Restriction.CARSHARING, Restriction.DISABLED)),
        V1_4,
        V1_3,
        {"parkingRestriction/ParkingRestrictionType": "disabled"},
        ("restriction",),
    ),
    "a private place is another one to 1.3": Row(
        point(location=GeneralLocation.PRIVATE), V1_4, V1_3, {"location/GeneralLocationType": "other"}, ("location",)
    ),
    "an AC plug tells the type": Row(POINT, V1_3, V1_4, {"chargePointType": "AC"}),
    "a combined plug tells DC": Row(
        point(connectors=(COMBO,), charge_point_type=ChargePointType.DC), V1_3, V1_4, {"chargePointType": "DC"}
    ),
    "a strong Tesla plug tells DC": Row(
        point(connectors=(TESLA,), ratings=Ratings(maximum_power=Decimal(120))), V1_3, V1_4, {"chargePointType": "DC"}
    ),
    "a weak one AC": Row(
        point(connectors=(TESLA,), ratings=Ratings(maximum_power=Decimal(43))), V1_3, V1_4, {"chargePointType": "AC"}
    ),
    "a type that the plug tells is no loss on 1.3": Row(POINT, V1_4, V1_3, {"chargePointType": None}),
    "another is": Row(
        point(charge_point_type=ChargePointType.DC), V1_4, V1_3, {"chargePointType": None}, ("chargePointType",)
    ),
    "a telephone loses its plus in 1.3": Row(
        point(telephone_number="+49 7551 1234-0"), V1_4, V1_3, {"telephoneNumber": "0049 7551 1234-0"}
    ),
    "a long telephone of 1.3 loses its blanks": Row(
        point(telephone_number="0049 75 51 12 34 567"), V1_3, V1_4, {"telephoneNumber": "+4975511234567"}
    ),
    "any other stays as it is": Row(
        point(telephone_number="0049 7551 1234"), V1_3, V1_4, {"telephoneNumber": "0049 7551 1234"}
    ),
    "how long one may reserve is lost on 1.3": Row(
        point(max_reservation=30), V1_4, V1_3, {"maxReservation": None}, ("maxReservation",)
    ),
    "a tariff with volume is lost on 1.4, other tariffs stay": Row(
        tariff(BillingItem.VOLUME),
        V1_4_1,
        V1_4,
        {"individualTariff/recipient": None, "individualTariff/currency": "EUR"},
        ("individualTariff/tariffElement/priceComponent/billingItem",),
    ),
    "a tariff goes up as it is": Row(
        tariff(BillingItem.RESERVATION), V1_4, V1_4_1, {"individualTariff/recipient": "YYABC"}
    ),
    "parking status is lost on 1.3": Row(
        UpdateStatusRequest(parking=(ParkingStatus(parking_id="YY*XYZ*P1", status=MajorStatus.AVAILABLE),)),
        V1_4,
        V1_3,
        {"parking": None},
        ("parking",),
    ),
    "1.3 asks for EVSEs alone": Row(
        GetStatusRequest(status_type=StatusType.PARKING), V1_4, V1_3, {"statusType": None}, ("statusType",)
    ),
    "a check digit in a contract pattern is lost on 0.2": Row(
        provider("YYABCC00000003J", "YYABCC00000003J%", "YYABCC%"),
        V1_3,
        V1_4,
        {"whitelist": ["YYABCC00000003", "YYABCC00000003%", "YYABCC%"]},
        ("whitelist",),
    ),
    "and kept for 0.1": Row(provider("YYABCC00000003J"), V1_3, V1_3, {"whitelist": "YYABCC00000003J"}),
    "the end of a token is its day": Row(
        provider("YYABCC%"), V1_3, V1_4_1, {"validDate": "2027-01-10", "validUntil": None}
    ),
    "the day of a token is its end": Row(
        provider("YYABCC%"), V1_4, V1_3, {"validUntil/DateTime": "2027-01-11T00:30:00Z"}
    ),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_reader_gets_what_its_version_can_say_and_the_rest_is_named(row: Row) -> None:
    element, lost = across(row.record, row.origin, row.reader)
    assert element is not None
    assert {path: texts(element, path, row.reader) for path in row.says} == row.says
    assert tuple(lost) == row.lost


HYDROGEN = point(connectors=(NOZZLE,), charge_point_type=ChargePointType.H2)
UNDELIVERABLE = {
    "a token of another kind": (token(token_type=TokenType.OTHER), V1_4_1, (V1_3, V1_4)),
    "a token that permits no current": (token((Permission.H2,)), V1_4_1, (V1_3, V1_4)),
    "a CDR by volume": (
        cdr(charging_periods=(PERIOD, cdr_of(billing_item=BillingItem.VOLUME).charging_periods[0])),
        V1_4_1,
        (V1_3, V1_4),
    ),
    "a CDR of a fuel": (cdr(charge_point_type=ChargePointType.DIESEL), V1_4_1, (V1_3, V1_4)),
    "a CDR of a nozzle": (cdr(connector_type=NOZZLE), V1_4_1, (V1_3, V1_4)),
    "a CDR in several currencies": (cdr(charging_periods=(EUR, CHF)), V1_3, (V1_4, V1_4_1)),
    "a filling station": (HYDROGEN, V1_4_1, (V1_3, V1_4)),
}


@pytest.mark.parametrize("case", UNDELIVERABLE)
def test_a_record_that_must_not_be_told_in_part_is_not_told_at_all(case: str) -> None:
    record, origin, readers = UNDELIVERABLE[case]
    heard = decode(type(message(record)), written(message(record), origin), origin)
    for reader in readers:
        element, lost = across(record, origin, reader)
        assert element is None and lost
        with pytest.raises(Unsayable):
            encode(heard, reader)
        fit, lost_with_it = fitted(heard, reader)
        assert fit is None and lost_with_it


def test_a_1_3_token_that_does_not_say_how_it_is_written_is_a_hash_if_it_can_be_one() -> None:
    for instance, expected in (("3F786850E387550FDAB836ED7E6DC881DE23001B", "sha-160"), ("04A1B2C3D4E580", "plain")):
        element = written(message(token(instance=instance)), V1_3)
        del element[0][0].attrib["representation"]
        line = decode(SetRoamingAuthorisationListRequest, element, V1_3).roaming_authorisation_info_array[0]
        assert line.emt_id.representation == expected


def test_a_1_4_token_that_does_not_say_how_it_is_written_is_plain() -> None:
    element = written(message(token(instance="3F786850E387550FDAB836ED7E6DC881DE23001B")), V1_4)
    del element[0][0].attrib["representation"]
    line = decode(SetRoamingAuthorisationListRequest, element, V1_4).roaming_authorisation_info_array[0]
    assert line.emt_id.representation is Representation.PLAIN


def test_implausible_cdrs_are_told_whole_to_1_3_and_by_id_later() -> None:
    response = AddCdrsResponse(result=Result.of(ResultCode.PARTLY, "no"), implausible_cdrs_array=(CDR,))
    assert written(response, V1_3).findtext(".//{*}implausibleCdrsArray/{*}CdrId") == CDR.cdr_id
    for version in V1_4, V1_4_1:
        assert written(response, version).findtext("{*}implausibleCdrsArray") == CDR.cdr_id


def test_an_id_alone_cannot_be_told_to_1_3() -> None:
    response = AddCdrsResponse(result=Result.of(ResultCode.PARTLY, "no"), implausible_cdrs_array=(CDR.cdr_id, CDR))
    fit, lost = fitted(response, V1_3)
    assert fit is not None and [each.cdr_id for each in fit.implausible_cdrs_array] == [CDR.cdr_id]
    assert [loss.path for loss in lost] == ["implausibleCdrsArray"]
    with pytest.raises(Unsayable, match="CdrInfo"):
        encode(response, V1_3)


def test_a_confirmation_repeats_cdrs_in_1_3_and_refers_to_them_later() -> None:
    request = ConfirmCdrsRequest(approved=(CDR,), declined=(CDR,))
    heard = decode(ConfirmCdrsRequest, written(request, V1_3), V1_3)
    assert [(each.cdr_id, each.evse_id) for each in (*heard.approved, *heard.declined)] == 2 * [
        (CDR.cdr_id, CDR.evse_id)
    ]
    element = written(heard, V1_4)
    reference = CdrReference(cdr_id=CDR.cdr_id, evse_id=CDR.evse_id)
    assert decode(ConfirmCdrsRequest, element, V1_4) == ConfirmCdrsRequest(approved=(reference,), declined=(reference,))


def test_a_reference_alone_cannot_confirm_in_1_3() -> None:
    request = ConfirmCdrsRequest(approved=(CdrReference(cdr_id=CDR.cdr_id, evse_id=CDR.evse_id),))
    with pytest.raises(Unsayable, match="CdrInfo"):
        encode(request, V1_3)


def test_no_roaming_connection_is_ok_with_an_explanation_in_1_3() -> None:
    response = AddCdrsResponse(result=Result.of(ResultCode.ROAMING, "no connection"))
    assert written(response, V1_3).findtext(".//{*}resultCode/{*}resultCode") == "ok"
    assert written(response, V1_3).findtext(".//{*}resultDescription") == "no connection"
    assert written(response, V1_4).findtext(".//{*}resultCode/{*}resultCode") == "roaming"


def test_tariffs_and_checks_have_no_counterpart_in_1_3() -> None:
    only_later = {each.name for each in OPERATIONS if not each.exists_in(V1_3)}
    assert {"UpdateTariffs", "GetTariffUpdates", "CheckCDRs", "GetSingleRoamingAuthorisation"} <= only_later


@pytest.mark.parametrize("standard", [each for each in ConnectorStandard if "_" in each and "SUPER" not in each])
def test_every_connector_changes_its_hyphens_and_nothing_else(standard: ConnectorStandard) -> None:
    connector = replace(TYPE_2, connector_standard=standard)
    old, _ = across(cdr(connector_type=connector), V1_4_1, V1_3)
    new, _ = across(cdr(connector_type=connector), V1_3, V1_4)
    assert old is not None and old.findtext(".//{*}ConnectorStandard") == standard.replace("_", "-")
    assert new is not None and new.findtext(".//{*}ConnectorStandard") == standard


def test_a_loss_says_why() -> None:
    _, lost = fitted(cdr_of(billing_item=BillingItem.RESERVATION), V1_3)
    assert [(loss.path, loss.why) for loss in lost] == [
        ("chargingPeriods/billingItem", "1.3 cannot say reservation, but serviceFee")
    ]


def test_more_hours_than_a_version_has_room_for_are_named() -> None:
    hours = tuple(
        RegularHours(weekday=day, period_begin=begin, period_end=end)
        for day in range(1, 6)
        for begin, end in (("08:00", "12:00"), ("13:00", "18:00"))
    )
    fit, lost = fitted(point(opening_times=Hours(regular_hours=hours)), V1_4_1)
    assert fit is not None and fit.opening_times is not None and fit.opening_times.regular_hours == hours[:7]
    assert [loss.path for loss in lost] == ["openingTimes/regularHours"]


def test_exceptions_of_both_hours_are_told() -> None:
    opened = ExceptionalPeriod(
        period_begin=datetime(2027, 4, 4, 8, tzinfo=UTC), period_end=datetime(2027, 4, 4, 18, tzinfo=UTC)
    )
    both = point(
        opening_times=replace(MORNINGS, exceptional_openings=(opened,), exceptional_closings=(opened,)),
        access_times=ALWAYS,
    )
    element, _ = across(both, V1_3, V1_4)
    assert element is not None
    assert element.findtext(".//{*}exceptionalOpenings/{*}periodBegin/{*}DateTime") == "2027-04-04T08:00:00Z"
    assert element.findtext(".//{*}exceptionalClosings/{*}periodBegin/{*}DateTime") == "2027-04-04T08:00:00Z"
