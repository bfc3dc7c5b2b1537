"""The provider's charges: every way to fail leaves a reason; what operators tell counts once, in whatever order."""

from __future__ import annotations

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.charges import ChargeState
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import (
    Conflict,
    Malformed,
    NotFound,
    NotSupported,
    PartnerFailed,
    PartnerTimedOut,
    PartnerUnreachable,
    RefusedByPartner,
    UnknownId,
)
from clearinghouse.domain.sessions import Limits
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import DirectMessage, InformProviderMessage, MeterReading, SelectEvseResponse
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import DirectResult, DirectResultCode
from clearinghouse.ochp.versions import V1_4, V1_4_1
from clearinghouse.services.calls_port import HttpAnswer, Peer
from clearinghouse.services.provider_desk import ABANDONED
from clearinghouse.soap.codec import encode
from clearinghouse.soap.faults import envelope
from clearinghouse.stations.physics import Car
from tests.services.world import NOON, babbling, dead, faulty, lossy, mute, refusing, slow

E1, CONTRACT = "DE*OPS*E1", "DEPROC12345678"
START, CHANGE, INFO, END, FINISH = DirectMessage


@pytest.fixture
def pair(world):
    """An operator and a provider that roam."""
    ops, pro = world.operator(), world.provider()
    world.connect()
    world.exchange_tokens()
    return ops, pro


@pytest.fixture
def pro(pair):
    return pair[1]


def operator_peer(party="DEOPS"):
    return Peer(
        (
            Endpoint(
                partner=party,
                role=Role.OPERATOR,
                url="https://ops.example",
                version=V1_4,
                access_token="token",
                day=NOON.date(),
                whitelist=(f"{party}E%",),
                uploaded_at=NOON,
            ),
        )
    )


def told(kind, direct_id="D-1", *, energy=None, at=None, **stated):
    reading = None if at is None else MeterReading(meter_value=Decimal(energy or 0), meter_time=NOON + at)
    values = {
        "message": kind,
        "evse_id": E1,
        "contract_id": CONTRACT,
        "direct_id": direct_id,
        "charged_energy": None if energy is None else Decimal(energy),
        "meter_reading": reading,
    }
    return InformProviderMessage(**values | stated)


def inform(pro, message, caller=None):
    return pro.inform_desk.inform(message, caller or operator_peer(), V1_4).result.result_code


def minutes(number):
    return timedelta(minutes=number)


# -- Failures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", [dead, mute, refusing, faulty, babbling])
def test_a_selection_that_fails_leaves_a_failed_charge_with_the_reason(pro, world, mood):
    with world.line.mood("ops.example", mood), pytest.raises(PartnerFailed) as caught:
        pro.desk.start("c1", E1, CONTRACT)
    charge = pro.desk.get("c1")
    assert (charge.state, charge.reason, charge.direct_id) == (ChargeState.FAILED, str(caught.value), None)
    assert pro.heard("c1") == ["requested", "failed"]
    assert pro.desk.history("c1")[-1].detail == {"reason": charge.reason}


def test_a_selection_that_the_operator_refuses_leaves_its_words(pair):
    ops, pro = pair
    ops.stations.fault("DEOPSE1")
    with pytest.raises(RefusedByPartner, match="evse-unavailable"):
        pro.desk.start("c1", E1, CONTRACT)
    charge = pro.desk.get("c1")
    assert charge.state is ChargeState.FAILED and "out of order" in charge.reason


def test_where_no_operator_answers_the_charge_says_so(pro):
    with pytest.raises(NotFound):
        pro.desk.start("c1", "DE*XXX*E1", CONTRACT)
    assert "No connected operator answers" in pro.desk.get("c1").reason


def test_an_ok_without_a_direct_id_is_no_selection(pro, world):
    answer = SelectEvseResponse(result=DirectResult.of(DirectResultCode.OK))
    body = envelope(encode(answer, V1_4_1))
    with (
        world.line.mood("ops.example", lambda serve, request: HttpAnswer(200, {}, body)),
        pytest.raises(RefusedByPartner, match="without a direct id"),
    ):
        pro.desk.start("c1", E1, CONTRACT)
    assert pro.desk.get("c1").state is ChargeState.FAILED


def test_an_error_of_our_own_leaves_a_failed_charge_without_its_text(pro, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a secret in the text")

    monkeypatch.setattr(type(pro.desk.line), "call", broken)
    with pytest.raises(ZeroDivisionError):
        pro.desk.start("c1", E1, CONTRACT)
    assert (pro.desk.get("c1").state, pro.desk.get("c1").reason) == (ChargeState.FAILED, "Internal error")


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda desk: desk.begin("c1"), "start failed"),
        (lambda desk: desk.change("c1", Limits(max_power=Decimal(7))), "change failed"),
        (lambda desk: desk.stop("c1"), "end failed"),
        (lambda desk: desk.release("c1"), "release failed"),
    ],
)
def test_a_later_call_that_fails_leaves_the_charge_as_it_was_and_the_reason(pro, world, call, kind):
    before = pro.desk.start("c1", E1, CONTRACT, start=False)
    with world.line.mood("ops.example", mute), pytest.raises(PartnerTimedOut):
        call(pro.desk)
    charge = pro.desk.get("c1")
    assert dataclasses.replace(charge, reason=None, changed_at=before.changed_at) == before
    assert "no answer in time" in charge.reason and pro.heard("c1")[-1] == kind
    pro.desk.begin("c1")
    assert pro.desk.get("c1").reason is None


def test_a_selection_stays_where_its_start_fails(pro, world):
    calls = []

    def second_fails(serve, request):
        calls.append(request)
        return dead(serve, request) if len(calls) == 2 else serve(request)

    with world.line.mood("ops.example", second_fails), pytest.raises(PartnerUnreachable):
        pro.desk.start("c1", E1, CONTRACT)
    charge = pro.desk.get("c1")
    assert charge.state is ChargeState.SELECTED and charge.direct_id and "no connection" in charge.reason
    assert pro.desk.begin("c1").state is ChargeState.STARTING


def test_a_selection_whose_answer_was_lost_is_found_by_the_next(pair, world):
    _, pro = pair
    with world.line.mood("ops.example", lossy), pytest.raises(PartnerTimedOut):
        pro.desk.start("c1", E1, CONTRACT)
    assert pro.desk.start("c2", E1, CONTRACT).state is ChargeState.STARTING


@pytest.mark.parametrize(
    ("evse_id", "contract_id", "error"),
    [("nonsense", CONTRACT, Malformed), (E1, "DEXXXC12345678", NotSupported)],
)
def test_what_cannot_be_asked_for_leaves_no_charge(pro, evse_id, contract_id, error):
    with pytest.raises(error):
        pro.desk.start("c1", evse_id, contract_id)
    with pytest.raises(UnknownId):
        pro.desk.get("c1")


def test_what_has_no_session_can_be_neither_begun_nor_released(pro, world):
    with world.line.mood("ops.example", dead), pytest.raises(PartnerFailed):
        pro.desk.start("c1", E1, CONTRACT)
    for call in (pro.desk.begin, pro.desk.stop, pro.desk.release):
        with pytest.raises(UnknownId, match="not selected"):
            call("c1")


# -- The same id again ------------------------------------------------------------------------------------------


def test_the_same_id_gives_the_same_charge_and_asks_nobody(pro, world):
    charge = pro.desk.start("c1", E1, CONTRACT)
    asked = len(world.line.calls)
    assert pro.desk.start("c1", E1, CONTRACT) == charge
    assert len(world.line.calls) == asked


@pytest.mark.parametrize(("evse_id", "contract_id"), [("DE*OPS*E2", CONTRACT), (E1, "DEPROC99999999")])
def test_the_same_id_for_something_else_is_a_conflict(pro, evse_id, contract_id):
    pro.desk.start("c1", E1, CONTRACT)
    with pytest.raises(Conflict, match="another EVSE or contract"):
        pro.desk.start("c1", evse_id, contract_id)


def test_the_same_id_twice_at_once_selects_once(pro, world):
    world.line.moods["ops.example"] = slow(0.1)
    begin = threading.Barrier(4)

    def start(_):
        begin.wait()
        return pro.desk.start("c1", E1, CONTRACT).id

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(start, range(4))] == ["c1"] * 4
    assert world.line.asked(op.SELECT_EVSE) == 1


def test_a_charge_whose_process_died_over_the_selection_is_taken_up_by_the_next_attempt(pair, world):
    ops, pro = pair

    def died(serve, request):
        serve(request)
        raise KeyboardInterrupt

    with world.line.mood("ops.example", died), pytest.raises(KeyboardInterrupt):
        pro.desk.start("c1", E1, CONTRACT)
    assert pro.desk.start("c1", E1, CONTRACT).state is ChargeState.REQUESTED, "somebody may still be at it"
    world.clock.wait(seconds=ABANDONED.total_seconds())
    charge = pro.desk.start("c1", E1, CONTRACT)
    assert charge.state is ChargeState.STARTING
    with ops.store.single() as books:
        assert [each.direct_id for each in books.sessions.recent()] == [charge.direct_id]


# -- What operators tell ----------------------------------------------------------------------------------------


def charge_of(pro, direct_id="D-1"):
    with pro.store.single() as books:
        return books.charges.by_direct_id(direct_id)


def kinds(pro, direct_id="D-1"):
    return pro.heard(charge_of(pro, direct_id).id)


def test_a_session_that_nobody_asked_for_is_announced(pro):
    assert inform(pro, told(START, at=minutes(0))) == "ok"
    charge = charge_of(pro)
    assert (charge.announced, charge.state, charge.operator) == (True, ChargeState.CHARGING, "DEOPS")


@pytest.mark.parametrize("at", [minutes(0), None])
def test_the_same_message_again_changes_nothing(pro, at):
    story = [told(START, energy=0, at=at), told(INFO, energy=3, at=at and minutes(15)), told(END, energy=5, at=at)]
    for message in story:
        inform(pro, message)
    before, history = charge_of(pro), kinds(pro)
    for message in [*story, *reversed(story)]:
        assert inform(pro, message) == "ok"
    assert (charge_of(pro), kinds(pro)) == (before, history)
    assert history == ["start", "info", "end"]


def test_the_same_message_twice_at_once_counts_once(pro):
    inform(pro, told(START, at=minutes(0)))
    begin = threading.Barrier(4)

    def tell(_):
        begin.wait()
        return inform(pro, told(INFO, energy=3, at=minutes(15)))

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(tell, range(4))] == ["ok"] * 4
    assert kinds(pro) == ["start", "info"]


def test_messages_out_of_order_take_nothing_back(pro):
    for message in (
        told(FINISH, energy=9, at=minutes(60)),
        told(INFO, energy=3, at=minutes(15)),
        told(END, energy=9, at=minutes(55)),
        told(START, energy=0, at=minutes(0)),
    ):
        assert inform(pro, message) == "ok"
    charge = charge_of(pro)
    assert charge.state is ChargeState.FINISHED
    assert sorted(kinds(pro)) == ["end", "finish", "info", "start"]


def test_an_info_that_was_overtaken_does_not_turn_the_meter_back(pro):
    inform(pro, told(START, energy=0, at=minutes(0)))
    inform(pro, told(INFO, energy=6, at=minutes(30), current_power=Decimal(11)))
    inform(pro, told(INFO, energy=3, at=minutes(15), current_power=Decimal(22)))
    assert (charge_of(pro).energy, charge_of(pro).power) == (6, 11)
    assert kinds(pro) == ["start", "info", "info"]


def test_two_changes_between_two_readings_of_the_meter_are_two_changes(pro):
    inform(pro, told(START, energy=0, at=minutes(0)))
    for power in (7, 11):
        inform(pro, told(CHANGE, energy=1, at=minutes(5), max_power=Decimal(power)))
    assert kinds(pro) == ["start", "change", "change"]


def test_a_restart_of_the_provider_forgets_nothing(pro):
    message = told(START, energy=0, at=minutes(0))
    inform(pro, message)
    again = dataclasses.replace(pro.inform_desk, store=pro.store)
    assert again.inform(message, operator_peer(), V1_4).result.result_code == "ok"
    assert kinds(pro) == ["start"]


@pytest.mark.parametrize(
    ("message", "caller"),
    [
        (told(START, contract_id="DEXXXC12345678"), "DEOPS"),
        (told(START), "DETHI"),
        (told(START, evse_id="DE*XXX*E1"), "DEOPS"),
    ],
)
def test_strangers_and_strange_contracts_are_answered_invalid_id(pro, message, caller):
    assert inform(pro, message, operator_peer(caller)) == "invalid-id"
    assert pro.desk.find() == []


@pytest.mark.parametrize(
    ("message", "caller"),
    [
        (told(END, contract_id="DEPROC99999999"), "DEOPS"),
        (told(END, evse_id="DE*OPS*E2"), "DEOPS"),
        (told(END, evse_id="DE*THI*E1"), "DETHI"),
    ],
)
def test_a_message_that_names_another_evse_or_contract_of_the_session_is_refused(pro, message, caller):
    inform(pro, told(START, energy=0, at=minutes(0)))
    before = charge_of(pro)
    assert inform(pro, message, operator_peer(caller)) == "invalid-id"
    assert (charge_of(pro), kinds(pro)) == (before, ["start"])


def test_a_message_that_overtakes_the_answer_to_the_selection_is_about_the_same_charge(pair, world):
    """A card at the reserved EVSE starts the charge before the provider has read the answer."""
    ops, pro = pair

    def overtaken(serve, request):
        answer = serve(request)
        if b"SelectEvse" in request.body:
            ops.stations.present_card("DEOPSE1", CONTRACT, Car())
            ops.work()
        return answer

    with world.line.mood("ops.example", overtaken):
        charge = pro.desk.start("c1", E1, CONTRACT, start=False)
    assert charge.state is ChargeState.CHARGING and not charge.announced
    assert pro.heard("c1") == ["requested", "start", "selected"]
    assert [each.id for each in pro.desk.find()] == ["c1"]


def test_a_selection_that_seemed_lost_while_the_operator_already_tells_of_it_goes_on(pair, world):
    ops, pro = pair

    def overtaken_and_lost(serve, request):
        serve(request)
        ops.stations.present_card("DEOPSE1", CONTRACT, Car())
        ops.work()
        return mute(serve, request)

    with world.line.mood("ops.example", overtaken_and_lost), pytest.raises(PartnerTimedOut):
        pro.desk.start("c1", E1, CONTRACT)
    charge = pro.desk.get("c1")
    assert charge.state is ChargeState.CHARGING and charge.direct_id
    assert pro.desk.stop("c1").state is ChargeState.ENDED


def test_a_charge_may_begin_once_more(pair, world):
    ops, pro = pair
    pro.desk.start("c1", E1, CONTRACT)
    ops.stations.plug("DEOPSE1", Car())
    ops.work()
    world.clock.wait(minutes=5)
    pro.desk.stop("c1")
    ops.work()
    world.clock.wait(minutes=1)
    assert pro.desk.begin("c1").state is ChargeState.STARTING
    ops.work()
    assert pro.desk.get("c1").state is ChargeState.CHARGING


def test_a_charge_ends_finished_after_its_release(pair, world):
    ops, pro = pair
    pro.desk.start("c1", E1, CONTRACT)
    ops.stations.plug("DEOPSE1", Car())
    ops.work()
    world.clock.wait(minutes=5)
    assert pro.desk.release("c1").state is ChargeState.RELEASED
    ops.work()
    charge = pro.desk.get("c1")
    assert charge.state is ChargeState.FINISHED and charge.energy > 0


# -- Status -----------------------------------------------------------------------------------------------------


def test_status_names_what_is_known_and_leaves_out_who_is_dead(pair, world):
    _, pro = pair
    world.operator("one", ["DEONE"])
    world.connect("DEONE")
    world.exchange_tokens()
    everything = [E1, "DE*ONE*E1", "DE*XXX*E1"]
    assert {each.evse_id for each in pro.desk.status(everything)} == {E1, "DE*ONE*E1"}
    with world.line.mood("one.example", dead):
        assert [each.evse_id for each in pro.desk.status(everything)] == [E1]
        with pytest.raises(PartnerUnreachable):
            pro.desk.status(["DE*ONE*E1"])
    with pytest.raises(NotFound):
        pro.desk.status(["DE*XXX*E1"])


def test_operators_at_one_address_are_asked_each_with_its_own_token(world):
    """Two operators share a platform: one URL, two tokens."""
    pro = world.provider()
    for name, party in (("one", "DEONE"), ("two", "DETWO")):
        back = world.operator(name, [party])
        world.connect(party)
        back.house_line = dataclasses.replace(back.house_line, own_url="https://platform.example")
        back.cycle = dataclasses.replace(back.cycle, house=back.house_line)
    world.exchange_tokens()
    one, two = world.partners[1:]

    def platform(request):
        answer = one.server.answer(request)
        return two.server.answer(request) if answer.status == 401 else answer

    world.line.servers["platform.example"] = platform
    assert {each.evse_id for each in pro.desk.status(["DE*ONE*E1", "DE*TWO*E1"])} == {"DE*ONE*E1", "DE*TWO*E1"}
