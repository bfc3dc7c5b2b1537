"""An operator's charge points, tariffs and live status at the house: once, on change, and again after failures."""

import dataclasses
from datetime import timedelta

import pytest

from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.charge_points import (
    SetChargePointListRequest,
    SetChargePointListResponse,
    UpdateChargePointListRequest,
)
from clearinghouse.ochp.live import MajorStatus, MinorStatus, UpdateStatusRequest
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tariffs import UpdateTariffsRequest
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4_1
from clearinghouse.services.site_upload import POINTS, SiteUpload
from clearinghouse.services.status_upload import StatusUpload
from clearinghouse.services.upkeep import Upkeep
from clearinghouse.stations.inventory import SAMPLE, read_site
from clearinghouse.stations.physics import Car
from clearinghouse.stations.simulator import Simulator
from clearinghouse.stations.tariff_file import SAMPLE_TARIFFS, read_tariffs
from tests.services.house_double import HouseDouble, TurnableClock, line_to

SITE = read_site(SAMPLE)
POINTS_SHOWN = tuple(SITE.published)
TARIFFS = tuple(read_tariffs(SAMPLE_TARIFFS).values())


class Operator:
    """An operator's upkeep; `start` lets its process begin anew with other data."""

    def __init__(self, store, spoken=ORDER):
        self.store, self.spoken, self.clock, self.house = store, spoken, TurnableClock(), HouseDouble()
        self.lost, self.reports = [], []
        self.start(POINTS_SHOWN)

    def start(self, points, tariffs=TARIFFS, evses=SITE.evses):
        line = line_to(self.house, self.spoken, lambda *what: self.lost.append(what))
        site = SiteUpload(self.store, line, self.clock, tuple(points), tuple(tariffs))
        report = lambda *said: self.reports.append(said)  # noqa: E731
        self.site = Upkeep(self.store, self.clock, site.chores, site.wanted, report)
        self.simulator = Simulator(evses, self.store, self.clock)
        status = StatusUpload(self.store, line, self.clock, self.simulator, tuple(evses))
        self.status = Upkeep(self.store, self.clock, status.chores, status.wanted, report)


@pytest.fixture
def operator(store):
    return Operator(store)


def test_everything_is_uploaded_once_and_then_nothing(operator):
    assert operator.site.work() == (Chore.SET_CHARGE_POINTS, Chore.UPDATE_TARIFFS)
    assert operator.site.work() == ()
    (points,) = operator.house.of(SetChargePointListRequest)
    (tariffs,) = operator.house.of(UpdateTariffsRequest)
    assert points.charge_point_info_array == POINTS_SHOWN
    assert [each.tariff_id for each in tariffs.tariff_info_array] == ["DE*OPS*TAC", "DE*OPS*TDC"]
    assert operator.house.versions == [V1_4_1, V1_4_1]


def test_what_changed_alone_is_uploaded_when_the_process_starts_anew(operator):
    operator.site.work()
    first, *others = POINTS_SHOWN
    renamed = dataclasses.replace(first, location_name="Elsewhere")
    operator.start([renamed, *others])
    assert operator.site.work() == (Chore.UPDATE_CHARGE_POINTS,)
    (update,) = operator.house.of(UpdateChargePointListRequest)
    assert update.charge_point_info_array == (renamed,)
    assert operator.site.work() == ()


def test_charge_points_that_vanished_need_the_whole_list(operator):
    operator.site.work()
    operator.start(POINTS_SHOWN[1:])
    assert operator.site.work() == (Chore.SET_CHARGE_POINTS,)
    assert operator.site.work() == ()


def test_the_whole_list_is_uploaded_every_day(operator):
    operator.site.work()
    operator.clock.pass_by(days=1)
    assert operator.site.work() == (Chore.SET_CHARGE_POINTS,)


def test_an_upload_that_failed_is_repeated_and_others_go_on(operator):
    refusal = Result.of(ResultCode.SERVER, "out of paper")
    operator.house.answers[op.SET_CHARGE_POINT_LIST] = SetChargePointListResponse(result=refusal)
    operator.site.work()
    assert operator.reports[0] == (Chore.SET_CHARGE_POINTS, "HouseRefused: server: out of paper", True)
    assert operator.house.of(UpdateTariffsRequest)
    del operator.house.answers[op.SET_CHARGE_POINT_LIST]
    operator.house.answers[op.SET_CHARGE_POINT_LIST] = HouseDouble().answers[op.SET_CHARGE_POINT_LIST]
    assert operator.site.work() == ()
    operator.clock.pass_by(seconds=10)
    assert operator.site.work() == (Chore.SET_CHARGE_POINTS,)


def test_a_refused_charge_point_is_kept_with_the_reason_and_not_repeated_at_once(operator):
    operator.house.answers[op.SET_CHARGE_POINT_LIST] = lambda request: SetChargePointListResponse(
        result=Result.of(ResultCode.PARTLY, "DE*OPS*E1001 is in the sea"),
        refused_charge_point_info=request.charge_point_info_array[:1],
    )
    operator.site.work()
    assert "1 refused: DE*OPS*E1001 is in the sea" in operator.reports[0][1]
    assert operator.site.work() == ()
    with operator.store.books() as books:
        assert books.uploads.of(POINTS)["DEOPSE1001"].refusal == "DE*OPS*E1001 is in the sea"


def test_an_operator_of_1_3_uploads_charge_points_without_tariffs(store):
    operator = Operator(store, (V1_3,))
    assert operator.site.work() == (Chore.SET_CHARGE_POINTS,)
    (points,) = operator.house.of(SetChargePointListRequest)
    assert len(points.charge_point_info_array) == 12
    assert ("DE*OPS*E1001", "connectors/tariffId", "1.3 has no such field") in operator.lost


# -- Live status ---------------------------------------------------------------------------------------------------


def test_status_is_uploaded_for_all_and_then_for_those_that_change(operator):
    assert operator.status.work() == (Chore.UPDATE_STATUS,)
    assert operator.status.work() == ()
    operator.simulator.plug("DEOPSE1001", Car())
    operator.status.work()
    whole, change = operator.house.of(UpdateStatusRequest)
    assert len(whole.evse) == 12
    (changed,) = change.evse
    assert (changed.evse_id, changed.major, changed.minor) == (
        "DE*OPS*E1001",
        MajorStatus.NOT_AVAILABLE,
        MinorStatus.BLOCKED,
    )
    assert changed.ttl == operator.clock() + timedelta(minutes=5)


def test_status_of_what_is_as_it_was_is_not_even_looked_up(operator, monkeypatch):
    operator.status.work()
    operator.simulator.plug("DEOPSE1001", Car())
    looked_up, status = [], operator.simulator.status
    monkeypatch.setattr(operator.simulator, "status", lambda keys: looked_up.append(keys) or status(keys))
    operator.status.work()
    operator.simulator.unplug("DEOPSE1001")
    operator.status.work()
    assert {*map(tuple, looked_up)} == {("DEOPSE1001",)}
    assert [each.evse[0].major for each in operator.house.of(UpdateStatusRequest)[1:]] == [
        MajorStatus.NOT_AVAILABLE,
        MajorStatus.AVAILABLE,
    ]


def test_an_evse_that_is_spelled_anew_is_told_anew(operator):
    operator.status.work()
    first, *_ = SITE.evses.values()
    operator.start(POINTS_SHOWN, evses={**SITE.evses, first.key: dataclasses.replace(first, evse_id=first.key)})
    operator.status.work()
    assert [each.evse_id for each in operator.house.of(UpdateStatusRequest)[-1].evse] == [first.key]


def test_status_is_told_again_before_it_runs_out(operator):
    operator.status.work()
    operator.clock.pass_by(minutes=3)
    assert operator.status.work() == ()
    operator.clock.pass_by(minutes=1)
    assert operator.status.work() == (Chore.UPDATE_STATUS,)
    assert len(operator.house.of(UpdateStatusRequest)[-1].evse) == 12


def test_status_that_could_not_be_told_is_told_later(operator):
    operator.house.down = True
    operator.status.work()
    operator.house.down = False
    operator.clock.pass_by(seconds=10)
    operator.status.work()
    assert len(operator.house.of(UpdateStatusRequest)[0].evse) == 12
