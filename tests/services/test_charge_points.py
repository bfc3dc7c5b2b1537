"""Charge points at the house: partitions, refusals, deltas, tombstones, and who sees what."""

from datetime import timedelta

import pytest

from clearinghouse.ochp.charge_points import (
    ChargePointStatus,
    GetChargePointListRequest,
    GetChargePointListUpdatesRequest,
    SetChargePointListRequest,
    UpdateChargePointListRequest,
)
from clearinghouse.ochp.hours import Hours, RegularHours
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.versions import V1_3, V1_4
from tests.services.points_house import point


@pytest.fixture
def house(points_house):
    return points_house


def upload(house, *points, by=None):
    return house.ask(by or house.cpo, SetChargePointListRequest(charge_point_info_array=points))


def update(house, *points):
    return house.ask(house.cpo, UpdateChargePointListRequest(charge_point_info_array=points))


def seen(house, by=None):
    answer = house.ask(by or house.emp, GetChargePointListRequest())
    return {each.evse_id: each for each in answer.charge_point_info_array}


def updates(house, since, by=None):
    house.clock.pass_by(seconds=2)
    request = GetChargePointListUpdatesRequest(last_update=since.replace(microsecond=0))
    return {each.evse_id: each.status for each in house.ask(by or house.emp, request).charge_point_info_array}


def test_what_an_operator_uploads_its_partner_reads(house):
    answer = upload(house, point("DE*ABC*E1"), point("DEABCE2"))
    assert answer.result.result_code is ResultCode.OK
    assert answer.refused_charge_point_info == ()
    assert seen(house) == {"DE*ABC*E1": point("DE*ABC*E1"), "DEABCE2": point("DEABCE2")}


def test_a_set_replaces_the_partition_and_what_vanished_is_closed_once(house, turnable_clock):
    upload(house, point("DEABCE1"), point("DEABCE2"))
    turnable_clock.pass_by(minutes=1)
    asked = turnable_clock()
    upload(house, point("DEABCE2"), point("DEABCE3"))
    assert [*seen(house)] == ["DEABCE2", "DEABCE3"]
    operative, closed = ChargePointStatus.OPERATIVE, ChargePointStatus.CLOSED
    assert updates(house, asked) == {"DEABCE1": closed, "DEABCE3": operative}
    assert updates(house, turnable_clock()) == {}


def test_a_set_replaces_what_all_operator_ids_of_the_caller_had_and_nothing_else(house):
    house.connect("NLABC", "DEEMP", "poi")
    other = house.operator("other", "FRXYZ")
    house.connect("FRXYZ", "DEEMP", "poi")
    house.ask(other, SetChargePointListRequest(charge_point_info_array=(point("FRXYZE1"),)))
    upload(house, point("DEABCE1"), point("NLABCE1"))
    assert sorted(seen(house)) == ["DEABCE1", "FRXYZE1", "NLABCE1"]
    upload(house, point("NLABCE2"))
    assert sorted(seen(house)) == ["FRXYZE1", "NLABCE2"]


def test_an_update_adds_and_changes_and_keeps_the_rest(house, turnable_clock):
    upload(house, point("DEABCE1"), point("DEABCE2"))
    turnable_clock.pass_by(minutes=1)
    asked = turnable_clock()
    update(house, point("DEABCE2", location_name="Renamed"), point("DEABCE3"))
    assert [*updates(house, asked)] == ["DEABCE2", "DEABCE3"]
    assert seen(house)["DEABCE2"].location_name == "Renamed"
    assert len(seen(house)) == 3


def test_uploading_the_same_again_is_no_change(house, turnable_clock):
    upload(house, point("DEABCE1"))
    turnable_clock.pass_by(minutes=1)
    asked = turnable_clock()
    upload(house, point("DEABCE1"))
    update(house, point("DEABCE1"))
    assert updates(house, asked) == {}


def test_a_vanished_point_that_returns_is_there_again(house, turnable_clock):
    upload(house, point("DEABCE1"), point("DEABCE2"))
    upload(house, point("DEABCE2"))
    turnable_clock.pass_by(minutes=1)
    asked = turnable_clock()
    upload(house, point("DEABCE1"), point("DEABCE2"))
    assert updates(house, asked) == {"DEABCE1": ChargePointStatus.OPERATIVE}


def test_points_of_others_are_refused_and_the_own_stored(house):
    answer = upload(house, point("DEABCE1"), point("FRXYZE1"))
    assert answer.result.result_code is ResultCode.PARTLY
    assert answer.result.result_description == "FRXYZE1 belongs to FRXYZ, which is not yours"
    assert answer.refused_charge_point_info == (point("FRXYZE1"),)
    assert [*seen(house)] == ["DEABCE1"]


def test_where_nothing_can_be_stored_nothing_is_replaced(house):
    upload(house, point("DEABCE1"))
    answer = upload(house, point("FRXYZE1"), point("FRXYZE2"))
    assert answer.result.result_code is ResultCode.INVALID_ID
    assert "FRXYZE1 belongs to FRXYZ, which is not yours; FRXYZE2" in answer.result.result_description
    assert [*seen(house)] == ["DEABCE1"]


def test_the_same_evse_twice_in_one_list_is_refused_the_second_time(house):
    answer = upload(house, point("DEABCE1"), point("de*abc*e1", location_name="Other"))
    assert answer.result.result_code is ResultCode.PARTLY
    assert answer.refused_charge_point_info[0].location_name == "Other"
    assert seen(house)["DEABCE1"].location_name == "Car park"


def test_one_location_at_two_addresses_is_stored_with_a_warning(house):
    elsewhere = point("DEABCE2", location_id="SITE 1", location_name="Annex")
    answer = upload(house, point("DEABCE1"), elsewhere)
    assert answer.result.result_description == "Data accepted and processed."
    moved = point(
        "DEABCE3",
        location_id="SITE 1",
        charge_point_address=point().charge_point_address.__class__(
            address="Low Street", city="Aachen", zip_code="52062", country="DEU"
        ),
    )
    answer = update(house, moved)
    assert answer.result.result_code is ResultCode.OK
    assert "location SITE 1 differ in address" in answer.result.result_description
    assert len(seen(house)) == 3


def test_a_provider_without_any_connection_is_told_so(house):
    upload(house, point("DEABCE1"))
    stranger = house.provider("stranger", "FRSTR")
    for version, code in ((V1_3, ResultCode.OK), (V1_4, ResultCode.ROAMING)):
        answer = house.ask(stranger, GetChargePointListRequest(), version)
        assert (answer.result.result_code, answer.charge_point_info_array) == (code, ())
        assert "No roaming connection" in answer.result.result_description


def test_a_connection_of_another_kind_shows_nothing(house):
    upload(house, point("DEABCE1"))
    other = house.provider("other", "FROTH")
    house.connect("DEABC", "FROTH", "status")
    assert house.ask(other, GetChargePointListRequest()).result.result_code is ResultCode.ROAMING


def test_a_connected_operator_without_points_is_no_error(house):
    answer = house.ask(house.emp, GetChargePointListRequest())
    assert (answer.result.result_code, answer.charge_point_info_array) == (ResultCode.OK, ())


def test_a_new_connection_brings_all_points_and_an_ended_one_closes_them(house, turnable_clock):
    upload(house, point("DEABCE1"), point("DEABCE2"))
    upload(house, point("DEABCE1"))
    turnable_clock.pass_by(minutes=1)
    newcomer = house.provider("newcomer", "FRNEW")
    asked = turnable_clock()
    house.connect("DEABC", "FRNEW", "poi")
    assert updates(house, asked, newcomer) == {"DEABCE1": ChargePointStatus.OPERATIVE}
    turnable_clock.pass_by(minutes=1)
    asked = turnable_clock()
    house.disconnect("DEABC", "FRNEW", "poi")
    turnable_clock.pass_by(minutes=1)
    update(house, point("DEABCE9"))
    assert updates(house, asked, newcomer) == {"DEABCE1": ChargePointStatus.CLOSED}
    assert updates(house, turnable_clock(), newcomer) == {}


def test_a_connection_that_ends_by_its_period_closes_the_points_too(house, turnable_clock):
    upload(house, point("DEABCE1"))
    guest = house.provider("guest", "FRGST")
    house.connect("DEABC", "FRGST", "poi", valid_until=turnable_clock.now + timedelta(hours=1))
    assert [*seen(house, guest)] == ["DEABCE1"]
    asked = turnable_clock()
    turnable_clock.pass_by(hours=2)
    assert updates(house, asked, guest) == {"DEABCE1": ChargePointStatus.CLOSED}


def test_only_operators_upload_and_only_providers_fetch(house):
    answer = upload(house, point("DEABCE1"), by=house.emp)
    assert answer.result.result_code is ResultCode.NOT_AUTHORIZED
    answer = house.ask(house.cpo, GetChargePointListRequest())
    assert answer.result.result_code is ResultCode.NOT_AUTHORIZED


def test_an_unknown_time_zone_is_stored_with_a_warning(house):
    answer = upload(house, point("DEABCE1", time_zone="Europe/Nowhere"), point("DEABCE2", time_zone="Europe/Berlin"))
    assert answer.result.result_description == "Stored, but 'Europe/Nowhere' is no time zone"
    assert len(seen(house)) == 2


def test_hours_over_midnight_are_told_as_two_periods(house):
    overnight = Hours(regular_hours=(RegularHours(weekday=7, period_begin="22:00", period_end="06:00"),))
    upload(house, point("DEABCE1", opening_times=overnight))
    told = seen(house)["DEABCE1"].opening_times.regular_hours
    assert [(each.weekday, each.period_begin, each.period_end) for each in told] == [
        (1, "00:00", "06:00"),
        (7, "22:00", "24:00"),
    ]
