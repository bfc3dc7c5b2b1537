"""The simulator as the operator and the driver see it."""

import dataclasses
import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.errors import EvseUnavailable, NotFound
from clearinghouse.domain.sessions import NO_LIMITS, Limits
from clearinghouse.services.stations_port import StationEventKind, Stations
from clearinghouse.stations.actions import IN_USE, NotPossible
from clearinghouse.stations.physics import Car
from clearinghouse.stations.simulator import Simulator
from clearinghouse.stations.state import EvseState, Phase, step, wakes_at
from tests.stations.station_site import AC, DC, NOON, ONE_PHASE, Site

KEY = AC.key
ALICE, BOB = "DE-ABC-C00000001-X", "DE-ABC-C00000002-W"
ROOMY = Car(battery=Decimal(100), state_of_charge=Decimal("0.1"), max_ac_power=Decimal(11), max_dc_power=Decimal(100))


def reserve(site: Site, direct_id: str = "A", contract_id: str = ALICE, key: str = KEY, minutes: int = 5) -> None:
    site.stations.reserve(key, contract_id, direct_id, site.now + timedelta(minutes=minutes))


def started(site: Site, limits: Limits = NO_LIMITS, key: str = KEY, car: Car = ROOMY) -> None:
    """Bring the EVSE to a charge of session A."""
    reserve(site, key=key)
    site.stations.start(key, "A", limits)
    site.stations.plug(key, car)


def faulted_while_charging(site: Site) -> None:
    started(site)
    site.stations.fault(KEY)


def charged_and_stopped(site: Site) -> None:
    started(site)
    site.stations.stop(KEY, "A")


def test_the_simulator_is_what_the_operator_asks_of_stations(site):
    stations: Stations = site.stations
    assert stations.evse(KEY) is AC
    assert stations.evse("DEOPSE999") is None


# -- Reservations -----------------------------------------------------------------------------------------------


def test_a_reservation_stored_over_an_idle_evse_is_what_reserving_makes(site):
    site.stations.present_card(KEY, ALICE, ROOMY)
    site.wait(hours=1)
    site.stations.unplug(KEY)
    idle = site.store.simulated.get(KEY)
    reserve(site, "B", BOB)
    kept = site.stations.reservation(KEY, BOB, "B", site.soon)
    assert (kept.evse_key, kept.until) == (KEY, site.soon)
    assert {**idle, **kept.document} == site.store.simulated.get(KEY)
    assert site.energy(KEY) == 11


def test_reserving_a_stranger_is_not_possible(site):
    with pytest.raises(NotFound):
        site.stations.reservation("DEOPSE999", ALICE, "A", site.soon)


def test_a_reserved_evse_is_refused_to_others_until_it_is_cancelled(site):
    reserve(site)
    for contract_id in (ALICE, BOB):
        with pytest.raises(EvseUnavailable, match=r"^evse-unavailable: it is reserved for somebody else$"):
            reserve(site, "B", contract_id)
    site.stations.cancel(KEY, "B")
    assert site.state(KEY) == ("not-available", "reserved", NOON + timedelta(minutes=5))
    site.stations.cancel(KEY, "A")
    reserve(site, "B", BOB)


def test_the_same_session_renews_its_reservation(site):
    reserve(site)
    site.wait(minutes=4)
    reserve(site)
    assert site.state(KEY) == ("not-available", "reserved", NOON + timedelta(minutes=9))


@pytest.mark.parametrize("ticks", [0, 1])
def test_an_expired_reservation_is_void_whether_or_not_a_tick_came_first(site, ticks):
    reserve(site)
    site.now += timedelta(minutes=5)
    for _ in range(ticks):
        site.stations.tick(site.now)
    assert site.state(KEY)[:2] == ("available", "available")
    reserve(site, "B", BOB)
    assert site.kinds == []


def test_a_tick_makes_an_evse_whose_reservation_expired_idle_again(site):
    reserve(site)
    site.wait(minutes=5)
    assert site.store.simulated.due(site.now + timedelta(days=1)) == {}


def test_of_two_who_reserve_at_once_one_wins(site):
    outcomes = []
    barrier = threading.Barrier(8)

    def attempt(number: int) -> None:
        barrier.wait()
        try:
            reserve(site, f"S{number}")
            outcomes.append("won")
        except EvseUnavailable:
            outcomes.append("lost")

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 7 + ["won"]


def test_an_evse_that_is_not_in_the_file_is_not_found(site):
    for attempt in (lambda: reserve(site, key="DEOPSE999"), lambda: site.stations.plug("DEOPSE999", ROOMY)):
        with pytest.raises(NotFound, match="DEOPSE999"):
            attempt()
    assert site.stations.reading("DEOPSE999") is None
    assert [each.evse_id for each in site.stations.status(["DEOPSE999", KEY])] == [AC.evse_id]


# -- A charge ---------------------------------------------------------------------------------------------------


def test_a_whole_charge_from_reservation_to_unplugging(site):
    reserve(site)
    site.wait(minutes=1)
    assert site.stations.start(KEY, "A", NO_LIMITS) == ()
    assert site.state(KEY)[:2] == ("not-available", "reserved")
    site.wait(minutes=1)
    assert site.kinds == []
    site.stations.plug(KEY, ROOMY)
    site.wait(minutes=60, ticks=6)
    assert (site.energy(KEY), site.power(KEY)) == (11, 11)
    site.stations.stop(KEY, "A")
    assert site.state(KEY)[:2] == ("not-available", "blocked")
    site.wait(minutes=10)
    assert (site.energy(KEY), site.power(KEY)) == (11, 0)
    site.stations.unplug(KEY)
    assert site.state(KEY)[:2] == ("available", "available")
    assert site.kinds == ["charging", "asked"]
    assert {(event.evse_key, event.direct_id, event.contract_id) for event in site.events} == {(KEY, "A", ALICE)}
    meters = [event.reading.meter for event in site.events]
    assert meters == [*sorted(meters[:-1]), 11]
    assert [event.number for event in site.events] == list(range(1, 9))
    assert [event.at for event in site.events] == sorted(event.at for event in site.events)


def test_a_car_that_came_first_charges_as_soon_as_the_session_starts(site):
    site.stations.plug(KEY, ROOMY)
    assert site.state(KEY)[:2] == ("not-available", "blocked")
    reserve(site)
    site.stations.start(KEY, "A", NO_LIMITS)
    assert site.kinds == ["charging"]
    site.wait(minutes=30)
    assert site.energy(KEY) == Decimal("5.5")


def test_unplugging_ends_the_charge_and_frees_the_evse(site):
    started(site)
    site.now += timedelta(minutes=6)
    site.stations.unplug(KEY)
    (*_, last) = site.events
    assert (last.reason, last.reading.meter, last.at) == ("unplugged", Decimal("1.1"), site.now)
    assert site.state(KEY)[:2] == ("available", "available")


def test_the_energy_limit_counts_the_session_and_not_what_the_meter_showed_before(site):
    started(site)
    site.wait(hours=2)
    site.stations.unplug(KEY)
    reserve(site, "B", BOB)
    site.stations.start(KEY, "B", Limits(max_energy=Decimal(3)))
    site.stations.plug(KEY, ROOMY)
    site.wait(hours=2)
    assert site.energy(KEY) == 25
    assert site.kinds == ["charging", "unplugged", "charging", "limit"]


def test_a_session_that_ended_may_go_on_and_its_energy_counts_further(site):
    started(site, Limits(max_energy=Decimal(2)))
    site.wait(hours=1)
    site.stations.start(KEY, "A", Limits(max_energy=Decimal(5)))
    site.wait(hours=1)
    assert site.energy(KEY) == 5
    assert site.kinds == ["charging", "limit", "charging", "limit"]


def test_starting_a_running_session_again_changes_its_limits_and_nothing_else(site):
    started(site)
    site.wait(minutes=30)
    assert site.stations.start(KEY, "A", Limits(max_power=Decimal(4))) == ()
    assert (site.energy(KEY), site.power(KEY)) == (Decimal("5.5"), 4)
    assert site.kinds == ["charging"]


def test_an_evse_that_is_used_is_refused_to_another_session(site):
    started(site)
    with pytest.raises(EvseUnavailable, match="it is charging"):
        reserve(site, "B", BOB)
    with pytest.raises(EvseUnavailable, match="it is charging"):
        site.stations.start(KEY, "B", NO_LIMITS)
    site.stations.stop(KEY, "B")
    assert site.kinds == ["charging"]


def test_after_a_charge_the_cable_keeps_others_out_but_not_its_own_driver(site):
    charged_and_stopped(site)
    with pytest.raises(EvseUnavailable, match="the cable of the last charge"):
        reserve(site, "B", BOB)
    reserve(site, "C", ALICE.replace("-", ""))
    site.stations.start(KEY, "C", NO_LIMITS)
    assert site.kinds == ["charging", "asked", "charging"]


def test_a_session_that_waits_for_its_car_can_be_stopped_or_cancelled(site):
    reserve(site)
    site.stations.start(KEY, "A", NO_LIMITS)
    site.stations.stop(KEY, "A")
    assert site.kinds == ["asked"]
    assert site.state(KEY)[:2] == ("available", "available")
    site.stations.start(KEY, "A", NO_LIMITS)
    site.stations.cancel(KEY, "A")
    assert site.store.simulated.due(site.now + timedelta(days=1)) == {}


# -- Limits -----------------------------------------------------------------------------------------------------


def test_a_new_limit_holds_from_its_moment_on_and_keeps_the_others(site):
    started(site, Limits(max_energy=Decimal(10)))
    site.now += timedelta(minutes=30)
    assert site.stations.limit(KEY, "A", Limits(max_power=Decimal(4))) == ()
    site.now += timedelta(minutes=30)
    assert (site.energy(KEY), site.power(KEY)) == (Decimal("7.5"), 4)
    site.wait(hours=1)
    assert site.energy(KEY) == 10


def test_what_a_station_cannot_keep_is_told_by_name_and_the_rest_is_kept(site):
    wish = Limits(max_power=Decimal(5), min_energy=Decimal(9), departure=site.soon, one_phase=True)
    reserve(site)
    assert site.stations.start(KEY, "A", wish) == ("min_energy", "departure")
    site.stations.plug(KEY, ROOMY)
    assert site.power(KEY) == Decimal("3.666")
    started(site, key=DC.key)
    assert site.stations.limit(DC.key, "A", wish) == ("one_phase", "min_energy", "departure")
    assert site.power(DC.key) == 5


def test_limits_for_a_session_that_does_not_run_are_all_told_back(site):
    reserve(site)
    assert site.stations.limit(KEY, "A", Limits(max_power=Decimal(5))) == ("max_power",)


def test_an_energy_limit_below_what_was_charged_stops_at_once(site):
    started(site)
    site.wait(hours=1)
    site.stations.limit(KEY, "A", Limits(max_energy=Decimal(5)))
    site.wait(seconds=1)
    assert site.kinds == ["charging", "limit"]
    assert site.energy(KEY) == 11


# -- Time -------------------------------------------------------------------------------------------------------


def test_meter_values_come_at_their_interval_and_other_ticks_write_nothing(site):
    started(site)
    site.store.simulated.calls.clear()
    site.wait(seconds=30, ticks=30)
    metered = [event for event in site.events if event.kind is StationEventKind.METERED]
    assert [event.at - NOON for event in metered] == [timedelta(seconds=each) for each in (10, 20, 30)]
    assert [event.reading.meter for event in metered] == [Decimal("0.030"), Decimal("0.061"), Decimal("0.091")]
    assert site.store.simulated.calls.count("put") == 3


def test_a_new_process_goes_on_after_hours_of_silence_with_exact_energy_and_time(site):
    started(site, Limits(max_energy=Decimal("16.5")))
    site.wait(minutes=10)
    site.restarted()
    site.now += timedelta(hours=9)
    assert site.state(KEY)[:2] == ("not-available", "blocked")
    site.stations.tick(site.now)
    (*_, last) = site.events
    assert (last.reason, last.reading.meter, last.at) == ("limit", Decimal("16.5"), NOON + timedelta(minutes=90))


def test_a_car_that_became_full_in_the_silence_stopped_when_it_was_full(site):
    started(site, key=DC.key, car=Car(max_dc_power=Decimal(100), efficiency=Decimal(1)))
    expected = site.state(DC.key)[2]
    assert expected is not None
    site.restarted()
    site.wait(hours=20)
    (*_, last) = site.events
    assert (last.reason, last.reading.meter) == ("full", 42)
    assert abs(last.at - expected) < timedelta(milliseconds=1)


def test_a_command_that_comes_after_the_silence_reports_first_what_happened_before(site):
    started(site, Limits(max_energy=Decimal(1)))
    site.now += timedelta(hours=1)
    site.stations.unplug(KEY)
    assert site.kinds == ["charging", "limit"]
    assert site.energy(KEY) == 1


def test_what_ended_in_the_silence_is_reported_before_what_begins_after_it(site):
    started(site, Limits(max_energy=Decimal(1)))
    site.now += timedelta(hours=1)
    site.stations.start(KEY, "A", Limits(max_energy=Decimal(5)))
    assert site.kinds == ["charging", "limit", "charging"]
    assert [event.at for event in site.events] == sorted(event.at for event in site.events)


def test_a_refused_action_leaves_no_trace(site):
    started(site, Limits(max_energy=Decimal(1)))
    site.now += timedelta(hours=1)
    with pytest.raises(NotPossible):
        site.stations.plug(KEY, ROOMY)
    assert site.kinds == ["charging"]
    site.stations.tick(site.now)
    assert site.kinds == ["charging", "limit"]


def test_an_evse_that_left_the_file_rests_until_it_is_back(site):
    started(site)
    others = {key: evse for key, evse in site.inventory.items() if key != KEY}
    without = Simulator(others, site.store, lambda: site.now)
    assert without.tick(site.now + timedelta(minutes=30)) == 0
    site.wait(minutes=60)
    assert site.energy(KEY) == 11


# -- Cards ------------------------------------------------------------------------------------------------------


def test_a_card_starts_a_charge_that_the_operator_then_names(site):
    site.stations.present_card(KEY, ALICE, ROOMY)
    assert [(event.kind.value, event.contract_id, event.direct_id) for event in site.events] == [
        ("card", ALICE, None),
        ("charging", ALICE, None),
    ]
    assert site.stations.adopt(KEY, "L1")
    assert site.stations.adopt(KEY, "L1")
    assert not site.stations.adopt(KEY, "L2")
    site.wait(minutes=30)
    site.stations.limit(KEY, "L1", Limits(max_power=Decimal(4)))
    site.wait(minutes=30)
    site.stations.stop(KEY, "L1")
    assert site.kinds == ["card", "charging", "asked"]
    assert [event.direct_id for event in site.events[2:]] == ["L1"] * 3
    assert site.energy(KEY) == Decimal("7.5")


def test_a_card_after_a_session_that_is_over_does_not_take_its_name(site):
    started(site)
    site.stations.unplug(KEY)
    site.stations.present_card(KEY, ALICE, ROOMY)
    assert [event.direct_id for event in site.events] == ["A", "A", None, None]


def test_there_is_nothing_to_name_where_no_card_started_a_charge(site):
    assert not site.stations.adopt(KEY, "L1")
    reserve(site)
    assert not site.stations.adopt(KEY, "L1")
    assert site.stations.adopt(KEY, "A") is False


def test_a_card_of_the_reserving_contract_uses_the_reservation_and_any_other_is_refused(site):
    reserve(site)
    with pytest.raises(EvseUnavailable, match="reserved"):
        site.stations.present_card(KEY, BOB, ROOMY)
    site.stations.present_card(KEY, ALICE.replace("-", ""), ROOMY)
    assert [event.direct_id for event in site.events] == ["A", "A"]


def test_a_card_works_for_a_car_that_is_plugged_in_and_not_without_one(site):
    with pytest.raises(NotPossible, match="until a car is plugged in"):
        site.stations.present_card(KEY, ALICE)
    site.stations.plug(KEY, ROOMY)
    site.stations.present_card(KEY, ALICE)
    assert site.kinds == ["card", "charging"]


def test_what_is_no_contract_id_is_no_card(site):
    with pytest.raises(NotPossible, match="'04A1B2' is no Contract-ID"):
        site.stations.present_card(KEY, "04A1B2", ROOMY)


# -- What goes wrong --------------------------------------------------------------------------------------------


def test_a_fault_ends_the_charge_and_keeps_everybody_out_until_it_is_cleared(site):
    faulted_while_charging(site)
    assert site.kinds == ["charging", "fault"]
    assert site.state(KEY) == ("not-available", "outoforder", None)
    with pytest.raises(EvseUnavailable, match="out of order: fault"):
        site.stations.start(KEY, "A", NO_LIMITS)
    site.stations.unplug(KEY)
    with pytest.raises(EvseUnavailable, match="out of order: fault"):
        reserve(site, "B", BOB)
    site.stations.clear_fault(KEY)
    reserve(site, "B", BOB)


def test_a_fault_while_reserved_refuses_the_start(site):
    reserve(site)
    site.stations.fault(KEY, "door open")
    with pytest.raises(EvseUnavailable, match="out of order: door open"):
        site.stations.start(KEY, "A", NO_LIMITS)
    assert site.kinds == []


@pytest.mark.parametrize(
    ("attempt", "text"),
    [
        (lambda site: site.stations.unplug(KEY), "DE*OPS*E1: no car is plugged in"),
        (lambda site: site.stations.clear_fault(KEY), "DE*OPS*E1 has no fault"),
        (lambda site: site.stations.fault(KEY, ""), "a fault has a description"),
        (
            lambda site: site.stations.plug(DC.key, Car()),
            "DE*OPS*E3 gives direct current, which this car does not take",
        ),
        (lambda site: [site.stations.plug(KEY, ROOMY) for _ in range(2)], "DE*OPS*E1: a car is plugged in already"),
    ],
)
def test_a_driver_who_cannot_is_told_why(site, attempt, text):
    with pytest.raises(NotPossible) as caught:
        attempt(site)
    assert str(caught.value) == text


# -- Live status ------------------------------------------------------------------------------------------------


def test_the_live_status_is_believed_until_something_is_expected_to_change(site):
    started(site, Limits(max_energy=Decimal(11)))
    reserve(site, "B", BOB, key=DC.key, minutes=20)
    statuses = site.stations.status([KEY, ONE_PHASE.key, DC.key])
    assert [(each.evse_id, each.minor, each.ttl - NOON) for each in statuses] == [
        ("DE*OPS*E1", "charging", timedelta(hours=1)),
        ("DE*OPS*E2", "available", timedelta(minutes=5)),
        ("DE*OPS*E3", "reserved", timedelta(minutes=20)),
    ]


def test_every_phase_but_idle_has_a_word_for_those_who_are_refused():
    assert set(IN_USE) == set(Phase) - {Phase.IDLE}


@pytest.mark.parametrize("phase", [each for each in Phase if each is not Phase.CHARGING])
@pytest.mark.parametrize("car", [None, ROOMY])
def test_time_changes_nothing_before_an_evse_wakes(site, phase, car):
    until = site.soon if phase is Phase.RESERVED else None
    state = EvseState(at=site.now, phase=phase, contract_id="C", direct_id="A", until=until, car=car)
    instants = [site.now + timedelta(minutes=4, days=days) for days in (0, 1, 400)]
    for now in (each for each in instants if not wakes_at(state) or each < wakes_at(state)):
        assert step(state, site.inventory[KEY], now) == (dataclasses.replace(state, at=now), ())
