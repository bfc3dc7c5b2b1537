"""Charge points, tariffs and live status between the dialects, through the house: what arrives and what is lost."""

import dataclasses
from decimal import Decimal

import pytest

from clearinghouse.ochp.charge_points import GetChargePointListRequest, SetChargePointListRequest
from clearinghouse.ochp.connectors import (
    ChargePointType,
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    MeteringInfo,
    MeteringType,
    Ratings,
)
from clearinghouse.ochp.hours import Hours, RegularHours
from clearinghouse.ochp.live import EvseStatus, GetStatusRequest, MajorStatus, ParkingStatus, UpdateStatusRequest
from clearinghouse.ochp.locations import Address, GeneralLocation, ParkingSpot, Restriction
from clearinghouse.ochp.tariffs import GetTariffUpdatesRequest, UpdateTariffsRequest
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1
from tests.domain.test_pricing import tariff
from tests.services.points_house import Faulted, point


@pytest.fixture
def house(points_house):
    return points_house


def crossed(house, said, writer, reader):
    """What a reader gets of a charge point, or None, and the fields that the conversion log names for it."""
    house.ask(house.cpo, SetChargePointListRequest(charge_point_info_array=(said,)), writer)
    answer = house.ask(house.emp, GetChargePointListRequest(), reader)
    read = answer.charge_point_info_array
    return (read[0] if read else None), house.losses(house.emp)


def connector(standard=ConnectorStandard.IEC_62196_T2, form=ConnectorFormat.SOCKET, tariff_id=None):
    return Connector(connector_standard=standard, connector_format=form, tariff_id=tariff_id)


def weekly(begin, end):
    return (RegularHours(weekday=1, period_begin=begin, period_end=end),)


@pytest.mark.parametrize("reader", ORDER)
@pytest.mark.parametrize("writer", ORDER)
def test_a_usual_point_crosses_without_loss(house, writer, reader):
    usual = point(
        connectors=(connector(ConnectorStandard.DOMESTIC_F), connector()),
        restriction=(Restriction.EV_ONLY,),
        opening_times=Hours(regular_hours=weekly("08:00", "18:00")),
        telephone_number="0049 241 1234",
        time_zone="Europe/Berlin",
    )
    read, lost = crossed(house, usual, writer, reader)
    assert _canonical(read) == usual
    assert lost == set()


def _canonical(read):
    """A charge point read in 1.3, without what only that version's way of saying it fills."""
    flat = ("house_number", "address", "city", "zip_code", "country", "floor_level", "parking_slot_number")
    return dataclasses.replace(read, **dict.fromkeys(flat))


HOUSE_NUMBER = Address(house_number="12-14", address="High Street", city="Aachen", zip_code="52062", country="DEU")
METERING = MeteringInfo(metering_type=MeteringType.LOCAL, metering_vendor="ACME", metering_vendor_version="1")
SPOTS = (
    ParkingSpot(parking_id="DE*ABC*P7", floor_level="2", parking_spot_number="17"),
    ParkingSpot(parking_id="DE*ABC*P8"),
)

DOWN = {
    "the tariff of a connector": (
        V1_3,
        {"connectors": (connector(tariff_id="DEABCT1"),)},
        {"connectors": (connector(),)},
        {"connectors/tariffId"},
    ),
    "charging while closed": (
        V1_3,
        {"opening_times": Hours(regular_hours=weekly("08:00", "18:00"), closed_charging=True)},
        {"opening_times": Hours(regular_hours=weekly("08:00", "18:00"))},
        {"openingTimes/closedCharging"},
    ),
    "a second parking spot": (
        V1_3,
        {"parking_spot": SPOTS},
        {"parking_spot": (dataclasses.replace(SPOTS[0], parking_id="DEABCP1"),)},
        {"parkingSpot/parkingId", "parkingSpot"},
    ),
    "car sharing": (
        V1_3,
        {"restriction": (Restriction.EV_ONLY, Restriction.CARSHARING)},
        {"restriction": (Restriction.EV_ONLY,)},
        {"restriction"},
    ),
    "a private place": (
        V1_3,
        {"location": GeneralLocation.PRIVATE},
        {"location": GeneralLocation.OTHER},
        {"location"},
    ),
    "a type that the connectors do not tell": (
        V1_3,
        {"charge_point_type": ChargePointType.DC},
        {"charge_point_type": ChargePointType.AC},
        {"chargePointType"},
    ),
    "a telephone number with a plus": (
        V1_3,
        {"telephone_number": "+49 241 1234"},
        {"telephone_number": "0049 241 1234"},
        set(),
    ),
    "a house number with a hyphen": (
        V1_3,
        {"charge_point_address": HOUSE_NUMBER},
        {"charge_point_address": dataclasses.replace(HOUSE_NUMBER, house_number="12 14")},
        None,
    ),
    "the longest reservation": (V1_3, {"max_reservation": 30}, {}, {"maxReservation"}),
    "metering, to 1.3": (V1_3, {"metering_info": METERING}, {}, {"meteringInfo"}),
    "metering, to 1.4": (V1_4, {"metering_info": METERING}, {}, {"meteringInfo"}),
}


@pytest.mark.parametrize("name", DOWN)
def test_an_older_reader_gets_what_its_version_can_say(house, name):
    reader, said, heard, lost = DOWN[name]
    read, losses = crossed(house, point(**said), V1_4_1, reader)
    assert _canonical(read) == point(**heard)
    assert lost is None or losses == lost


@pytest.mark.parametrize("reader", [V1_3, V1_4])
@pytest.mark.parametrize(
    "said",
    [
        {"charge_point_type": ChargePointType.H2},
        {"connectors": (connector(ConnectorStandard.H2, ConnectorFormat.NOZZLE),)},
    ],
)
def test_fuel_is_not_delivered_to_who_cannot_read_it_and_that_is_logged(house, reader, said):
    read, losses = crossed(house, point(**said), V1_4_1, reader)
    assert read is None
    assert losses
    assert house.ask(house.emp, GetChargePointListRequest(), V1_4_1).charge_point_info_array == (point(**said),)


@pytest.mark.parametrize("reader", [V1_4, V1_4_1])
def test_access_times_narrow_the_opening_times_and_the_category_is_lost(house, reader):
    said = point(
        category="1",
        opening_times=Hours(regular_hours=weekly("08:00", "18:00")),
        access_times=Hours(regular_hours=weekly("10:00", "20:00")),
    )
    read, losses = crossed(house, said, V1_3, reader)
    assert read == point(opening_times=Hours(regular_hours=weekly("10:00", "18:00")))
    assert losses == {"accessTimes", "category"}
    again = house.ask(house.emp, GetChargePointListRequest(), V1_3).charge_point_info_array[0]
    assert (again.category, again.access_times, again.opening_times) == (
        said.category,
        said.access_times,
        said.opening_times,
    )


@pytest.mark.parametrize("reader", [V1_4, V1_4_1])
def test_a_parking_slot_of_1_3_gets_an_id(house, reader):
    spot = ParkingSpot(parking_id="DE*ABC*P1", floor_level="-1", parking_spot_number="23")
    read, losses = crossed(house, point("DE*ABC*E1", parking_spot=(spot,)), V1_3, reader)
    assert read.parking_spot == (spot,)
    assert losses == set()


@pytest.mark.parametrize(
    ("connectors", "power", "expected"),
    [
        ((connector(),), 22, ChargePointType.AC),
        ((connector(ConnectorStandard.CHADEMO),), 50, ChargePointType.DC),
        ((connector(ConnectorStandard.IEC_62196_T2_COMBO), connector()), 50, ChargePointType.DC),
        ((connector(ConnectorStandard.TESLA_S),), 22, ChargePointType.AC),
        ((connector(ConnectorStandard.TESLA_S),), 120, ChargePointType.DC),
    ],
)
def test_the_type_that_1_3_does_not_say_follows_from_the_connectors(house, connectors, power, expected):
    said = point(connectors=connectors, ratings=Ratings(maximum_power=Decimal(power)))
    read, _ = crossed(house, said, V1_3, V1_4_1)
    assert (read.charge_point_type, read.connectors) == (expected, connectors)


def test_parking_has_no_counterpart_in_1_3(house):
    status = UpdateStatusRequest(
        evse=(EvseStatus(evse_id="DEABCE1", major=MajorStatus.AVAILABLE),),
        parking=(ParkingStatus(parking_id="DEABCP1", status=MajorStatus.AVAILABLE),),
    )
    house.ask(house.cpo, status, V1_4)
    answer = house.ask(house.emp, GetStatusRequest(), V1_3)
    assert [each.evse_id for each in answer.evse] == ["DEABCE1"]
    assert (answer.parking, answer.combined) == ((), ())


@pytest.mark.parametrize("request_", [UpdateTariffsRequest(tariff_info_array=(tariff(),)), GetTariffUpdatesRequest()])
def test_tariffs_have_no_counterpart_in_1_3(house, request_):
    with pytest.raises(Faulted):
        house.ask(house.cpo, request_, V1_3)
