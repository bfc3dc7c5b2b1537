"""The line to partners, against real TLS servers that are slow, dead, untrusted, chatty or wrong."""

import base64
import gzip
import logging
import ssl
import threading
import time
from datetime import UTC, datetime

import pytest
from lxml import etree

from clearinghouse.domain.errors import (
    PartnerAnsweredNonsense,
    PartnerRefused,
    PartnerTimedOut,
    PartnerUnreachable,
)
from clearinghouse.ochp.direct import (
    ControlEvseRequest,
    ControlEvseResponse,
    DirectOperation,
    GetServiceEndpointsRequest,
    GetServiceEndpointsResponse,
    ReportDiscrepancyRequest,
    SelectEvseRequest,
    SelectEvseResponse,
)
from clearinghouse.ochp.operations import (
    CONTROL_EVSE,
    GET_SERVICE_ENDPOINTS,
    INFORM_PROVIDER,
    OPERATIONS,
    REPORT_DISCREPANCY,
    SELECT_EVSE,
    SET_CHARGE_POINT_LIST,
)
from clearinghouse.ochp.results import DirectResult, DirectResultCode, Result, ResultCode
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4
from clearinghouse.services.calls_port import Login, TokenPair
from clearinghouse.soap.client import SoapLine
from clearinghouse.soap.codec import decode, encode
from clearinghouse.soap.faults import FaultCode, envelope, fault
from clearinghouse.soap.xsd import validator
from tests.soap.partners import Authority, http, partner
from tests.soap.posts import golden_message

PAIR = TokenPair("t0k3n-of-the-receiver", "t0k3n-of-the-sender")
REQUEST = SelectEvseRequest(evse_id="YY*XYZ*E1", contract_id="YYABCC000000001")
ANSWER = SelectEvseResponse(
    result=DirectResult.of(DirectResultCode.OK), direct_id="YYXYZ-1", ttl=datetime(2027, 1, 10, 12, tzinfo=UTC)
)
FINE = http(envelope(encode(ANSWER, V1_4)))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"), "trusted")


@pytest.fixture(scope="module")
def identity(authority):
    return authority.server()


@pytest.fixture
def line(authority):
    return SoapLine(timeout=1.0, ca_bundle=authority.bundle, allow_private=True, most_calls=2)


def answering(data):
    return lambda connection, request: connection.sendall(data)


def call(line, url, request=REQUEST, operation=SELECT_EVSE, version=V1_4, credentials=PAIR):
    return line.call(url, version, operation, request, credentials)


def soap(body, version=V1_4, status="200 OK"):
    return http(envelope(body.replace("NS", version.namespace).encode()), status)


@pytest.mark.parametrize("version", ORDER)
def test_a_call_carries_the_action_of_the_contract_and_the_pair_of_tokens(line, identity, version):
    heard = []

    def behave(connection, request):
        heard.append(request)
        connection.sendall(http(envelope(encode(ANSWER, version))))

    with partner(identity, behave) as url:
        assert call(line, url, version=version) == ANSWER
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert f'SOAPAction: "http://ochp.eu/direct/{version.direct}/SelectEvse"'.encode() in head
    assert b"Authorization: Basic " + base64.b64encode(f"{PAIR.receiver}:{PAIR.sender}".encode()) in head
    assert b"Content-Type: text/xml; charset=utf-8" in head
    assert body == envelope(encode(REQUEST, version))


def test_a_login_goes_into_the_security_header(line, identity):
    heard = []

    def behave(connection, request):
        heard.append(request)
        connection.sendall(FINE)

    with partner(identity, behave) as url:
        call(line, url, credentials=Login("operator", 'pa<ss&"word'))
    assert b"<wsse:Username>operator</wsse:Username>" in heard[0] and b"pa&lt;ss&amp;&quot;word<" in heard[0]
    assert b"Authorization" not in heard[0]


def test_a_server_that_passes_calls_on_leaves_its_name(authority, identity):
    heard = []

    def behave(connection, request):
        heard.append(request)
        connection.sendall(FINE)

    with partner(identity, behave) as url:
        call(SoapLine(timeout=1.0, ca_bundle=authority.bundle, allow_private=True, via="house-1"), url)
    assert b"\r\nVia: 1.1 house-1\r\n" in heard[0]


def test_a_connection_is_used_again(line, identity):
    connections = set()

    def behave(connection, request):
        connections.add(connection)
        connection.sendall(FINE)

    with partner(identity, behave) as url:
        for _ in range(3):
            call(line, url)
    assert len(connections) == 1


def test_cookies_are_not_kept(line, identity):
    heard = []

    def behave(connection, request):
        heard.append(request)
        connection.sendall(http(envelope(encode(ANSWER, V1_4)), headers="Set-Cookie: a=b; Path=/\r\n"))

    with partner(identity, behave) as url:
        call(line, url)
        call(line, url)
    assert len(heard) == 2 and b"cookie" not in heard[1].lower()


def test_a_slow_partner_times_out(line, identity):
    with partner(identity, lambda connection, request: time.sleep(1.5)) as url:
        began = time.monotonic()
        with pytest.raises(PartnerTimedOut, match=r"^127\.0\.0\.1:\d+: no answer in time$"):
            call(line, url)
        assert time.monotonic() - began < 1.4


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_drip_of_bytes_does_not_stretch_the_time(line, identity, where):
    def behave(connection, request):
        at = 10 if where == "head" else FINE.index(b"\r\n\r\n") + 10
        connection.sendall(FINE[:at])
        for byte in FINE[at : at + 30]:
            time.sleep(0.1)
            connection.sendall(bytes([byte]))

    with partner(identity, behave) as url:
        began = time.monotonic()
        with pytest.raises(PartnerTimedOut):
            call(line, url)
        assert time.monotonic() - began < 1.4


def test_a_dead_partner_is_unreachable(line, identity):
    with partner(identity, answering(FINE)) as url:
        pass
    with pytest.raises(PartnerUnreachable, match=r"no connection$"):
        call(line, url)


def test_a_partner_that_hangs_up_is_unreachable(line, identity):
    with partner(identity, lambda connection, request: connection.close()) as url, pytest.raises(PartnerUnreachable):
        call(line, url)


@pytest.mark.parametrize(("hang_ups", "answered"), [(1, True), (2, False)])
def test_a_connection_that_ends_before_tls_is_agreed_on_is_tried_once_more(line, identity, hang_ups, answered):
    with partner(identity, answering(FINE), hang_ups=hang_ups) as url:
        if answered:
            assert call(line, url) == ANSWER
        else:
            with pytest.raises(PartnerUnreachable):
                call(line, url)


LATEST = GetServiceEndpointsResponse(result=Result.of(ResultCode.OK))


@pytest.mark.parametrize(("breaks", "answered"), [(1, True), (2, False)])
def test_what_only_reads_is_asked_once_more_on_a_connection_that_breaks(line, identity, breaks, answered):
    heard = []

    def behave(connection, request):
        heard.append(request)
        if len(heard) > breaks:
            connection.sendall(http(envelope(encode(LATEST, V1_4))))
        else:
            connection.close()

    with partner(identity, behave) as url:
        if answered:
            assert call(line, url, GetServiceEndpointsRequest(), GET_SERVICE_ENDPOINTS) == LATEST
        else:
            with pytest.raises(PartnerUnreachable, match="the connection broke"):
                call(line, url, GetServiceEndpointsRequest(), GET_SERVICE_ENDPOINTS)
    assert len(heard) == 2


def test_what_changes_something_is_asked_once_alone(line, identity):
    heard = []

    def behave(connection, request):
        heard.append(request)
        connection.close()

    with partner(identity, behave) as url, pytest.raises(PartnerUnreachable, match="the connection broke"):
        call(line, url)
    assert len(heard) == 1


def test_a_connection_that_breaks_again_and_again_takes_no_more_than_its_time(authority, identity):
    def behave(connection, request):
        time.sleep(0.3)
        connection.close()

    line = SoapLine(timeout=0.5, ca_bundle=authority.bundle, allow_private=True)
    with partner(identity, behave) as url, pytest.raises(PartnerTimedOut):
        call(line, url, GetServiceEndpointsRequest(), GET_SERVICE_ENDPOINTS)


def test_an_unknown_name_is_unreachable(line):
    with pytest.raises(PartnerUnreachable, match=r"no connection$"):
        call(line, "https://nobody.invalid/x")


def test_a_certificate_of_another_authority_is_not_trusted(line, tmp_path):
    untrusted = pytest.raises(PartnerUnreachable, match="certificate is not trusted")
    with partner(Authority(tmp_path, "other").server(), answering(FINE)) as url, untrusted:
        call(line, url)


def test_a_certificate_for_another_host_is_not_trusted(line, authority):
    untrusted = pytest.raises(PartnerUnreachable, match="certificate is not trusted")
    with partner(authority.server("other.example"), answering(FINE)) as url, untrusted:
        call(line, url)


def test_tls_1_2_is_spoken(line, identity):
    with partner(identity, answering(FINE), newest=ssl.TLSVersion.TLSv1_2) as url:
        assert call(line, url) == ANSWER


def test_a_changed_bundle_is_read_anew(tmp_path):
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(old.bundle.read_bytes())
    line = SoapLine(timeout=2, ca_bundle=bundle, allow_private=True)
    with partner(new.server(), answering(FINE)) as url:
        with pytest.raises(PartnerUnreachable):
            call(line, url)
        bundle.write_bytes(old.bundle.read_bytes() + new.bundle.read_bytes())
        assert call(line, url) == ANSWER
        bundle.write_text("no certificate at all")
        assert call(line, url) == ANSWER


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x", "ftp://x", "nonsense", "https://", "https://user:pa55word@127.0.0.1/", "https://[::1/x"],
)
def test_only_plain_https_addresses_are_called(line, url):
    with pytest.raises(PartnerUnreachable) as caught:
        call(line, url)
    assert "pa55word" not in str(caught.value)


def test_private_addresses_are_called_only_where_allowed(authority, identity):
    line = SoapLine(timeout=1, ca_bundle=authority.bundle)
    heard = []
    with partner(identity, lambda connection, request: heard.append(request)) as url:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            with pytest.raises(PartnerUnreachable):
                call(line, url.replace("127.0.0.1", host))
    assert heard == []


def test_a_redirect_is_not_followed(line, identity):
    heard = []

    def behave(connection, request):
        heard.append(request)
        connection.sendall(http("", "307 Temporary Redirect", "Location: https://127.0.0.1:1/\r\n"))

    with partner(identity, behave) as url, pytest.raises(PartnerAnsweredNonsense, match="HTTP 307"):
        call(line, url)
    assert len(heard) == 1


def test_proxies_of_the_environment_are_not_used(line, identity, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with partner(identity, answering(FINE)) as url:
        assert call(line, url) == ANSWER


@pytest.mark.parametrize("packed", [False, True])
def test_a_huge_answer_is_not_read_to_its_end(authority, identity, packed):
    line = SoapLine(timeout=5, ca_bundle=authority.bundle, allow_private=True, max_answer=100_000)
    data = b" " * 50_000_000
    answer = http(gzip.compress(data), headers="Content-Encoding: gzip\r\n") if packed else http(data)
    with partner(identity, answering(answer)) as url, pytest.raises(PartnerAnsweredNonsense):
        call(line, url)


def test_more_calls_than_room_are_refused_at_once(line, identity):
    free = threading.Event()

    def behave(connection, request):
        free.wait(3)
        connection.sendall(FINE)

    line = SoapLine(timeout=5, ca_bundle=line._bundle, allow_private=True, most_calls=2)
    with partner(identity, behave) as url, partner(identity, answering(FINE)) as other:
        threads = [threading.Thread(target=call, args=(line, url)) for _ in range(2)]
        for thread in threads:
            thread.start()
        while sum(line._under_way.values()) < 2:
            time.sleep(0.01)
        with pytest.raises(PartnerUnreachable, match="too many calls"):
            call(line, url)
        assert call(line, other) == ANSWER
        free.set()
        for thread in threads:
            thread.join()
        assert call(line, url) == ANSWER
    assert not line._under_way


NONSENSE = {
    "HTML": http("<html><body>Hello</body></html>"),
    "no XML": http("hello"),
    "nothing": http(""),
    "a document type": http('<!DOCTYPE x [<!ENTITY a "b">]><x/>'),
    "another message": soap('<ReleaseEvseResponse xmlns="NS"/>'),
    "no result": soap('<SelectEvseResponse xmlns="NS"/>'),
    "another namespace": soap('<SelectEvseResponse xmlns="urn:x"><a/></SelectEvseResponse>'),
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "an error page": http("<h1>Bad gateway</h1>", "502 Bad Gateway"),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_nonsense_is_told_as_such(line, identity, case):
    with partner(identity, answering(NONSENSE[case])) as url, pytest.raises(PartnerAnsweredNonsense):
        call(line, url)


def test_a_fault_is_a_refusal_and_never_repeats_our_secrets(line, identity):
    said = fault(FaultCode.CLIENT, f"Bad token {PAIR.sender} or {PAIR.receiver}")
    refused = pytest.raises(PartnerRefused, match=r"soap:Client: Bad token \*\*\* or \*\*\*")
    with partner(identity, answering(http(said, "500 Internal Server Error"))) as url, refused:
        call(line, url)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_credentials_that_do_not_hold_are_a_refusal(line, identity, status):
    with partner(identity, answering(http("", status))) as url, pytest.raises(PartnerRefused, match="credentials"):
        call(line, url)


OK = "<result><resultCode><resultCode>ok</resultCode></resultCode></result>"
ODD = {
    "other case": '<SelectEVSEResponse xmlns="NS"><Result><ResultCode><resultCode>OK</resultCode></ResultCode></Result>'
    "<DirectID>YYXYZ-1</DirectID><ttl><DateTime>2027-01-10T12:00:00.000Z</DateTime></ttl></SelectEVSEResponse>",
    "doubled result": f'<SelectEvseResponse xmlns="NS"><result>{OK}</result>'
    "<directId>YYXYZ-1</directId><ttl>2027-01-10T13:00:00+01:00</ttl></SelectEvseResponse>",
    "flat result": '<SelectEvseResponse xmlns="NS"><result>ok</result><directId>YYXYZ-1</directId>'
    "<ttl><DateTime>2027-01-10T12:00:00Z</DateTime></ttl><stateOfCharge>4</stateOfCharge></SelectEvseResponse>",
    "no namespace": "<SelectEvseResponse><result><resultCode>ok</resultCode></result><directId>YYXYZ-1</directId>"
    "<ttl><DateTime>2027-01-10T12:00:00Z</DateTime></ttl></SelectEvseResponse>",
}


@pytest.mark.parametrize("case", ODD)
def test_odd_answers_are_understood(line, identity, case):
    with partner(identity, answering(soap(ODD[case]))) as url:
        answer = call(line, url)
    assert answer.result.result_code is DirectResultCode.OK
    assert (answer.direct_id, answer.ttl) == (ANSWER.direct_id, ANSWER.ttl)


def test_a_result_code_that_nobody_knows_is_a_failure(line, identity):
    body = '<SelectEvseResponse xmlns="NS"><result><resultCode>nok</resultCode></result></SelectEvseResponse>'
    with partner(identity, answering(soap(body))) as url:
        result = call(line, url).result
    assert result.result_code is DirectResultCode.SERVER and "nok" in result.result_description


def test_an_answer_of_0_1_without_session_and_time_is_understood(line, identity):
    body = f'<ControlEvseResponse xmlns="NS">{OK}</ControlEvseResponse>'
    request = ControlEvseRequest(direct_id="YYXYZ-1", operation=DirectOperation.END)
    with partner(identity, answering(soap(body, V1_3))) as url:
        answer = call(line, url, request, CONTROL_EVSE, V1_3)
    assert answer == ControlEvseResponse(result=answer.result) and answer.result.result_code is DirectResultCode.OK


def test_more_than_nothing_in_an_empty_response_is_understood(line, identity):
    body = f'<ReportDiscrepancyResponse xmlns="NS">{OK}</ReportDiscrepancyResponse>'
    with partner(identity, answering(soap(body))) as url:
        call(line, url, ReportDiscrepancyRequest(evse_id="YY*XYZ*E1", report="x"), REPORT_DISCREPANCY)


def test_the_tap_sees_messages_without_secrets(authority, identity):
    seen = []
    line = SoapLine(timeout=2, ca_bundle=authority.bundle, allow_private=True, tap=lambda *what: seen.append(what))
    with partner(identity, answering(FINE)) as url:
        call(line, url, credentials=Login("operator", "pa55word"))
    (where, operation, version, request, answer), *more = seen
    assert (where, operation, version, more) == (url, SELECT_EVSE, V1_4, [])
    assert b">***</wsse:Password>" in request and b"pa55word" not in request and b"YYXYZ-1" in answer


def test_nothing_of_a_call_is_logged(line, identity, caplog):
    caplog.set_level(logging.DEBUG)
    with partner(identity, answering(FINE)) as url:
        call(line, url)
        call(line, url, credentials=Login("operator", "pa55word"))
    assert not any(secret in caplog.text for secret in ("YY*XYZ", "t0k3n", "pa55word", "YYXYZ-1"))


def test_a_token_pair_is_no_part_of_any_repr():
    assert "t0k3n" not in repr(PAIR) and "t0k3n" not in repr(INFORM_PROVIDER)


LOGIN = Login("partner", "pa55word")


def said_to(requests, version):
    """The body's entry of the last request."""
    entry = etree.fromstring(requests[-1].partition(b"\r\n\r\n")[2])[-1][0]
    validator(version).assertValid(entry)
    return entry


@pytest.mark.parametrize("version", ORDER)
def test_points_near_a_charge_point_reach_the_partner_with_their_coordinates(line, identity, version):
    """zeep alone would write `NotSet` for the coordinates: they are attributes of the type that theirs extends."""
    request = decode(SET_CHARGE_POINT_LIST.request, golden_message(SET_CHARGE_POINT_LIST, version, "request"), version)
    answer = http(envelope(etree.tostring(golden_message(SET_CHARGE_POINT_LIST, version, "response"))))
    requests = []

    def behave(connection, request):
        requests.append(request)
        connection.sendall(answer)

    with partner(identity, behave) as url:
        line.call(url, version, SET_CHARGE_POINT_LIST, request, LOGIN)
    entrance = said_to(requests, version).find(".//{*}relatedLocation")
    assert dict(entrance.attrib) == {"lat": "47.765700", "lon": "9.161300", "name": "Einfahrt", "type": "entrance"}


@pytest.mark.parametrize("version", ORDER)
def test_every_operation_is_called_with_its_official_action_and_its_answer_read(line, identity, version):
    requests, answers = [], []

    def behave(connection, request):
        requests.append(request)
        connection.sendall(answers[-1])

    with partner(identity, behave) as url:
        for operation in [each for each in OPERATIONS if each.exists_in(version)]:
            asked, told = (golden_message(operation, version, direction) for direction in ("request", "response"))
            answers.append(http(envelope(etree.tostring(told))))
            request = decode(operation.request, asked, version)
            assert line.call(url, version, operation, request, LOGIN) == decode(operation.response, told, version)
            assert f'SOAPAction: "{operation.action_at(version)}"'.encode() in requests[-1]
            assert decode(operation.request, said_to(requests, version), version) == request
