"""What stations report: drivers, cards, faults, meters, and events that cannot be acted on."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.informing import Thresholds
from clearinghouse.domain.sessions import State
from clearinghouse.ochp.direct import ControlEvseRequest, DirectMessage, DirectOperation, SelectEvseRequest
from clearinghouse.ochp.versions import V1_4
from clearinghouse.services.station_events import REST, StationDesk
from clearinghouse.services.stations_port import StationEvent, StationEventKind
from clearinghouse.stations.physics import Car
from tests.services.test_operator_desk import CONTRACT, E1, E2, KEY, PRO, Site
from tests.services.wires import Died
from tests.services.world import NOON

CAR = Car()
KEY2 = "DEOPSE2"


@pytest.fixture
def site(make_store, clock):
    return Site(make_store(), clock)


def sessions(site):
    with site.store.single() as books:
        return books.sessions.recent()


def report(site, *events):
    with site.store.books() as books:
        books.station_events.add(events)


def metered(key=KEY, **stated):
    return StationEvent(**{"evse_key": key, "kind": StationEventKind.METERED, "at": NOON} | stated)


# -- Drivers ----------------------------------------------------------------------------------------------------


def test_plugging_in_starts_the_charge_and_tells_it_with_the_meter(site):
    direct_id = site.select().direct_id
    site.control(direct_id)
    site.clock.wait(minutes=1)
    site.stations.plug(KEY, CAR)
    site.work()
    message = site.last(direct_id)
    assert (message.message, message.charged_energy) == ("start", 0)
    assert message.meter_reading.meter_time == site.clock()
    assert site.session(direct_id).started_at == site.clock()


def test_plugging_in_without_a_start_does_nothing(site):
    direct_id = site.select().direct_id
    site.stations.plug(KEY, CAR)
    site.work()
    assert site.session(direct_id).state is State.SELECTED
    site.control(direct_id)
    site.work()
    assert site.session(direct_id).state is State.CHARGING


@pytest.mark.parametrize("end", ["unplug", "fault"])
def test_a_driver_or_a_fault_ends_the_charge_and_the_provider_hears_of_it(site, end):
    direct_id = site.charging()
    site.clock.wait(minutes=10)
    getattr(site.stations, end)(KEY)
    site.work()
    session = site.session(direct_id)
    assert (session.state, site.told(direct_id)) == (State.ENDED, ["start", "end"])
    assert session.energy > 0 and session.deadline == site.clock() + timedelta(minutes=15)
    assert site.last(direct_id).charged_energy == session.energy


def test_a_fault_before_the_car_came_ends_the_session(site):
    direct_id = site.in_state(State.STARTING)
    site.stations.fault(KEY)
    site.work()
    assert (site.session(direct_id).state, site.told(direct_id)) == (State.ENDED, ["end"])


def test_a_driver_may_unplug_after_the_session_is_gone(site):
    direct_id = site.charging()
    site.release(direct_id)
    site.stations.unplug(KEY)
    site.work()
    assert site.status() == "available"
    assert site.told(direct_id) == ["start", "end", "finish"]


# -- Meters -----------------------------------------------------------------------------------------------------


def test_meters_are_told_at_most_every_quarter_of_an_hour(site):
    direct_id = site.charging()
    for _ in range(120):
        site.clock.wait(seconds=30)
        site.work()
    with site.store.single() as books:
        infos = [each for each in books.outbox.of(direct_id) if each.message.message is DirectMessage.INFO]
    assert len(infos) == 1  # nobody delivers: each supersedes the one before
    assert infos[0].created_at - site.session(direct_id).started_at == timedelta(hours=1)
    assert site.session(direct_id).told_energy == infos[0].message.charged_energy


def test_a_charge_that_hardly_moves_is_told_after_a_long_silence(site):
    desk = StationDesk(site.keeper, site.directory, Thresholds(energy=None, power=None, silence=timedelta(hours=2)))
    direct_id = site.charging(max_power=Decimal("0.001"))
    told_at = []
    for _ in range(25):
        site.clock.wait(minutes=10)
        site.stations.tick(site.clock())
        desk.work()
        if "info" in site.told(direct_id):
            told_at.append(site.clock() - site.session(direct_id).started_at)
    assert told_at[0] == timedelta(hours=2)


def test_a_meter_that_comes_late_takes_nothing_back(site):
    direct_id = site.charging()
    site.clock.wait(minutes=30)
    site.work()
    newest = site.session(direct_id).reading
    report(site, metered(direct_id=direct_id, reading=dataclasses.replace(newest, meter=Decimal(0), at=NOON)))
    site.work()
    assert site.session(direct_id).reading == newest


# -- Cards ------------------------------------------------------------------------------------------------------


def test_a_card_of_a_known_provider_is_announced_and_can_be_ended_by_it(site):
    site.stations.present_card(KEY, CONTRACT, CAR)
    site.work()
    (session,) = sessions(site)
    assert (session.state, session.local, session.contract_id) == (State.CHARGING, True, CONTRACT)
    assert site.told(session.direct_id) == ["start"]
    assert site.select().direct_id == session.direct_id
    site.clock.wait(minutes=5)
    site.control(session.direct_id, "end")
    assert site.status() == "blocked"
    site.work()
    site.release(session.direct_id)
    assert site.told(session.direct_id) == ["start", "end", "finish"]


@pytest.mark.parametrize("contract", ["DEUNKC12345678", "DEPROX12345678"])
def test_a_card_that_no_provider_answers_for_charges_without_a_session(site, contract):
    site.stations.present_card(KEY, contract, CAR)
    site.work()
    site.clock.wait(minutes=10)
    site.work()
    site.stations.unplug(KEY)
    site.work()
    assert sessions(site) == []


def test_a_card_of_the_reservations_contract_charges_in_its_session(site):
    direct_id = site.select().direct_id
    site.stations.present_card(KEY, "DE-PRO-C12345678", CAR)
    site.work()
    (session,) = sessions(site)
    assert (session.direct_id, session.state, session.local) == (direct_id, State.CHARGING, False)


def test_a_card_shows_that_the_charge_before_is_over(site):
    before = site.charging()
    site.stations.unplug(KEY)
    site.work()
    site.stations.present_card(KEY, CONTRACT, CAR)
    site.work()
    newest = next(each for each in sessions(site) if each.direct_id != before)
    assert (site.session(before).state, newest.state) == (State.CLOSED, State.CHARGING)
    assert site.told(before) == ["start", "end", "finish"]


def test_a_local_charge_whose_name_the_station_never_heard_is_named_with_its_next_report(site):
    site.wires.cut["adopt"] = Died()
    site.stations.present_card(KEY, CONTRACT, CAR)
    with pytest.raises(Died):
        site.work()
    site.wires.mend()
    site.work()
    (session,) = sessions(site)
    site.clock.wait(minutes=1)
    site.control(session.direct_id, "end")
    assert site.status() == "blocked"


def test_a_local_charge_that_was_ended_before_the_station_knew_its_name_is_stopped(site):
    site.wires.cut["adopt"] = RuntimeError("offline")
    site.stations.present_card(KEY, CONTRACT, CAR)
    site.work()
    (session,) = sessions(site)
    site.control(session.direct_id, "end")
    assert site.status() == "charging"
    site.wires.mend()
    site.clock.wait(minutes=1)
    site.work()
    assert site.status() == "blocked"
    assert site.failures


def test_a_strangers_local_charge_never_becomes_that_of_a_selection(site):
    """A report without a session's id is not about a session that a provider opened."""
    direct_id = site.select().direct_id
    report(site, metered(kind=StationEventKind.CHARGING), metered(), metered(kind=StationEventKind.STOPPED))
    site.work()
    assert site.session(direct_id).state is State.SELECTED


# -- What cannot be acted on --------------------------------------------------------------------------------------


class Poisoned(StationDesk):
    """Cannot act on events of one EVSE."""

    bad = KEY

    def _act(self, books, event):
        if event.evse_key == self.bad and event.reason == "poison":
            raise ZeroDivisionError("a secret in the text")
        return super()._act(books, event)


@pytest.fixture
def poisoned(site):
    return Poisoned(
        site.keeper, site.directory, Thresholds(), lambda what, error: site.failures.append((what, type(error)))
    )


def both_starting(site):
    made = []
    for evse, contract in ((E1, CONTRACT), (E2, "DEPROC99999999")):
        direct_id = site.desk.select(SelectEvseRequest(evse_id=evse, contract_id=contract), PRO, V1_4).direct_id
        site.desk.control(ControlEvseRequest(direct_id=direct_id, operation=DirectOperation.START), PRO, V1_4)
        made.append(direct_id)
    return made


def pending(site):
    with site.store.books() as books:
        return [(each.evse_key, each.kind.value) for each in books.station_events.pending(1000)]


def test_an_event_that_cannot_be_acted_on_holds_up_its_own_evse_alone(site, poisoned):
    one, two = both_starting(site)
    report(site, metered(reason="poison"))
    site.stations.plug(KEY, CAR)
    site.stations.plug(KEY2, CAR)
    assert poisoned.work() == 1
    assert (site.session(one).state, site.session(two).state) == (State.STARTING, State.CHARGING)
    assert [each for each, _ in pending(site)] == [KEY, KEY]
    assert [error for _, error in site.failures] == [ZeroDivisionError]
    assert poisoned.work() == 0 and len(site.failures) == 1, "it rests"


def test_what_came_before_the_bad_event_is_done_and_what_comes_after_keeps_its_order(site, poisoned):
    one, _ = both_starting(site)
    site.stations.plug(KEY, CAR)
    report(site, metered(reason="poison"))
    site.stations.unplug(KEY)
    poisoned.work()
    assert site.session(one).state is State.CHARGING
    site.clock.wait(seconds=REST.total_seconds())
    poisoned.work()
    assert (site.session(one).state, len(site.failures)) == (State.CHARGING, 2)
    mended = StationDesk(site.keeper, site.directory, Thresholds())
    mended.work()
    assert site.session(one).state is State.ENDED and pending(site) == []


def test_many_events_behind_a_bad_one_do_not_hide_those_of_others(site, poisoned):
    _, two = both_starting(site)
    report(site, metered(reason="poison"), *(metered() for _ in range(300)))
    site.stations.plug(KEY2, CAR)
    poisoned.work(100)
    assert site.session(two).state is State.CHARGING


def test_a_lost_database_is_no_poison(site, poisoned, monkeypatch):
    report(site, metered())

    def broken():
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(site.store, "books", broken)
        with pytest.raises(ConnectionError):
            poisoned.work()
    assert poisoned.work() == 1


def test_a_session_that_cannot_time_out_does_not_keep_others(site):
    one, two = both_starting(site)
    site.clock.wait(minutes=5)
    tell = site.wires.stations.stop

    def stop(key, direct_id):
        if direct_id == one:
            raise RuntimeError("offline")
        tell(key, direct_id)

    site.stations.stop = stop
    assert site.station_desk.sweep() == 1
    assert (site.session(one).state, site.session(two).state) == (State.STARTING, State.EXPIRED)
    assert len(site.failures) == 1
    assert site.station_desk.sweep() == 0 and len(site.failures) == 1, "it rests"
    site.stations.stop = tell
    site.clock.wait(seconds=REST.total_seconds())
    assert site.station_desk.sweep() == 1
    assert site.session(one).state is State.EXPIRED
