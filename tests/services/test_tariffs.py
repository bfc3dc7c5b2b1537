"""Tariffs at the house: who gets which entry, what changed, and which version was in force."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.ochp.cdrs import BillingItem
from clearinghouse.ochp.charge_points import SetChargePointListRequest
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tariffs import GetTariffUpdatesRequest, UpdateTariffsRequest
from clearinghouse.ochp.versions import V1_4, V1_4_1
from clearinghouse.services.cdr_tariffs import priced_by_tariff
from tests.domain.test_pricing import cdr, element, entry, tariff
from tests.services.points_house import point


@pytest.fixture
def house(points_house):
    return points_house


def update(house, *tariffs, by=None, version=V1_4_1):
    return house.ask(by or house.cpo, UpdateTariffsRequest(tariff_info_array=tariffs), version)


def read(house, since=None, by=None, version=V1_4_1):
    request = GetTariffUpdatesRequest(last_update=since and since.replace(microsecond=0))
    return house.ask(by or house.emp, request, version)


def seen(house, since=None, by=None):
    return {each.tariff_id: each.individual_tariff for each in read(house, since, by).tariff_info_array}


@pytest.mark.parametrize("reader", [V1_4, V1_4_1])
@pytest.mark.parametrize("writer", [V1_4, V1_4_1])
def test_what_an_operator_uploads_its_partner_reads(house, writer, reader):
    assert update(house, tariff(), version=writer).result.result_code is ResultCode.OK
    assert read(house, version=reader).tariff_info_array == (tariff(),)


def test_a_provider_gets_its_own_entry_and_never_the_recipients(house):
    other = house.provider("other", "FROTH")
    house.connect("DEABC", "FROTH", "tariff")
    mine, default = entry(element(price="0.2"), to=("DEEMP",)), entry()
    result = update(house, tariff(mine, default), tariff(mine, tariff_id="DEABCT2")).result
    assert result.result_code is ResultCode.OK
    assert result.result_description == "Stored, but DEABCT2 has no entry for providers that it does not name"
    own = (entry(element(price="0.2")),)
    assert seen(house) == {"DEABCT1": own, "DEABCT2": own}
    assert seen(house, by=other) == {"DEABCT1": (default,)}


def test_an_entry_for_an_id_that_is_not_connected_is_not_shown(house):
    both = house.provider("both", "BEAAA", "BEBBB")
    house.connect("DEABC", "BEAAA", "tariff")
    update(house, tariff(entry(to=("BEBBB",))))
    answer = read(house, by=both)
    assert (answer.result.result_code, answer.tariff_info_array) == (ResultCode.OK, ())


def test_only_what_changed_is_told(house, turnable_clock):
    update(house, tariff(), tariff(tariff_id="DEABCT2"))
    turnable_clock.pass_by(minutes=1)
    asked = turnable_clock()
    update(house, tariff(), tariff(entry(element(price="0.9")), tariff_id="DEABCT2"))
    assert seen(house, asked) == {"DEABCT2": (entry(element(price="0.9")),)}
    assert [*seen(house)] == ["DEABCT1", "DEABCT2"]
    turnable_clock.pass_by(minutes=1)
    assert seen(house, turnable_clock()) == {}


def test_a_new_connection_brings_all_tariffs(house, turnable_clock):
    update(house, tariff())
    newcomer = house.provider("newcomer", "FRNEW")
    turnable_clock.pass_by(minutes=1)
    asked = turnable_clock()
    assert read(house, asked, newcomer).result.result_code is ResultCode.ROAMING
    house.connect("DEABC", "FRNEW", "tariff")
    assert [*seen(house, asked, newcomer)] == ["DEABCT1"]


def test_another_id_that_is_connected_or_no_longer_changes_the_entries_told(house, turnable_clock):
    both = house.provider("both", "BEAAA", "BEBBB")
    house.connect("DEABC", "BEAAA", "tariff")
    update(house, tariff(entry(element(price="0.2"), to=("BEBBB",)), entry()))
    own, default = {"DEABCT1": (entry(element(price="0.2")),)}, {"DEABCT1": (entry(),)}
    for turn, told in ((house.connect, own), (house.disconnect, default)):
        turnable_clock.pass_by(minutes=1)
        asked = turnable_clock()
        assert seen(house, asked, both) == {}
        turn("DEABC", "BEBBB", "tariff")
        assert seen(house, asked, both) == told


def test_tariffs_of_others_are_refused_and_returned(house):
    answer = update(house, tariff(), tariff(tariff_id="FRXYZT1"))
    assert answer.result.result_code is ResultCode.PARTLY
    assert answer.refused_tariff_info == (tariff(tariff_id="FRXYZT1"),)
    answer = update(house, tariff(tariff_id="FRXYZT1"))
    assert answer.result.result_code is ResultCode.INVALID_ID
    assert [*seen(house)] == ["DEABCT1"]


def test_only_operators_upload_and_only_providers_fetch(house):
    assert update(house, tariff(), by=house.emp).result.result_code is ResultCode.NOT_AUTHORIZED
    assert read(house, by=house.cpo).result.result_code is ResultCode.NOT_AUTHORIZED


def test_a_price_of_1_4_1_alone_leaves_the_tariff_out_for_a_reader_of_1_4(house):
    update(house, tariff(entry(element(), element(BillingItem.VOLUME))), tariff(tariff_id="DEABCT2"))
    assert [each.tariff_id for each in read(house, version=V1_4).tariff_info_array] == ["DEABCT2"]
    assert len(read(house).tariff_info_array) == 2
    assert any("billingItem" in each for each in house.losses(house.emp))


def test_every_version_is_kept_with_the_time_that_it_held(house, turnable_clock, store):
    update(house, tariff())
    began = turnable_clock()
    turnable_clock.pass_by(days=1)
    update(house, tariff(entry(element(price="0.9"))))
    update(house, tariff(entry(element(price="0.9"))))
    with store.books() as books:
        first, second = books.tariffs.versions("DE*ABC*T1")
        assert first.valid_until == second.valid_from
        assert second.valid_until is None
        assert books.tariffs.held([("DEABCT1", began)]) == {"DEABCT1": [first]}
        assert books.tariffs.held([("DEABCT1", second.valid_from)]) == {"DEABCT1": [second]}
        assert books.tariffs.held([("DEABCT1", began - timedelta(days=1))]) == {"DEABCT1": []}
        asked = [("DEABCT1", began), ("DEABCT1", second.valid_from), ("DEABCT2", began), ("no tariff", began)]
        assert books.tariffs.held(asked) == {"DEABCT1": [first, second], "DEABCT2": [], "no tariff": []}


def test_a_cdr_is_priced_by_the_tariff_of_its_evses_connector(house, turnable_clock, store):
    connectors = tuple(
        each.__class__(
            connector_standard=each.connector_standard, connector_format=each.connector_format, tariff_id="DEABCT1"
        )
        for each in point().connectors
    )
    turnable_clock.now -= timedelta(days=1)
    update(house, tariff())
    house.ask(house.cpo, SetChargePointListRequest(charge_point_info_array=(point(connectors=connectors),)))
    with store.books() as books:
        ((priced,),) = priced_by_tariff(books, [cdr()]).values()
    assert (priced.fits, priced.cost) == (True, Decimal("3.00"))
    with store.books() as books:
        assert priced_by_tariff(books, [dataclasses.replace(cdr(), evse_id="DEABCE9")]) == {}
