"""The table of operations is complete: names, actions, messages, callers."""

from __future__ import annotations

import dataclasses

import pytest

from clearinghouse.ochp.marks import WIRES
from clearinghouse.ochp.operations import OPERATIONS, Operation, Port
from clearinghouse.ochp.shape import fields_of, wire_of
from clearinghouse.ochp.versions import BY_NAMESPACE, ORDER, V1_3, V1_4, V1_4_1, Version

TABLE = """
AddCDRs                            operator        house    service  1.3  1.4
GetCDRs                            provider        house    service  1.3  1.4
CheckCDRs                          operator        house    service  -    1.4
ConfirmCDRs                        provider        house    service  1.3  1.4
GetRoamingAuthorisationList        operator        house    service  1.3  1.4
SetRoamingAuthorisationList        provider        house    service  1.3  1.4
GetRoamingAuthorisationListUpdates operator        house    service  1.3  1.4
UpdateRoamingAuthorisationList     provider        house    service  1.3  1.4
RequestLiveRoamingAuthorisation    operator        house    service  1.3  -
GetSingleRoamingAuthorisation      operator        house    service  -    1.4
GetChargePointList                 provider        house    service  1.3  1.4
SetChargepointList                 operator        house    service  1.3  1.4
GetChargePointListUpdates          provider        house    service  1.3  1.4
UpdateChargePointList              operator        house    service  1.3  1.4
UpdateTariffs                      operator        house    service  -    1.4
GetTariffUpdates                   provider        house    service  -    1.4
UpdateStatus                       operator        house    live     1.3  1.4
GetStatus                          provider        house    live     1.3  1.4
AddServiceEndpoints                operator+provider house  direct   1.3  1.4
GetServiceEndpoints                operator+provider house  direct   1.3  1.4
GetEvseStatus                      provider        operator operator 1.3  1.4
ReportDiscrepancy                  provider        operator operator 1.3  1.4
SelectEvse                         provider        operator operator 1.3  1.4
ControlEvse                        provider        operator operator 1.3  1.4
ReleaseEvse                        provider        operator operator 1.3  1.4
InformProviderCPO                  provider        operator operator -    1.4
InformProviderEMP                  operator        provider provider 1.3  1.4
"""
"""Who calls whom on which port, and whether 1.3 and the later versions have it."""

ELEMENTS = {
    "SetChargepointList": "SetChargePointListRequest SetChargePointListResponse",
    "GetEvseStatus": "DirectEvseStatusRequest GetStatusResponse",
    "InformProviderCPO": "InformProviderRequest InformProviderMessage",
    "InformProviderEMP": "InformProviderMessage InformProviderResponse",
}
"""The elements of operations that are not called as the operation."""

DIRECT_ACTION = "http://ochp.eu/direct"
BASES = {
    Port.SERVICE: {version: version.namespace for version in ORDER},
    Port.LIVE: dict.fromkeys(ORDER, "http://ochp.e-clearing.net/service"),
    Port.DIRECT: {V1_3: f"{DIRECT_ACTION}/0.1", V1_4: f"{DIRECT_ACTION}/0.2", V1_4_1: f"{DIRECT_ACTION}/0.2"},
}


def rows(text: str) -> dict[str, list[str]]:
    return {name: rest for name, *rest in (line.split() for line in text.split("\n") if line)}


def test_the_operations_are_those_of_the_contracts() -> None:
    assert [each.name for each in OPERATIONS] == list(rows(TABLE))


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_every_operation_is_called_by_whom_it_is_for_and_exists_where_it_does(operation: Operation) -> None:
    said = [
        "+".join(sorted(operation.by)),
        operation.at,
        operation.port,
        "1.3" if operation.exists_in(V1_3) else "-",
        "1.4" if operation.exists_in(V1_4) else "-",
    ]
    assert said == rows(TABLE)[operation.name]
    assert operation.exists_in(V1_4) == operation.exists_in(V1_4_1)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_actions_are_the_official_ones(operation: Operation) -> None:
    for version, base in BASES.get(operation.port, BASES[Port.DIRECT]).items():
        assert operation.action_at(version) == f"{base}/{operation.name_at(version)}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_elements_are_the_official_ones(operation: Operation) -> None:
    names = [wire_of(message).name_at(V1_4_1) for message in (operation.request, operation.response)]
    expected = ELEMENTS.get(operation.name, f"{operation.name}Request {operation.name}Response")
    assert names == expected.split()


def test_the_0_1_message_to_the_provider_has_its_own_names() -> None:
    operation = OPERATIONS[-1]
    assert operation.name_at(V1_3) == "InformProvider"
    assert wire_of(operation.request).name_at(V1_3) == "InformProviderRequest"


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_every_operation_has_messages_with_wire_names(operation: Operation) -> None:
    for message in (operation.request, operation.response):
        assert wire_of(message).message
        for version in ORDER:
            if operation.exists_in(version):
                fields_of(message, version)
    assert operation.documentation.endswith(".")


@pytest.mark.parametrize("version", ORDER)
def test_no_two_operations_of_a_port_share_name_request_or_action(version: Version) -> None:
    for port in Port:
        here = [each for each in OPERATIONS if each.port is port and each.exists_in(version)]
        for facts in (
            [each.name_at(version) for each in here],
            [each.action_at(version) for each in here],
            [wire_of(each.request).name_at(version) for each in here],
        ):
            assert len(set(facts)) == len(facts)


def test_every_class_of_the_language_is_reached_from_an_operation() -> None:
    reached: set[type] = set()
    waiting = [message for each in OPERATIONS for message in (each.request, each.response)]
    while waiting:
        cls = waiting.pop()
        if cls not in reached:
            reached.add(cls)
            waiting += [each.kind for v in ORDER for each in fields_of(cls, v) if dataclasses.is_dataclass(each.kind)]
            waiting += [base for base in cls.__bases__ if base in WIRES]
    assert reached == set(WIRES)


def test_a_namespace_tells_the_version() -> None:
    assert {namespace: version.direct for namespace, version in BY_NAMESPACE.items()} == {
        "http://ochp.eu/1.3": "0.1",
        "http://ochp.eu/1.4": "0.2",
        "http://ochp.eu/1.4.1": "0.2",
    }
    assert V1_3 < V1_4 < V1_4_1
