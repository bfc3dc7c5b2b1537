"""What a session costs by the operator's tariff."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.bare_points import bare_point
from clearinghouse.domain.billing import MEASURES, Stay, bill_of, stay_of
from clearinghouse.domain.pricing import price
from clearinghouse.domain.sessions import Reading, Session, State
from clearinghouse.domain.tariffs import TariffVersion
from clearinghouse.ochp.cdrs import BillingItem, CdrInfo, CdrStatus
from clearinghouse.ochp.hours import RegularHours
from clearinghouse.ochp.tariffs import IndividualTariff, PriceComponent, TariffElement, TariffInfo, TariffRestriction
from clearinghouse.ochp.tokens import EmtId, TokenType

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2027, 1, 11, 9, tzinfo=BERLIN)
STAY = Stay(
    selected_at=MONDAY,
    started_at=MONDAY.replace(minute=6),
    ended_at=MONDAY.replace(hour=10, minute=6),
    energy=Decimal("10.007"),
    rating=Decimal(22),
    reserved=True,
)


def element(item, cents, step="0", **restriction):
    component = PriceComponent(billing_item=item, item_price=Decimal(cents) / 100, step_size=Decimal(step))
    return TariffElement(price_component=component, tariff_restriction=TariffRestriction(**restriction))


def tariff(*elements, recipient=(), more=()):
    entry = IndividualTariff(tariff_element=elements, recipient=recipient, currency="EUR")
    return TariffInfo(tariff_id="DE*OPS*T1", individual_tariff=(entry, *more))


def costs(found):
    return {each.billing_item: (each.billing_value, each.period_cost) for each in found.periods}


def test_each_item_of_the_tariff_is_a_line_in_cents():
    found = bill_of(STAY, tariff(element(BillingItem.ENERGY, 39), element(BillingItem.USAGE_TIME, 60)), "DEEMP", "CHF")
    assert costs(found) == {
        BillingItem.ENERGY: (Decimal("10.007"), Decimal("3.90")),
        BillingItem.USAGE_TIME: (Decimal(1), Decimal("0.60")),
    }
    assert (found.cost, found.currency) == (Decimal("4.50"), "EUR")


def test_time_is_billed_in_begun_steps():
    found = bill_of(STAY, tariff(element(BillingItem.RESERVATION_TIME, 100, "0.25")), "DEEMP", "EUR")
    assert costs(found) == {BillingItem.RESERVATION_TIME: (Decimal("0.25"), Decimal("0.25"))}


def test_a_provider_with_prices_of_its_own_pays_those():
    own = IndividualTariff(tariff_element=(element(BillingItem.ENERGY, 29),), recipient=("DEEMP",), currency="CHF")
    shared = tariff(element(BillingItem.ENERGY, 39), more=(own,))
    assert bill_of(STAY, shared, "DEEMP", "EUR").currency == "CHF"
    assert bill_of(STAY, shared, "DEXYZ", "EUR").currency == "EUR"


def test_without_a_tariff_the_record_is_not_priced():
    for none in (None, tariff(element(BillingItem.ENERGY, 39), recipient=("DEXYZ",))):
        found = bill_of(STAY, none, "DEEMP", "CHF")
        assert costs(found) == {
            BillingItem.ENERGY: (Decimal("10.007"), Decimal(0)),
            BillingItem.USAGE_TIME: (Decimal(1), Decimal(0)),
        }
        assert (found.cost, found.currency) == (Decimal(0), "CHF")


def test_the_price_of_the_hour_in_which_the_charge_began_holds():
    morning = RegularHours(weekday=1, period_begin="08:00", period_end="10:00")
    rest = RegularHours(weekday=1, period_begin="10:00", period_end="24:00")
    by_hour = tariff(
        element(BillingItem.ENERGY, 50, regular_hours=(rest,)),
        element(BillingItem.ENERGY, 30, regular_hours=(morning,)),
    )
    assert bill_of(STAY, by_hour, "DEEMP", "EUR").periods[0].item_price == Decimal("0.3")


def test_a_card_at_the_station_reserves_nothing():
    session = Session(
        direct_id="X-1",
        evse_id="DE*OPS*E1",
        evse_key="DEOPSE1",
        contract_id="DEEMPC000000018",
        state=State.CLOSED,
        selected_at=STAY.selected_at,
        started_at=STAY.started_at,
        meter_start=Decimal(1),
        reading=Reading(meter=Decimal(3), power=Decimal(0), at=STAY.ended_at),
        local=True,
    )
    stay = stay_of(session, None, "Europe/Berlin")
    assert (stay.energy, stay.ended_at.utcoffset(), stay.reserved) == (Decimal(2), MONDAY.utcoffset(), False)
    asked = tariff(element(BillingItem.RESERVATION, 100), element(BillingItem.SERVICE_FEE, 50))
    assert costs(bill_of(stay, asked, "DEEMP", "EUR")) == {BillingItem.SERVICE_FEE: (Decimal(1), Decimal("0.50"))}


@given(
    items=st.lists(st.sampled_from(list(MEASURES)), min_size=1, unique=True),
    cents=st.integers(0, 500),
    step=st.sampled_from(["0", "0.1", "0.25", "1"]),
    bounds=st.sampled_from([{}, {"min_power": Decimal(5)}, {"max_energy": Decimal(5)}, {"min_duration": 60}]),
)
def test_who_checks_the_record_by_the_same_tariff_agrees(items, cents, step, bounds):
    asked = tariff(*(element(item, cents, step, **bounds) for item in items))
    found = bill_of(STAY, asked, "DEEMP", "EUR")
    if found.cost == 0:
        return
    point = bare_point("DE*OPS*E1")
    cdr = CdrInfo(
        cdr_id="DEOPS1",
        evse_id="DE*OPS*E1",
        emt_id=EmtId(instance="X-1", token_type=TokenType.REMOTE),
        contract_id="DEEMPC000000018",
        status=CdrStatus.NEW,
        start_date_time=STAY.selected_at,
        end_date_time=STAY.ended_at,
        charge_point_address=point.charge_point_address,
        charge_point_type=point.charge_point_type,
        connector_type=point.connectors[0],
        charging_periods=found.periods,
        currency=found.currency,
    )
    priced = price(cdr, [TariffVersion(tariff=asked, valid_from=MONDAY)])
    assert priced
    for each in priced:
        assert each.fits
        assert each.billed == each.period.billing_value
        assert each.cost == pytest.approx(each.period.period_cost, abs=Decimal("0.005"))
