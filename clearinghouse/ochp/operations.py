"""The protocol as one table: which operation, with which messages, on which port, by whom at whom, since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from clearinghouse.ochp import cdrs, charge_points, direct, live, tariffs, tokens
from clearinghouse.ochp.versions import NEWEST, OLDEST, V1_3, V1_4, Version


class Role(StrEnum):
    """Who serves or calls: the clearing house, a charge point operator, a mobility provider."""

    HOUSE = "house"
    OPERATOR = "operator"
    PROVIDER = "provider"


class Port(StrEnum):
    """The interfaces of the contract; the value is the suffix or prefix of its binding's name."""

    SERVICE = "service"
    LIVE = "live"
    DIRECT = "direct"
    OPERATOR = "operator"
    PROVIDER = "provider"


@dataclass(frozen=True)
class Operation:
    """One line of the protocol. `spelled` names it where a version differs from `name`."""

    name: str
    request: type[Any]
    response: type[Any]
    port: Port
    by: frozenset[Role]
    at: Role
    since: Version = OLDEST
    until: Version = NEWEST
    documentation: str = ""
    spelled: Mapping[Version, str] = field(default_factory=dict, hash=False)

    def exists_in(self, version: Version) -> bool:
        """Whether this version has the operation."""
        return self.since <= version <= self.until

    def name_at(self, version: Version) -> str:
        """The operation's name in this version's contract."""
        return self.spelled.get(version, self.name)

    def action_at(self, version: Version) -> str:
        """The soapAction of this version's contract: direct ones carry the direct version."""
        if self.port is Port.LIVE:
            return f"http://ochp.e-clearing.net/service/{self.name}"
        base = version.namespace if self.port is Port.SERVICE else f"http://ochp.eu/direct/{version.direct}"
        return f"{base}/{self.name_at(version)}"

    @property
    def only_reads(self) -> bool:
        """Whether it may be asked once more, since the answer is all there is to it: OCHP calls these Get and Check."""
        return self.name.startswith(("Get", "Check"))

    def __str__(self) -> str:
        return self.name


PARTNER = frozenset({Role.OPERATOR, Role.PROVIDER})
OPERATOR = frozenset({Role.OPERATOR})
PROVIDER = frozenset({Role.PROVIDER})

ADD_CDRS = Operation(
    "AddCDRs",
    cdrs.AddCdrsRequest,
    cdrs.AddCdrsResponse,
    Port.SERVICE,
    by=OPERATOR,
    at=Role.HOUSE,
    documentation="An operator uploads charge data, new or revised.",
)
GET_CDRS = Operation(
    "GetCDRs",
    cdrs.GetCdrsRequest,
    cdrs.GetCdrsResponse,
    Port.SERVICE,
    by=PROVIDER,
    at=Role.HOUSE,
    documentation="A provider fetches the charge data of its contracts.",
)
CHECK_CDRS = Operation(
    "CheckCDRs",
    cdrs.CheckCdrsRequest,
    cdrs.CheckCdrsResponse,
    Port.SERVICE,
    by=OPERATOR,
    at=Role.HOUSE,
    since=V1_4,
    documentation="An operator looks what became of its charge data.",
)
CONFIRM_CDRS = Operation(
    "ConfirmCDRs",
    cdrs.ConfirmCdrsRequest,
    cdrs.ConfirmCdrsResponse,
    Port.SERVICE,
    by=PROVIDER,
    at=Role.HOUSE,
    documentation="A provider approves and declines charge data.",
)
GET_ROAMING_AUTHORISATION_LIST = Operation(
    "GetRoamingAuthorisationList",
    tokens.GetRoamingAuthorisationListRequest,
    tokens.GetRoamingAuthorisationListResponse,
    Port.SERVICE,
    by=OPERATOR,
    at=Role.HOUSE,
    documentation="An operator fetches every token that may charge with it.",
)
SET_ROAMING_AUTHORISATION_LIST = Operation(
    "SetRoamingAuthorisationList",
    tokens.SetRoamingAuthorisationListRequest,
    tokens.SetRoamingAuthorisationListResponse,
    Port.SERVICE,
    by=PROVIDER,
    at=Role.HOUSE,
    documentation="A provider uploads its complete list of tokens.",
)
GET_ROAMING_AUTHORISATION_LIST_UPDATES = Operation(
    "GetRoamingAuthorisationListUpdates",
    tokens.GetRoamingAuthorisationListUpdatesRequest,
    tokens.GetRoamingAuthorisationListUpdatesResponse,
    Port.SERVICE,
    by=OPERATOR,
    at=Role.HOUSE,
    documentation="An operator fetches the tokens that changed.",
)
UPDATE_ROAMING_AUTHORISATION_LIST = Operation(
    "UpdateRoamingAuthorisationList",
    tokens.UpdateRoamingAuthorisationListRequest,
    tokens.UpdateRoamingAuthorisationListResponse,
    Port.SERVICE,
    by=PROVIDER,
    at=Role.HOUSE,
    documentation="A provider uploads new and changed tokens.",
)
REQUEST_LIVE_ROAMING_AUTHORISATION = Operation(
    "RequestLiveRoamingAuthorisation",
    tokens.RequestLiveRoamingAuthorisationRequest,
    tokens.RequestLiveRoamingAuthorisationResponse,
    Port.SERVICE,
    by=OPERATOR,
    at=Role.HOUSE,
    until=V1_3,
    documentation="An operator looks up a single token for one of its EVSEs.",
)
GET_SINGLE_ROAMING_AUTHORISATION = Operation(
    "GetSingleRoamingAuthorisation",
    tokens.GetSingleRoamingAuthorisationRequest,
    tokens.GetSingleRoamingAuthorisationResponse,
    Port.SERVICE,
    by=OPERATOR,
    at=Role.HOUSE,
    since=V1_4,
    documentation="An operator looks up a single token.",
)
GET_CHARGE_POINT_LIST = Operation(
    "GetChargePointList",
    charge_points.GetChargePointListRequest,
    charge_points.GetChargePointListResponse,
    Port.SERVICE,
    by=PROVIDER,
    at=Role.HOUSE,
    documentation="A partner fetches the charge points of all operators connected to it.",
)
SET_CHARGE_POINT_LIST = Operation(
    "SetChargepointList",
    charge_points.SetChargePointListRequest,
    charge_points.SetChargePointListResponse,
    Port.SERVICE,
    by=OPERATOR,
    at=Role.HOUSE,
    documentation="An operator uploads all its charge points.",
)
GET_CHARGE_POINT_LIST_UPDATES = Operation(
    "GetChargePointListUpdates",
    charge_points.GetChargePointListUpdatesRequest,
    charge_points.GetChargePointListUpdatesResponse,
    Port.SERVICE,
    by=PROVIDER,
    at=Role.HOUSE,
    documentation="A partner fetches the charge points that changed.",
)
UPDATE_CHARGE_POINT_LIST = Operation(
    "UpdateChargePointList",
    charge_points.UpdateChargePointListRequest,
    charge_points.UpdateChargePointListResponse,
    Port.SERVICE,
    by=OPERATOR,
    at=Role.HOUSE,
    documentation="An operator uploads new and changed charge points.",
)
UPDATE_TARIFFS = Operation(
    "UpdateTariffs",
    tariffs.UpdateTariffsRequest,
    tariffs.UpdateTariffsResponse,
    Port.SERVICE,
    by=OPERATOR,
    at=Role.HOUSE,
    since=V1_4,
    documentation="An operator uploads new and changed tariffs.",
)
GET_TARIFF_UPDATES = Operation(
    "GetTariffUpdates",
    tariffs.GetTariffUpdatesRequest,
    tariffs.GetTariffUpdatesResponse,
    Port.SERVICE,
    by=PROVIDER,
    at=Role.HOUSE,
    since=V1_4,
    documentation="A provider fetches the tariffs that apply to it.",
)
UPDATE_STATUS = Operation(
    "UpdateStatus",
    live.UpdateStatusRequest,
    live.UpdateStatusResponse,
    Port.LIVE,
    by=OPERATOR,
    at=Role.HOUSE,
    documentation="An operator tells the live status of its EVSEs and parking spots.",
)
GET_STATUS = Operation(
    "GetStatus",
    live.GetStatusRequest,
    live.GetStatusResponse,
    Port.LIVE,
    by=PROVIDER,
    at=Role.HOUSE,
    documentation="A partner fetches the live status of EVSEs or parking spots.",
)
ADD_SERVICE_ENDPOINTS = Operation(
    "AddServiceEndpoints",
    direct.AddServiceEndpointsRequest,
    direct.AddServiceEndpointsResponse,
    Port.DIRECT,
    by=PARTNER,
    at=Role.HOUSE,
    documentation="A partner publishes where its own systems listen and the tokens to speak with them.",
)
GET_SERVICE_ENDPOINTS = Operation(
    "GetServiceEndpoints",
    direct.GetServiceEndpointsRequest,
    direct.GetServiceEndpointsResponse,
    Port.DIRECT,
    by=PARTNER,
    at=Role.HOUSE,
    documentation="A partner fetches the endpoints of all partners it is connected to.",
)
GET_EVSE_STATUS = Operation(
    "GetEvseStatus",
    direct.GetEvseStatusRequest,
    live.GetStatusResponse,
    Port.OPERATOR,
    by=PROVIDER,
    at=Role.OPERATOR,
    documentation="Live status of the named EVSEs, straight from their operator.",
)
REPORT_DISCREPANCY = Operation(
    "ReportDiscrepancy",
    direct.ReportDiscrepancyRequest,
    direct.ReportDiscrepancyResponse,
    Port.OPERATOR,
    by=PROVIDER,
    at=Role.OPERATOR,
    documentation="Tells the operator that an EVSE is not as its data or its status say.",
)
SELECT_EVSE = Operation(
    "SelectEvse",
    direct.SelectEvseRequest,
    direct.SelectEvseResponse,
    Port.OPERATOR,
    by=PROVIDER,
    at=Role.OPERATOR,
    documentation="Reserves an EVSE for a contract and opens the session.",
)
CONTROL_EVSE = Operation(
    "ControlEvse",
    direct.ControlEvseRequest,
    direct.ControlEvseResponse,
    Port.OPERATOR,
    by=PROVIDER,
    at=Role.OPERATOR,
    documentation="Starts, limits or ends the charge of an open session.",
)
RELEASE_EVSE = Operation(
    "ReleaseEvse",
    direct.ReleaseEvseRequest,
    direct.ReleaseEvseResponse,
    Port.OPERATOR,
    by=PROVIDER,
    at=Role.OPERATOR,
    documentation="Gives the EVSE free and closes the session.",
)
INFORM_PROVIDER_CPO = Operation(
    "InformProviderCPO",
    direct.InformProviderRequest,
    direct.InformProviderMessage,
    Port.OPERATOR,
    by=PROVIDER,
    at=Role.OPERATOR,
    since=V1_4,
    documentation="The newest about an open session, on the provider's request.",
)
INFORM_PROVIDER = Operation(
    "InformProviderEMP",
    direct.InformProviderMessage,
    direct.InformProviderResponse,
    Port.PROVIDER,
    by=OPERATOR,
    at=Role.PROVIDER,
    documentation="Tells the provider what happened to a session of one of its contracts.",
    spelled={V1_3: "InformProvider"},
)

OPERATIONS = (
    ADD_CDRS,
    GET_CDRS,
    CHECK_CDRS,
    CONFIRM_CDRS,
    GET_ROAMING_AUTHORISATION_LIST,
    SET_ROAMING_AUTHORISATION_LIST,
    GET_ROAMING_AUTHORISATION_LIST_UPDATES,
    UPDATE_ROAMING_AUTHORISATION_LIST,
    REQUEST_LIVE_ROAMING_AUTHORISATION,
    GET_SINGLE_ROAMING_AUTHORISATION,
    GET_CHARGE_POINT_LIST,
    SET_CHARGE_POINT_LIST,
    GET_CHARGE_POINT_LIST_UPDATES,
    UPDATE_CHARGE_POINT_LIST,
    UPDATE_TARIFFS,
    GET_TARIFF_UPDATES,
    UPDATE_STATUS,
    GET_STATUS,
    ADD_SERVICE_ENDPOINTS,
    GET_SERVICE_ENDPOINTS,
    GET_EVSE_STATUS,
    REPORT_DISCREPANCY,
    SELECT_EVSE,
    CONTROL_EVSE,
    RELEASE_EVSE,
    INFORM_PROVIDER_CPO,
    INFORM_PROVIDER,
)
