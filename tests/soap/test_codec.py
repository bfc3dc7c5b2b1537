"""The codec: what is written is valid and reads back equal; what cannot be written or read says why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.cdrs import AddCdrsRequest, BillingItem, CdrPeriod
from clearinghouse.ochp.charge_points import SetChargePointListRequest
from clearinghouse.ochp.direct import (
    ControlEvseRequest,
    ControlEvseResponse,
    DirectMessage,
    DirectOperation,
    InformProviderMessage,
    ReportDiscrepancyRequest,
    SelectEvseRequest,
    SelectEvseResponse,
)
from clearinghouse.ochp.hours import Hours, RegularHours
from clearinghouse.ochp.live import EvseStatus, GetStatusResponse, MajorStatus
from clearinghouse.ochp.results import DirectResult, DirectResultCode
from clearinghouse.ochp.versions import NEWEST, ORDER, V1_3, V1_4, V1_4_1
from clearinghouse.soap.codec import Unsayable, decode, encode
from clearinghouse.soap.xsd import validator
from tests.contract.builders import CDR, POINT
from tests.strategies import messages

NOON = datetime(2027, 1, 10, 12, tzinfo=UTC)
MORNING = RegularHours(weekday=1, period_begin="08:00", period_end="12:00")


def element(version, text):
    return etree.fromstring(text.replace("NS", version.namespace))


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data(), st.sampled_from(ORDER))
def test_any_message_is_valid_and_reads_back_equal(data, version):
    value = data.draw(messages(version))
    written = etree.fromstring(encode(value, version))
    validator(version).assertValid(written)
    assert decode(type(value), written, version) == value


def test_the_payload_has_a_default_namespace_and_whole_seconds_in_utc():
    local = datetime(2027, 1, 10, 13, 0, 0, 999_999, timezone(timedelta(hours=1)))
    text = encode(SelectEvseRequest(evse_id="YY*XYZ*E1", contract_id="YYABCC000000001", reserve_until=local), V1_4)
    assert text == (
        b'<SelectEvseRequest xmlns="http://ochp.eu/1.4"><evseId>YY*XYZ*E1</evseId>'
        b"<contractId>YYABCC000000001</contractId>"
        b"<reserveUntil><DateTime>2027-01-10T12:00:00Z</DateTime></reserveUntil></SelectEvseRequest>"
    )


def test_what_a_version_does_not_know_is_left_out():
    request = ControlEvseRequest(direct_id="A", operation=DirectOperation.START, max_current=Decimal(16))
    assert b"maxCurrent" not in encode(request, V1_3)
    assert b"<maxCurrent>16</maxCurrent>" in encode(request, V1_4)


@pytest.mark.parametrize(
    ("number", "text"), [("1E+3", b">1000<"), ("1.50", b">1.50<"), ("1E-7", b">0.0000001<"), ("-0.5", b">-0.5<")]
)
def test_numbers_are_written_without_exponent(number, text):
    request = ControlEvseRequest(direct_id="A", operation=DirectOperation.START, max_power=Decimal(number))
    assert text in encode(request, NEWEST)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1E+999999"])
def test_what_is_no_finite_number_is_not_written(number):
    request = ControlEvseRequest(direct_id="A", operation=DirectOperation.START, max_power=Decimal(number))
    with pytest.raises(Unsayable, match="max_power"):
        encode(request, NEWEST)


@pytest.mark.parametrize("number", ["NaN", "INF", "-INF", "1E999999999", "1" * 100, "١"])
def test_what_is_no_finite_number_is_not_read(number):
    text = f'<ControlEvseRequest xmlns="NS"><maxPower>{number}</maxPower></ControlEvseRequest>'
    with pytest.raises(Malformed, match="ControlEvseRequest/maxPower"):
        decode(ControlEvseRequest, element(NEWEST, text), NEWEST)


def test_a_missing_mandatory_member_is_not_written():
    answer = ControlEvseResponse(result=DirectResult.of(DirectResultCode.OK))
    with pytest.raises(Unsayable, match="direct_id"):
        encode(answer, V1_3)
    assert b"directId" not in encode(answer, V1_4)


def test_a_missing_mandatory_member_is_not_read():
    with pytest.raises(Malformed, match="SelectEvseRequest: contractId is missing"):
        decode(
            SelectEvseRequest,
            element(V1_4, '<SelectEvseRequest xmlns="NS"><evseId>YY*XYZ*E1</evseId></SelectEvseRequest>'),
            V1_4,
        )


def test_a_choice_that_the_version_lacks_is_not_written():
    period = CdrPeriod(
        start_date_time=NOON,
        end_date_time=NOON,
        billing_item=BillingItem.VOLUME,
        billing_value=Decimal(1),
        item_price=Decimal(1),
    )
    message = InformProviderMessage(
        message=DirectMessage.INFO, evse_id="YY*XYZ*E1", contract_id="C", direct_id="A", charging_periods=(period,)
    )
    assert b"<BillingItemType>volume</BillingItemType>" in encode(message, V1_4_1)
    with pytest.raises(Unsayable, match="volume"):
        encode(message, V1_4)


@pytest.mark.parametrize("hours", [Hours(), Hours(twentyfourseven=True, regular_hours=(MORNING,))])
def test_what_is_a_choice_is_said_once(hours):
    point = replace(POINT, opening_times=hours)
    with pytest.raises(Unsayable, match="Hours needs one of regular_hours, twentyfourseven"):
        encode(SetChargePointListRequest(charge_point_info_array=(point,)), V1_4)


def test_a_status_has_one_of_its_lists():
    evse = EvseStatus(evse_id="YY*XYZ*E1", major=MajorStatus.AVAILABLE)
    with pytest.raises(Unsayable, match="at most one of combined, evse, parking"):
        encode(GetStatusResponse(evse=(evse,), combined=(evse,)), V1_4)


def test_degrees_have_six_decimal_places():
    text = encode(SetChargePointListRequest(charge_point_info_array=(POINT,)), V1_4)
    assert b'<chargePointLocation lat="47.000000" lon="9.000000">' in text


def test_a_duration_beyond_999_hours_is_not_written():
    record = replace(CDR, duration=timedelta(hours=1000))
    with pytest.raises(Unsayable, match="duration"):
        encode(AddCdrsRequest(cdr_info_array=(record,)), V1_4)


def test_a_1_3_record_that_lacks_what_a_bridge_needs_is_refused_with_its_name():
    written = etree.fromstring(encode(AddCdrsRequest(cdr_info_array=(CDR,)), V1_3))
    country = written.find(".//{*}country")
    country.getparent().remove(country)
    with pytest.raises(Malformed, match="cdrInfoArray: country is missing"):
        decode(AddCdrsRequest, written, V1_3)


def test_characters_that_xml_cannot_carry_are_replaced():
    report = ReportDiscrepancyRequest(evse_id="YY*XYZ*E1", report='a\x00\x1b\ud800<&>\r\n"ü😀')
    written = etree.fromstring(encode(report, V1_4))
    assert decode(ReportDiscrepancyRequest, written, V1_4).report == 'a���<&>\r\n"ü😀'


def test_a_result_never_has_an_empty_description():
    answer = SelectEvseResponse(result=DirectResult(result_code=DirectResultCode.SERVER, result_description=""))
    assert b"<resultDescription>server</resultDescription>" in encode(answer, V1_4)


def test_nil_is_absent():
    text = (
        '<SelectEvseResponse xmlns="NS" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><result><resultCode>'
        '<resultCode>ok</resultCode></resultCode><resultDescription i:nil="true"/></result></SelectEvseResponse>'
    )
    answer = decode(SelectEvseResponse, element(V1_4, text), V1_4)
    assert answer == SelectEvseResponse(result=DirectResult(result_code=DirectResultCode.OK))


def test_the_reader_of_0_1_assumes_what_0_1_cannot_say():
    text = (
        '<InformProviderRequest xmlns="NS"><message><message>start</message></message><evseId>YY*XYZ*E1</evseId>'
        "<contractId>YYABCC000000001</contractId><directId>A</directId></InformProviderRequest>"
    )
    message = decode(InformProviderMessage, element(V1_3, text), V1_3)
    assert message.result.result_code is DirectResultCode.OK


def test_a_naive_instant_is_not_written():
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(Unsayable, match="offset"):
        encode(SelectEvseRequest(evse_id="YY*XYZ*E1", contract_id="C", reserve_until=naive), V1_4)


@pytest.mark.parametrize("text", ["2027-02-30T12:00:00Z", "2027-01-10T25:00:00Z"])
def test_an_instant_that_no_calendar_has_is_refused_with_its_place(text):
    body = f'<SelectEvseRequest xmlns="NS"><reserveUntil><DateTime>{text}</DateTime></reserveUntil></SelectEvseRequest>'
    with pytest.raises(Malformed, match="SelectEvseRequest/reserveUntil/DateTime: an instant"):
        decode(SelectEvseRequest, element(V1_4, body), V1_4)
