"""zeep, built from the official contract, calls our server without a socket: every operation, every version."""

from contextlib import nullcontext

import pytest
import zeep
from requests import Response
from zeep.wsse.username import UsernameToken

from clearinghouse.ochp.operations import OPERATIONS, Role
from clearinghouse.ochp.shape import fields_of
from clearinghouse.ochp.versions import ORDER
from clearinghouse.soap.interfaces import INTERFACES, binding_of
from tests.contract.official import file
from tests.soap.posts import PASSWORD, golden_message, post, server


class Wire(zeep.Transport):
    """Hands zeep's requests to our server."""

    def __init__(self, soap):
        super().__init__()
        self.soap = soap
        self.facts = {}

    def post(self, address, message, headers):
        lower = {name.lower().replace("-", "_"): value for name, value in headers.items()}
        answer = self.soap.answer(post(message, lower.pop("content_type"), "", **lower))
        self.facts = answer.facts
        response = Response()
        response.status_code = answer.status
        response._content = answer.body
        response.headers.update(answer.headers)
        return response


def arguments(element, cls, version):
    """A message as zeep takes it: dictionaries, lists and text."""
    said = dict(element.attrib)
    for field in fields_of(cls, version):
        children = element.findall(f"{{{version.namespace}}}{field.element}")
        values = [
            arguments(child, field.kind, version)
            if field.is_complex
            else {field.box.element: child[0].text}
            if field.box
            else child.text
            for child in children
        ]
        if values:
            said[field.element] = values if field.is_list else values[0]
    return said


EVERY = [(operation, version) for version in ORDER for operation in OPERATIONS if operation.exists_in(version)]


def without_what_zeep_breaks(request):
    """zeep writes `NotSet` for the coordinates of an extension that has attributes alone."""
    for element in request.findall(".//{*}relatedLocation"):
        element.getparent().remove(element)
    return request


@pytest.fixture(scope="module")
def clients():
    made = {}

    def client(version, port):
        name = INTERFACES[port].document.filename
        if (version, name) not in made:
            wire = Wire(server(Role.HOUSE))
            contract = str(file(version, name))
            made[version, name] = zeep.Client(contract, wsse=UsernameToken("partner", PASSWORD), transport=wire)
        return made[version, name]

    return client


@pytest.mark.parametrize(("operation", "version"), EVERY, ids=lambda each: getattr(each, "name", str(each)))
def test_a_client_of_the_official_contract_is_served(clients, operation, version):
    client = clients(version, operation.port)
    name = operation.name_at(version)
    proxy = client.create_service(binding_of(operation.port, version), "https://house.example/direct/ochp/v1.4")
    request = golden_message(operation, version, "request")
    poll = pytest.raises(zeep.exceptions.Fault, match="There is no such session")
    with poll if name == "InformProviderCPO" else nullcontext():
        proxy[name](**arguments(without_what_zeep_breaks(request), operation.request, version))
    assert client.transport.facts["operation"] == operation.name
    assert client.transport.facts["version"] == version.value
    expected = {"ReleaseEvse": "invalid-id", "InformProviderCPO": "fault", "AddCDRs": "partly"}
    assert client.transport.facts["outcome"] == expected.get(name, "ok")


def test_an_official_client_with_a_wrong_password_gets_the_fault(clients):
    version = ORDER[-1]
    client = zeep.Client(
        str(file(version, "ochp-direct.wsdl")),
        wsse=UsernameToken("partner", "wrong"),
        transport=Wire(server(Role.HOUSE)),
    )
    with pytest.raises(zeep.exceptions.Fault, match="could not be authenticated") as caught:
        client.create_service(next(iter(client.wsdl.bindings)), "https://house.example/v1.4.1").GetServiceEndpoints()
    assert caught.value.code == "wsse:FailedAuthentication"
