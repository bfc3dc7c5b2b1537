"""Every operation of the contract is served: by the house, which relays what is not its own, and by its own role."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from lxml import etree

from clearinghouse.app.serving import ROLES
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.operations import OPERATIONS, Role
from clearinghouse.ochp.shape import wire_of
from clearinghouse.ochp.versions import ORDER, V1_4_1
from clearinghouse.services.calls_port import HttpRequest, Peer
from clearinghouse.settings import Settings
from clearinghouse.soap.faults import ENVELOPE
from clearinghouse.soap.interfaces import path_of
from clearinghouse.soap.server import SoapServer
from clearinghouse.soap.verdicts import INTERNAL, result_kind
from clearinghouse.soap.xsd import validator
from clearinghouse.stations.inventory import SAMPLE
from tests.contract import official

GOLDEN = Path(__file__).parents[1] / "golden"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
AT_THE_HOUSE = {"house_url": "https://hub.example", "house_username": "own", "house_password": "secret"}
SETTINGS = {
    Role.HOUSE: {},
    Role.OPERATOR: {**AT_THE_HOUSE, "party_ids": ("DEOPS",), "evse_file": SAMPLE},
    Role.PROVIDER: {**AT_THE_HOUSE, "party_ids": ("DEPRO",)},
}


def peer(role):
    record = Endpoint(
        partner="DEXXX",
        role=role,
        url="https://other.example",
        version=V1_4_1,
        access_token="secret",
        day=date(2026, 6, 1),
        whitelist=("DEXXX%",),
        uploaded_at=datetime(2026, 6, 1, tzinfo=UTC),
    )
    return Peer((record,))


CALLERS = {
    Role.HOUSE: Partner(name="both", operator_ids=frozenset({"DEXXX"}), provider_ids=frozenset({"DEXXX"})),
    Role.OPERATOR: peer(Role.PROVIDER),
    Role.PROVIDER: peer(Role.OPERATOR),
}


def owed(role, version):
    """The operations that the role has to serve in a version."""
    here = [each for each in OPERATIONS if each.exists_in(version)]
    return [each for each in here if role in (Role.HOUSE, each.at)]


@pytest.fixture
def node(store, tmp_path):
    """Makes a role as it is composed."""

    def make(role):
        said = {"role": role, "public_url": "https://own.example", "plain_http": True, "home": tmp_path}
        return ROLES[role](Settings(**said, **SETTINGS[role]), store)

    return make


@pytest.mark.parametrize("role", ROLES)
def test_every_operation_of_a_role_answers_its_golden_request_in_every_version(role, node):
    composed = node(role)
    server = SoapServer(role, composed.handlers, lambda credentials, role: CALLERS[role])
    for version in ORDER:
        for operation in owed(role, version):
            assert operation in composed.handlers, f"nothing serves {operation} at the {role}"
            answer = server.answer(post(operation, version))
            assert answer.facts["operation"] == operation.name
            said = etree.fromstring(answer.body).find(f"{{{ENVELOPE}}}Body")[0]
            if answer.status == 500 and result_kind(operation.response) is None:
                assert said.findtext("faultstring") != INTERNAL, (operation.name, version)
                continue
            assert answer.status == 200, (operation.name, version, answer.body)
            name = wire_of(operation.response).name_at(version)
            assert said.tag == f"{{{version.namespace}}}{name}", (operation.name, version)
            validator(version).assertValid(said)


def post(operation, version):
    message = (GOLDEN / version.value / f"{operation.name_at(version)}.request.xml").read_text(encoding="utf-8")
    body = f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body>{message}</s:Body></s:Envelope>'.encode()
    headers = {"content-type": "text/xml; charset=utf-8"}
    return HttpRequest("POST", path_of(operation.port, version), "", headers, body, "https://own.example")


@pytest.mark.parametrize("version", ORDER)
def test_the_table_has_exactly_the_operations_of_the_official_contract(version):
    theirs = set()
    for file in ("ochp.wsdl", "ochp-direct.wsdl"):
        port_types = etree.parse(official.file(version, file)).iter(f"{{{WSDL}}}portType")
        theirs |= {each.get("name") for port_type in port_types for each in port_type.iter(f"{{{WSDL}}}operation")}
    assert theirs == {each.name_at(version) for each in owed(Role.HOUSE, version)}
