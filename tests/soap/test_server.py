"""The SOAP server: who may come in, what errors become, and the contract that it hands out."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from lxml import etree

from clearinghouse.domain.errors import (
    Busy,
    ClearinghouseError,
    EvseUnavailable,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    PartnerTimedOut,
    UnknownId,
    UnknownSession,
)
from clearinghouse.ochp import operations as ops
from clearinghouse.ochp.direct import ControlEvseResponse
from clearinghouse.ochp.operations import OPERATIONS, Role
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4
from clearinghouse.soap.server import SoapServer
from clearinghouse.soap.xsd import validator
from tests.golden.test_golden_messages import FOLDER
from tests.soap.posts import DIRECT_OK, HANDLERS, PASSWORD, ROLES, SELECT, basic, enveloped, get, post, security, server


def fault_of(answer):
    element = etree.fromstring(answer.body)
    return element.findtext(".//faultcode"), element.findtext(".//faultstring")


def golden(operation, version, direction="request"):
    text = (FOLDER / version.value / f"{operation.name_at(version)}.{direction}.xml").read_text()
    return enveloped(text)


def raising(error):
    def handler(request, caller, version):
        raise error

    return dict.fromkeys(OPERATIONS, handler)


# -- Who may come in --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        security(),
        security(kind=""),
        security(attributes='soapenv:mustUnderstand="1"'),
        security(
            extra="<w:Nonce EncodingType='x'>AAAA</w:Nonce><u:Created xmlns:u='urn:u'>1999-01-01T00:00:00Z</u:Created>"
        ),
        '<x:Other xmlns:x="urn:x"/>' + security(),
    ],
)
def test_a_login_opens_the_house(header):
    assert server(Role.HOUSE).answer(post(enveloped(SELECT, header), authorization="")).status == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        security("wrong"),
        security(f" {PASSWORD}"),
        security(kind=' Type="urn:x#PasswordDigest"'),
        security().replace("Username>", "User>"),
        "<w:Security xmlns:w='urn:other'/>",
    ],
)
def test_a_wrong_login_gets_the_fault_that_partners_know(header):
    answer = server(Role.HOUSE).answer(post(enveloped(SELECT, header), authorization=""))
    assert answer.status == 500
    assert fault_of(answer) == (
        "wsse:FailedAuthentication",
        "The security token could not be authenticated or authorized",
    )
    assert b'xmlns:wsse="http://docs.oasis-open.org' in answer.body
    assert answer.facts["outcome"] == "unauthenticated"


def test_who_cannot_be_asked_for_the_password_now_is_told_to_come_again():
    def door(credentials, role):
        raise Busy

    answer = SoapServer(Role.HOUSE, HANDLERS, door).answer(post(enveloped(SELECT, security()), authorization=""))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    code, text = fault_of(answer)
    assert code == "soap:Server"
    assert "try again" in text


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "header",
    [
        basic(),
        basic().replace("Basic", "basic"),
        "Basic  " + basic()[6:10] + "\r\n " + basic()[10:],
    ],
)
def test_a_pair_of_tokens_opens_every_role(role, header):
    assert server(role).answer(post(enveloped(SELECT), authorization=header)).status == 200


WRONG = [
    "Basic !!!",
    basic("nocolon"),
    basic("receiver:wrong"),
    basic("Receiver:sender:with:colons"),
    "Bearer x",
    "Basic",
]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PROVIDER])
@pytest.mark.parametrize("header", ["", *WRONG])
def test_a_wrong_pair_is_challenged(role, header):
    answer = server(role).answer(post(enveloped(SELECT, security()), authorization=header))
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="OCHPdirect"'
    assert fault_of(answer)[0] == "wsse:FailedAuthentication"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.PROVIDER])
@pytest.mark.parametrize("body", ["<broken", "<!DOCTYPE x><x/>", "x" * 3_000_000])
def test_strangers_are_turned_away_before_anything_is_read(role, body):
    assert server(role).answer(post(body, authorization=basic("a:b"))).status == 401


def test_at_the_house_strangers_are_turned_away_before_the_body_is_read():
    broken = enveloped("<n:SelectEvseRequest>" + "<n:a/>" * 20_000 + "<broken", security("wrong"))
    assert fault_of(server(Role.HOUSE).answer(post(broken, authorization="")))[0] == "wsse:FailedAuthentication"


def test_a_wrong_pair_at_the_house_is_challenged():
    answer = server(Role.HOUSE).answer(post(enveloped(SELECT), authorization=basic("a:b")))
    assert answer.status == 401


# -- Operations and errors --------------------------------------------------------------------------------------

EVERY = [(operation, version) for version in ORDER for operation in OPERATIONS if operation.exists_in(version)]


@pytest.mark.parametrize(("operation", "version"), EVERY, ids=lambda each: getattr(each, "name", str(each)))
@pytest.mark.parametrize(
    "error",
    [
        UnknownId("nothing of that name"),
        NotAuthorized(),
        EvseUnavailable("occupied"),
        NotFound(),
        PartnerTimedOut("x:443: no answer in time"),
        UnknownSession("no session"),
        ZeroDivisionError("confidential-marker"),
        NotAuthenticated(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_error_of_every_operation_is_told_in_a_valid_answer(operation, version, error):
    with structlog.testing.capture_logs() as logged:
        answer = server(Role.HOUSE, raising(error)).answer(post(golden(operation, version)))
    body = etree.fromstring(answer.body)[0][0]
    if answer.status == 200:
        validator(version).assertValid(body)
        code = body.findtext(".//{*}resultCode/{*}resultCode")
        direct = operation.at is not Role.HOUSE
        expected = getattr(error, "direct_code" if direct else "code", ResultCode.SERVER)
        assert code == expected.value == answer.facts["outcome"]
    else:
        assert answer.status == 500 and body.tag.endswith("Fault")
    assert b"confidential-marker" not in answer.body and "confidential-marker" not in str(logged)
    assert answer.facts["operation"] == operation.name
    assert bool(logged) is not isinstance(error, ClearinghouseError)


def test_the_session_is_named_in_what_goes_wrong_with_it():
    answer = server(Role.OPERATOR, raising(UnknownId("x"))).answer(post(golden(ops.RELEASE_EVSE, V1_3)))
    assert etree.fromstring(answer.body).findtext(".//{*}directId") == "YYXYZ-4F2A-0001"


def test_a_malformed_message_to_the_house_gets_the_code_format():
    body = enveloped(
        '<AddServiceEndpointsRequest xmlns="http://ochp.eu/1.4"><providerEndpointArray/></AddServiceEndpointsRequest>'
    )
    body = body.replace("<providerEndpointArray/>", "<providerEndpointArray><url>x</url></providerEndpointArray>")
    answer = server(Role.HOUSE).answer(post(body))
    assert answer.status == 200 and answer.facts["outcome"] == "format"
    text = etree.fromstring(answer.body).findtext(".//{*}resultDescription")
    assert text.startswith("AddServiceEndpointsRequest/providerEndpointArray/url: the value 'x' is not accepted")


def test_a_malformed_message_never_shows_its_token():
    body = golden(ops.ADD_SERVICE_ENDPOINTS, V1_4).replace("t0k3n-of-the-provider", "t0k3n" * 60)
    answer = server(Role.HOUSE).answer(post(body))
    assert b"accessToken: the value is not acceptable." in answer.body and b"t0k3n" not in answer.body


def test_roaming_is_ok_to_a_reader_of_1_3():
    def nobody(request, caller, version):
        error = ClearinghouseError("no roaming connection")
        error.code = ResultCode.ROAMING
        raise error

    soap = server(Role.HOUSE, {ops.GET_SERVICE_ENDPOINTS: nobody})
    outcomes = [soap.answer(post(golden(ops.GET_SERVICE_ENDPOINTS, version))).facts["outcome"] for version in ORDER]
    assert outcomes == ["ok", "roaming", "roaming"]


@pytest.mark.parametrize(
    ("wrong", "outcome"),
    [(Result(result_code=ResultCode.OK), "server"), (ControlEvseResponse(result=DIRECT_OK), "fault")],
)
def test_an_answer_that_cannot_be_written_is_an_internal_error(wrong, outcome):
    with structlog.testing.capture_logs() as logged:
        soap = server(Role.HOUSE, {ops.CONTROL_EVSE: lambda *_: wrong})
        answer = soap.answer(post(golden(ops.CONTROL_EVSE, V1_3)))
    assert answer.facts["outcome"] == outcome and b"Internal error" in answer.body
    assert logged[0]["event"] == "unexpected"


@pytest.mark.parametrize("path", ["/direct/ochp/v1.3", "//x/", "/service/ochp/v1.4/"])
@pytest.mark.parametrize("action", ["", "SelectEVSERequest", '"http://ochp.eu/1.4/AddServiceEndpoints"'])
def test_path_and_action_decide_nothing(path, action):
    answer = server(Role.HOUSE).answer(post(enveloped(SELECT), path=path, soapaction=action))
    assert answer.facts["operation"] == "SelectEvse" and answer.facts["version"] == "1.4"


def test_answers_have_the_style_that_every_reader_takes():
    answer = server(Role.OPERATOR).answer(post(enveloped(SELECT)))
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.body.startswith(b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>')
    assert b'<SelectEvseResponse xmlns="http://ochp.eu/1.4"><result>' in answer.body


def test_the_tap_sees_messages_without_secrets(caplog):
    caplog.set_level(logging.DEBUG)
    seen = []
    soap = server(Role.HOUSE, tap=lambda *what: seen.append(what))
    body = golden(ops.ADD_SERVICE_ENDPOINTS, V1_4).replace(
        "<soapenv:Body>", f"<soapenv:Header>{security()}</soapenv:Header><soapenv:Body>"
    )
    for document in (
        body,
        body.replace(PASSWORD, f"<![CDATA[{PASSWORD}]]>"),
        body[:-20],
        body.replace(PASSWORD, "wrong"),
    ):
        soap.answer(post(document, authorization=""))
    assert [(path, operation) for path, operation, *_ in seen] == [
        ("/direct/ochp/v1.4", ops.ADD_SERVICE_ENDPOINTS),
        ("/direct/ochp/v1.4", ops.ADD_SERVICE_ENDPOINTS),
        ("/direct/ochp/v1.4", ops.ADD_SERVICE_ENDPOINTS),
        ("/direct/ochp/v1.4", None),
    ]
    assert not any(secret in request for *_, request, _ in seen for secret in (b"t0k3n", PASSWORD.encode(), b"wrong"))
    assert all(b"YYABCC%" in request for *_, request, _ in seen)
    assert not any(secret in caplog.text for secret in ("t0k3n", PASSWORD))


# -- The contract -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ORDER)
@pytest.mark.parametrize("path", ["/direct/ochp/{}", "/direct/ochp/{}/", "//direct//ochp/{}"])
def test_the_contract_is_at_the_path_of_its_version(version, path):
    answer = server(Role.HOUSE).answer(get(path.format(version.path), "wsdl"))
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert f'location="https://house.example/direct/ochp/{version.path}"'.encode() in answer.body
    assert version.namespace.encode() in answer.body


def test_the_contract_names_its_schema():
    soap = server(Role.HOUSE)
    wsdl = soap.answer(get("/direct/ochp/v1.4", "WSDL")).body
    reference = etree.fromstring(wsdl).find(".//{*}import[@schemaLocation]").get("schemaLocation")
    assert b"SelectEvseRequest" in soap.answer(get("/direct/ochp/v1.4", reference.partition("?")[2])).body


@pytest.mark.parametrize("path", ["/direct/ochp/v9", "/", "", "/v1.4"])
@pytest.mark.parametrize("query", ["wsdl", "wsdl=../../etc/passwd", "xsd=nothing"])
def test_other_documents_do_not_exist(path, query):
    assert server(Role.HOUSE).answer(get(path, query)).status == 404


@pytest.mark.parametrize("query", ["", "x=1", "&".join("a" * 1000)])
def test_a_get_without_question_is_refused(query):
    answer = server(Role.HOUSE).answer(get("/direct/ochp/v1.4", query))
    assert answer.status == 405 and answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("version", ORDER)
def test_an_operation_of_the_version_without_a_handler_is_not_offered(version):
    soap = server(Role.HOUSE, {ops.ADD_SERVICE_ENDPOINTS: raising(NotFound())[ops.ADD_SERVICE_ENDPOINTS]})
    for operation in [each for each in OPERATIONS if each.exists_in(version) and each != ops.ADD_SERVICE_ENDPOINTS]:
        answer = soap.answer(post(golden(operation, version)))
        assert answer.status == 500
        assert fault_of(answer) == ("soap:Client", f"{operation.name_at(version)} is not offered here.")


def test_a_golden_request_of_each_operation_is_served_in_each_version():
    soap = server(Role.HOUSE)
    for operation, version in EVERY:
        answer = soap.answer(post(golden(operation, version)))
        assert (answer.facts["operation"], answer.facts["version"]) == (operation.name, version.value)


def test_many_threads_get_each_its_own_answer():
    soap = server(Role.HOUSE)

    def ask(number):
        wrong = enveloped(SELECT.replace("YY*XYZ*E1234", f"wrong-{number}")) if number % 2 else enveloped(SELECT)
        return number, soap.answer(post(wrong))

    with ThreadPoolExecutor(8) as pool:
        for number, answer in pool.map(ask, range(200)):
            assert answer.status == (500 if number % 2 else 200)
            assert (f"'wrong-{number}'".encode() in answer.body) == bool(number % 2)


@pytest.mark.parametrize("via", ["1.1 house-1", "1.0 proxy, 1.1 house-1 (x)", "1.1 house-1,1.1 proxy"])
def test_a_call_that_this_server_passed_on_is_in_a_loop(via):
    answer = server(Role.OPERATOR, via="house-1").answer(post(enveloped(SELECT), via=via))
    assert answer.status == 508 and b"leads back" in answer.body
    assert server(Role.OPERATOR, via="house-1").answer(post(enveloped(SELECT), via="1.1 house-12")).status == 200
