"""A house for an operator's tests: its answers are canned, but all goes through the real codec and SOAP server."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from clearinghouse.domain.errors import PartnerUnreachable
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import AddCdrsResponse, CheckCdrsResponse, ConfirmCdrsResponse, GetCdrsResponse
from clearinghouse.ochp.charge_points import (
    GetChargePointListResponse,
    GetChargePointListUpdatesResponse,
    SetChargePointListResponse,
    UpdateChargePointListResponse,
)
from clearinghouse.ochp.live import GetStatusResponse, UpdateStatusResponse
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tariffs import GetTariffUpdatesResponse, UpdateTariffsResponse
from clearinghouse.ochp.tokens import (
    GetRoamingAuthorisationListResponse,
    GetRoamingAuthorisationListUpdatesResponse,
    GetSingleRoamingAuthorisationResponse,
    RequestLiveRoamingAuthorisationResponse,
    SetRoamingAuthorisationListResponse,
    UpdateRoamingAuthorisationListResponse,
)
from clearinghouse.ochp.versions import ORDER
from clearinghouse.services.calls_port import HttpRequest, Login
from clearinghouse.services.clearing_line import ClearingLine
from clearinghouse.soap.client import security_of, understood
from clearinghouse.soap.codec import encode
from clearinghouse.soap.faults import envelope
from clearinghouse.soap.server import SoapServer

NOON = datetime(2027, 1, 10, 12, tzinfo=UTC)
OK = Result(result_code=ResultCode.OK)
OPERATOR = Partner(name="Ops", operator_ids=frozenset({"DEOPS"}))

CANNED = {
    op.ADD_CDRS: AddCdrsResponse(result=OK),
    op.CHECK_CDRS: CheckCdrsResponse(result=OK),
    op.GET_CDRS: GetCdrsResponse(result=OK),
    op.CONFIRM_CDRS: ConfirmCdrsResponse(result=OK),
    op.SET_ROAMING_AUTHORISATION_LIST: SetRoamingAuthorisationListResponse(result=OK),
    op.UPDATE_ROAMING_AUTHORISATION_LIST: UpdateRoamingAuthorisationListResponse(result=OK),
    op.GET_CHARGE_POINT_LIST: GetChargePointListResponse(result=OK),
    op.GET_CHARGE_POINT_LIST_UPDATES: GetChargePointListUpdatesResponse(result=OK),
    op.GET_TARIFF_UPDATES: GetTariffUpdatesResponse(result=OK),
    op.GET_STATUS: GetStatusResponse(),
    op.SET_CHARGE_POINT_LIST: SetChargePointListResponse(result=OK),
    op.UPDATE_CHARGE_POINT_LIST: UpdateChargePointListResponse(result=OK),
    op.UPDATE_TARIFFS: UpdateTariffsResponse(result=OK),
    op.UPDATE_STATUS: UpdateStatusResponse(result=OK),
    op.GET_ROAMING_AUTHORISATION_LIST: GetRoamingAuthorisationListResponse(result=OK),
    op.GET_ROAMING_AUTHORISATION_LIST_UPDATES: GetRoamingAuthorisationListUpdatesResponse(result=OK),
    op.GET_SINGLE_ROAMING_AUTHORISATION: GetSingleRoamingAuthorisationResponse(
        result=Result.of(ResultCode.INVALID_ID, "nobody knows it")
    ),
    op.REQUEST_LIVE_ROAMING_AUTHORISATION: RequestLiveRoamingAuthorisationResponse(
        result=Result.of(ResultCode.INVALID_ID, "nobody knows it")
    ),
}


def whole(message):
    """A message whose lists may be looked at more than once."""
    lists = {name: tuple(entry) for name, entry in vars(message).items() if isinstance(entry, Iterator)}
    return replace(message, **lists)


class TurnableClock:
    """Shows the time that it was turned to."""

    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now

    def pass_by(self, **length):
        self.now += timedelta(**length)


class HouseDouble:
    """Implements `Line`. `heard` lists what arrived; `answers` may be changed, also to functions of the request."""

    def __init__(self):
        self.answers = dict(CANNED)
        self.heard = []
        self.versions = []
        self.down = False
        handlers = {operation: self._handler(operation) for operation in CANNED}
        self._server = SoapServer(Role.HOUSE, handlers, lambda credentials, role: OPERATOR, max_body=64 << 20)

    def _handler(self, operation):
        def handle(request, caller, version):
            self.heard.append(whole(request))
            request = self.heard[-1]
            self.versions.append(version)
            answer = self.answers[operation]
            return answer(request) if callable(answer) else answer

        return handle

    def call(self, url, version, operation, request, credentials):
        if self.down:
            raise PartnerUnreachable("house.example: nobody is there")
        body = envelope(encode(request, version), security_of(credentials))
        headers = {"content-type": "text/xml; charset=utf-8"}
        path = url.removeprefix("https://house.example")
        answer = self._server.answer(HttpRequest("POST", path, "", headers, body, "https://house.example"))
        return understood(operation, version, answer.status, answer.body)

    def of(self, kind):
        """The requests of a class that arrived."""
        return [each for each in self.heard if isinstance(each, kind)]


def line_to(house, spoken=ORDER, lost=lambda *what: None):
    return ClearingLine(
        line=house, login=Login("ops", "secret"), house_url="https://house.example", spoken=spoken, lost=lost
    )
