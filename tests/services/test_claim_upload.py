"""The operator's CDRs: made when sessions close, uploaded in order, told, watched, revised and given up."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.errors import Conflict, PartnerFailed
from clearinghouse.domain.informing import Thresholds
from clearinghouse.domain.own_cdrs import OwnCdrState
from clearinghouse.domain.sessions import Deadlines, Reading, Session, State
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import (
    AddCdrsRequest,
    AddCdrsResponse,
    BillingItem,
    CdrStatus,
    CheckCdrsRequest,
    CheckCdrsResponse,
)
from clearinghouse.ochp.direct import DirectMessage
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tokens import EmtId, Representation, TokenType
from clearinghouse.ochp.versions import V1_3, V1_4_1
from clearinghouse.services.cdr_making import CdrMaker
from clearinghouse.services.claim_upload import ClaimUpload
from clearinghouse.services.claims import Claims
from clearinghouse.services.directory import Directory
from clearinghouse.services.session_keeper import SessionKeeper
from clearinghouse.services.station_events import StationDesk
from clearinghouse.services.upkeep import Upkeep
from clearinghouse.stations.inventory import SAMPLE, read_site
from clearinghouse.stations.physics import Car
from clearinghouse.stations.simulator import Simulator
from clearinghouse.stations.state import Card
from clearinghouse.stations.tariff_file import SAMPLE_TARIFFS, read_tariffs
from tests.services.house_double import NOON, OK, HouseDouble, TurnableClock, line_to

CARD = EmtId(instance="04A2B3C4D5E6F7", token_type=TokenType.RFID)


class Operator:
    """An operator with the sample site, at a house that answers as it is told."""

    def __init__(self, store, spoken):
        self.store, self.clock, self.house = store, TurnableClock(), HouseDouble()
        site = read_site(SAMPLE)
        maker = CdrMaker(clock=self.clock, charge_points=site.points, tariffs=read_tariffs(SAMPLE_TARIFFS))
        simulator = Simulator(site.evses, store, self.clock)
        self.keeper = SessionKeeper(store, simulator, self.clock, Deadlines(), claim=maker.claim)
        self.upload = ClaimUpload(store, line_to(self.house, spoken), self.clock, self.keeper.claimed)
        self.cdrs = Claims(store, self.clock)
        self.upkeep = Upkeep(store, self.clock, self.upload.chores, self.upload.wanted)

    def close(self, number=1, **changes):
        """A session of an hour and 10 kWh ends and closes."""
        session = Session(
            direct_id=f"DEOPS-{number}",
            evse_id="DE*OPS*E1001",
            evse_key="DEOPSE1001",
            contract_id="DEEMPC000000018",
            state=State.ENDED,
            selected_at=NOON - timedelta(minutes=70),
            started_at=NOON - timedelta(minutes=65),
            ended_at=NOON - timedelta(minutes=5),
            meter_start=Decimal(100),
            reading=Reading(meter=Decimal(110), power=Decimal(0), at=NOON - timedelta(minutes=5)),
        )
        session = dataclasses.replace(session, **changes)
        with self.store.books() as books:
            books.sessions.open(session)
            self.keeper.close(books, session, State.CLOSED)
        return session.direct_id

    def told(self, direct_id):
        with self.store.books() as books:
            return [each.message for each in books.outbox.of(direct_id)]

    def states(self):
        return [each.state for each in reversed(self.cdrs.find())]


@pytest.fixture
def operator(store):
    return Operator(store, (V1_3, V1_4_1))


def declined(info):
    return lambda request: CheckCdrsResponse(
        result=OK,
        cdr_info_array=(dataclasses.replace(info, status=CdrStatus.DECLINED),)
        if request.cdr_status is CdrStatus.DECLINED
        else (),
    )


def test_a_closed_session_is_claimed_uploaded_and_only_then_told_as_finished(operator):
    direct_id = operator.close()
    assert operator.told(direct_id) == []
    operator.upkeep.work()
    (request,) = operator.house.of(AddCdrsRequest)
    (cdr,) = request.cdr_info_array
    assert cdr.cdr_id == "DEOPS2027011000000001"
    assert cdr.emt_id == EmtId(instance=direct_id, token_type=TokenType.REMOTE, representation=Representation.PLAIN)
    assert cdr.status is CdrStatus.NEW
    assert cdr.start_date_time.isoformat() == "2027-01-10T11:50:00+01:00"
    assert cdr.end_date_time.isoformat() == "2027-01-10T12:55:00+01:00"
    assert [(each.billing_item, each.billing_value, each.period_cost) for each in cdr.charging_periods] == [
        (BillingItem.ENERGY, Decimal(10), Decimal("3.9")),
        (BillingItem.USAGE_TIME, Decimal(1), Decimal("0.6")),
    ]
    assert (cdr.total_cost, cdr.currency) == (Decimal("4.5"), "EUR")
    (finish,) = operator.told(direct_id)
    assert (finish.message, finish.current_cost) == (DirectMessage.FINISH, Decimal("4.50"))
    assert operator.states() == [OwnCdrState.SENT]


def test_a_session_without_a_charge_is_not_claimed(operator):
    operator.close(started_at=None)
    assert operator.cdrs.find() == []


def test_an_operator_that_uploads_no_cdrs_tells_the_end_at_once(operator):
    operator.keeper = dataclasses.replace(operator.keeper, claim=None)
    direct_id = operator.close()
    assert [each.message for each in operator.told(direct_id)] == [DirectMessage.FINISH]


def test_a_session_is_claimed_once(operator):
    session_id = operator.close()
    with operator.store.books() as books:
        session = books.sessions.get(session_id)
        operator.keeper.close(books, session, State.CLOSED)
    assert len(operator.cdrs.find()) == 1


def test_a_charge_with_a_card_carries_its_token_and_nobody_is_told(operator):
    direct_id = operator.close(direct=False, local=True, token=CARD)
    operator.upkeep.work()
    assert operator.house.of(AddCdrsRequest)[0].cdr_info_array[0].emt_id == CARD
    assert operator.told(direct_id) == []


def test_cdrs_wait_in_order_while_the_house_is_down(operator):
    operator.close(1)
    operator.close(2, evse_key="DEOPSE1002", evse_id="DE*OPS*E1002")
    operator.house.down = True
    assert Chore.ADD_CDRS in operator.upkeep.work()
    assert operator.states() == [OwnCdrState.QUEUED] * 2
    assert "nobody is there" in operator.cdrs.find()[0].reason
    operator.house.down = False
    assert Chore.ADD_CDRS not in operator.upkeep.work(), "it pauses after a failure"
    operator.clock.pass_by(seconds=11)
    assert operator.upkeep.work() == (Chore.ADD_CDRS,)
    (request,) = operator.house.of(AddCdrsRequest)
    assert [each.emt_id.instance for each in request.cdr_info_array] == ["DEOPS-1", "DEOPS-2"]


def test_an_implausible_cdr_is_kept_with_the_reason_and_the_others_are_taken(operator):
    operator.close(1)
    operator.close(2, evse_key="DEOPSE1002", evse_id="DE*OPS*E1002")
    operator.house.answers[op.ADD_CDRS] = lambda request: AddCdrsResponse(
        result=Result.of(ResultCode.PARTLY, "the sum is wrong"),
        implausible_cdrs_array=(request.cdr_info_array[0].cdr_id,),
    )
    operator.upkeep.work()
    assert operator.states() == [OwnCdrState.IMPLAUSIBLE, OwnCdrState.SENT]
    assert operator.cdrs.find((OwnCdrState.IMPLAUSIBLE,))[0].reason == "the sum is wrong"
    assert operator.told("DEOPS-1") == []


def test_one_bad_cdr_does_not_hold_up_the_others_of_a_message_refused_as_a_whole(operator):
    operator.close(1)
    operator.close(2, evse_key="DEOPSE1002", evse_id="DE*OPS*E1002")
    operator.house.answers[op.ADD_CDRS] = lambda request: AddCdrsResponse(
        result=Result.of(ResultCode.FORMAT, "the meter is odd")
        if any(each.emt_id.instance == "DEOPS-1" for each in request.cdr_info_array)
        else OK
    )
    operator.upkeep.work()
    assert operator.states() == [OwnCdrState.IMPLAUSIBLE, OwnCdrState.SENT]


def test_an_error_of_the_house_is_no_verdict_on_a_cdr(operator):
    operator.close()
    operator.house.answers[op.ADD_CDRS] = AddCdrsResponse(result=Result.of(ResultCode.SERVER, "out of paper"))
    with pytest.raises(PartnerFailed, match="out of paper"):
        operator.upload.upload()
    assert operator.states() == [OwnCdrState.QUEUED]


def test_a_declined_cdr_is_shown_revised_and_taken_again(operator):
    direct_id = operator.close()
    operator.upkeep.work()
    (sent,) = operator.cdrs.find()
    operator.house.answers[op.CHECK_CDRS] = declined(sent.info)
    operator.clock.pass_by(minutes=6)
    operator.upkeep.work()
    (shown,) = operator.cdrs.find((OwnCdrState.DECLINED,))
    revised = operator.cdrs.revise(shown.cdr_id, {BillingItem.ENERGY: Decimal("0.29")})
    assert revised.info.total_cost == Decimal("3.50")
    operator.house.answers[op.CHECK_CDRS] = CheckCdrsResponse(result=OK)
    operator.upkeep.work()
    (again,) = operator.house.of(AddCdrsRequest)[-1].cdr_info_array
    assert (again.cdr_id, again.status) == (sent.cdr_id, CdrStatus.REVISED)
    assert operator.states() == [OwnCdrState.SENT]
    assert len(operator.told(direct_id)) == 1, "finish is told once"


def test_a_claim_that_is_given_up_is_told_to_the_house(operator):
    operator.close()
    operator.upkeep.work()
    (sent,) = operator.cdrs.find()
    operator.house.answers[op.CHECK_CDRS] = declined(sent.info)
    operator.upload.check()
    operator.cdrs.give_up(sent.cdr_id)
    operator.upkeep.work()
    (again,) = operator.house.of(AddCdrsRequest)[-1].cdr_info_array
    assert again.status is CdrStatus.REJECTED
    assert operator.states() == [OwnCdrState.REJECTED]
    with pytest.raises(Conflict):
        operator.cdrs.revise(sent.cdr_id, {BillingItem.ENERGY: Decimal(1)})


def test_an_approved_cdr_is_settled_and_not_asked_for_again(operator):
    operator.close()
    operator.upkeep.work()
    (sent,) = operator.cdrs.find()
    approved = dataclasses.replace(sent.info, status=CdrStatus.APPROVED)
    operator.house.answers[op.CHECK_CDRS] = lambda request: CheckCdrsResponse(
        result=OK, cdr_info_array=(approved,) if request.cdr_status is CdrStatus.APPROVED else ()
    )
    operator.upload.check()
    assert operator.states() == [OwnCdrState.APPROVED]
    asked = len(operator.house.of(CheckCdrsRequest))
    assert operator.upload.check() == "none is open"
    assert len(operator.house.of(CheckCdrsRequest)) == asked


def test_an_operator_of_1_3_uploads_too_and_asks_for_no_verdicts(store):
    operator = Operator(store, (V1_3,))
    operator.close()
    assert operator.upkeep.work() == (Chore.ADD_CDRS,)
    (cdr,) = operator.house.of(AddCdrsRequest)[0].cdr_info_array
    assert operator.house.versions == [V1_3]
    assert (cdr.emt_id.representation, cdr.currency) == (Representation.PLAIN, "EUR")
    assert operator.states() == [OwnCdrState.SENT]


# -- Cards at the station ------------------------------------------------------------------------------------------


def test_a_card_of_the_list_charges_without_a_direct_partner_and_is_claimed_at_its_end(operator):
    thresholds = Thresholds(
        energy=Decimal(1), power=Decimal(1), spacing=timedelta(minutes=15), silence=timedelta(minutes=60)
    )
    directory = Directory(operator.store, operator.clock)
    stations = StationDesk(operator.keeper, directory, thresholds)
    simulator = operator.keeper.stations
    card = Card(token=CARD, live_auth_id="LIVE-1")
    simulator.present_card("DEOPSE1001", "DEEMPC000000018", Car(), card)
    stations.work()
    operator.clock.pass_by(minutes=30)
    simulator.unplug("DEOPSE1001")
    stations.work()
    operator.upkeep.work()
    (cdr,) = operator.house.of(AddCdrsRequest)[0].cdr_info_array
    assert (cdr.emt_id, cdr.contract_id) == (CARD, "DEEMPC000000018")
    assert cdr.charging_periods[0].billing_value > 0
    assert (cdr.start_date_time, cdr.end_date_time) == (NOON, NOON + timedelta(minutes=30))
    (claim,) = operator.cdrs.find()
    assert (claim.state, claim.info.live_auth_id) == (OwnCdrState.SENT, "LIVE-1")
    assert operator.told(claim.direct_id) == []


def test_a_card_without_a_known_token_or_partner_is_left_alone(operator):
    thresholds = Thresholds(
        energy=Decimal(1), power=Decimal(1), spacing=timedelta(minutes=15), silence=timedelta(minutes=60)
    )
    stations = StationDesk(operator.keeper, Directory(operator.store, operator.clock), thresholds)
    operator.keeper.stations.present_card("DEOPSE1001", "DEEMPC000000018", Car())
    stations.work()
    operator.clock.pass_by(minutes=30)
    operator.keeper.stations.unplug("DEOPSE1001")
    stations.work()
    assert operator.cdrs.find() == []
