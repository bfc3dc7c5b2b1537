"""Live status at the house: times to live, illegal pairs, what is newer, combined with parking, in every version."""

from datetime import timedelta

import pytest

from clearinghouse.ochp.charge_points import SetChargePointListRequest
from clearinghouse.ochp.live import (
    EvseStatus,
    GetStatusRequest,
    GetStatusResponse,
    MajorStatus,
    MinorStatus,
    ParkingStatus,
    StatusType,
    UpdateStatusRequest,
)
from clearinghouse.ochp.locations import ParkingSpot
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4
from tests.services.points_house import Faulted, point

AVAILABLE, NOT_AVAILABLE, UNKNOWN = MajorStatus.AVAILABLE, MajorStatus.NOT_AVAILABLE, MajorStatus.UNKNOWN


@pytest.fixture
def house(points_house):
    return points_house


def evse(evse_id="DEABCE1", major=AVAILABLE, minor=None, ttl=None):
    return EvseStatus(evse_id=evse_id, major=major, minor=minor, ttl=ttl)


def spot(parking_id="DEABCP1", status=AVAILABLE, ttl=None):
    return ParkingStatus(parking_id=parking_id, status=status, ttl=ttl)


def tell(house, *evses, parking=(), ttl=None, by=None, **how):
    request = UpdateStatusRequest(evse=evses, parking=parking, ttl=ttl)
    return house.ask(by or house.cpo, request, path="/live/ochp", **how).result


def ask(house, since=None, kind=None, by=None, **how):
    request = GetStatusRequest(start_date_time=since, status_type=kind)
    return house.ask(by or house.emp, request, path="/live/ochp", **how)


def seen(house, since=None, by=None):
    return {each.evse_id: (each.major, each.minor) for each in ask(house, since, by=by).evse}


def later(house, **length):
    """Let time pass by; the whole second before that, as a reader would note it."""
    house.clock.pass_by(seconds=2)
    noted = house.clock.now.replace(microsecond=0)
    house.clock.pass_by(**length)
    return noted


@pytest.mark.parametrize("reader", ORDER)
@pytest.mark.parametrize("writer", ORDER)
def test_what_an_operator_tells_its_partner_reads_whatever_they_speak(house, writer, reader):
    until = house.clock.now.replace(microsecond=0) + timedelta(minutes=20)
    told = evse("DE*ABC*E1", NOT_AVAILABLE, MinorStatus.CHARGING, until)
    assert tell(house, told, version=writer).result_code is ResultCode.OK
    assert ask(house, version=reader) == GetStatusResponse(evse=(told,))


def test_the_status_operations_are_served_on_the_service_path_too(house):
    request = UpdateStatusRequest(evse=(evse(),))
    assert house.ask(house.cpo, request, path="/service/ochp").result.result_code is ResultCode.OK


def test_an_entrys_own_time_to_live_beats_that_of_the_message(house):
    noon = house.clock.now.replace(microsecond=0)
    early, late = noon + timedelta(minutes=1), noon + timedelta(minutes=30)
    tell(house, evse("DEABCE1", ttl=early), evse("DEABCE2"), ttl=late)
    assert {each.evse_id: each.ttl for each in ask(house).evse} == {"DEABCE1": early, "DEABCE2": late}


def test_an_available_evse_is_believed_for_five_minutes(house):
    tell(house, evse())
    house.clock.pass_by(minutes=4)
    assert seen(house) == {"DEABCE1": (AVAILABLE, None)}
    house.clock.pass_by(minutes=2)
    assert seen(house) == {}


def test_an_ended_status_is_shown_once_as_unknown(house):
    tell(house, evse())
    before = later(house, minutes=6)
    assert seen(house, before) == {"DEABCE1": (UNKNOWN, None)}
    after = later(house, minutes=1)
    assert seen(house, after) == {}


def test_only_what_is_newer_is_shown(house):
    tell(house, evse("DEABCE1"), evse("DEABCE2"))
    noted = later(house, seconds=5)
    tell(house, evse("DEABCE2", NOT_AVAILABLE))
    assert seen(house, noted) == {"DEABCE2": (NOT_AVAILABLE, None)}
    assert [*seen(house)] == ["DEABCE1", "DEABCE2"]


def test_the_future_is_empty(house):
    tell(house, evse())
    assert ask(house, house.clock.now.replace(microsecond=0) + timedelta(hours=1)) == GetStatusResponse()


def test_an_illegal_minor_status_is_left_out_and_told(house):
    result = tell(house, evse(major=UNKNOWN, minor=MinorStatus.CHARGING))
    assert result.result_code is ResultCode.OK
    assert result.result_description == "DEABCE1: charging does not go with unknown and was left out"
    assert seen(house) == {"DEABCE1": (UNKNOWN, None)}


def test_an_evse_of_another_is_refused(house):
    result = tell(house, evse("DEABCE1"), evse("FRXYZE1"))
    assert (result.result_code, result.result_description) == (ResultCode.PARTLY, "FRXYZE1 is not yours")
    result = tell(house, evse("FRXYZE1"), parking=(spot("FRXYZP1"),))
    assert result.result_code is ResultCode.INVALID_ID
    assert [*seen(house)] == ["DEABCE1"]


def test_the_last_word_on_an_evse_in_one_message_counts(house):
    tell(house, evse("DE*ABC*E1"), evse("DEABCE1", NOT_AVAILABLE))
    assert seen(house) == {"DEABCE1": (NOT_AVAILABLE, None)}


def test_parking_has_its_own_answer(house):
    tell(house, evse(), parking=(spot(status=NOT_AVAILABLE),))
    answer = ask(house, kind=StatusType.PARKING)
    assert [(each.parking_id, each.status) for each in answer.parking] == [("DEABCP1", NOT_AVAILABLE)]
    assert (answer.evse, answer.combined) == ((), ())


@pytest.fixture
def with_spots(house):
    spots = (ParkingSpot(parking_id="DE*ABC*P1"), ParkingSpot(parking_id="DE*ABC*P2"))
    points = (point("DEABCE1", parking_spot=spots), point("DEABCE2"))
    house.ask(house.cpo, SetChargePointListRequest(charge_point_info_array=points))
    tell(house, evse("DEABCE1"), evse("DEABCE2"), evse("DEABCE3"))
    return house


def together(house, since=None):
    answer = ask(house, since, kind=StatusType.COMBINED)
    return {each.evse_id: (each.major, each.minor) for each in answer.combined}


def test_an_evse_whose_parking_spots_are_taken_is_blocked_in_the_combined_answer(with_spots):
    free = (AVAILABLE, None)
    tell(with_spots, parking=(spot("DEABCP1", NOT_AVAILABLE),))
    assert together(with_spots) == {"DEABCE1": free, "DEABCE2": free, "DEABCE3": free}
    noted = later(with_spots, seconds=1)
    tell(with_spots, parking=(spot("DEABCP2", NOT_AVAILABLE),))
    assert together(with_spots, noted) == {"DEABCE1": (NOT_AVAILABLE, MinorStatus.BLOCKED)}
    assert seen(with_spots)["DEABCE1"] == free
    noted = later(with_spots, seconds=1)
    tell(with_spots, parking=(spot("DEABCP2"),))
    assert together(with_spots, noted) == {"DEABCE1": free}


def test_a_stranger_sees_nothing_and_gets_no_fault(house):
    tell(house, evse())
    stranger = house.provider("stranger", "FRSTR")
    house.connect("DEABC", "FRSTR", "poi")
    for version in ORDER:
        assert ask(house, by=stranger, version=version) == GetStatusResponse()


def test_a_new_connection_shows_everything_and_an_ended_one_makes_it_unknown(house):
    tell(house, evse("DEABCE1", NOT_AVAILABLE))
    newcomer = house.provider("newcomer", "FRNEW")
    noted = later(house, minutes=1)
    house.connect("DEABC", "FRNEW", "status")
    assert seen(house, noted, newcomer) == {"DEABCE1": (NOT_AVAILABLE, None)}
    noted = later(house, minutes=1)
    house.disconnect("DEABC", "FRNEW", "status")
    house.clock.pass_by(minutes=1)
    tell(house, evse("DEABCE2", NOT_AVAILABLE))
    assert seen(house, noted, newcomer) == {"DEABCE1": (UNKNOWN, None)}
    assert ask(house, noted, kind=StatusType.COMBINED, by=newcomer).combined == (evse(major=UNKNOWN),)
    assert seen(house, by=newcomer) == {}


def test_who_is_no_provider_gets_a_fault_because_the_answer_has_no_result(house):
    with pytest.raises(Faulted, match="provider IDs"):
        ask(house, by=house.cpo)
    assert tell(house, evse(), by=house.emp).result_code is ResultCode.NOT_AUTHORIZED


def test_an_older_reader_gets_no_parking(house):
    tell(house, evse(), parking=(spot(),))
    assert ask(house, version=V1_3).parking == ()
    assert ask(house, version=V1_4, kind=StatusType.PARKING).parking[0].parking_id == "DEABCP1"
