"""What partners in production really send: read where its meaning is beyond doubt, row by row."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from lxml import etree

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.direct import (
    AddServiceEndpointsRequest,
    ControlEvseRequest,
    DirectMessage,
    DirectOperation,
    InformProviderMessage,
    OperatorEndpoint,
    ProviderEndpoint,
    SelectEvseRequest,
)
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import DirectResultCode
from clearinghouse.ochp.versions import BY_NAMESPACE, V1_3, V1_4
from clearinghouse.soap.repair import read
from tests.soap.posts import SEEN, SELECT, basic, enveloped, post, server

NOON = datetime(2027, 1, 10, 12, tzinfo=UTC)
NIL = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"'


def reading(cls, inside, version=V1_4):
    name = {InformProviderMessage: "InformProviderMessage" if version > V1_3 else "InformProviderRequest"}
    name = name.get(cls, cls.__name__)
    return read(cls, etree.fromstring(f'<{name} xmlns="{version.namespace}">{inside}</{name}>'), version)


def select(inside):
    return reading(SelectEvseRequest, f"<evseId>YY*XYZ*E1</evseId><contractId>YYABCC000000001</contractId>{inside}")


def control(inside, operation="<operation><operation>start</operation></operation>"):
    return reading(ControlEvseRequest, f"<directId>YYXYZ-1</directId>{operation}{inside}")


def inform(inside, head="", version=V1_4):
    ids = "<evseId>YY*XYZ*E1</evseId><contractId>YYABCC000000001</contractId><directId>YYXYZ-1</directId>"
    return reading(InformProviderMessage, head + ids + inside, version)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("<DateTime>2027-01-10T12:00:00Z</DateTime>", NOON),
        ("<DateTime>2027-01-10T12:00:00.000Z</DateTime>", NOON),
        ("<DateTime>2027-01-10T12:00:00.123456789Z</DateTime>", NOON),
        ("<DateTime>2027-01-10T14:00:00.000+02:00</DateTime>", NOON),
        ("<DateTime>2027-01-10T12:00:00z</DateTime>", NOON),
        ("<DateTime> 2027-01-10T12:00:00Z\n</DateTime>", NOON),
        ("<DateTime>2027-01-10T12:00:00</DateTime>", NOON),
        ("<DateTime>2027-01-10</DateTime>", NOON.replace(hour=0)),
        ("<reserveUntil>2027-01-10T12:00:00Z</reserveUntil>", NOON),
        ("<LocalDateTime>2027-01-10T12:00:00+00:00</LocalDateTime>", NOON),
        ("2027-01-10T12:00:00Z", NOON),
    ],
)
def test_any_instant_is_read(written, meant):
    assert select(f"<reserveUntil>{written}</reserveUntil>").reserve_until == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [(".5", "0.5"), ("0,5", "0.5"), (",5", "0.5"), ("5.", "5"), ("1E1", "10"), (" 11 ", "11"), ("-.5", "-0.5")],
)
def test_odd_numbers_are_read(written, meant):
    assert control(f"<maxPower>{written}</maxPower>").max_power == Decimal(meant)


@pytest.mark.parametrize("written", ["1,000.5", "1.000,5", "eleven", "1 000", "NaN", "0x10", "1_0"])
def test_numbers_that_could_mean_two_things_are_refused(written):
    with pytest.raises(Malformed, match="ControlEvseRequest/maxPower"):
        control(f"<maxPower>{written}</maxPower>")


@pytest.mark.parametrize("name", ["maxPower", "MaxPower", "maxpower", "MAXPOWER"])
def test_names_are_read_in_any_case(name):
    assert control(f"<{name}>11</{name}>").max_power == 11


@pytest.mark.parametrize("written", ["start", "Start", "START"])
def test_choices_are_read_in_any_case(written):
    assert control("", f"<operation><operation>{written}</operation></operation>").operation is DirectOperation.START
    assert control("", f"<operation>{written}</operation>").operation is DirectOperation.START


@pytest.mark.parametrize("written", ["true", "True", "TRUE", "1"])
def test_booleans_are_read_in_any_case(written):
    assert control(f"<onePhase>{written}</onePhase>").one_phase is True


@pytest.mark.parametrize(
    "inside",
    [
        "<maxPower/>",
        f"<maxPower {NIL}/>",
        "<onePhase/>",
        "<departure/>",
        f"<departure {NIL}/>",
        "<departure><DateTime/></departure>",
        "<stateOfCharge>80</stateOfCharge>",
        '<x:extra xmlns:x="urn:x">1</x:extra>',
        "<pagination><page>1</page></pagination><EMP-ID>X</EMP-ID>",
        "<!-- nothing -->",
    ],
)
def test_empty_nil_and_unknown_elements_are_absent(inside):
    assert control(inside) == control("")


def test_elements_are_read_in_any_order():
    swapped = "<contractId>YYABCC000000001</contractId><evseId>YY*XYZ*E1</evseId>"
    assert reading(SelectEvseRequest, swapped) == select("")


def test_a_message_without_kind_and_result_is_an_info():
    message = inform("<stateOfCharge>80</stateOfCharge>")
    assert message.message is DirectMessage.INFO and message.result.result_code is DirectResultCode.OK
    assert inform("", version=V1_3).message is DirectMessage.INFO


def test_a_message_that_names_its_kind_is_not_an_info():
    message = inform("", "<message><message>end</message></message>")
    assert message.message is DirectMessage.END


def test_the_offset_of_a_local_time_is_kept():
    reading = "<meterReading><meterValue/><meterTime><LocalDateTime>{}</LocalDateTime></meterTime></meterReading>"
    metered = inform(reading.format("2027-01-10T13:00:00.000+01:00")).meter_reading
    assert metered.meter_time.utcoffset() == timedelta(hours=1) and metered.meter_time == NOON
    assert metered.meter_value == 0
    assert inform(reading.format("2027-01-10T12:00:00Z")).meter_reading.meter_time == NOON


def endpoint(element, pattern, token="accessToken", day="2027-01-10"):
    return (
        f"<{element}><url>https://x.example/</url><namespaceUrl>http://ochp.eu/1.4</namespaceUrl>"
        f"<{token}>t0k3n</{token}><validDate>{day}</validDate><whitelist>{pattern}</whitelist></{element}>"
    )


def test_endpoints_are_told_by_the_shape_of_their_patterns():
    upload = endpoint("operatorEndpointArray", "YYABCC%") + endpoint("operatorEndpointArray", "YYXYZE%")
    request = reading(AddServiceEndpointsRequest, upload)
    assert [type(each) for each in request.provider_endpoint_array] == [ProviderEndpoint]
    assert [type(each) for each in request.operator_endpoint_array] == [OperatorEndpoint]


def test_an_endpoint_of_no_known_shape_is_refused():
    with pytest.raises(Malformed, match="operatorEndpointArray/whitelist"):
        reading(AddServiceEndpointsRequest, endpoint("operatorEndpointArray", "YYABCX%"))


def test_the_operators_before_the_providers_and_a_small_accesstoken_are_read():
    upload = endpoint("operatorEndpointArray", "YYXYZE%", "accesstoken") + endpoint("providerEndpointArray", "YYABCC%")
    request = reading(AddServiceEndpointsRequest, upload)
    assert request.operator_endpoint_array[0].access_token == "t0k3n"
    assert request.provider_endpoint_array[0].whitelist == ("YYABCC%",)


@pytest.mark.parametrize("day", ["2027-01-10T00:00:00Z", "2027-01-10Z", "2027-01-10+01:00"])
def test_more_than_a_day_is_a_day(day):
    request = reading(AddServiceEndpointsRequest, endpoint("operatorEndpointArray", "YYXYZE%", day=day))
    assert request.operator_endpoint_array[0].valid_date == date(2027, 1, 10)


def test_a_token_keeps_its_blanks_nowhere_in_a_complaint():
    with pytest.raises(Malformed) as caught:
        reading(AddServiceEndpointsRequest, endpoint("operatorEndpointArray", "YYXYZE%").replace("t0k3n", "s" * 300))
    assert "sss" not in str(caught.value)


SOAP = enveloped(SELECT)
ENVELOPES = {
    "the style of CXF": SOAP.replace("<n:SelectEvseRequest>", '<SelectEvseRequest xmlns="http://ochp.eu/1.4">').replace(
        "</n:S", "</S"
    ),
    "another prefix on the header": SOAP.replace(
        "<soapenv:Body>",
        '<SOAP-ENV:Header xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"/><soapenv:Body>',
    ),
    "an envelope in an envelope": enveloped(SOAP, prefix="SOAP"),
    "two envelopes in one": enveloped(SOAP.replace("SelectEvse", "SelectEVSE")),
    "other case of the operation": SOAP.replace("SelectEvseRequest", "SelectEVSERequest"),
    "a byte order mark": "\ufeff" + SOAP,
    "white space before": "\r\n  " + SOAP,
    "white space and a declaration": ' \n<?xml version="1.0"?>' + SOAP,
    "a byte order mark and a declaration": '\ufeff<?xml version="1.0" encoding="UTF-8"?>' + SOAP,
    "a hint to a schema": SOAP.replace("<n:evseId>", '<n:evseId xsi:schemaLocation="urn:x x.xsd">'),
    "qualified attributes": SOAP.replace("<n:evseId>", '<n:evseId n:type="x">'),
}


@pytest.mark.parametrize("case", ENVELOPES)
@pytest.mark.parametrize("media", ["text/xml", "application/xml; charset=UTF-8", "application/soap+xml"])
def test_odd_envelopes_are_served(case, media):
    SEEN.clear()
    answer = server(Role.OPERATOR).answer(post(ENVELOPES[case], media, basic(), action='"http://x/y"'))
    assert answer.status == 200, answer.body
    assert [(each.evse_id, each.contract_id) for each in SEEN] == [("YY*XYZ*E1234", "YY-ABC-C12345678-X")]


def test_the_strict_and_the_lenient_reading_agree():
    for namespace, version in BY_NAMESPACE.items():
        text = (
            f'<SelectEvseRequest xmlns="{namespace}"><{{0}}>YY*XYZ*E1</{{0}}>'
            "<contractId>YYABCC000000001</contractId></SelectEvseRequest>"
        )
        strict, lenient = (
            read(SelectEvseRequest, etree.fromstring(text.format(name)), version) for name in ("evseId", "EVSEID")
        )
        assert strict == lenient
