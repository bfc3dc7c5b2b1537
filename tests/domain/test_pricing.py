"""Which price of a tariff applies, in which steps it is billed, and what a CDR costs by it."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from clearinghouse.domain.pricing import Situation, applies, in_steps, item_prices, price, version_at
from clearinghouse.domain.tariffs import TariffVersion, as_seen_by, judge
from clearinghouse.ochp.cdrs import BillingItem, CdrInfo, CdrPeriod, CdrStatus
from clearinghouse.ochp.connectors import (
    ChargePointType,
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    Ratings,
)
from clearinghouse.ochp.hours import RegularHours
from clearinghouse.ochp.locations import Address
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tariffs import IndividualTariff, PriceComponent, TariffElement, TariffInfo, TariffRestriction
from clearinghouse.ochp.tokens import EmtId, Representation, TokenType

SUMMER = timezone(timedelta(hours=2))
MONDAY = datetime(2026, 6, 1, 12, tzinfo=SUMMER)
ENERGY, USAGE, FEE, POWER = BillingItem.ENERGY, BillingItem.USAGE_TIME, BillingItem.SERVICE_FEE, BillingItem.POWER


def element(item=ENERGY, price="0.30", step="0", **restriction):
    return TariffElement(
        price_component=PriceComponent(billing_item=item, item_price=Decimal(price), step_size=Decimal(step)),
        tariff_restriction=TariffRestriction(**restriction),
    )


def entry(*elements, to=(), currency="EUR"):
    return IndividualTariff(tariff_element=elements or (element(),), recipient=to, currency=currency)


def tariff(*entries, tariff_id="DEABCT1"):
    return TariffInfo(tariff_id=tariff_id, individual_tariff=entries or (entry(),))


def in_force(*entries, begin=None, end=None):
    return TariffVersion(tariff=tariff(*entries), valid_from=begin or MONDAY - timedelta(days=30), valid_until=end)


def period(item=ENERGY, value="10", price="0.30", begin=0, end=60):
    return CdrPeriod(
        start_date_time=MONDAY + timedelta(minutes=begin),
        end_date_time=MONDAY + timedelta(minutes=end),
        billing_item=item,
        billing_value=Decimal(value),
        item_price=Decimal(price),
    )


def cdr(*periods, contract_id="DE-EMP-C00000001", currency="EUR"):
    return CdrInfo(
        cdr_id="DEABC1",
        evse_id="DEABCE1",
        emt_id=EmtId(instance="04AB", token_type=TokenType.RFID, representation=Representation.PLAIN),
        contract_id=contract_id,
        status=CdrStatus.NEW,
        start_date_time=MONDAY,
        end_date_time=MONDAY + timedelta(hours=2),
        charge_point_address=Address(address="High Street", city="Aachen", zip_code="52062", country="DEU"),
        charge_point_type=ChargePointType.AC,
        connector_type=Connector(
            connector_standard=ConnectorStandard.IEC_62196_T2, connector_format=ConnectorFormat.SOCKET
        ),
        ratings=Ratings(maximum_power=Decimal(22)),
        charging_periods=periods or (period(),),
        currency=currency,
    )


def weekly(day=1, begin="08:00", end="18:00"):
    return {"regular_hours": (RegularHours(weekday=day, period_begin=begin, period_end=end),)}


AT = {"at": MONDAY}


@pytest.mark.parametrize(
    ("restriction", "situation", "expected"),
    [
        ({}, {}, True),
        (weekly(), {}, True),
        (weekly(begin="12:00"), {}, True),
        (weekly(end="12:00"), {}, False),
        (weekly(begin="12:01"), {}, False),
        (weekly(day=2), {}, False),
        (weekly(begin="00:00", end="24:00"), {}, True),
        (weekly(begin="22:00", end="13:00"), {}, False),
        (weekly(day=7, begin="22:00", end="13:00"), {}, True),
        ({"start_date_time": MONDAY}, {}, True),
        ({"start_date_time": MONDAY + timedelta(seconds=1)}, {}, False),
        ({"end_date_time": MONDAY}, {}, False),
        ({"end_date_time": (MONDAY + timedelta(seconds=1)).astimezone(UTC)}, {}, True),
        ({"min_energy": Decimal(5)}, {"energy": Decimal(5)}, True),
        ({"min_energy": Decimal(5)}, {"energy": Decimal("4.9")}, False),
        ({"max_energy": Decimal(5)}, {"energy": Decimal(5)}, False),
        ({"max_energy": Decimal(5)}, {"energy": Decimal("4.9")}, True),
        ({"min_power": Decimal(22)}, {"power": Decimal(22)}, True),
        ({"min_power": Decimal(22)}, {"power": Decimal(11)}, False),
        ({"max_power": Decimal(22)}, {"power": Decimal(22)}, False),
        ({"max_power": Decimal(22)}, {"power": Decimal(11)}, True),
        ({"max_power": Decimal(22)}, {}, True),
        ({"min_duration": 60}, {"elapsed": timedelta(seconds=60)}, True),
        ({"min_duration": 60}, {"elapsed": timedelta(seconds=59)}, False),
        ({"max_duration": 60}, {"elapsed": timedelta(seconds=60)}, False),
        ({"max_duration": 60}, {"elapsed": timedelta(seconds=59)}, True),
        ({"min_energy": Decimal(0), "max_duration": 60}, {"elapsed": timedelta(seconds=61)}, False),
    ],
)
def test_a_bound_includes_its_start_and_excludes_its_end(restriction, situation, expected):
    assert applies(TariffRestriction(**restriction), Situation(**{**AT, **situation})) is expected


@pytest.mark.parametrize(
    ("value", "step", "billed"),
    [
        ("0.1334", "0.1", "0.2"),
        ("0.2", "0.1", "0.2"),
        ("0", "0.1", "0"),
        ("7.123", "0", "7.123"),
        ("1", "1", "1"),
        ("0.5", "1", "1"),
        ("10.01", "5", "15"),
    ],
)
def test_begun_steps_are_billed_whole(value, step, billed):
    assert in_steps(Decimal(value), Decimal(step)) == Decimal(billed)


def test_a_cdr_by_the_tariff_fits_and_has_its_cost():
    versions = [in_force(entry(element(), element(USAGE, "1.20", "0.1"), element(FEE, "0.50", "1")))]
    priced = price(cdr(period(), period(USAGE, "0.1334", "1.20"), period(FEE, "1", "0.50")), versions)
    assert [each.fits for each in priced] == [True, True, True]
    assert [each.cost for each in priced] == [Decimal("3.00"), Decimal("0.24"), Decimal("0.50")]


def test_a_wrong_price_does_not_fit_and_the_right_one_is_told():
    (priced,) = price(cdr(period(price="0.99")), [in_force()])
    assert not priced.fits
    assert (priced.component.item_price, priced.cost) == (Decimal("0.30"), Decimal("3.00"))


def test_an_item_that_the_tariff_does_not_know_has_no_price():
    (priced,) = price(cdr(period(POWER)), [in_force()])
    assert (priced.fits, priced.component, priced.cost) == (False, None, None)


def test_a_version_that_was_replaced_still_prices_what_began_under_it():
    change = MONDAY + timedelta(minutes=30)
    old, new = in_force(end=change), in_force(entry(element(price="0.50")), begin=change)
    assert price(cdr(), [old, new])[0].fits
    assert version_at([old, new], change) is new
    assert version_at([old, new], MONDAY - timedelta(days=31)) is None
    assert price(cdr(), [new]) is None


def test_the_own_entry_beats_the_default():
    versions = [in_force(entry(), entry(element(price="0.20"), to=("DEEMP",)))]
    assert price(cdr(period(price="0.20")), versions)[0].fits
    assert price(cdr(period(price="0.20"), contract_id="FROTHC00000001X"), versions)[0].fits is False


def test_nothing_can_be_said_without_an_entry_or_in_another_currency():
    assert price(cdr(), [in_force(entry(to=("FROTH",)))]) is None
    assert price(cdr(currency="CHF"), [in_force()]) is None


def test_energy_counts_what_was_charged_before_the_period():
    versions = [in_force(entry(element(max_energy=Decimal(10)), element(price="0.50", min_energy=Decimal(10))))]
    first, second = period(end=30), period(price="0.50", begin=30)
    assert [each.fits for each in price(cdr(first, second), versions)] == [True, True]
    assert [each.fits for each in price(cdr(first, period(begin=30)), versions)] == [True, False]


def test_power_is_what_the_energy_tells():
    versions = [in_force(entry(element(max_power=Decimal(11)), element(price="0.50", min_power=Decimal(11))))]
    slow, fast = period(value="10"), period(value="10", price="0.50", end=30)
    assert [each.fits for each in price(cdr(slow), versions)] == [True]
    assert [each.fits for each in price(cdr(fast), versions)] == [True]
    by_time = period(USAGE, "1", "2")
    rated = [in_force(entry(element(USAGE, "1", max_power=Decimal(22)), element(USAGE, "2", min_power=Decimal(22))))]
    assert price(cdr(by_time), rated)[0].fits


def test_of_several_prices_the_stated_one_counts():
    found = entry(element(price="0.30"), element(price="0.40"))
    assert len(item_prices(found, ENERGY, Situation(**AT))) == 2
    assert price(cdr(period(price="0.40")), [in_force(found)])[0].fits


@pytest.mark.parametrize(
    ("bad", "code", "why"),
    [
        (tariff(tariff_id="FRXYZT1"), ResultCode.INVALID_ID, "belongs to FRXYZ"),
        (tariff(tariff_id="DEABC1"), ResultCode.FORMAT, "no Tariff-ID"),
        (tariff(tariff_id="de*abc*t9"), ResultCode.FORMAT, "comes twice"),
        (tariff(entry(), entry()), ResultCode.FORMAT, "more than one entry for all others"),
        (tariff(entry(to=("DEEMP", "FROTH")), entry(to=("FROTH",))), ResultCode.FORMAT, "entry for FROTH"),
    ],
)
def test_what_does_not_say_clearly_who_pays_what_is_refused(bad, code, why):
    accepted, (refused,) = judge([tariff(tariff_id="DEABCT9"), bad], frozenset({"DEABC"}))
    assert [each.key for each in accepted] == ["DEABCT9"]
    assert refused.code is code
    assert why in refused.text


def test_two_currencies_for_all_others_are_clear():
    assert judge([tariff(entry(), entry(currency="CHF"))], frozenset({"DEABC"}))[1] == []


def test_a_provider_sees_its_own_entry_or_the_default_and_no_recipients():
    mine, others, default = entry(element(price="0.1"), to=("DEEMP", "FROTH")), entry(to=("NLXXX",)), entry()
    both = tariff(mine, others, default)
    assert as_seen_by(both, frozenset({"DEEMP"})) == tariff(entry(element(price="0.1")))
    assert as_seen_by(both, frozenset({"BEZZZ"})) == tariff(default)
    assert as_seen_by(tariff(mine, others), frozenset({"BEZZZ"})) is None
