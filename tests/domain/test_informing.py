"""What the provider is told about a session, and when an update is worth telling."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfoNotFoundError

import pytest

from clearinghouse.domain.informing import Bill, Thresholds, in_kwh, is_worth_telling, message_for
from clearinghouse.domain.partners import MeterUnit
from clearinghouse.domain.sessions import Limits, Reading, Session, State
from clearinghouse.ochp.direct import DirectMessage, InformProviderMessage, MeterReading

NOON = datetime(2026, 7, 2, 12, 0, 0, 750_000, tzinfo=UTC)
D = Decimal

CHARGING = Session(
    direct_id="A-1",
    evse_id="DE*823*E1",
    evse_key="DE823E1",
    contract_id="NLTNMC00122045K",
    state=State.CHARGING,
    deadline=NOON + timedelta(hours=20),
    selected_at=NOON - timedelta(hours=1),
    started_at=NOON - timedelta(minutes=50),
    limits=Limits(
        max_power=D(11), max_current=D(16), one_phase=True, max_energy=D(30), min_energy=D(5), departure=NOON
    ),
    meter_start=D("12345.67"),
    reading=Reading(meter=D("12350.92"), power=D("10.8"), at=NOON),
    told_energy=D(5),
    told_power=D("10.8"),
    told_at=NOON - timedelta(minutes=20),
)


def test_a_message_says_all_that_is_known() -> None:
    told = message_for(CHARGING, DirectMessage.INFO, time_zone="Europe/Berlin")
    assert told.message is DirectMessage.INFO
    assert (told.direct_id, told.evse_id, told.contract_id) == ("A-1", "DE*823*E1", "NLTNMC00122045K")
    assert (told.max_power, told.max_current, told.one_phase) == (11, 16, True)
    assert (told.max_energy, told.min_energy, told.departure) == (30, 5, NOON)
    assert (told.current_power, told.charged_energy) == (D("10.8"), D("5.25"))
    assert told.ttl == CHARGING.deadline
    assert told.result.result_code == "ok"


@pytest.mark.parametrize(
    ("zone", "wall_clock"),
    [
        ("Europe/Berlin", "2026-07-02T14:00:00+02:00"),
        ("UTC", "2026-07-02T12:00:00+00:00"),
        ("Asia/Kathmandu", "2026-07-02T17:45:00+05:45"),
        ("America/St_Johns", "2026-07-02T09:30:00-02:30"),
    ],
)
def test_the_meter_is_told_by_the_wall_clock_of_the_evse(zone: str, wall_clock: str) -> None:
    told = message_for(CHARGING, DirectMessage.INFO, time_zone=zone)
    assert told.meter_reading is not None
    assert told.meter_reading.meter_time.isoformat() == wall_clock
    assert told.meter_reading.meter_value == D("12350.92")


def test_the_wall_clock_follows_the_season() -> None:
    winter = replace(CHARGING, reading=Reading(meter=D(1), power=D(1), at=datetime(2026, 1, 2, 12, tzinfo=UTC)))
    told = message_for(winter, DirectMessage.INFO, time_zone="Europe/Berlin")
    assert told.meter_reading is not None
    assert told.meter_reading.meter_time.isoformat() == "2026-01-02T13:00:00+01:00"


def test_an_unknown_zone_is_no_utc() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        message_for(CHARGING, DirectMessage.INFO, time_zone="Europe/Nowhere")


def test_an_ended_session_takes_no_power_and_keeps_its_meter() -> None:
    told = message_for(replace(CHARGING, state=State.ENDED), DirectMessage.END)
    assert told.current_power == 0
    assert told.charged_energy == D("5.25")
    assert told.meter_reading is not None


def test_a_closed_session_has_no_time_left() -> None:
    assert message_for(replace(CHARGING, state=State.CLOSED), DirectMessage.FINISH).ttl is None


def test_what_is_not_known_is_not_told() -> None:
    told = message_for(replace(CHARGING, reading=None, meter_start=None), DirectMessage.START)
    assert (told.current_power, told.charged_energy, told.meter_reading, told.current_cost) == (None, None, None, None)


def test_the_bill_is_told_with_its_currency() -> None:
    told = message_for(CHARGING, DirectMessage.FINISH, bill=Bill(cost=D("3.20"), currency="EUR"))
    assert (told.current_cost, told.currency) == (D("3.20"), "EUR")


THRESHOLDS = Thresholds(energy=D(1), power=D(2), power_share=None)


def worth(*, energy: str = "5", power: str = "10.8", after: int = 20, thresholds: Thresholds = THRESHOLDS) -> bool:
    """Whether a reading is told, so many minutes after the provider heard of 5 kWh and 10.8 kW."""
    at = NOON - timedelta(minutes=20) + timedelta(minutes=after)
    reading = Reading(meter=D("12345.67") + D(energy), power=D(power), at=at)
    return is_worth_telling(CHARGING, reading, thresholds)


def test_the_first_reading_is_told() -> None:
    new = replace(CHARGING, told_at=None)
    assert is_worth_telling(new, Reading(meter=D(0), power=D(0), at=NOON), THRESHOLDS)


def test_nothing_is_told_where_nothing_moved() -> None:
    assert not worth()


@pytest.mark.parametrize(("energy", "told"), [("5.99", False), ("6", True), ("60", True)])
def test_energy_is_told_from_its_threshold_on(energy: str, told: bool) -> None:
    assert worth(energy=energy) is told


@pytest.mark.parametrize(("power", "told"), [("12.79", False), ("12.8", True), ("8.81", False), ("8.8", True)])
def test_power_is_told_as_it_rises_or_falls_by_its_threshold(power: str, told: bool) -> None:
    assert worth(power=power) is told


@pytest.mark.parametrize(("power", "told"), [("9.8", False), ("9.72", True), ("11.88", True), ("11", False)])
def test_power_may_be_measured_as_a_share_of_what_was_told(power: str, told: bool) -> None:
    assert worth(power=power, thresholds=replace(THRESHOLDS, power=None, power_share=D("0.1"))) is told


def test_a_share_of_nothing_is_reached_by_any_power_but_nothing() -> None:
    idle = replace(CHARGING, told_power=D(0))
    share = replace(THRESHOLDS, power=None, power_share=D("0.1"))
    reading = Reading(meter=D("12350.67"), power=D(0), at=NOON)
    assert not is_worth_telling(idle, reading, share)
    assert is_worth_telling(idle, replace(reading, power=D("0.1")), share)


@pytest.mark.parametrize(("after", "told"), [(14, False), (15, True), (16, True), (-5, False)])
def test_nothing_is_told_more_often_than_every_quarter_of_an_hour(after: int, told: bool) -> None:
    assert worth(energy="50", after=after) is told


@pytest.mark.parametrize(("after", "told"), [(59, False), (60, True)])
def test_something_is_told_every_hour_though_nothing_moved(after: int, told: bool) -> None:
    assert worth(after=after) is told


def test_a_threshold_of_none_is_not_looked_at() -> None:
    blind = replace(THRESHOLDS, energy=None, power=None)
    assert not worth(energy="50", power="1", thresholds=blind)


def test_a_meter_in_watt_hours_is_read_in_kilowatt_hours() -> None:
    reading = MeterReading(meter_value=Decimal("12345670"), meter_time=datetime(2027, 1, 10, 11, tzinfo=UTC))
    message = InformProviderMessage(
        message=DirectMessage.INFO,
        evse_id="DE*OPS*E1",
        contract_id="DEPROC12345678",
        direct_id="DEOPS-1",
        meter_reading=reading,
    )
    read = in_kwh(message, MeterUnit.WH).meter_reading
    assert read is not None and read.meter_value == Decimal("12345.67")
    assert in_kwh(message, MeterUnit.KWH) is message
    assert in_kwh(replace(message, meter_reading=None), MeterUnit.WH).meter_reading is None
