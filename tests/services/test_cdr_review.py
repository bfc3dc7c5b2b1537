"""The provider's CDRs: downloaded, judged by rules and people, confirmed at the house until it took note."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.charges import Charge, ChargeState
from clearinghouse.domain.errors import Conflict, UnknownId
from clearinghouse.domain.evidence import Verdict
from clearinghouse.domain.received_cdrs import CdrStage
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import (
    BillingItem,
    CdrInfo,
    CdrPeriod,
    CdrReference,
    CdrStatus,
    ConfirmCdrsRequest,
    ConfirmCdrsResponse,
    GetCdrsResponse,
)
from clearinghouse.ochp.connectors import ChargePointType, Connector, ConnectorFormat, ConnectorStandard, Ratings
from clearinghouse.ochp.locations import Address
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tokens import EmtId, TokenType
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1
from clearinghouse.services.cdr_review import CdrReview
from clearinghouse.services.upkeep import Upkeep
from tests.services.house_double import NOON, OK, HouseDouble, TurnableClock, line_to

START, END = NOON - timedelta(minutes=65), NOON - timedelta(minutes=5)


def period(value="10", price="0.40", cost="4.00"):
    return CdrPeriod(
        start_date_time=START,
        end_date_time=END,
        billing_item=BillingItem.ENERGY,
        billing_value=Decimal(value),
        item_price=Decimal(price),
        period_cost=Decimal(cost),
    )


def cdr(number=1, direct_id="DEOPS-1", **changes):
    return dataclasses.replace(
        CdrInfo(
            cdr_id=f"DEOPS{number:03}",
            evse_id="DE*OPS*E1001",
            emt_id=EmtId(instance=direct_id, token_type=TokenType.REMOTE),
            contract_id="DEPROC000000018",
            status=CdrStatus.ACCEPTED,
            start_date_time=START,
            end_date_time=END,
            charge_point_address=Address(address="Hauptstrasse", city="Berlin", zip_code="10115", country="DEU"),
            charge_point_type=ChargePointType.AC,
            connector_type=Connector(
                connector_standard=ConnectorStandard.IEC_62196_T2, connector_format=ConnectorFormat.SOCKET
            ),
            ratings=Ratings(maximum_power=Decimal(22)),
            charging_periods=(period(),),
            total_cost=Decimal("4.00"),
            currency="EUR",
        ),
        **changes,
    )


class Provider:
    """A provider at a house that answers as it is told."""

    def __init__(self, store, spoken=(V1_4_1,), **stated):
        self.store, self.clock, self.house = store, TurnableClock(), HouseDouble()
        self.cdrs = CdrReview(store, line_to(self.house, spoken), self.clock, frozenset({"DEPRO"}), **stated)
        self.upkeep = Upkeep(store, self.clock, self.cdrs.chores, self.cdrs.wanted)

    def charge(self, direct_id="DEOPS-1", energy="10", **changes):
        """A charge that the operator told the provider of."""
        charge = Charge(
            id=f"of {direct_id}",
            evse_id="DEOPSE1001",
            contract_id="DE-PRO-C00000001-8",
            state=ChargeState.ENDED,
            created_at=START - timedelta(minutes=1),
            changed_at=END,
            direct_id=direct_id,
            energy=Decimal(energy),
        )
        with self.store.books() as books:
            books.charges.add(dataclasses.replace(charge, **changes))

    def offer(self, *cdrs):
        self.house.answers[op.GET_CDRS] = GetCdrsResponse(result=OK, cdr_info_array=cdrs)
        self.clock.pass_by(minutes=10)
        return self.upkeep.work()

    def round(self):
        self.clock.pass_by(seconds=30)
        return self.upkeep.work()

    def stage(self, number=1):
        return self.cdrs.get(f"DEOPS{number:03}").stage

    def rules(self, number=1):
        return [
            each.rule for each in self.cdrs.get(f"DEOPS{number:03}").findings if each.verdict is not Verdict.APPROVE
        ]

    def confirmed(self):
        return self.house.of(ConfirmCdrsRequest)


@pytest.fixture
def provider(store):
    return Provider(store)


def refusing(code, text="no"):
    return ConfirmCdrsResponse(result=Result.of(code, text))


def test_a_cdr_that_fits_the_charge_is_approved_by_the_rules(provider):
    provider.charge()
    provider.offer(cdr())
    assert provider.stage() is CdrStage.APPROVING
    provider.round()
    assert provider.stage() is CdrStage.APPROVED
    (request,) = provider.confirmed()
    assert request.approved == (CdrReference(cdr_id="DEOPS001", evse_id="DE*OPS*E1001"),)
    assert request.declined == ()
    assert provider.round() == ()


def test_a_cdr_for_more_energy_than_was_told_is_declined_with_the_reason(provider):
    provider.charge(energy="7")
    provider.offer(cdr())
    assert provider.rules() == ["energy"]
    provider.round()
    received = provider.cdrs.get("DEOPS001")
    assert received.stage is CdrStage.DECLINED
    assert received.reason == "energy: 10 kWh are billed, 7 kWh were told"
    assert [each.cdr_id for each in provider.confirmed()[0].declined] == ["DEOPS001"]


def test_a_cdr_of_an_unknown_session_waits_for_a_person(provider):
    provider.offer(cdr())
    assert (provider.stage(), provider.rules()) == (CdrStage.WAITING, ["known-session"])
    provider.round()
    assert provider.confirmed() == []
    provider.cdrs.approve("DEOPS001", "anna", "the driver confirmed it")
    provider.round()
    received = provider.cdrs.get("DEOPS001")
    assert received.stage is CdrStage.APPROVED
    assert [(each.actor, each.what) for each in received.history] == [
        ("operator", "sent as accepted"),
        ("rules", "wait"),
        ("anna", "approve"),
        ("house", "confirm"),
    ]


def test_settings_say_what_becomes_of_a_broken_rule(store):
    provider = Provider(store, policy={"known-session": Verdict.DECLINE})
    provider.offer(cdr())
    assert provider.stage() is CdrStage.DECLINING


def test_the_second_cdr_of_a_session_is_declined(provider):
    provider.charge()
    provider.offer(cdr(1), cdr(2))
    assert (provider.stage(1), provider.stage(2)) == (CdrStage.APPROVING, CdrStage.DECLINING)
    assert provider.rules(2) == ["one-cdr-per-session", "no-overlap"]


def test_a_declined_cdr_that_comes_back_revised_is_judged_anew(provider):
    provider.charge()
    provider.offer(cdr(total_cost=Decimal(5)))
    provider.round()
    assert (provider.stage(), provider.rules()) == (CdrStage.DECLINED, ["sums"])
    provider.offer(cdr(status=CdrStatus.REVISED))
    provider.round()
    assert provider.stage() is CdrStage.APPROVED
    assert len(provider.confirmed()) == 2


def test_a_confirmation_that_did_not_arrive_is_repeated(provider):
    provider.charge()
    provider.offer(cdr())
    provider.round()
    provider.offer(cdr())
    provider.round()
    assert provider.stage() is CdrStage.APPROVED
    assert len(provider.confirmed()) == 2


def test_confirmations_wait_for_a_house_that_is_down_and_arrive_once_it_is_back(provider):
    provider.charge()
    provider.offer(cdr())
    provider.house.down = True
    provider.round()
    received = provider.cdrs.get("DEOPS001")
    assert (received.stage, received.attempts) == (CdrStage.APPROVING, 1)
    provider.house.down = False
    provider.clock.pass_by(minutes=1)
    assert Chore.CONFIRM_CDRS in provider.round()
    assert provider.stage() is CdrStage.APPROVED


def test_one_cdr_that_the_house_does_not_know_does_not_hold_up_the_others(provider):
    provider.charge("A")
    provider.charge("B")
    provider.offer(
        cdr(1, "A"),
        cdr(
            2,
            "B",
            start_date_time=END,
            end_date_time=NOON,
            charging_periods=(dataclasses.replace(period(), start_date_time=END, end_date_time=NOON),),
        ),
    )

    def answer(request):
        named = {each.cdr_id for each in request.approved + request.declined}
        if "DEOPS001" not in named:
            return ConfirmCdrsResponse(result=OK)
        return refusing(ResultCode.PARTLY if len(named) > 1 else ResultCode.INVALID_ID, "DEOPS001 is unknown")

    provider.house.answers[op.CONFIRM_CDRS] = answer
    provider.round()
    assert (provider.stage(1), provider.stage(2)) == (CdrStage.REFUSED, CdrStage.APPROVED)
    assert provider.cdrs.get("DEOPS001").reason == "DEOPS001 is unknown"


def test_a_house_that_cannot_answer_now_is_asked_again(provider):
    provider.charge()
    provider.offer(cdr())
    provider.house.answers[op.CONFIRM_CDRS] = refusing(ResultCode.SERVER)
    provider.round()
    assert provider.stage() is CdrStage.APPROVING
    provider.house.answers[op.CONFIRM_CDRS] = ConfirmCdrsResponse(result=OK)
    provider.clock.pass_by(minutes=1)
    provider.round()
    assert provider.stage() is CdrStage.APPROVED


@pytest.mark.parametrize("spoken", [(V1_3,), (V1_4,), (V1_4_1,)])
def test_every_dialect_names_the_cdr_in_its_way(store, spoken):
    provider = Provider(store, spoken)
    provider.charge()
    provider.offer(cdr(charging_periods=(period(),)))
    provider.round()
    (named,) = provider.confirmed()[0].approved
    assert isinstance(named, CdrInfo if spoken == (V1_3,) else CdrReference)
    assert (named.cdr_id, named.evse_id) == ("DEOPS001", "DE*OPS*E1001")
    assert set(provider.house.versions) == {*spoken}
    assert provider.stage() is CdrStage.APPROVED


def test_nobody_connected_means_no_cdrs(provider):
    provider.house.answers[op.GET_CDRS] = GetCdrsResponse(result=Result.of(ResultCode.ROAMING, "nobody"))
    provider.upkeep.work()
    assert provider.cdrs.find() == []


def test_a_decision_that_the_house_has_cannot_be_changed(provider):
    provider.charge()
    provider.offer(cdr())
    provider.round()
    with pytest.raises(Conflict, match="approved"):
        provider.cdrs.decline("DEOPS001", "anna")


def test_a_decision_may_be_changed_before_the_house_has_it(provider):
    provider.charge()
    provider.offer(cdr())
    provider.cdrs.decline("DEOPS001", "anna", "not ours")
    provider.round()
    assert provider.stage() is CdrStage.DECLINED


def test_ids_of_1_3_are_told_apart_by_the_evse(provider):
    provider.offer(cdr(), cdr(evse_id="DE*OPS*E1002", emt_id=EmtId(instance="B", token_type=TokenType.REMOTE)))
    with pytest.raises(Conflict, match="several EVSEs"):
        provider.cdrs.get("DEOPS001")
    assert provider.cdrs.get("DEOPS001", "DEOPSE1002").info.evse_id == "DE*OPS*E1002"
    with pytest.raises(UnknownId):
        provider.cdrs.get("DEOPS009")


def test_the_newest_are_shown_first_page_by_page(provider):
    provider.offer(*(cdr(n, f"S{n}") for n in range(1, 6)))
    page = provider.cdrs.find([CdrStage.WAITING], operator_id="DEOPS", limit=2)
    assert [each.cdr_id for each in page] == ["DEOPS005", "DEOPS004"]
    assert [each.cdr_id for each in provider.cdrs.find(limit=9, before=page[-1].number)] == [
        "DEOPS003",
        "DEOPS002",
        "DEOPS001",
    ]
    assert provider.cdrs.find(operator_id="DEOTH") == []
