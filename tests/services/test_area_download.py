"""What a provider downloads: charge points, tariffs and live status, whole and then by changes."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.charge_points import (
    ChargePointStatus,
    GetChargePointListRequest,
    GetChargePointListResponse,
    GetChargePointListUpdatesRequest,
    GetChargePointListUpdatesResponse,
)
from clearinghouse.ochp.live import EvseStatus, GetStatusRequest, GetStatusResponse, MajorStatus
from clearinghouse.ochp.tariffs import GetTariffUpdatesRequest, GetTariffUpdatesResponse
from clearinghouse.ochp.versions import V1_3, V1_4_1
from clearinghouse.services.area_download import AreaDownload
from clearinghouse.services.upkeep import Upkeep
from clearinghouse.stations.inventory import SAMPLE, read_site
from clearinghouse.stations.tariff_file import SAMPLE_TARIFFS, read_tariffs
from tests.services.house_double import NOON, OK, HouseDouble, TurnableClock, line_to

POINTS = tuple(
    dataclasses.replace(each, status=ChargePointStatus.OPERATIVE, opening_times=None)
    for each in [*read_site(SAMPLE).published][:3]
)
KEYS = sorted(each.evse_id.replace("*", "") for each in POINTS)
TARIFFS = tuple(read_tariffs(SAMPLE_TARIFFS).values())


class Provider:
    def __init__(self, store, spoken=(V1_4_1,)):
        self.store, self.clock, self.house = store, TurnableClock(), HouseDouble()
        self.area = AreaDownload(store, line_to(self.house, spoken), self.clock)
        self.upkeep = Upkeep(store, self.clock, self.area.chores, self.area.wanted)
        self.house.answers[op.GET_CHARGE_POINT_LIST] = GetChargePointListResponse(
            result=OK, charge_point_info_array=POINTS
        )
        self.house.answers[op.GET_TARIFF_UPDATES] = GetTariffUpdatesResponse(result=OK, tariff_info_array=TARIFFS)
        self.house.answers[op.GET_STATUS] = GetStatusResponse(
            evse=(
                EvseStatus(evse_id=POINTS[0].evse_id, major=MajorStatus.AVAILABLE, ttl=NOON + timedelta(hours=1)),
                EvseStatus(evse_id=POINTS[1].evse_id, major=MajorStatus.NOT_AVAILABLE),
            )
        )


@pytest.fixture
def provider(store):
    return Provider(store)


def test_everything_is_downloaded_whole_and_then_by_changes_since_the_last_call(provider):
    assert provider.upkeep.work() == (Chore.GET_CHARGE_POINTS, Chore.GET_TARIFFS, Chore.GET_STATUS)
    assert [each.start_date_time for each in provider.house.of(GetStatusRequest)] == [None]
    provider.clock.pass_by(minutes=20)
    changed = dataclasses.replace(POINTS[0], location_name="Moved")
    provider.house.answers[op.GET_CHARGE_POINT_LIST_UPDATES] = GetChargePointListUpdatesResponse(
        result=OK, charge_point_info_array=(changed,)
    )
    assert provider.upkeep.work() == (Chore.GET_CHARGE_POINT_UPDATES, Chore.GET_TARIFF_UPDATES, Chore.GET_STATUS)
    overlap = NOON - timedelta(minutes=5)
    assert [each.last_update for each in provider.house.of(GetChargePointListUpdatesRequest)] == [overlap]
    assert [each.last_update for each in provider.house.of(GetTariffUpdatesRequest)] == [None, overlap]
    assert [each.start_date_time for each in provider.house.of(GetStatusRequest)] == [None, overlap]
    assert provider.area.place(changed.evse_id).point.location_name == "Moved"
    assert len(provider.house.of(GetChargePointListRequest)) == 1
    assert [each.key for each in provider.area.places()] == KEYS


def test_after_a_long_time_away_the_whole_is_fetched_again(provider):
    provider.upkeep.work()
    provider.clock.pass_by(hours=7)
    provider.house.answers[op.GET_CHARGE_POINT_LIST] = GetChargePointListResponse(
        result=OK, charge_point_info_array=POINTS[:1]
    )
    assert Chore.GET_CHARGE_POINTS in provider.upkeep.work()
    assert [each.point.evse_id for each in provider.area.places()] == [POINTS[0].evse_id]


def test_only_what_is_operative_and_available_can_be_used_now(provider):
    provider.upkeep.work()
    assert [each.point.evse_id for each in provider.area.places(usable=True)] == [POINTS[0].evse_id]
    provider.clock.pass_by(hours=2)
    assert provider.area.places(usable=True) == []
    assert provider.area.place(POINTS[0].evse_id).status is None


def test_charge_points_are_read_page_by_page(provider):
    provider.upkeep.work()
    first = provider.area.places(limit=2)
    rest = provider.area.places(limit=2, after=first[-1].key)
    assert [each.key for each in first + rest] == KEYS
    assert provider.area.places(operator_id="DEOTH") == []
    with pytest.raises(UnknownId):
        provider.area.place("DE*OTH*E1")


def test_a_replaced_tariff_stays_known_for_charges_that_began_before(provider):
    provider.upkeep.work()
    provider.clock.pass_by(minutes=20)
    entry = TARIFFS[0].individual_tariff[0]
    element = entry.tariff_element[0]
    dearer = dataclasses.replace(
        element, price_component=dataclasses.replace(element.price_component, item_price=Decimal(9))
    )
    entry = dataclasses.replace(entry, tariff_element=(dearer, *entry.tariff_element[1:]))
    tariff = dataclasses.replace(TARIFFS[0], individual_tariff=(entry,))
    provider.house.answers[op.GET_TARIFF_UPDATES] = GetTariffUpdatesResponse(result=OK, tariff_info_array=(tariff,))
    provider.upkeep.work()
    key = tariff.tariff_id.replace("*", "").upper()
    with provider.store.books() as books:
        before, after = books.downloads.tariff_versions(key)
    assert (before.tariff, before.valid_until) == (TARIFFS[0], NOON + timedelta(minutes=20))
    assert (after.tariff, after.valid_until) == (tariff, None)
    assert tariff in [each for _, each in provider.area.known_tariffs()]


def test_1_3_has_no_tariffs_to_download(store):
    provider = Provider(store, (V1_3,))
    assert Chore.GET_TARIFFS not in provider.area.chores
    assert provider.upkeep.work() == (Chore.GET_CHARGE_POINTS, Chore.GET_STATUS)
