"""A SOAP server of each role with simple handlers, and requests to it as text."""

import base64
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree

from clearinghouse.domain.errors import NotAuthenticated, UnknownId
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp import operations as ops
from clearinghouse.ochp.direct import (
    AddServiceEndpointsResponse,
    ControlEvseResponse,
    GetServiceEndpointsResponse,
    InformProviderResponse,
    ReportDiscrepancyResponse,
    SelectEvseResponse,
)
from clearinghouse.ochp.live import GetStatusResponse
from clearinghouse.ochp.operations import Port, Role
from clearinghouse.ochp.results import DirectResult, DirectResultCode, Result, ResultCode
from clearinghouse.services.calls_port import HttpRequest, Login, TokenPair
from clearinghouse.soap.codec import decode
from clearinghouse.soap.faults import ENVELOPE, WSSE
from clearinghouse.soap.security import PASSWORD_TEXT
from clearinghouse.soap.server import SoapServer

ROLES = tuple(Role)
PASSWORD = "pa55word-of-the-partner"
TTL = datetime(2027, 1, 10, 12, tzinfo=UTC)
DIRECT_OK = DirectResult.of(DirectResultCode.OK)
SEEN = []


def seen(answer):
    def handler(request, caller, version):
        SEEN.append(request)
        return answer

    return handler


def unknown(request, caller, version):
    raise UnknownId("There is no such session.")


GOLDEN = Path(__file__).parents[1] / "golden"


def golden_message(operation, version, direction):
    """The element of a golden message."""
    path = GOLDEN / version.value / f"{operation.name_at(version)}.{direction}.xml"
    return etree.parse(path, etree.XMLParser(remove_blank_text=True)).getroot()


def golden_answer(operation):
    def handler(request, caller, version):
        SEEN.append(request)
        return decode(operation.response, golden_message(operation, version, "response"), version)

    return handler


HANDLERS = {
    **{each: golden_answer(each) for each in ops.OPERATIONS if each.port in (Port.SERVICE, Port.LIVE)},
    ops.ADD_SERVICE_ENDPOINTS: seen(AddServiceEndpointsResponse(result=Result.of(ResultCode.OK))),
    ops.GET_SERVICE_ENDPOINTS: seen(GetServiceEndpointsResponse(result=Result.of(ResultCode.OK))),
    ops.GET_EVSE_STATUS: seen(GetStatusResponse()),
    ops.REPORT_DISCREPANCY: seen(ReportDiscrepancyResponse()),
    ops.SELECT_EVSE: seen(SelectEvseResponse(result=DIRECT_OK, direct_id="YYXYZ-1", ttl=TTL)),
    ops.CONTROL_EVSE: seen(ControlEvseResponse(result=DIRECT_OK, direct_id="YYXYZ-1", ttl=TTL)),
    ops.RELEASE_EVSE: unknown,
    ops.INFORM_PROVIDER_CPO: unknown,
    ops.INFORM_PROVIDER: seen(InformProviderResponse(result=DIRECT_OK)),
}


def door(credentials, role):
    if credentials in (Login("partner", PASSWORD), TokenPair("receiver", "sender:with:colons")):
        return Partner(name="partner")
    raise NotAuthenticated


def server(role, handlers=None, **settings):
    return SoapServer(role, handlers or HANDLERS, door, **settings)


def basic(text="receiver:sender:with:colons"):
    return "Basic " + base64.b64encode(text.encode()).decode()


def security(password=PASSWORD, kind=f' Type="{PASSWORD_TEXT}"', attributes="", extra=""):
    return (
        f'<w:Security xmlns:w="{WSSE}" {attributes}><w:UsernameToken><w:Username>partner</w:Username>'
        f"<w:Password{kind}>{password}</w:Password>{extra}</w:UsernameToken></w:Security>"
    )


def enveloped(body, header="", prefix="soapenv"):
    head = f"<{prefix}:Header>{header}</{prefix}:Header>" if header else ""
    return (
        f'<{prefix}:Envelope xmlns:{prefix}="{ENVELOPE}" xmlns:n="http://ochp.eu/1.4" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{head}<{prefix}:Body>{body}</{prefix}:Body>'
        f"</{prefix}:Envelope>"
    )


def post(body, content_type="text/xml; charset=utf-8", authorization=None, path="/direct/ochp/v1.4", **headers):
    """A POST with Basic credentials unless told otherwise (an empty string for none)."""
    body = body.encode() if isinstance(body, str) else body
    given = {
        "content-type": content_type,
        "authorization": basic() if authorization is None else authorization,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return HttpRequest(
        "POST", path, "", {name: value for name, value in given.items() if value}, body, "https://house.example"
    )


def get(path, query=""):
    return HttpRequest("GET", path, query, {}, b"", "https://house.example")


SELECT = (
    "<n:SelectEvseRequest><n:evseId>YY*XYZ*E1234</n:evseId>"
    "<n:contractId>YY-ABC-C12345678-X</n:contractId></n:SelectEvseRequest>"
)


def control(inside):
    return enveloped(
        "<n:ControlEvseRequest><n:directId>YY1234567890</n:directId><n:operation><n:operation>start</n:operation>"
        f"</n:operation>{inside}</n:ControlEvseRequest>"
    )


def report(text):
    return enveloped(
        "<n:ReportDiscrepancyRequest><n:evseId>YY*XYZ*E1234</n:evseId>"
        f"<n:report>{text}</n:report></n:ReportDiscrepancyRequest>"
    )
