"""What partners in production really send of tokens, charge data, charge points, tariffs and status."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from lxml import etree

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp import operations as ops
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.connectors import ConnectorStandard
from clearinghouse.ochp.locations import Restriction
from clearinghouse.ochp.tariffs import TariffRestriction
from clearinghouse.ochp.tokens import Representation, TokenSubType
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1
from clearinghouse.soap.repair import read
from tests.soap.posts import golden_message


def reading(operation, version, *edits):
    """The first record of a golden request in which texts are replaced."""
    text = etree.tostring(golden_message(operation, version, "request"), encoding="unicode")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    request = read(operation.request, etree.fromstring(text), version)
    return next(entry for entry in vars(request).values() if entry)[0]


def token(version, *edits):
    return reading(ops.SET_ROAMING_AUTHORISATION_LIST, version, *edits)


def cdr(version, *edits):
    return reading(ops.ADD_CDRS, version, *edits)


def point(version, *edits):
    return reading(ops.SET_CHARGE_POINT_LIST, version, *edits)


@pytest.mark.parametrize(
    "written", ["2028-12-31T23:59:59.000Z", "2029-01-01T00:59:59.000+01:00", "2028-12-31T23:59:59"]
)
def test_an_expiry_in_any_spelling_is_that_instant(written):
    line = token(V1_3, ("2028-12-31T23:59:59Z", written))
    assert line.expiry_date == datetime(2028, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("None", None),
        ("Some(mifareCls)", None),
        ("", None),
        ("MIFARECLS", TokenSubType.MIFARE_CLASSIC),
        ("mifareDes", TokenSubType.MIFARE_DESFIRE),
    ],
)
def test_a_sub_type_that_nobody_knows_is_left_out(written, meant):
    line = token(V1_4, ("<tokenSubType>mifareDes", f"<tokenSubType>{written}"))
    assert line.emt_id.token_sub_type is meant


@pytest.mark.parametrize(("written", "meant"), [("SHA256", Representation.SHA_256), ("Plain", Representation.PLAIN)])
def test_a_representation_is_known_by_other_names(written, meant):
    assert token(V1_4, ('representation="plain"', f'representation="{written}"')).emt_id.representation is meant


@pytest.mark.parametrize("written", ["owner-declined", "declined", "Owner Declined"])
def test_declined_is_read_in_every_spelling(written):
    assert cdr(V1_3, ("<CdrStatusType>new", f"<CdrStatusType>{written}")).status is CdrStatus.DECLINED


@pytest.mark.parametrize("version", [V1_3, V1_4, V1_4_1])
@pytest.mark.parametrize("written", ["IEC-62196-T2", "IEC_62196_T2", "iec_62196_t2"])
def test_connectors_are_read_with_hyphens_and_underscores(written, version):
    old = "IEC-62196-T2<" if version is V1_3 else "IEC_62196_T2<"
    record = cdr(version, (old, f"{written}<"))
    assert record.connector_type.connector_standard is ConnectorStandard.IEC_62196_T2


def test_a_duration_in_seconds_and_an_id_in_small_letters_are_read():
    record = cdr(V1_4, (">001:30:00<", ">200<"), (">YYXYZ000001<", ">yyxyz000001<"))
    assert (record.duration, record.cdr_id) == (timedelta(seconds=200), "YYXYZ000001")


def test_local_times_with_fractions_and_z_are_read():
    record = cdr(V1_3, ("2027-01-10T10:00:00+01:00", "2027-01-10T09:00:00.000Z"))
    assert record.start_date_time == datetime(2027, 1, 10, 9, tzinfo=UTC)


@pytest.mark.parametrize("written", ["47.76560000123", "47.7656", "47,7656"])
def test_coordinates_of_any_precision_are_rounded(written):
    place = point(V1_4_1, ('lat="47.765600"', f'lat="{written}"')).charge_point_location
    assert (place.lat, place.lon) == (Decimal("47.7656"), Decimal("9.1611"))


@pytest.mark.parametrize("written", ["NotSet", "", "47.7656N"])
def test_what_is_no_coordinate_is_refused_with_its_place(written):
    with pytest.raises(Malformed, match="relatedLocation"):
        point(V1_4_1, ('lat="47.765700"', f'lat="{written}"'))


def test_attributes_with_a_namespace_are_read():
    first = point(V1_4, (' lat="47.7657', ' xmlns:n="http://ochp.eu/1.4" n:lat="47.7657'))
    assert first.related_location[0].lat == Decimal("47.7657")


def test_small_letters_where_capitals_are_asked_for_are_read():
    record = point(V1_3, (">PLACE 1<", ">place 1<"), (">12 14<", ">12a<"), (">DEU<", ">deu<"))
    assert (record.location_id, record.charge_point_address.house_number) == ("PLACE 1", "12A")
    assert record.charge_point_address.country == "DEU"


def test_hours_that_say_nothing_are_unknown():
    text = etree.tostring(golden_message(ops.SET_CHARGE_POINT_LIST, V1_3, "request"), encoding="unicode")
    start, end = text.index("<operatingTimes>"), text.index("</operatingTimes>")
    text = text[:start] + "<operatingTimes>" + text[end:]
    request = read(ops.SET_CHARGE_POINT_LIST.request, etree.fromstring(text), V1_3)
    assert request.charge_point_info_array[0].opening_times is None


def test_what_is_charged_outside_the_hours_is_not_said_and_so_is_nothing():
    hours = point(V1_4, ("<closedCharging>false</closedCharging>", "")).opening_times
    assert hours.closed_charging is False and hours.regular_hours


def test_restrictions_are_read_in_any_case():
    assert point(V1_4, (">evonly<", ">EVOnly<")).restriction[0] is Restriction.EV_ONLY


def test_a_price_without_restriction_applies_always():
    tariff = reading(ops.UPDATE_TARIFFS, V1_4, ("<tariffRestriction/>", ""))
    assert tariff.individual_tariff[0].tariff_element[0].tariff_restriction == TariffRestriction()


def test_a_day_in_a_tariff_is_its_midnight():
    tariff = reading(ops.UPDATE_TARIFFS, V1_4, ("2027-01-01T00:00:00Z", "2027-01-01"))
    restriction = tariff.individual_tariff[1].tariff_element[0].tariff_restriction
    assert restriction.start_date_time == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_status_with_a_lone_list_ttl_and_fractions_is_read():
    text = (
        '<UpdateStatusRequest xmlns="http://ochp.eu/1.4"><parking xmlns:o="http://ochp.eu/1.4" o:status="available">'
        "<parkingId>YY*XYZ*P1</parkingId></parking><ttl><DateTime>2027-01-10T12:00:00.123456Z</DateTime></ttl>"
        '<evse major="Available"><evseId>YY*XYZ*E1</evseId></evse></UpdateStatusRequest>'
    )
    request = read(ops.UPDATE_STATUS.request, etree.fromstring(text), V1_4)
    assert (request.evse[0].major, request.parking[0].status) == ("available", "available")
    assert request.ttl == datetime(2027, 1, 10, 12, tzinfo=UTC)
