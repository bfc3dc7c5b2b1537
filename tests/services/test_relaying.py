"""Calls through the house: between dialects, to the right partner, and what becomes of those that fail."""

from __future__ import annotations

import dataclasses
import time
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.errors import PartnerRefused
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import (
    ControlEvseRequest,
    DirectMessage,
    DirectOperation,
    GetEvseStatusRequest,
    InformProviderMessage,
    InformProviderRequest,
    ReleaseEvseRequest,
    ReportDiscrepancyRequest,
    SelectEvseRequest,
)
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import DirectResultCode
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1
from clearinghouse.services.endpoints_port import OwnToken
from clearinghouse.services.partner_line import Relaying
from clearinghouse.stations.physics import Car
from tests.services.world import HOUSE, babbling, dead, faulty, lossy, mute, refusing, slow

E1, KEY, CONTRACT = "DE*OPS*E1", "DEOPSE1", "DEPROC12345678"
OK, PARTLY, SERVER = DirectResultCode.OK, DirectResultCode.PARTLY, DirectResultCode.SERVER
INVALID_ID, NOT_FOUND, NOT_SUPPORTED = (
    DirectResultCode.INVALID_ID,
    DirectResultCode.NOT_FOUND,
    DirectResultCode.NOT_SUPPORTED,
)


def meet(world, operators=(V1_4, V1_4_1), providers=(V1_3,)):
    """An operator and a provider of different dialects that roam through the house."""
    ops = world.operator(spoken=operators, relaying=Relaying.ALWAYS)
    pro = world.provider(spoken=providers, relaying=Relaying.ALWAYS)
    world.connect()
    world.exchange_tokens()
    return ops, pro


def select(pro, version, evse_id=E1, contract_id=CONTRACT, **stated):
    return pro.relayed(op.SELECT_EVSE, SelectEvseRequest(evse_id=evse_id, contract_id=contract_id, **stated), version)


def control(pro, version, direct_id, operation=DirectOperation.START, **limits):
    request = ControlEvseRequest(direct_id=direct_id, operation=operation, **limits)
    return pro.relayed(op.CONTROL_EVSE, request, version)


def release(pro, version, direct_id):
    return pro.relayed(op.RELEASE_EVSE, ReleaseEvseRequest(direct_id=direct_id), version)


def status(pro, version, *evse_ids):
    return pro.relayed(op.GET_EVSE_STATUS, GetEvseStatusRequest(requested_evse_id=evse_ids), version).evse


def message(direct_id="D-1", evse_id=E1, contract_id=CONTRACT):
    return InformProviderMessage(
        message=DirectMessage.START,
        evse_id=evse_id,
        contract_id=contract_id,
        direct_id=direct_id,
        charged_energy=Decimal(0),
    )


# -- Between the dialects ---------------------------------------------------------------------------------------

DIALECTS = [((V1_4, V1_4_1), (V1_3,)), ((V1_3,), (V1_4,)), ((V1_3,), (V1_4_1,)), ((V1_4,), (V1_4_1,))]


@pytest.mark.parametrize(("operators", "providers"), DIALECTS)
def test_a_whole_charge_between_two_dialects(world, operators, providers):
    ops, pro = meet(world, operators, providers)
    (mine,) = providers
    charge = pro.desk.start("c1", E1, CONTRACT)
    ops.stations.plug(KEY, Car())
    ops.work()
    world.clock.wait(minutes=30)
    ops.work()
    assert pro.desk.get("c1").energy > 0
    pro.desk.stop("c1")
    pro.desk.release("c1")
    ops.work()
    told = [each.kind for each in pro.desk.history("c1") if "message" in each.detail]
    assert told == ["start", "info", "end", "finish"]
    assert ops.session(charge.direct_id).state == "closed"
    assert {version for host, _, version in world.line.calls if host == "ops.example"} == {max(operators)}
    assert {version for host, _, version in world.line.calls if host == "pro.example"} == {mine}


@pytest.mark.parametrize(("operators", "providers"), DIALECTS)
def test_status_and_reports_between_two_dialects(world, operators, providers):
    ops, pro = meet(world, operators, providers)
    (found,) = pro.desk.status([E1])
    assert (found.evse_id, found.minor) == (E1, "available")
    if providers != (V1_3,):
        pro.desk.report(E1, "The cable is gone.")
        with ops.store.single() as books:
            assert [each.report for each in books.discrepancies.recent()] == ["The cable is gone."]


def test_limits_that_0_1_cannot_say_are_named(world):
    _, pro = meet(world, (V1_3,), (V1_4,))
    direct_id = select(pro, V1_4).direct_id
    limits = {"max_power": Decimal(7), "max_current": Decimal(10), "one_phase": True, "min_energy": Decimal(5)}
    answer = control(pro, V1_4, direct_id, **limits, departure=world.clock() + timedelta(hours=2))
    assert (answer.result.result_code, answer.direct_id) == (PARTLY, direct_id)
    for name in ("maxCurrent", "onePhase", "minEnergy", "departure"):
        assert name in answer.result.result_description
    assert "maxPower" not in answer.result.result_description
    assert control(pro, V1_4, direct_id, max_power=Decimal(6)).result.result_code is OK


def test_a_reservation_that_0_1_cannot_ask_for_is_said_beside_the_time_that_was_granted(world):
    _, pro = meet(world, (V1_3,), (V1_4,))
    answer = select(pro, V1_4, reserve_until=world.clock() + timedelta(minutes=20))
    assert answer.result.result_code is OK and "reserveUntil" in answer.result.result_description
    assert answer.ttl == world.clock() + timedelta(minutes=5)


def test_a_poll_reaches_an_operator_of_0_2_and_is_a_fault_for_one_of_0_1(world):
    _, pro = meet(world, (V1_4,), (V1_4_1,))
    direct_id = select(pro, V1_4_1).direct_id
    poll = InformProviderRequest(direct_id=direct_id)
    assert pro.relayed(op.INFORM_PROVIDER_CPO, poll, V1_4_1).message == "info"
    with pytest.raises(PartnerRefused, match="fault"):
        pro.relayed(op.INFORM_PROVIDER_CPO, InformProviderRequest(direct_id="DEOPS-NEVER"), V1_4_1)


def test_a_poll_about_a_session_at_an_operator_of_0_1_is_a_fault(world):
    _, pro = meet(world, (V1_3,), (V1_4,))
    direct_id = select(pro, V1_4).direct_id
    with pytest.raises(PartnerRefused, match=r"0\.1"):
        pro.relayed(op.INFORM_PROVIDER_CPO, InformProviderRequest(direct_id=direct_id), V1_4)


# -- To the right partner ---------------------------------------------------------------------------------------


def test_who_is_not_connected_gets_nowhere(world):
    world.operator()
    pro = world.provider()
    world.exchange_tokens()
    assert select(pro, V1_4).result.result_code is NOT_SUPPORTED
    assert status(pro, V1_4, E1) == ()


def test_a_connection_of_one_of_the_own_ids_does_not_open_the_way_for_the_other(world):
    world.operator()
    pro = world.provider(ids=["DEPRO", "DESEC"])
    world.connect()
    world.exchange_tokens()
    assert select(pro, V1_4, contract_id="DESECC12345678").result.result_code is NOT_SUPPORTED
    assert select(pro, V1_4).result.result_code is OK


@pytest.mark.parametrize(
    ("evse_id", "contract_id", "code"),
    [
        ("DE*OPS*E404", CONTRACT, NOT_FOUND),
        (E1, "DEXXXC12345678", NOT_SUPPORTED),
        ("DE*XXX*E1", CONTRACT, NOT_SUPPORTED),
    ],
)
def test_what_cannot_be_selected_gets_the_protocols_own_result(world, evse_id, contract_id, code):
    _, pro = meet(world)
    answer = select(pro, V1_3, evse_id, contract_id)
    assert (answer.result.result_code, answer.direct_id) == (code, None)


def test_an_evse_that_no_endpoint_answers_for_today_is_not_found(world):
    world.operator(whitelist=("DEOPSE1%",))
    pro = world.provider()
    world.connect()
    world.exchange_tokens()
    assert select(pro, V1_4, "DE*OPS*E2").result.result_code is NOT_FOUND


def test_an_operator_may_not_select_nor_a_provider_inform(world):
    ops, pro = meet(world)
    assert select(ops, V1_4).result.result_code is NOT_SUPPORTED
    assert pro.relayed(op.INFORM_PROVIDER, message(), V1_4).result.result_code is NOT_SUPPORTED


@pytest.mark.parametrize("direct_id", ["DEOPS-NEVER", None])
def test_a_direct_id_that_the_caller_did_not_select_is_unknown(world, direct_id):
    _, pro = meet(world)
    other = world.provider("other", ["DEOTH"], relaying=Relaying.ALWAYS)
    world.connect("DEOPS", "DEOTH")
    world.exchange_tokens()
    direct_id = direct_id or select(pro, V1_4).direct_id
    for answer in (control(other, V1_4, direct_id), release(other, V1_4, direct_id)):
        assert (answer.result.result_code, answer.direct_id) == (INVALID_ID, direct_id)
    assert world.line.asked(op.CONTROL_EVSE, "ops.example") == 0


def test_later_calls_go_where_the_selection_went_also_when_a_better_endpoint_appears(world):
    ops, pro = meet(world, (V1_4,), (V1_4,))
    direct_id = select(pro, V1_4).direct_id
    better = dataclasses.replace(ops.house_line, own_url="https://better.example", whitelist=("DEOPSE1%",))
    better.upload(world.clock().date(), "another-token-of-ops")
    world.directory.forget()
    world.line.calls.clear()
    assert control(pro, V1_4, direct_id).result.result_code is OK
    assert release(pro, V1_4, direct_id).result.result_code is OK
    assert {host for host, _, _ in world.line.calls} == {HOUSE, "ops.example"}
    answer = select(pro, V1_4)
    assert "better.example" in {host for host, _, _ in world.line.calls}
    assert answer.result.result_code is SERVER


def test_later_calls_reach_the_operator_at_another_address_where_the_first_is_gone(world):
    ops, pro = meet(world, (V1_4,), (V1_4,))
    direct_id = select(pro, V1_4).direct_id
    with world.store.books() as books:
        books.routes.put(dataclasses.replace(books.routes.find(direct_id, "pro"), url="https://gone.example/direct"))
    assert control(pro, V1_4, direct_id).result.result_code is OK
    assert ops.session(direct_id).state == "starting"


def test_messages_go_to_the_provider_of_the_contract_and_open_the_way_back(world):
    ops, pro = meet(world)
    other = world.provider("other", ["DEOTH"])
    world.connect("DEOPS", "DEOTH")
    world.exchange_tokens()
    ops.stations.present_card(KEY, "DEOTHC12345678", Car())
    ops.work()
    (charge,) = other.desk.find()
    assert charge.announced and pro.desk.find() == []
    assert control(other, V1_4, charge.direct_id, DirectOperation.END).result.result_code is OK


def test_nobody_takes_over_a_session_by_telling_of_it(world):
    ops, pro = meet(world, (V1_4,), (V1_4,))
    thief = world.operator("thief", ["DETHI"], relaying=Relaying.ALWAYS)
    world.connect("DETHI", "DEPRO")
    world.exchange_tokens()
    direct_id = select(pro, V1_4).direct_id
    world.clock.wait(seconds=1)
    thief.relayed(op.INFORM_PROVIDER, message(direct_id, "DE*THI*E1"), V1_4)
    assert control(pro, V1_4, direct_id).result.result_code is OK
    assert ops.session(direct_id).state == "starting"


def test_a_message_about_an_evse_of_somebody_else_is_refused(world):
    ops, _ = meet(world)
    answer = ops.relayed(op.INFORM_PROVIDER, message(evse_id="DE*XXX*E1"), V1_4)
    assert answer.result.result_code is NOT_SUPPORTED


def test_a_caller_without_a_token_for_the_day_is_told_what_to_do(world):
    world.operator().refresh()
    pro = world.provider()
    world.connect()
    answer = select(pro, V1_4)
    assert answer.result.result_code is SERVER
    assert "upload it with AddServiceEndpoints" in answer.result.result_description


def test_a_caller_is_known_by_the_token_that_its_callee_was_given(world):
    """The caller has a token for each dialect; an operator that reads 1.4.1 knows only one of them."""
    world.operator(spoken=(V1_4_1,))
    pro = world.provider(spoken=(V1_4,))
    world.connect()
    dataclasses.replace(pro.house_line, own_url="https://a.example", spoken=(V1_4,)).upload(
        world.clock().date(), "token-of-1.4"
    )
    dataclasses.replace(pro.house_line, own_url="https://b.example", spoken=(V1_4_1,)).upload(
        world.clock().date(), "token-of-1.4.1"
    )
    world.partners[0].refresh()
    world.partners[0].refresh()
    world.directory.forget()
    assert select(pro, V1_4).result.result_code is OK


def test_a_static_token_works_at_either_end(world):
    """An operator of 0.1 with one token for weeks: the callee of a selection, then the caller with a message."""
    ops = world.operator(spoken=(V1_3,))
    pro = world.provider(spoken=(V1_4,))
    world.connect()
    today = world.clock().date()
    with ops.store.books() as books:
        books.own_tokens.make(OwnToken(day=today, token="static", made_at=world.clock()))
    ops.house_line.upload(today + timedelta(days=20), "static")
    pro.refresh()
    with ops.store.books() as books:
        books.endpoints.put(ops.house_line.fetch(world.clock()))
    assert select(pro, V1_4).result.result_code is OK
    assert ops.relayed(op.INFORM_PROVIDER, message(), V1_3).result.result_code is OK


# -- Partners that fail -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mood", [dead, mute, refusing, faulty, babbling])
def test_a_partner_that_fails_gives_the_protocols_own_result(world, mood):
    ops, pro = meet(world, (V1_4,), (V1_4,))
    direct_id = select(pro, V1_4).direct_id
    with world.line.mood("ops.example", mood):
        began = time.monotonic()
        again = select(pro, V1_4)
        assert (again.result.result_code, again.direct_id) == (SERVER, None)
        for answer in (control(pro, V1_4, direct_id), release(pro, V1_4, direct_id)):
            assert (answer.result.result_code, answer.direct_id) == (SERVER, direct_id)
        for operation, request in (
            (op.INFORM_PROVIDER_CPO, InformProviderRequest(direct_id=direct_id)),
            (op.GET_EVSE_STATUS, GetEvseStatusRequest(requested_evse_id=(E1,))),
            (op.REPORT_DISCREPANCY, ReportDiscrepancyRequest(evse_id=E1, report="Dark.")),
        ):
            with pytest.raises(PartnerRefused, match="fault"):
                pro.relayed(operation, request, V1_4)
        assert time.monotonic() - began < 5
    with world.line.mood("pro.example", mood):
        assert ops.relayed(op.INFORM_PROVIDER, message(), V1_4).result.result_code is SERVER


def test_a_selection_whose_answer_was_lost_is_found_by_the_next(world):
    ops, pro = meet(world, (V1_4,), (V1_4,))
    with world.line.mood("ops.example", lossy):
        assert select(pro, V1_4).result.result_code is SERVER
    answer = select(pro, V1_4)
    assert answer.result.result_code is OK
    assert control(pro, V1_4, answer.direct_id).result.result_code is OK
    with ops.store.single() as books:
        assert len(books.sessions.recent()) == 1


def test_status_of_several_operators_is_asked_side_by_side_and_the_dead_one_left_out(world):
    _, pro = meet(world, (V1_4,), (V1_4,))
    evses = [E1]
    for name in ("one", "two", "six"):
        world.operator(name, [f"DE{name.upper()}"])
        world.connect(f"DE{name.upper()}", "DEPRO")
        evses.append(f"DE*{name.upper()}*E1")
    world.exchange_tokens()
    for name in ("one", "two"):
        world.line.moods[f"{name}.example"] = slow(2)
    world.line.moods["ops.example"] = dead
    began = time.monotonic()
    found = status(pro, V1_4, *evses, "DE*XXX*E1", "DE*ONE*E404")
    assert {each.evse_id for each in found} == set(evses[1:])
    assert time.monotonic() - began < 3.9, "one after the other takes four seconds"
    world.line.moods.clear()


def test_an_endpoint_that_leads_back_to_the_house_ends_the_call(world):
    _, pro = meet(world, (V1_4,), (V1_4,))
    alias = "house.alias"
    world.line.servers[alias] = world.server.answer
    with world.store.books() as books:
        records = [each for each in books.endpoints.living(world.clock()) if each.partner == "ops"]
        looped = [
            dataclasses.replace(each, url=each.url.replace("ops.example", alias), whitelist=("DEOPSE1%",))
            for each in records
        ]
        books.endpoints.put(looped)
    world.directory.forget()
    world.line.calls.clear()
    answer = select(pro, V1_4)
    assert answer.result.result_code is SERVER and "passed on" in answer.result.result_description
    assert [host for host, _, _ in world.line.calls] == [HOUSE, alias]


def test_a_partner_disabled_is_not_called(world):
    _, pro = meet(world, (V1_4,), (V1_4,))
    world.administration.change_partner("ops", enabled=False)
    world.directory.forget()
    assert select(pro, V1_4).result.result_code is NOT_FOUND


# -- What may have charged --------------------------------------------------------------------------------------


def lost(world):
    """The direct ids of the sessions that may have charged, as long as no CDR comes."""
    with world.store.books() as books:
        return [each.direct_id for each in books.settlement.lost(world.clock() + timedelta(days=9), 9)]


def test_a_session_that_was_selected_and_released_is_never_lost(world):
    ops, pro = meet(world, (V1_4,), (V1_4,))
    direct_id = select(pro, V1_4).direct_id
    release(pro, V1_4, direct_id)
    ops.work()
    assert ops.session(direct_id).state == "closed"
    assert lost(world) == []


def test_a_session_whose_start_was_refused_is_never_lost(world):
    _, pro = meet(world, (V1_4,), (V1_4,))
    direct_id = select(pro, V1_4).direct_id
    world.clock.wait(minutes=6)
    assert control(pro, V1_4, direct_id).result.result_code is INVALID_ID
    assert lost(world) == []


def test_a_session_that_was_started_may_have_charged_also_where_no_answer_came(world):
    _, pro = meet(world, (V1_4,), (V1_4,))
    answered = select(pro, V1_4).direct_id
    control(pro, V1_4, answered)
    unanswered = select(pro, V1_4, "DE*OPS*E2").direct_id
    with world.line.mood("ops.example", lossy):
        control(pro, V1_4, unanswered)
    select(pro, V1_4)
    assert {*lost(world)} == {answered, unanswered}


@pytest.mark.parametrize(
    ("told", "charged"),
    [
        ({"message": DirectMessage.START}, True),
        ({"message": DirectMessage.INFO, "charged_energy": Decimal("0.1")}, True),
        ({"message": DirectMessage.INFO, "current_power": Decimal(11)}, True),
        ({"message": DirectMessage.END}, False),
    ],
)
def test_what_an_operator_tells_of_a_session_shows_whether_it_may_have_charged(world, told, charged):
    ops, _ = meet(world, (V1_4,), (V1_4,))
    ops.relayed(op.INFORM_PROVIDER, dataclasses.replace(message(), **told), V1_4)
    assert lost(world) == (["D-1"] if charged else [])


def test_a_poll_that_finds_a_charge_shows_that_it_may_have_charged(world):
    ops, pro = world.operator(spoken=(V1_4,)), world.provider(spoken=(V1_4,))
    world.connect()
    world.exchange_tokens()
    direct_id = select(pro, V1_4).direct_id
    start = ControlEvseRequest(direct_id=direct_id, operation=DirectOperation.START)
    pro.line.call(op.CONTROL_EVSE, start, E1, Role.OPERATOR)
    ops.stations.plug(KEY, Car())
    ops.work()
    assert lost(world) == []
    pro.relayed(op.INFORM_PROVIDER_CPO, InformProviderRequest(direct_id=direct_id), V1_4)
    assert lost(world) == [direct_id]
