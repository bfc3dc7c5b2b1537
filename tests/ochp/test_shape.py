"""The reading of the marks: what a version has, what it requires, what it assumes and what it loses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from clearinghouse.ochp.bridges import losses
from clearinghouse.ochp.cdrs import (
    AddCdrsResponse,
    BillingItem,
    CdrInfo,
    CdrPeriod,
    CdrReference,
    CdrStatus,
    ConfirmCdrsRequest,
)
from clearinghouse.ochp.connectors import ChargePointType, ConnectorStandard
from clearinghouse.ochp.direct import (
    OK,
    AddServiceEndpointsRequest,
    ControlEvseRequest,
    ControlEvseResponse,
    DirectEndpoint,
    DirectMessage,
    GetEvseStatusRequest,
    InformProviderMessage,
    MeterReading,
    OperatorEndpoint,
    ProviderEndpoint,
    SelectEvseRequest,
)
from clearinghouse.ochp.hours import Hours
from clearinghouse.ochp.live import EvseStatus, GetStatusResponse
from clearinghouse.ochp.locations import GeneralLocation
from clearinghouse.ochp.results import DirectResult, DirectResultCode, ResultCode
from clearinghouse.ochp.shape import (
    Field,
    assumed,
    fields_of,
    members_of,
    parent_of,
    spellings,
    stand_in,
    unused_types,
    wire_of,
)
from clearinghouse.ochp.tokens import EmtId, Representation, TokenType
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1, Version

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def elements(cls: type, version: Version) -> str:
    """Names with `?` for optional, `*` for any number, `+` for at least one, `@` for attributes."""
    signs = {(0, 1): "?", (1, 1): "", (0, None): "*", (1, None): "+"}
    return " ".join(
        "@" * each.is_attribute + each.element + signs[each.min_occurs, each.max_occurs]
        for each in fields_of(cls, version)
    )


def field(cls: type, version: Version, attr: str) -> Field:
    return next(each for each in fields_of(cls, version) if each.attr == attr)


@pytest.mark.parametrize(
    ("cls", "version", "expected"),
    [
        (SelectEvseRequest, V1_3, "evseId contractId"),
        (SelectEvseRequest, V1_4, "evseId contractId reserveUntil?"),
        (ControlEvseRequest, V1_3, "directId operation maxPower? maxEnergy?"),
        (
            ControlEvseRequest,
            V1_4_1,
            "directId operation maxPower? maxCurrent? onePhase? maxEnergy? minEnergy? departure?",
        ),
        (ControlEvseResponse, V1_3, "result directId ttl?"),
        (ControlEvseResponse, V1_4, "result directId? ttl?"),
        (OperatorEndpoint, V1_3, "url namespaceUrl? accessToken validUntil whitelist+ blacklist*"),
        (OperatorEndpoint, V1_4, "url namespaceUrl accessToken validDate whitelist+ blacklist*"),
        (GetEvseStatusRequest, V1_3, "requestedEvseId+"),
        (AddServiceEndpointsRequest, V1_4, "providerEndpointArray* operatorEndpointArray*"),
        (
            InformProviderMessage,
            V1_3,
            "message evseId contractId directId ttl? maxPower? maxEnergy? currentPower? chargedEnergy?",
        ),
        (EvseStatus, V1_3, "evseId @major @minor? @ttl?"),
        (GetStatusResponse, V1_3, "evse*"),
        (GetStatusResponse, V1_4, "combined* evse* parking*"),
        (
            CdrPeriod,
            V1_3,
            "startDateTime endDateTime billingItem billingValue currency itemPrice periodCost?",
        ),
        (CdrPeriod, V1_4, "startDateTime endDateTime billingItem billingValue itemPrice periodCost? taxrate?"),
    ],
)
def test_a_version_has_these_elements(cls: type, version: Version, expected: str) -> None:
    assert elements(cls, version) == expected


def test_a_field_knows_its_owner_among_extended_types() -> None:
    assert field(ProviderEndpoint, V1_4, "url").owner is DirectEndpoint
    assert field(ProviderEndpoint, V1_4, "whitelist").owner is ProviderEndpoint
    assert parent_of(ProviderEndpoint) is DirectEndpoint
    assert parent_of(DirectEndpoint) is None


def test_a_condition_on_a_facet_holds_in_its_versions() -> None:
    contract = {version: field(ProviderEndpoint, version, "whitelist").text.patterns for version in ORDER}
    assert "{0,9}" in contract[V1_3][0]
    assert "{0,8}" in contract[V1_4][0] == contract[V1_4_1][0]
    assert field(DirectEndpoint, V1_3, "namespace_url").text.values == ()
    assert field(DirectEndpoint, V1_4_1, "namespace_url").text.values == ("http://ochp.eu/1.3", "http://ochp.eu/1.4.1")


def test_members_of_an_enumeration_come_with_their_version() -> None:
    assert "roaming" not in members_of(ResultCode, V1_3)
    assert "roaming" in members_of(ResultCode, V1_4)
    assert {"volume", "mass"} & set(members_of(BillingItem, V1_4)) == set()
    assert members_of(BillingItem, V1_4_1)[-2:] == ["volume", "mass"]


def test_a_field_that_a_version_cannot_say_is_assumed() -> None:
    assert assumed(InformProviderMessage, V1_3) == {"result": OK}
    assert assumed(InformProviderMessage, V1_4) == {}


def test_a_message_may_be_named_otherwise_in_a_version() -> None:
    wire = wire_of(InformProviderMessage)
    assert wire.message
    assert (wire.name_at(V1_3), wire.name_at(V1_4)) == ("InformProviderRequest", "InformProviderMessage")
    assert wire_of(GetEvseStatusRequest).name == "DirectEvseStatusRequest"
    assert not wire_of(MeterReading).message


CONTROL = ControlEvseRequest(
    direct_id="A", operation="start", max_power=Decimal(11), max_current=Decimal(16), departure=NOON
)
PERIOD = CdrPeriod(
    start_date_time=NOON,
    end_date_time=NOON,
    billing_item=BillingItem.VOLUME,
    billing_value=Decimal(1),
    item_price=Decimal(1),
)
INFORM = InformProviderMessage(
    message=DirectMessage.INFO, evse_id="DE823E1", contract_id="NLTNMC00122045", direct_id="A"
)


def test_what_an_older_version_cannot_say_is_named() -> None:
    assert losses(CONTROL, V1_3) == ["maxCurrent", "departure"]
    assert losses(CONTROL, V1_4) == []


def test_what_is_absent_is_no_loss() -> None:
    assert losses(INFORM, V1_3) == []


def test_an_assumed_value_is_no_loss_and_any_other_is() -> None:
    assert losses(replace(INFORM, result=OK), V1_3) == []
    bad = DirectResult(result_code=DirectResultCode.SERVER)
    assert losses(replace(INFORM, result=bad), V1_3) == ["result"]


def test_a_member_that_an_older_version_lacks_is_a_loss_with_its_path() -> None:
    message = replace(INFORM, charging_periods=(replace(PERIOD, billing_item=BillingItem.ENERGY), PERIOD))
    assert losses(message, V1_4) == ["chargingPeriods/billingItem"]
    assert losses(message, V1_3) == ["chargingPeriods"]
    assert losses(message, V1_4_1) == []


def test_equal_texts_of_two_enumerations_are_told_apart() -> None:
    assert TokenType.OTHER in members_of(TokenType, V1_4_1) and TokenType.OTHER not in members_of(TokenType, V1_4)
    assert GeneralLocation.OTHER in members_of(GeneralLocation, V1_3)
    assert ChargePointType.H2 == ConnectorStandard.H2
    assert stand_in(GeneralLocation.PRIVATE, V1_3) is GeneralLocation.OTHER
    assert stand_in(TokenType.OTHER, V1_3) is None


def test_members_are_spelled_as_the_version_does() -> None:
    assert spellings(CdrStatus, V1_3)["owner declined"] is CdrStatus.DECLINED
    assert "owner declined" not in spellings(CdrStatus, V1_4)
    assert spellings(ConnectorStandard, V1_3)["TESLA-R"] is ConnectorStandard.TESLA_R


def test_an_attribute_with_a_default_is_optional_and_means_it() -> None:
    for version, meant in ((V1_3, Representation.SHA_160), (V1_4, Representation.PLAIN)):
        representation = field(EmtId, version, "representation")
        assert (representation.min_occurs, representation.default) == (0, meant)
        assert assumed(EmtId, version) == {"representation": meant}


def test_a_field_may_hold_another_class_in_a_version() -> None:
    assert field(ConfirmCdrsRequest, V1_3, "approved").kind is CdrInfo
    assert field(ConfirmCdrsRequest, V1_4, "approved").kind is CdrReference
    assert not field(AddCdrsResponse, V1_4, "implausible_cdrs_array").is_complex


def test_a_choice_has_its_bounds() -> None:
    regular, always = fields_of(Hours, V1_3)[:2]
    assert (regular.is_choice, regular.min_occurs, regular.max_occurs) == (True, 1, 7)
    assert (always.is_choice, always.min_occurs, always.max_occurs) == (True, 1, 1)


def test_a_type_that_nothing_uses_is_declared_where_the_contract_has_it() -> None:
    assert [each.box.type_name for each in unused_types(V1_4_1) if each.box] == ["ChargePointType"]
    assert unused_types(V1_4) == []
