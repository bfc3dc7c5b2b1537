"""Clients that zeep generates from `?wsdl` of each role and version, and from the official WSDL, over real TLS."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import requests
import zeep
from lxml import etree
from requests.auth import HTTPBasicAuth
from zeep.wsse.username import UsernameToken

from clearinghouse.cli.cast import HOUSE, OPERATOR, PROVIDER
from clearinghouse.cli.stage import Stage
from clearinghouse.domain.token_day import sending_day
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import (
    AddServiceEndpointsRequest,
    ControlEvseRequest,
    DirectMessage,
    DirectOperation,
    GetEvseStatusRequest,
    GetServiceEndpointsRequest,
    InformProviderMessage,
    InformProviderRequest,
    ProviderEndpoint,
    ReleaseEvseRequest,
    ReportDiscrepancyRequest,
    SelectEvseRequest,
)
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.versions import ORDER, Version
from clearinghouse.soap.codec import encode
from tests.contract.official import file
from tests.soap.test_official_clients import arguments
from tests.stories.insight import login, pair, tokens
from tests.stories.simulated import now

EVSE, CONTRACT = "DE*OPS*E3002", "DEPROC77777777"
OUTCOMES = {"ok", "partly"}


class Client:
    """A zeep client of one contract, with a partner's credentials, towards one address."""

    def __init__(self, stage: Stage, wsdl: str, url: str, version: Version, credentials: Any) -> None:
        session = requests.Session()
        session.verify = str(stage.folder / "certs" / "ca.pem")
        session.trust_env = False
        basic = isinstance(credentials, HTTPBasicAuth)
        session.auth = credentials if basic else None
        transport = zeep.Transport(session=session, operation_timeout=20)
        self._zeep = zeep.Client(wsdl, wsse=None if basic else credentials, transport=transport)
        self._url = url
        self._version = version

    def call(self, operation: Operation, request: Any) -> Any:
        """What zeep makes of the answer to a request, which it builds itself from plain values."""
        name = operation.name_at(self._version)
        binding = next(each for each in self._zeep.wsdl.bindings.values() if name in each.all())
        proxy = self._zeep.create_service(binding.name, self._url)
        message = etree.fromstring(encode(request, self._version))
        return proxy[name](**arguments(message, operation.request, self._version))


@pytest.fixture(params=["our contract", "the official contract"])
def connect(stage: Stage, request: pytest.FixtureRequest) -> Callable[[str, Version], Client]:
    """Makes the client of a place in a version."""

    def made(place: str, version: Version) -> Client:
        path = "direct" if place == HOUSE else f"direct/{stage_role(place)}"
        url = f"{stage.url(place)}/{path}/ochp/{version.path}"
        ours = request.param == "our contract"
        wsdl = f"{url}?wsdl" if ours else str(file(version, "ochp-direct.wsdl"))
        return Client(stage, wsdl, url, version, credentials_at(stage, place))

    return made


def stage_role(place: str) -> str:
    return {OPERATOR: "operator", PROVIDER: "provider"}[place]


def credentials_at(stage: Stage, place: str) -> Any:
    """What a partner shows there: fahrstrom to the house and to stromkreis, stromkreis to fahrstrom."""
    if place == HOUSE:
        own = login(stage, PROVIDER)
        return UsernameToken(own.username, own.password)
    today = pair(stage, place, PROVIDER if place == OPERATOR else OPERATOR)
    return HTTPBasicAuth(today.receiver, today.sender)


def code_of(answer: Any) -> str:
    """The result's code: zeep unpacks an answer that holds nothing but a result, and sometimes its box."""
    code = getattr(answer, "result", answer)["resultCode"]
    return str(code["resultCode"] if not isinstance(code, str) else code)


@pytest.mark.parametrize("version", ORDER, ids=str)
@pytest.mark.parametrize("place", [HOUSE, OPERATOR])
def test_a_generated_client_charges(
    stage: Stage, connect: Callable[[str, Version], Client], place: str, version: Version
) -> None:
    client = connect(place, version)
    call = client.call
    status = call(op.GET_EVSE_STATUS, GetEvseStatusRequest(requested_evse_id=(EVSE,)))
    assert EVSE in str(status)
    call(op.REPORT_DISCREPANCY, ReportDiscrepancyRequest(evse_id=EVSE, report="no light"))
    selected = call(op.SELECT_EVSE, SelectEvseRequest(evse_id=EVSE, contract_id=CONTRACT))
    assert code_of(selected) == "ok", selected
    direct_id = selected["directId"]
    for operation, limits in (
        (DirectOperation.START, {"max_power": Decimal("7.4")}),
        (DirectOperation.CHANGE, {"max_power": Decimal(5)}),
        (DirectOperation.END, {}),
    ):
        request = ControlEvseRequest(direct_id=direct_id, operation=operation, **limits)
        assert code_of(call(op.CONTROL_EVSE, request)) in OUTCOMES
    if op.INFORM_PROVIDER_CPO.exists_in(version):
        polled = call(op.INFORM_PROVIDER_CPO, InformProviderRequest(direct_id=direct_id))
        assert polled["directId"] == direct_id
    assert code_of(call(op.RELEASE_EVSE, ReleaseEvseRequest(direct_id=direct_id))) == "ok"


@pytest.mark.parametrize("version", ORDER, ids=str)
def test_a_generated_client_exchanges_endpoints(
    stage: Stage, connect: Callable[[str, Version], Client], version: Version
) -> None:
    client = connect(HOUSE, version)
    day = sending_day(now(stage))
    record = ProviderEndpoint(
        url=f"{stage.url(PROVIDER)}/direct/provider/ochp/{version.path}",
        namespace_url=version.namespace,
        access_token=tokens(stage, PROVIDER)[day],
        valid_date=day,
        whitelist=("DEPROC%",),
    )
    added = client.call(op.ADD_SERVICE_ENDPOINTS, AddServiceEndpointsRequest(provider_endpoint_array=(record,)))
    assert code_of(added) == "ok", added
    told = client.call(op.GET_SERVICE_ENDPOINTS, GetServiceEndpointsRequest())
    assert code_of(told) == "ok"
    assert "DEOPSE%" in str(told)


@pytest.mark.parametrize("version", ORDER, ids=str)
def test_a_generated_client_informs(stage: Stage, connect: Callable[[str, Version], Client], version: Version) -> None:
    client = connect(PROVIDER, version)
    direct_id = f"DEOPS-BY-HAND-{version.path}".upper().replace(".", "-")
    message = InformProviderMessage(
        message=DirectMessage.START, evse_id=EVSE, contract_id=CONTRACT, direct_id=direct_id
    )
    assert code_of(client.call(op.INFORM_PROVIDER, message)) == "ok"
