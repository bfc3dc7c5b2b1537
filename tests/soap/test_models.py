"""Spyne's own classes, made from the language, serve every operation of every version."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest
import zeep
from lxml import etree
from requests import Response
from spyne import Application, ServiceBase
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

from clearinghouse.ochp.direct import (
    ControlEvseResponse,
    GetServiceEndpointsResponse,
    InformProviderMessage,
    OperatorEndpoint,
    ProviderEndpoint,
    ReportDiscrepancyResponse,
    SelectEvseResponse,
)
from clearinghouse.ochp.live import EvseStatus, GetStatusResponse
from clearinghouse.ochp.operations import OPERATIONS
from clearinghouse.ochp.shape import fields_of, wire_of
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1
from clearinghouse.soap.interfaces import binding_of
from clearinghouse.soap.models import method, model
from clearinghouse.soap.wsdl import write
from clearinghouse.soap.xsd import classes_of, validator


def application(version, handle):
    """A stock Spyne application of all operations of the version, as a WSGI application."""
    spoken = [operation for operation in OPERATIONS if operation.exists_in(version)]
    methods = {each.name_at(version): method(each, version, handle) for each in spoken}
    service = type("Everything", (ServiceBase,), methods)
    return WsgiApplication(Application([service], version.namespace, "OCHP", Soap11(validator="soft"), Soap11()))


class InProcess(zeep.Transport):
    """Carries zeep's requests into a WSGI application, and checks both bodies against our schema."""

    def __init__(self, wsgi, version):
        super().__init__()
        self.wsgi, self.version = wsgi, version

    def post(self, address, message, headers):
        self.check(message)
        answer = Response()
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(message),
            "CONTENT_TYPE": "text/xml; charset=utf-8",
            "CONTENT_LENGTH": str(len(message)),
        }

        def start(status, headers, exc_info=None):
            answer.status_code = int(status.split()[0])
            answer.headers.update(headers)

        answer._content = b"".join(self.wsgi(environ, start))
        if answer.status_code == 200:
            self.check(answer.content)
        return answer

    def check(self, message):
        body = etree.fromstring(message).find("{http://schemas.xmlsoap.org/soap/envelope/}Body")
        validator(self.version).assertValid(body[0])


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    write(folder)
    return folder


@pytest.fixture
def call(contract):
    """Calls an operation of a stock Spyne server with a strict zeep: gives what the server saw and zeep's answer."""

    def call(version, name, response, **said):
        seen = []

        def handle(ctx, request):
            seen.append(request)
            return response

        operation = OPERATION[name]
        transport = InProcess(application(version, handle), version)
        wsdl = contract / f"ochp-{version.value}" / "ochp-direct.wsdl"
        client = zeep.Client(str(wsdl), transport=transport, settings=zeep.Settings(strict=True))
        with transport.session:
            proxy = client.create_service(binding_of(operation.port, version), "http://localhost/")
            answer = proxy[operation.name_at(version)](**said)
        return seen[0], answer

    return call


OPERATION = {operation.name: operation for operation in OPERATIONS}


def filled(cls, version, **said):
    """A model object of a response whose result is ok."""
    result = {item.attr: item.kind for item in fields_of(cls, version)}["result"]
    box = model(result, version).get_flat_type_info(model(result, version))["resultCode"]
    ok = model(result, version)(resultCode=box(resultCode="ok"), resultDescription="done")
    return model(cls, version)(result=ok, **said)


@pytest.mark.parametrize("version", ORDER)
def test_every_class_of_a_version_has_a_model_with_its_fields_in_order(version):
    for cls in classes_of(version):
        flat = model(cls, version).get_flat_type_info(model(cls, version))
        assert list(flat) == [field.element for field in fields_of(cls, version)]


@pytest.mark.parametrize("version", ORDER)
def test_all_operations_of_a_version_make_a_spyne_application(version):
    methods = application(version, None).app.interface.service_method_map
    messages = {
        f"{{{version.namespace}}}{wire_of(each.request).name_at(version)}": each.name_at(version)
        for each in OPERATIONS
        if each.exists_in(version)
    }
    assert {message: found[0].function.__name__ for message, found in methods.items()} == messages


def test_a_model_is_made_once():
    assert model(SelectEvseResponse, V1_4) is model(SelectEvseResponse, V1_4)
    assert model(SelectEvseResponse, V1_4) is not model(SelectEvseResponse, V1_4_1)


@pytest.mark.parametrize("cls", [ProviderEndpoint, OperatorEndpoint])
def test_an_endpoint_extends_the_endpoint_of_both_roles(cls):
    assert model(cls, V1_4).get_type_name() == cls.__name__
    assert model(cls, V1_4).__extends__.get_type_name() == "DirectEndpoint"


def test_the_0_1_event_goes_by_its_old_name():
    assert model(InformProviderMessage, V1_3).get_type_name() == "InformProviderRequest"
    assert model(InformProviderMessage, V1_4).get_type_name() == "InformProviderMessage"


@pytest.mark.parametrize("version", ORDER)
def test_zeep_and_stock_spyne_understand_each_other(call, version):
    response = filled(SelectEvseResponse, version, directId="ABC-1")
    request, answer = call(version, "SelectEvse", response, evseId="DE*ABC*E1", contractId="DE-ABC-C00000001-1")
    assert (request.evseId, request.contractId) == ("DE*ABC*E1", "DE-ABC-C00000001-1")
    assert (answer.result.resultCode.resultCode, answer.directId) == ("ok", "ABC-1")


def test_numbers_are_read_exactly_and_boxes_as_objects(call):
    request, _ = call(
        V1_4,
        "ControlEvse",
        filled(ControlEvseResponse, V1_4),
        directId="A",
        operation={"operation": "start"},
        maxPower=Decimal("12.345"),
        onePhase=True,
        departure={"DateTime": "2026-01-02T03:04:05Z"},
    )
    assert (request.maxPower, request.onePhase) == (Decimal("12.345"), True)
    assert (request.departure.DateTime, request.operation.operation) == ("2026-01-02T03:04:05Z", "start")


def test_an_operation_without_request_fields_is_called_with_none(call):
    request, answer = call(V1_4_1, "GetServiceEndpoints", filled(GetServiceEndpointsResponse, V1_4_1))
    assert request is None
    assert answer.result.resultDescription == "done"


def test_an_operation_without_response_fields_is_answered(call):
    response = model(ReportDiscrepancyResponse, V1_4)()
    request, answer = call(V1_4, "ReportDiscrepancy", response, evseId="DE*ABC*E1", report="No such street.")
    assert request.report == "No such street."
    assert answer is None


def test_attributes_of_a_status_arrive(call):
    until = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    status = model(EvseStatus, V1_4)(evseId="DE*ABC*E1", major="not-available", minor="charging", ttl=until)
    response = model(GetStatusResponse, V1_4)(evse=[status])
    _, answer = call(V1_4, "GetEvseStatus", response, requestedEvseId=["DE*ABC*E1"])
    (seen,) = answer.evse
    assert (seen.evseId, seen.major, seen.minor, seen.ttl) == ("DE*ABC*E1", "not-available", "charging", until)


def test_facets_are_known_to_spyne():
    evse_id = model(EvseStatus, V1_4).get_flat_type_info(model(EvseStatus, V1_4))["evseId"]
    assert evse_id.validate_native(evse_id, "DE*ABC*E1")
    assert evse_id.validate_native(evse_id, "DEABCE1")
    assert not evse_id.validate_native(evse_id, "nonsense")
