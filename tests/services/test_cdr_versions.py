"""Charge data between dialects, row by row of what each version can say, through SOAP on both sides."""

import dataclasses
from decimal import Decimal

import pytest

from clearinghouse.domain.cdrs import key_of
from clearinghouse.domain.charge_points import OwnedPoint
from clearinghouse.ochp.cdrs import BillingItem, CdrStatus
from clearinghouse.ochp.connectors import (
    ChargePointType,
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    MeteringInfo,
    MeteringType,
    Ratings,
)
from clearinghouse.ochp.locations import Address
from clearinghouse.ochp.tokens import Representation, TokenType
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1
from tests.cdr_builders import cdr, period
from tests.services.cdr_house import CdrHouse, code
from tests.services.points_house import point

ADDRESS = cdr().charge_point_address
METERING = MeteringInfo(
    metering_type=MeteringType.LOCAL,
    metering_vendor="ACME",
    metering_vendor_version="1",
    metering_data=("start", "end"),
    metering_key=("key",),
)
TARIFF = dataclasses.replace(cdr().connector_type, tariff_id="DEOPST1")
CHADEMO = Connector(connector_standard=ConnectorStandard.IEC_60309_2_THREE_32, connector_format=ConnectorFormat.CABLE)
FUEL = Connector(connector_standard=ConnectorStandard.DIESEL, connector_format=ConnectorFormat.NOZZLE)
HOURS = Decimal("1.5")


@pytest.fixture
def house(store):
    return CdrHouse(store)


def one(**changes):
    return cdr(charging_periods=(period(**changes),))


def reserved(item, price):
    value = Decimal(1) if item in (BillingItem.RESERVATION, BillingItem.SERVICE_FEE) else HOURS
    return one(billing_item=item, billing_value=value, item_price=Decimal(price), period_cost=value * Decimal(price))


def token(**changes):
    return cdr(emt_id=dataclasses.replace(cdr().emt_id, **changes))


LOSSLESS = {
    "the EVSE's spelling": cdr(evse_id="deOPSe1*1"),
    "a token in plain": token(representation=Representation.PLAIN),
    "a hashed token": token(instance="A" * 40, representation=Representation.SHA_160),
    "a token of SHA-256": token(instance="B" * 64, representation=Representation.SHA_256),
    "a direct session": token(instance="DEOPS-0A1B", token_type=TokenType.REMOTE),
    "a meter": cdr(meter_id="M-1"),
    "another offset": cdr(),
    "a maximum power": cdr(ratings=Ratings(maximum_power=Decimal("43.5"))),
    "another connector": cdr(connector_type=CHADEMO),
    "a price without a cost": one(period_cost=None),
    "many digits": one(billing_value=Decimal("20.0001"), item_price=Decimal("0.39999"), period_cost=None),
    "a currency": cdr(currency="CHF"),
}
EVERY_WAY = [(writer, reader) for writer in (V1_3, V1_4, V1_4_1) for reader in (V1_3, V1_4, V1_4_1)]


def through(house, given, writer, reader):
    """What the reader gets of what the writer sent."""
    assert code(house.add(given, version=writer)) == "ok"
    answer = house.get(version=reader)
    assert code(answer) == "ok"
    return answer.cdr_info_array


def conversions(house):
    with house.store.books() as books:
        return {(each.field, each.left_out) for each in books.conversions.recent()}


def test_what_all_versions_can_say_arrives_unchanged_on_every_way(house):
    """One test for all, since each way and each row is a few milliseconds and a house is not."""
    for number, (what, given) in enumerate(LOSSLESS.items()):
        for writer in (V1_3, V1_4, V1_4_1):
            sent = dataclasses.replace(given, cdr_id=f"DEOPS{writer.name.replace('_', '')}X{number}")
            assert code(house.add(sent, version=writer)) == "ok", what
    for reader in (V1_3, V1_4, V1_4_1):
        got = {each.cdr_id: each for each in house.get(version=reader).cdr_info_array}
        for number, (what, given) in enumerate(LOSSLESS.items()):
            for writer in (V1_3, V1_4, V1_4_1):
                cdr_id = f"DEOPS{writer.name.replace('_', '')}X{number}"
                expected = dataclasses.replace(given, cdr_id=cdr_id, status=CdrStatus.ACCEPTED)
                assert got[cdr_id] == expected, (what, writer, reader)
    assert conversions(house) == set()


# -- From 1.3 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [V1_4, V1_4_1])
def test_live_ids_and_product_types_of_1_3_reach_1_3_alone(house, reader):
    sent = cdr(live_auth_id="LIVE-1", product_type="A")
    (later,) = through(house, sent, V1_3, reader)
    assert (later.live_auth_id, later.product_type) == (None, None)
    assert conversions(house) == {("liveAuthId", False), ("productType", False)}
    (restored,) = house.get(version=V1_3).cdr_info_array
    assert (restored.live_auth_id, restored.product_type) == ("LIVE-1", "A")


@pytest.mark.parametrize("reader", [V1_4, V1_4_1])
def test_an_address_that_1_3_leaves_open_gets_dashes_and_loses_them_again(house, reader):
    unsaid = Address(address="--", city="-", zip_code="-", country="DEU")
    sent = cdr(charge_point_address=unsaid)
    (got,) = through(house, sent, V1_3, reader)
    assert got.charge_point_address == unsaid
    assert code(house.confirm(approved=house.get(version=V1_3).cdr_info_array, version=V1_3)) == "ok"


@pytest.mark.parametrize("reader", [V1_4, V1_4_1])
def test_a_cdr_in_several_currencies_reaches_1_3_alone_and_is_flagged(house, reader):
    mixed = cdr(charging_periods=(period(currency="EUR"), period(currency="CHF")))
    assert through(house, mixed, V1_3, reader) == ()
    assert house.record(key_of(mixed)).flags == ("mixed-currencies",)
    assert conversions(house) == {("", True)}
    (got,) = house.get(version=V1_3).cdr_info_array
    assert [each.currency for each in got.charging_periods] == ["EUR", "CHF"]


def test_what_a_reader_could_not_be_told_it_has_not_seen(house):
    mixed = cdr(charging_periods=(period(currency="EUR"), period(currency="CHF")))
    house.add(mixed, version=V1_3)
    house.get(version=V1_4)
    assert house.record(key_of(mixed)).shown is None
    house.get(version=V1_3)
    assert house.record(key_of(mixed)).shown == 0


# -- To 1.3 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", [V1_4, V1_4_1])
def test_a_revision_is_an_accepted_cdr_to_1_3(house, writer):
    house.add(cdr(), version=writer)
    house.add(cdr(status=CdrStatus.REVISED, meter_id="M1"), version=writer)
    (got,) = house.get(version=V1_3).cdr_info_array
    assert (got.status, got.meter_id) == ("accepted", "M1")


@pytest.mark.parametrize("writer", [V1_4, V1_4_1])
def test_without_ratings_1_3_hears_of_no_power(house, writer):
    (got,) = through(house, cdr(ratings=None), writer, V1_3)
    assert got.ratings == Ratings(maximum_power=Decimal(0))


@pytest.mark.parametrize("writer", [V1_4, V1_4_1])
@pytest.mark.parametrize(
    ("sent", "left", "lost"),
    [
        (
            cdr(ratings=Ratings(maximum_power=Decimal(22), guaranteed_power=Decimal(11), nominal_voltage=400)),
            cdr(),
            {"ratings/guaranteedPower", "ratings/nominalVoltage"},
        ),
        (one(taxrate=19), cdr(), {"chargingPeriods/taxrate"}),
        (cdr(total_cost=Decimal("8.00")), cdr(), {"totalCost"}),
        (cdr(connector_type=TARIFF), cdr(), {"connectorType/tariffId"}),
        (
            reserved(BillingItem.RESERVATION, "2"),
            reserved(BillingItem.SERVICE_FEE, "2"),
            {"chargingPeriods/billingItem"},
        ),
        (
            reserved(BillingItem.RESERVATION_TIME, "2"),
            reserved(BillingItem.PARKING_TIME, "2"),
            {"chargingPeriods/billingItem"},
        ),
    ],
)
def test_what_1_3_cannot_say_is_left_out_and_logged(house, writer, sent, left, lost):
    (got,) = through(house, sent, writer, V1_3)
    assert got == dataclasses.replace(left, status=CdrStatus.ACCEPTED)
    assert conversions(house) == {(field, False) for field in lost}


@pytest.mark.parametrize("writer", [V1_4, V1_4_1])
def test_a_house_number_loses_its_hyphen_for_1_3(house, writer):
    sent = cdr(charge_point_address=dataclasses.replace(ADDRESS, house_number="12-14"))
    (got,) = through(house, sent, writer, V1_3)
    assert got.charge_point_address.house_number == "12 14"


# -- From 1.4.1 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [V1_3, V1_4])
def test_meter_signatures_reach_1_4_1_alone(house, reader):
    (got,) = through(house, cdr(metering_info=METERING), V1_4_1, reader)
    assert got.metering_info is None
    assert conversions(house) == {("meteringInfo", False)}
    (whole,) = house.get(version=V1_4_1).cdr_info_array
    assert whole.metering_info == METERING


@pytest.mark.parametrize("reader", [V1_3, V1_4])
@pytest.mark.parametrize(
    "sent",
    [
        one(billing_item=BillingItem.VOLUME),
        one(billing_item=BillingItem.MASS),
        cdr(charge_point_type=ChargePointType.DIESEL),
        cdr(connector_type=FUEL),
        token(token_type=TokenType.OTHER),
    ],
)
def test_fuels_and_other_tokens_reach_1_4_1_alone_and_the_log_says_so(house, reader, sent):
    assert through(house, sent, V1_4_1, reader) == ()
    assert any(left_out for _, left_out in conversions(house))
    assert house.get(version=V1_4_1).cdr_info_array == (dataclasses.replace(sent, status=CdrStatus.ACCEPTED),)


def test_an_undeliverable_cdr_does_not_hide_the_others(house):
    house.add(one(billing_item=BillingItem.MASS), cdr(cdr_id="DEOPS0002", evse_id="DE*OPS*E2"))
    answer = house.get(version=V1_4)
    assert [each.cdr_id for each in answer.cdr_info_array] == ["DEOPS0002"]
    assert code(answer) == "ok"


# -- Declined, between an operator of 1.3 and a provider of 1.4.1 and back ---------------------------------------


@pytest.mark.parametrize(("operator", "provider"), EVERY_WAY)
def test_the_whole_life_between_any_two_dialects(house, operator, provider):
    house.add(cdr(), version=operator)
    got = house.get(version=provider).cdr_info_array
    assert code(house.confirm(declined=got, version=provider)) == "ok"
    status = CdrStatus.NEW if operator is V1_3 else CdrStatus.REVISED
    assert code(house.add(cdr(status=status, meter_id="M2"), version=operator)) == "ok"
    assert code(house.confirm(approved=got, version=provider)) == "invalid-id"
    again = house.get(version=provider).cdr_info_array
    assert [each.meter_id for each in again] == ["M2"]
    assert code(house.confirm(approved=again, version=provider)) == "ok"
    moves = [each.after for each in house.history(key_of(cdr()))]
    assert moves == ["accepted", "declined", "revised", "approved"]


# -- What the charge point tells --------------------------------------------------------------------------------


UNSAID = Address(address="--", city="-", zip_code="-", country="DEU")


def know(house, **changes):
    """Let the house know the charge point of the CDRs."""
    known = point(evse_id="DE*OPS*E1*1", charge_point_address=ADDRESS, **changes)
    with house.store.books() as books:
        books.charge_points.put(
            [OwnedPoint(key="DEOPSE1*1", operator_id="DEOPS", point=known)], ["DEOPS"], replace=False
        )


@pytest.mark.parametrize("reader", [V1_4, V1_4_1])
def test_an_address_that_1_3_leaves_open_is_that_of_the_charge_point(house, reader):
    know(house)
    (got,) = through(house, cdr(charge_point_address=UNSAID), V1_3, reader)
    assert got.charge_point_address == ADDRESS
    assert house.record(key_of(cdr())).info.charge_point_address == UNSAID
    (untouched,) = house.get(version=V1_3).cdr_info_array
    assert untouched.charge_point_address == UNSAID


def test_what_the_cdr_says_of_its_address_stays(house):
    know(house)
    half = dataclasses.replace(UNSAID, city="Meersburg")
    (got,) = through(house, cdr(charge_point_address=half), V1_3, V1_4_1)
    assert got.charge_point_address == dataclasses.replace(ADDRESS, city="Meersburg")


def test_an_address_in_another_country_is_not_completed(house):
    know(house)
    swiss = dataclasses.replace(UNSAID, country="CHE")
    (got,) = through(house, cdr(charge_point_address=swiss), V1_3, V1_4_1)
    assert got.charge_point_address == swiss


@pytest.mark.parametrize("writer", [V1_4, V1_4_1])
def test_a_power_that_the_cdr_leaves_open_is_that_of_the_charge_point_to_1_3(house, writer):
    know(house, ratings=Ratings(maximum_power=Decimal(11)))
    (got,) = through(house, cdr(ratings=None), writer, V1_3)
    assert got.ratings == Ratings(maximum_power=Decimal(11))
    (later,) = house.get(version=V1_4_1).cdr_info_array
    assert later.ratings is None
