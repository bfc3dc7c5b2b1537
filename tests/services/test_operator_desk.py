"""What providers ask of an operator: the table of states, the result codes, and what survives a crash."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import EvseUnavailable, NotFound, NotSupported, UnknownId, UnknownSession
from clearinghouse.domain.informing import Thresholds
from clearinghouse.domain.sessions import OPEN, TRANSITIONS, Deadlines, Limits, Move, State, answer_to
from clearinghouse.ochp.direct import (
    ControlEvseRequest,
    DirectOperation,
    GetEvseStatusRequest,
    InformProviderRequest,
    ReleaseEvseRequest,
    ReportDiscrepancyRequest,
    SelectEvseRequest,
)
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import DirectResultCode
from clearinghouse.ochp.versions import V1_4
from clearinghouse.services.calls_port import Peer
from clearinghouse.services.directory import Directory
from clearinghouse.services.operator_desk import OperatorDesk
from clearinghouse.services.session_keeper import SessionKeeper
from clearinghouse.services.station_events import StationDesk
from clearinghouse.stations.physics import Car
from clearinghouse.stations.simulator import Simulator
from tests.services.wires import Died, Wires
from tests.services.world import NOON, make_evse

OK, PARTLY, INVALID_ID = DirectResultCode.OK, DirectResultCode.PARTLY, DirectResultCode.INVALID_ID
E1, E2, OFFLINE = "DE*OPS*E1", "DE*OPS*E2", "DE*OPS*E3"
KEY = "DEOPSE1"
CONTRACT = "DEPROC12345678"
OTHER_CONTRACT = "DEPROC99999999"
STRANGERS = "DESTRC12345678"
CAR = Car()


def peer(*parties: str) -> Peer:
    return Peer(
        tuple(
            Endpoint(
                partner=party,
                role=Role.PROVIDER,
                url=f"https://{party}.example",
                version=V1_4,
                access_token=f"token of {party}",
                day=NOON.date(),
                whitelist=(f"{party}C%",),
                uploaded_at=NOON,
            )
            for party in parties
        )
    )


PRO, STRANGER = peer("DEPRO"), peer("DESTR")


class Site:
    """An operator alone: its desk, its stations behind wires, and what it would tell."""

    def __init__(self, store, clock):
        evses = [make_evse(E1), make_evse(E2, max_reservation=60), make_evse(OFFLINE, direct=False)]
        self.store, self.clock = store, clock
        self.stations = Simulator({each.key: each for each in evses}, store, clock)
        self.wires = Wires(self.stations)
        self.failures = []
        self.directory = Directory(store, clock)
        self.keeper = SessionKeeper(store, self.wires, clock, Deadlines())
        self.desk = OperatorDesk(self.keeper)
        self.station_desk = StationDesk(
            self.keeper, self.directory, Thresholds(), lambda what, error: self.failures.append((what, error))
        )
        with store.books() as books:
            books.endpoints.put([*PRO.endpoints, *STRANGER.endpoints])

    def select(self, evse_id=E1, contract_id=CONTRACT, caller=PRO, until=None):
        request = SelectEvseRequest(evse_id=evse_id, contract_id=contract_id, reserve_until=until)
        return self.desk.select(request, caller, V1_4)

    def control(self, direct_id, operation="start", caller=PRO, **limits):
        request = ControlEvseRequest(direct_id=direct_id, operation=DirectOperation(operation), **limits)
        return self.desk.control(request, caller, V1_4)

    def release(self, direct_id, caller=PRO):
        return self.desk.release(ReleaseEvseRequest(direct_id=direct_id), caller, V1_4)

    def poll(self, direct_id, caller=PRO):
        return self.desk.poll(InformProviderRequest(direct_id=direct_id), caller, V1_4)

    def work(self):
        self.stations.tick(self.clock())
        self.station_desk.work()

    def session(self, direct_id):
        with self.store.single() as books:
            return books.sessions.get(direct_id)

    def told(self, direct_id):
        with self.store.single() as books:
            return [each.message.message.value for each in books.outbox.of(direct_id)]

    def last(self, direct_id):
        with self.store.single() as books:
            return books.outbox.of(direct_id)[-1].message

    def status(self, evse_key=KEY):
        (status,) = self.stations.status([evse_key])
        return status.minor.value

    def charging(self, **limits):
        """A session under which a car charges."""
        direct_id = self.select().direct_id
        self.control(direct_id, **limits)
        self.stations.plug(KEY, CAR)
        self.work()
        assert self.session(direct_id).state is State.CHARGING
        return direct_id

    def in_state(self, state):
        """A session in that state, reached as sessions reach it."""
        if state is State.CHARGING:
            return self.charging()
        direct_id = self.select().direct_id
        if state in (State.STARTING, State.ENDED):
            self.control(direct_id)
        if state is State.ENDED:
            self.control(direct_id, "end")
        if state is State.CLOSED:
            self.release(direct_id)
        if state is State.EXPIRED:
            self.clock.wait(minutes=5)
            self.station_desk.sweep()
        assert self.session(direct_id).state is state
        return direct_id


@pytest.fixture
def site(make_store, clock):
    return Site(make_store(), clock)


# -- SelectEvse -------------------------------------------------------------------------------------------------


def test_a_selection_reserves_the_evse_and_says_until_when(site):
    answer = site.select()
    assert (answer.result.result_code, answer.ttl) == (OK, NOON + timedelta(minutes=5))
    assert answer.direct_id.startswith("DEOPS-") and answer.direct_id == answer.direct_id.upper()
    assert site.status() == "reserved"
    assert site.told(answer.direct_id) == []


def test_stations_in_the_same_store_are_reserved_with_the_session_and_need_not_be_told(site):
    site.wires.are_near = True
    answer = site.select()
    assert answer.result.result_code is OK and site.status() == "reserved"
    assert "reserve" not in site.wires.given
    assert site.select().direct_id == answer.direct_id


def test_a_near_station_that_is_not_idle_decides_itself(site):
    site.wires.are_near = True
    site.wires.fault(KEY)
    with pytest.raises(EvseUnavailable):
        site.select()
    assert site.wires.given == ["reserve"]
    site.wires.clear_fault(KEY)
    assert site.select().result.result_code is OK


@pytest.mark.parametrize(
    ("evse_id", "contract_id", "error", "said"),
    [
        ("DE*OPS*E404", CONTRACT, NotFound, "no such EVSE"),
        ("DE*XXX*E1", CONTRACT, NotFound, "no such EVSE"),
        (OFFLINE, CONTRACT, NotSupported, "does not offer"),
        (E1, STRANGERS, NotSupported, "No whitelist pattern"),
    ],
)
def test_what_cannot_be_selected_is_refused_with_its_code(site, evse_id, contract_id, error, said):
    with pytest.raises(error, match=said):
        site.select(evse_id, contract_id)


@pytest.mark.parametrize("spelling", ["de*ops*e1", "DEOPSE1", "DE*OPS*E1"])
def test_an_evse_is_found_in_any_spelling(site, spelling):
    direct_id = site.select(spelling).direct_id
    assert site.session(direct_id).evse_id == E1


def test_an_evse_that_somebody_holds_is_unavailable(site):
    site.select()
    with pytest.raises(EvseUnavailable, match=r"^evse-unavailable: "):
        site.select(contract_id=OTHER_CONTRACT)
    with pytest.raises(EvseUnavailable, match=r"^evse-unavailable: "):
        site.select(contract_id=STRANGERS, caller=STRANGER)


def test_an_evse_out_of_order_or_in_use_at_the_station_is_unavailable_and_leaves_no_session(site):
    site.stations.fault(KEY)
    with pytest.raises(EvseUnavailable, match="out of order"):
        site.select()
    site.stations.clear_fault(KEY)
    assert site.select().result.result_code is OK


def test_the_same_contract_selecting_again_gets_its_session(site):
    first = site.select()
    site.clock.wait(minutes=1)
    again = site.select(contract_id="DE-PRO-C12345678")
    assert (again.direct_id, again.ttl) == (first.direct_id, first.ttl)
    assert again.result.result_code is OK


@pytest.mark.parametrize("state", [State.STARTING, State.CHARGING, State.ENDED])
def test_the_same_contract_gets_its_session_in_any_open_state(site, state):
    direct_id = site.in_state(state)
    assert site.select().direct_id == direct_id


def test_an_overdue_holder_makes_room_at_once(site):
    first = site.select()
    site.clock.wait(minutes=5)
    second = site.select(contract_id=STRANGERS, caller=STRANGER)
    assert second.direct_id != first.direct_id
    assert site.session(first.direct_id).state is State.EXPIRED
    assert site.status() == "reserved"


def test_an_overdue_holder_that_charged_ends_and_keeps_its_place_for_a_while(site):
    direct_id = site.charging()
    site.clock.wait(hours=25)
    with pytest.raises(EvseUnavailable):
        site.select(contract_id=STRANGERS, caller=STRANGER)
    assert site.session(direct_id).state is State.ENDED
    assert site.told(direct_id) == ["start", "end"]


@pytest.mark.parametrize(
    ("evse_id", "asked", "granted"),
    [(E1, 10, 10), (E1, 45, 30), (E1, -1, 5), (E2, 45, 45), (E2, 90, 60)],
)
def test_a_reservation_is_granted_up_to_the_maximum(site, evse_id, asked, granted):
    answer = site.select(evse_id, until=NOON + timedelta(minutes=asked))
    assert (answer.result.result_code, answer.ttl) == (OK, NOON + timedelta(minutes=granted))


def test_of_many_that_select_one_evse_at_once_one_gets_it(site):
    callers = {f"DEP{n:02}C12345678": peer(f"DEP{n:02}") for n in range(8)}
    begin = threading.Barrier(len(callers))
    won, lost = [], []

    def try_it(contract_id, caller):
        begin.wait()
        try:
            won.append(site.select(contract_id=contract_id, caller=caller).direct_id)
        except EvseUnavailable:
            lost.append(contract_id)

    threads = [threading.Thread(target=try_it, args=each) for each in callers.items()]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(won), len(lost)) == (1, 7)


# -- ControlEvse and ReleaseEvse by state -----------------------------------------------------------------------

MOVES = {"start": Move.START, "change": Move.CHANGE, "end": Move.END}


@pytest.mark.parametrize("operation", MOVES)
@pytest.mark.parametrize("state", list(State))
def test_every_control_in_every_state_answers_as_the_table_of_states_says(site, state, operation):
    direct_id = site.in_state(state)
    move = MOVES[operation]
    expected = answer_to(state, move)
    if expected is INVALID_ID:
        with pytest.raises(UnknownId):
            site.control(direct_id, operation)
        return
    answer = site.control(direct_id, operation)
    assert (answer.result.result_code, answer.direct_id) == (expected, direct_id)
    assert site.session(direct_id).state is TRANSITIONS.get((state, move), state)


@pytest.mark.parametrize("state", list(State))
def test_a_session_is_released_in_every_state_but_expired(site, state):
    direct_id = site.in_state(state)
    if state is State.EXPIRED:
        with pytest.raises(UnknownId):
            site.release(direct_id)
        return
    for _ in range(2):
        answer = site.release(direct_id)
        assert (answer.result.result_code, answer.direct_id) == (OK, direct_id)
    assert site.session(direct_id).state is State.CLOSED
    assert site.status() in ("available", "blocked")
    ran = {State.CHARGING: ["start", "end", "finish"], State.ENDED: ["end"]}
    assert site.told(direct_id) == ran.get(state, [])


def test_a_release_after_the_time_of_an_ended_session_is_no_error(site):
    direct_id = site.charging()
    site.control(direct_id, "end")
    site.clock.wait(minutes=15)
    assert site.release(direct_id).result.result_code is OK
    site.station_desk.sweep()
    assert site.release(direct_id).result.result_code is OK
    assert site.told(direct_id) == ["start", "end", "finish"]


@pytest.mark.parametrize("state", list(State))
def test_a_strangers_direct_id_is_unknown_whatever_its_state(site, state):
    direct_id = site.in_state(state)
    before = site.session(direct_id)
    for operation in MOVES:
        with pytest.raises(UnknownId, match="not the caller's"):
            site.control(direct_id, operation, caller=STRANGER)
    with pytest.raises(UnknownId):
        site.release(direct_id, caller=STRANGER)
    with pytest.raises(UnknownSession):
        site.poll(direct_id, caller=STRANGER)
    assert site.session(direct_id) == before


def test_an_id_that_never_was_is_unknown(site):
    with pytest.raises(UnknownId):
        site.control("DEOPS-NEVER")
    with pytest.raises(UnknownId):
        site.release("DEOPS-NEVER")
    with pytest.raises(UnknownSession):
        site.poll("DEOPS-NEVER")


def test_a_selection_that_is_overdue_is_over_before_anybody_swept(site):
    direct_id = site.select().direct_id
    site.clock.wait(minutes=5)
    with pytest.raises(UnknownId, match="over"):
        site.control(direct_id)
    with pytest.raises(UnknownId, match="over"):
        site.release(direct_id)
    assert site.poll(direct_id).result.result_code is INVALID_ID


def test_each_state_has_its_deadline(site):
    direct_id = site.select().direct_id
    assert site.control(direct_id).ttl == NOON + timedelta(minutes=5)
    site.clock.wait(minutes=4)
    site.stations.plug(KEY, CAR)
    site.work()
    assert site.session(direct_id).deadline == site.clock() + timedelta(hours=24)
    assert site.control(direct_id, "end").ttl == site.clock() + timedelta(minutes=15)


def test_who_never_plugs_in_loses_the_place_and_a_station_that_waits_is_told(site):
    direct_id = site.in_state(State.STARTING)
    site.clock.wait(minutes=5)
    assert site.station_desk.sweep() == 1
    assert (site.session(direct_id).state, site.status()) == (State.EXPIRED, "available")
    assert site.told(direct_id) == []
    assert site.station_desk.sweep() == 0


def test_a_charge_that_lasts_too_long_is_ended_with_its_last_reading(site):
    direct_id = site.charging()
    site.clock.wait(hours=24)
    assert site.station_desk.sweep() == 1
    session = site.session(direct_id)
    assert (session.state, site.told(direct_id)) == (State.ENDED, ["start", "end"])
    assert session.energy > 0
    site.clock.wait(minutes=15)
    assert site.station_desk.sweep() == 1
    assert (site.session(direct_id).state, site.told(direct_id)) == (State.CLOSED, ["start", "end", "finish"])


# -- Limits -----------------------------------------------------------------------------------------------------


def test_limits_lie_over_one_another(site):
    direct_id = site.charging(max_power=Decimal(11), max_current=Decimal(16))
    site.control(direct_id, "change", max_power=Decimal(7))
    assert site.session(direct_id).limits == Limits(max_power=Decimal(7), max_current=Decimal(16))
    assert site.stations.reading(KEY).power <= 7
    message = site.last(direct_id)
    assert (message.message, message.max_power, message.max_current) == ("change", Decimal(7), Decimal(16))


@pytest.mark.parametrize("operation", ["start", "change"])
def test_limits_that_cannot_be_kept_are_named_and_not_pretended(site, operation):
    direct_id = site.charging()
    departure = NOON + timedelta(hours=3)
    wanted = {"min_energy": Decimal(5), "departure": departure, "max_power": Decimal(7)}
    answer = site.control(direct_id, operation, **wanted)
    assert answer.result.result_code is PARTLY
    assert answer.result.result_description == "Not applied: min_energy, departure."
    assert site.session(direct_id).limits == Limits(max_power=Decimal(7))
    message = site.last(direct_id)
    assert (message.min_energy, message.departure, message.max_power) == (None, None, Decimal(7))
    assert site.control(direct_id, "change", max_power=Decimal(6)).result.result_code is OK


def test_limits_at_the_start_that_cannot_be_kept_do_not_come_up_again(site):
    direct_id = site.select().direct_id
    assert site.control(direct_id, min_energy=Decimal(5)).result.result_code is PARTLY
    assert site.session(direct_id).limits == Limits()
    assert site.control(direct_id, max_power=Decimal(7)).result.result_code is OK


def test_a_change_is_told_only_once_the_station_has_it(site):
    direct_id = site.charging()
    site.wires.cut["limit"] = RuntimeError("offline")
    with pytest.raises(RuntimeError):
        site.control(direct_id, "change", max_power=Decimal(7))
    assert site.session(direct_id).limits == Limits()
    assert site.told(direct_id) == ["start"]


def test_energy_beyond_the_limit_ends_the_charge(site):
    direct_id = site.charging(max_energy=Decimal(1))
    site.clock.wait(hours=1)
    site.work()
    assert site.session(direct_id).state is State.ENDED
    assert site.session(direct_id).energy == Decimal(1)


# -- Once more --------------------------------------------------------------------------------------------------


def test_ending_twice_is_no_error_and_tells_once(site):
    direct_id = site.charging()
    for _ in range(2):
        assert site.control(direct_id, "end").result.result_code is OK
    site.work()
    assert site.told(direct_id) == ["start", "end"]


def test_an_ended_charge_may_begin_again_and_counts_on(site):
    direct_id = site.charging()
    site.clock.wait(minutes=30)
    site.control(direct_id, "end")
    first = site.session(direct_id)
    assert first.energy > 0
    site.clock.wait(minutes=5)
    assert site.control(direct_id, "start").result.result_code is OK
    site.work()
    site.clock.wait(minutes=30)
    site.control(direct_id, "end")
    session = site.session(direct_id)
    assert session.energy == 2 * first.energy
    assert session.started_at == first.started_at and session.ended_at > first.ended_at
    assert site.told(direct_id) == ["start", "end", "start", "end"]


def test_an_ended_charge_that_cannot_begin_again_is_answered_partly(site):
    direct_id = site.in_state(State.ENDED)
    site.stations.fault(KEY)
    answer = site.control(direct_id, "start")
    assert answer.result.result_code is PARTLY
    assert "Not possible while the session is ended" in answer.result.result_description
    assert site.session(direct_id).state is State.ENDED


def test_a_start_at_a_station_out_of_order_is_refused_and_may_be_tried_again(site):
    direct_id = site.select().direct_id
    site.stations.fault(KEY)
    with pytest.raises(EvseUnavailable):
        site.control(direct_id)
    assert site.session(direct_id).state is State.SELECTED
    site.stations.clear_fault(KEY)
    assert site.control(direct_id).result.result_code is OK


# -- Status, reports and polls ----------------------------------------------------------------------------------


def test_status_leaves_out_what_is_not_known(site):
    answer = site.desk.status(GetEvseStatusRequest(requested_evse_id=(E1, "DE*XXX*E1", "nonsense")), PRO, V1_4)
    assert [each.evse_id for each in answer.evse] == [E1]
    assert site.desk.status(GetEvseStatusRequest(requested_evse_id=("DE*XXX*E1",)), PRO, V1_4).evse == ()


def test_a_report_is_kept_even_about_an_unknown_evse(site):
    site.desk.report(ReportDiscrepancyRequest(evse_id="DE*OPS*E404", report="It is gone."), PRO, V1_4)
    with site.store.single() as books:
        (kept,) = books.discrepancies.recent()
    assert (kept.evse_id, kept.reporter, kept.report) == ("DE*OPS*E404", "DEPRO", "It is gone.")


def test_a_poll_reads_the_meter_in_every_state(site):
    direct_id = site.select().direct_id
    message = site.poll(direct_id)
    assert (message.message, message.result.result_code) == ("info", OK)
    assert message.meter_reading is not None and message.ttl == NOON + timedelta(minutes=5)
    site.control(direct_id)
    site.stations.plug(KEY, CAR)
    site.work()
    site.clock.wait(minutes=30)
    assert site.poll(direct_id).charged_energy > 0
    site.control(direct_id, "end")
    assert site.poll(direct_id).message == "end"
    site.release(direct_id)
    message = site.poll(direct_id)
    assert (message.result.result_code, message.message, message.charged_energy > 0) == (INVALID_ID, "finish", True)


# -- Crashes ----------------------------------------------------------------------------------------------------


def test_a_select_that_died_before_the_station_knew_is_made_good_by_the_next(site):
    site.wires.cut["reserve"] = Died()
    with pytest.raises(Died):
        site.select()
    assert site.status() == "available"
    site.wires.mend()
    answer = site.select()
    assert answer.result.result_code is OK and site.status() == "reserved"
    with site.store.single() as books:
        assert [each.direct_id for each in books.sessions.recent()] == [answer.direct_id]


def test_a_select_whose_answer_was_lost_is_answered_by_the_next(site):
    site.wires.lose["reserve"] = Died()
    with pytest.raises(Died):
        site.select()
    site.wires.mend()
    assert site.select().result.result_code is OK
    with site.store.single() as books:
        assert len(books.sessions.recent()) == 1


def test_a_select_that_died_times_out_for_others(site):
    site.wires.cut["reserve"] = Died()
    with pytest.raises(Died):
        site.select()
    site.wires.mend()
    site.clock.wait(minutes=5)
    assert site.select(contract_id=STRANGERS, caller=STRANGER).result.result_code is OK


@pytest.mark.parametrize("how", ["cut", "lose"])
def test_a_start_that_died_is_made_good_by_the_next(site, how):
    direct_id = site.select().direct_id
    getattr(site.wires, how)["start"] = Died()
    with pytest.raises(Died):
        site.control(direct_id, max_power=Decimal(7))
    site.wires.mend()
    assert site.control(direct_id, max_power=Decimal(7)).result.result_code is OK
    site.stations.plug(KEY, CAR)
    site.work()
    assert site.session(direct_id).state is State.CHARGING
    assert site.stations.reading(KEY).power <= 7


def test_a_start_that_died_and_is_not_repeated_times_out(site):
    direct_id = site.select().direct_id
    site.wires.cut["start"] = Died()
    with pytest.raises(Died):
        site.control(direct_id)
    site.wires.mend()
    site.clock.wait(minutes=5)
    site.station_desk.sweep()
    assert (site.session(direct_id).state, site.status()) == (State.EXPIRED, "available")


def test_a_change_that_died_is_made_good_by_the_next(site):
    direct_id = site.charging()
    site.wires.cut["limit"] = Died()
    with pytest.raises(Died):
        site.control(direct_id, "change", max_power=Decimal(7))
    site.wires.mend()
    assert site.control(direct_id, "change", max_power=Decimal(7)).result.result_code is OK
    assert site.stations.reading(KEY).power <= 7
    assert site.told(direct_id) == ["start", "change"]


def test_an_end_that_died_after_the_station_stopped_is_finished_by_the_stations_report(site):
    direct_id = site.charging()
    site.wires.lose["stop"] = Died()
    with pytest.raises(Died):
        site.control(direct_id, "end")
    site.wires.mend()
    site.work()
    assert (site.session(direct_id).state, site.told(direct_id)) == (State.ENDED, ["start", "end"])


def test_an_end_that_died_before_the_station_heard_of_it_may_be_repeated(site):
    direct_id = site.charging()
    site.wires.cut["stop"] = Died()
    with pytest.raises(Died):
        site.control(direct_id, "end")
    site.wires.mend()
    assert site.session(direct_id).state is State.CHARGING
    assert site.control(direct_id, "end").result.result_code is OK


@pytest.mark.parametrize("command", ["stop", "cancel"])
@pytest.mark.parametrize("how", ["cut", "lose"])
@pytest.mark.parametrize("state", [State.SELECTED, State.STARTING, State.CHARGING, State.ENDED])
def test_a_release_that_died_anywhere_may_be_repeated(site, state, how, command):
    direct_id = site.in_state(state)
    getattr(site.wires, how)[command] = Died()
    with pytest.raises(Died):
        site.release(direct_id)
    site.wires.mend()
    site.work()
    assert site.release(direct_id).result.result_code is OK
    assert site.session(direct_id).state is State.CLOSED
    assert site.status() in ("available", "blocked")


@pytest.mark.parametrize("how", ["cut", "lose"])
@pytest.mark.parametrize("state", [State.STARTING, State.CHARGING])
def test_a_time_out_that_died_is_made_good_by_the_next_sweep(site, state, how):
    direct_id = site.in_state(state)
    site.clock.wait(hours=24)
    getattr(site.wires, how)["stop"] = Died()
    with pytest.raises(Died):
        site.station_desk.sweep()
    site.wires.mend()
    site.work()
    site.station_desk.sweep()
    assert site.session(direct_id).state not in (State.STARTING, State.CHARGING)
    assert site.status() in ("available", "blocked")


def test_a_station_that_charges_on_for_an_ended_session_is_stopped_again(site):
    """As after a crash of the station's side: the books say ended, the meter goes on."""
    direct_id = site.charging()
    with site.store.books() as books:
        ended = dataclasses.replace(books.sessions.get(direct_id, lock=True), state=State.ENDED)
        books.sessions.save(ended)
    site.clock.wait(seconds=10)
    site.work()
    assert site.status() == "blocked"


@pytest.mark.parametrize("state", sorted(OPEN))
def test_a_session_lives_on_in_another_process(site, make_store, state):
    direct_id = site.in_state(state)
    again = Site(site.store, site.clock)
    if state in (State.STARTING, State.CHARGING):
        if state is State.STARTING:
            again.stations.plug(KEY, CAR)
            again.work()
        assert again.control(direct_id, "end").result.result_code is OK
    assert again.release(direct_id).result.result_code is OK
    assert again.session(direct_id).state is State.CLOSED


def test_a_restriction_of_one_evse_is_no_matter_of_another(site):
    site.select()
    assert site.select(E2, OTHER_CONTRACT).result.result_code is OK


def test_the_clock_of_a_session_is_utc(site):
    assert site.select().ttl.tzinfo is UTC and isinstance(site.clock(), datetime)
