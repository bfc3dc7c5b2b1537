"""The charge points of the EVSE file, and the tariff file."""

import json
from decimal import Decimal

import pytest
from lxml import etree

from clearinghouse.ochp.bridges import fitted
from clearinghouse.ochp.charge_points import AuthMethod, SetChargePointListRequest
from clearinghouse.ochp.connectors import ChargePointType, ConnectorFormat, ConnectorStandard
from clearinghouse.ochp.hours import Hours, RegularHours
from clearinghouse.ochp.tariffs import UpdateTariffsRequest
from clearinghouse.ochp.versions import ORDER, V1_4
from clearinghouse.soap.codec import encode
from clearinghouse.soap.xsd import validator
from clearinghouse.stations.inventory import SAMPLE, BadInventory, read_site
from clearinghouse.stations.places import PLACE_COLUMNS
from clearinghouse.stations.tariff_file import SAMPLE_TARIFFS, BadTariffs, read_tariffs


def site(tmp_path, **columns):
    row = {"evse_id": "DE*OPS*E1", "max_power_kw": "22", **columns}
    path = tmp_path / "evses.json"
    path.write_text(json.dumps([row]))
    return read_site(path)


def point(tmp_path, **columns):
    return site(tmp_path, **columns).points["DEOPSE1"]


@pytest.mark.parametrize("version", ORDER)
def test_every_charge_point_of_the_sample_is_valid_in_every_version(version):
    points = [fitted(each, version)[0] for each in read_site(SAMPLE).published]
    assert len(points) == 12
    written = encode(SetChargePointListRequest(charge_point_info_array=tuple(points)), version)
    validator(version).assertValid(etree.fromstring(written))


def test_a_row_that_says_the_least_makes_a_valid_charge_point_that_is_not_published(tmp_path):
    found = site(tmp_path)
    bare = found.points["DEOPSE1"]
    assert not found.published
    assert (bare.charge_point_address.country, bare.time_zone) == ("DEU", "UTC")
    for version in ORDER:
        request = SetChargePointListRequest(charge_point_info_array=(fitted(bare, version)[0],))
        validator(version).assertValid(etree.fromstring(encode(request, version)))


def test_a_row_may_say_everything(tmp_path):
    stated = {
        "location_id": "SITE 1",
        "name": "Car park",
        "language": "DEU",
        "house_number": "12-14",
        "address": "High Street",
        "city": "Aachen",
        "zip": "52062",
        "country": "DEU",
        "latitude": 50.776,
        "longitude": 6.084,
        "location": "parking-lot",
        "status": "Operative",
        "connector": "chademo",
        "connector_format": "Cable",
        "current": "DC",
        "auth": "LocalKey OchpDirectAuth",
        "tariff_id": "DE*OPS*T1",
        "opening": "1-5 08:00-18:00; 6 10:00-14:00",
    }
    assert stated.keys() == PLACE_COLUMNS.keys()
    found = point(tmp_path, **stated)
    (plug,) = found.connectors
    assert (plug.connector_standard, plug.connector_format, plug.tariff_id) == (
        ConnectorStandard.CHADEMO,
        ConnectorFormat.CABLE,
        "DE*OPS*T1",
    )
    assert (found.charge_point_type, found.location_id) == (ChargePointType.DC, "SITE 1")
    assert found.charge_point_location.lat == Decimal("50.776")
    assert found.auth_methods == (AuthMethod.LOCAL_KEY, AuthMethod.OCHP_DIRECT)
    assert isinstance(found.opening_times, Hours)
    assert found.opening_times.regular_hours[5] == RegularHours(weekday=6, period_begin="10:00", period_end="14:00")
    assert [*site(tmp_path, **stated).published] == [found]


@pytest.mark.parametrize(("direct", "offered"), [(True, True), (False, False)])
def test_only_evses_with_direct_offer_it(tmp_path, direct, offered):
    assert (AuthMethod.OCHP_DIRECT in point(tmp_path, direct=direct).auth_methods) is offered


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("location_id", "lower"),
        ("latitude", "91"),
        ("longitude", "east"),
        ("country", "DE"),
        ("zip", "52062!"),
        ("connector", "SCHUKO"),
        ("current", "steam"),
        ("auth", "Handshake"),
        ("tariff_id", "T1"),
        ("opening", "always"),
        ("opening", "1 18:00-08:00"),
        ("opening", "1-7 08:00-12:00; 1-7 13:00-18:00"),
        ("address", "x"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path, column, text):
    with pytest.raises(BadInventory, match=f"entry 1, {column}: '{text}'"):
        site(tmp_path, **{column: text})


def test_half_a_place_is_none(tmp_path):
    with pytest.raises(BadInventory, match="latitude and longitude go together"):
        site(tmp_path, latitude="50.1")


# -- Tariffs -------------------------------------------------------------------------------------------------------


def test_the_sample_tariffs_are_those_of_the_sample_connectors_and_valid():
    tariffs = read_tariffs(SAMPLE_TARIFFS)
    assert {each.connectors[0].tariff_id for each in read_site(SAMPLE).published} == tariffs.keys()
    written = encode(UpdateTariffsRequest(tariff_info_array=tuple(tariffs.values())), V1_4)
    validator(V1_4).assertValid(etree.fromstring(written))


ENERGY = {"price_component": {"billing_item": "energy", "item_price": 0.39, "step_size": 0}}


def tariff(**changes):
    entry = {"currency": "EUR", "tariff_element": [ENERGY]}
    return {"tariff_id": "DE*OPS*T1", "individual_tariff": [entry], **changes}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is no JSON"),
        ("{}", "is no JSON array"),
        (json.dumps([tariff(tariff_id="T1")]), "entry 1, tariff_id: 'T1'"),
        (json.dumps([tariff(individual_tariff=[])]), "has no prices"),
        (json.dumps([tariff(), tariff()]), "entry 2: .* is there already"),
        (json.dumps([tariff(colour="red")]), "entry 1: .*colour"),
        (json.dumps([tariff()]).replace("energy", "power"), "power is not measured here"),
    ],
)
def test_a_wrong_tariff_file_is_told_where(tmp_path, content, complaint):
    path = tmp_path / "tariffs.json"
    path.write_text(content)
    with pytest.raises(BadTariffs, match=complaint):
        read_tariffs(path)


def test_numbers_of_the_tariff_file_are_exact(tmp_path):
    path = tmp_path / "tariffs.json"
    path.write_text(json.dumps([tariff()]))
    (found,) = read_tariffs(path).values()
    assert found.individual_tariff[0].tariff_element[0].price_component.item_price == Decimal("0.39")
