"""Long answers are found while they are read: all of one instant, and nothing is held once the reader is gone."""

import pytest

from clearinghouse.ochp import operations as op
from clearinghouse.ochp.charge_points import (
    GetChargePointListRequest,
    GetChargePointListUpdatesRequest,
    SetChargePointListRequest,
    UpdateChargePointListRequest,
)
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.persistence.charge_points import BATCH
from clearinghouse.services.charge_points import ChargePointExchange
from tests.services.points_house import NOON, point

MANY = 3 * BATCH


def upload(house, name, count=MANY):
    """The points come one by one, each once, as out of a stream."""
    points = (point(f"DEABCE{number}", location_id="SITE", location_name=name) for number in range(count))
    request = SetChargePointListRequest(charge_point_info_array=points)
    assert handlers(house)[op.SET_CHARGE_POINT_LIST](request, house.cpo, V1_4_1).result.result_code is ResultCode.OK


def handlers(house):
    return ChargePointExchange(house.store, house.clock, house.conversions).handlers


def ask(house, operation, request):
    answer = handlers(house)[operation](request, house.emp, V1_4_1)
    assert answer.result.result_code is ResultCode.OK
    return answer.charge_point_info_array


def test_a_list_is_of_one_instant_whatever_is_uploaded_meanwhile(points_house):
    upload(points_house, "before")
    for operation, request in (
        (op.GET_CHARGE_POINT_LIST, GetChargePointListRequest()),
        (op.GET_CHARGE_POINT_LIST_UPDATES, GetChargePointListUpdatesRequest(last_update=NOON)),
    ):
        reading = iter(ask(points_house, operation, request))
        told = [next(reading)]
        upload(points_house, "after", 10)
        told += reading
        assert (len(told), {each.location_name for each in told}) == (MANY, {"before"})
        upload(points_house, "before")


def test_a_reader_that_vanishes_holds_no_connection(points_house):
    upload(points_house, "there")
    lent = points_house.store._transactions.pool
    reading = ask(points_house, op.GET_CHARGE_POINT_LIST, GetChargePointListRequest())
    assert lent.checkedout() == 1
    reading.close()
    assert lent.checkedout() == 0


def test_an_upload_that_breaks_off_changes_nothing(points_house):
    upload(points_house, "there", 3)

    def broken():
        yield point("DEABCE1", location_id="SITE", location_name="new")
        raise EOFError

    request = UpdateChargePointListRequest(charge_point_info_array=broken())
    with pytest.raises(EOFError):
        handlers(points_house)[op.UPDATE_CHARGE_POINT_LIST](request, points_house.cpo, V1_4_1)
    told = ask(points_house, op.GET_CHARGE_POINT_LIST, GetChargePointListRequest())
    assert {each.location_name for each in told} == {"there"}
