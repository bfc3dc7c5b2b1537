"""The physics: what may never happen, whatever the car, the EVSE, the limits and the rhythm of the ticks."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.sessions import NO_LIMITS, Limits
from clearinghouse.services.stations_port import StationEventKind
from clearinghouse.stations.physics import Car, course_of, offered_power
from clearinghouse.stations.state import EvseState, Phase, StopReason, course, expected_end, reading, step
from tests.stations.station_site import AC, DC, NOON, ONE_PHASE

WH = Decimal("0.001")


def amounts(low: str, high: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places)


CARS = st.builds(
    Car,
    battery=amounts("5", "120"),
    state_of_charge=amounts("0", "1"),
    max_ac_power=amounts("1", "22"),
    phases=st.sampled_from((1, 2, 3)),
    max_dc_power=st.none() | amounts("20", "250"),
    efficiency=amounts("0.7", "1"),
    taper_from=amounts("0", "0.95"),
    trickle=amounts("0.01", "1"),
)
LIMITS = st.builds(
    Limits,
    max_power=st.none() | amounts("0", "60"),
    max_current=st.none() | amounts("0", "40"),
    one_phase=st.none() | st.booleans(),
    max_energy=st.none() | amounts("0", "80", places=4),
)
SITES = st.sampled_from((AC, ONE_PHASE, DC))
DURATIONS = st.timedeltas(timedelta(0), timedelta(hours=30))


def charging(car, limits=NO_LIMITS, meter="1234.5678"):
    return EvseState(at=NOON, phase=Phase.CHARGING, car=car, limits=limits, meter=Decimal(meter), direct_id="A")


def hours(duration: timedelta) -> Decimal:
    return Decimal(duration // timedelta(microseconds=1)) / 3_600_000_000


@given(CARS, SITES, LIMITS, DURATIONS)
def test_energy_never_exceeds_any_bound(car, evse, limits, duration):
    before = charging(car, limits)
    after, _ = step(before, evse, NOON + duration)
    gained = after.meter - before.meter
    bounds = [evse.max_power, *([] if limits.max_power is None else [limits.max_power])]
    if limits.max_current is not None:
        bounds.append(max(evse.phases, 1) * evse.voltage * limits.max_current / 1000)
    tiny = Decimal("1e-15")
    assert 0 <= gained <= min(bounds) * hours(duration) + tiny
    assert gained * car.efficiency <= (1 - car.state_of_charge) * car.battery + tiny
    if limits.max_energy is not None:
        assert after.energy <= limits.max_energy


@given(CARS, SITES, LIMITS, st.lists(DURATIONS, min_size=1, max_size=5))
def test_many_steps_come_to_the_same_as_one(car, evse, limits, durations):
    pieces, events = charging(car, limits), []
    for duration in durations:
        pieces, happened = step(pieces, evse, pieces.at + duration)
        events += happened
    whole, expected = step(charging(car, limits), evse, pieces.at)
    assert abs(whole.meter - pieces.meter) < WH / 1000
    assert whole.phase is pieces.phase
    assert [event.reason for event in events] == [event.reason for event in expected]
    for event, twin in zip(events, expected, strict=True):
        assert abs(event.at - twin.at) <= timedelta(seconds=1)


@given(CARS, SITES, LIMITS, st.lists(DURATIONS, min_size=2, max_size=6))
def test_the_meter_never_goes_back_and_the_power_never_rises_by_itself(car, evse, limits, durations):
    state = charging(car, limits)
    shown = [reading(state, evse)]
    for duration in durations:
        state, _ = step(state, evse, state.at + duration)
        shown.append(reading(state, evse))
    assert [each.meter for each in shown] == sorted(each.meter for each in shown)
    assert [each.power for each in shown] == sorted((each.power for each in shown), reverse=True)


@given(CARS, SITES, LIMITS)
def test_a_charge_ends_at_the_moment_that_was_expected(car, evse, limits):
    state = charging(car, limits)
    end = expected_end(state, evse)
    if end is None:
        later, events = step(state, evse, NOON + timedelta(days=30))
        assert (later.phase, later.meter, events) == (Phase.CHARGING, state.meter, ())
    elif timedelta(0) < end - NOON < timedelta(hours=24):
        before, _ = step(state, evse, end - timedelta(milliseconds=1))
        after, events = step(state, evse, end + timedelta(milliseconds=1))
        assert before.phase is Phase.CHARGING or end - NOON < timedelta(milliseconds=2)
        assert after.phase is Phase.FINISHED
        assert abs(events[0].at - end) <= timedelta(microseconds=1)


@given(CARS, SITES)
def test_the_closed_form_agrees_with_small_steps_through_the_taper(car, evse):
    """Sums power x time of 500 short stretches, each at the mean of the power before and after it."""
    offered = offered_power(evse, car, NO_LIMITS)
    ahead = course_of(car, offered)
    total = ahead.hours_to(ahead.energy)
    if not offered or not total:
        return
    summed, power = Decimal(0), ahead.power
    for _ in range(500):
        middle = course_of(car.charged(summed + power * total / 1000), offered).power
        summed += middle * total / 500
        power = course_of(car.charged(summed), offered).power
    assert abs(summed - ahead.energy) <= ahead.energy / 200


def test_a_charge_stops_at_its_energy_limit_to_the_watt_hour_and_at_the_right_second():
    car = Car(battery=Decimal(80), state_of_charge=Decimal("0.1"), max_ac_power=Decimal(11))
    after, events = step(charging(car, Limits(max_energy=Decimal("5.5"))), AC, NOON + timedelta(hours=7))
    assert after.phase is Phase.FINISHED
    assert after.meter == Decimal("1240.0678")
    (event,) = events
    assert (event.kind, event.reason) == (StationEventKind.STOPPED, StopReason.LIMIT)
    assert event.at == NOON + timedelta(minutes=30)
    assert (event.reading.meter, event.reading.power) == (Decimal("1240.067"), 0)


def test_above_eighty_percent_the_car_takes_ever_less_until_it_is_full():
    car = Car(battery=Decimal(60), state_of_charge=Decimal("0.7"), max_dc_power=Decimal(120), efficiency=Decimal(1))
    state = charging(car)
    powers = {}
    while state.phase is Phase.CHARGING and state.car is not None:
        powers[state.car.state_of_charge] = course(state, DC).power
        state, events = step(state, DC, state.at + timedelta(minutes=1))
    assert all(power == 50 for soc, power in powers.items() if soc <= Decimal("0.9"))
    tapered = [power for soc, power in powers.items() if soc > Decimal("0.93")]
    assert len(tapered) > 5
    assert tapered == sorted(set(tapered), reverse=True)
    assert 6 <= tapered[-1] < 15
    assert events[0].reason == StopReason.FULL
    assert state.car is not None
    assert state.car.state_of_charge == pytest.approx(1)


def test_a_full_car_stops_at_once():
    _, events = step(charging(Car(state_of_charge=Decimal(1))), AC, NOON + timedelta(seconds=1))
    assert [(event.at, event.reason) for event in events] == [(NOON, StopReason.FULL)]


def test_no_power_means_no_energy_and_no_end():
    paused = charging(Car(), Limits(max_power=Decimal(0)))
    after, events = step(paused, AC, NOON + timedelta(days=400))
    assert (after.meter, after.phase, events) == (paused.meter, Phase.CHARGING, ())
    assert expected_end(paused, AC) is None


def test_a_time_that_is_past_changes_nothing():
    state = charging(Car())
    assert step(state, AC, NOON - timedelta(hours=1)) == (state, ())


@pytest.mark.parametrize(
    ("evse", "car", "limits", "power"),
    [
        (AC, Car(), {}, "11"),
        (AC, Car(max_ac_power=Decimal(22)), {}, "22"),
        (AC, Car(max_ac_power=Decimal(22)), {"max_current": 16}, "11.04"),
        (AC, Car(max_ac_power=Decimal(22)), {"max_current": 16, "max_power": 9}, "9"),
        (AC, Car(max_ac_power=Decimal(22)), {"max_current": 10, "max_power": 9}, "6.9"),
        (AC, Car(max_ac_power=Decimal("7.4"), phases=1), {}, "7.333"),
        (AC, Car(max_ac_power=Decimal(11)), {"one_phase": True}, "3.667"),
        (AC, Car(max_ac_power=Decimal(11)), {"one_phase": True, "max_current": 10}, "2.3"),
        (ONE_PHASE, Car(), {}, "3.667"),
        (DC, Car(max_dc_power=Decimal(120)), {}, "50"),
        (DC, Car(max_dc_power=Decimal(40)), {}, "40"),
        (DC, Car(max_dc_power=Decimal(120)), {"max_current": 100}, "40"),
    ],
)
def test_the_lowest_of_rating_limits_and_car_decides(evse, car, limits, power):
    limits = Limits(**{name: value if value is True else Decimal(value) for name, value in limits.items()})
    assert offered_power(evse, car, limits).quantize(WH) == Decimal(power).quantize(WH)


@pytest.mark.parametrize(
    "wrong",
    [
        {"battery": Decimal(0)},
        {"max_ac_power": Decimal(-1)},
        {"max_dc_power": Decimal(0)},
        {"phases": 0},
        {"state_of_charge": Decimal("1.01")},
        {"taper_from": Decimal(1)},
        {"trickle": Decimal(0)},
        {"efficiency": Decimal(2)},
    ],
)
def test_a_car_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match=r"car|from 0"):
        dataclasses.replace(Car(), **wrong)
