"""Prices of CDRs against the tariff that was in force when the charge began."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event

from clearinghouse.domain.cdrs import key_of
from clearinghouse.domain.roaming_list import token_key
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import BillingItem
from clearinghouse.ochp.tariffs import IndividualTariff, PriceComponent, TariffElement, TariffInfo, UpdateTariffsRequest
from clearinghouse.ochp.versions import V1_3, V1_4_1
from clearinghouse.services.cdr_tariffs import tariffs_that_applied
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.roaming_list_port import LiveAuthorisation
from clearinghouse.services.tariffs import TariffExchange
from tests.cdr_builders import START, cdr, hours_later
from tests.services.cdr_house import OPERATOR, OTHER_OPERATOR, CdrHouse, code

TARIFF = dataclasses.replace(cdr().connector_type, tariff_id="DEOPST1")


def entry(price, *recipients):
    component = PriceComponent(billing_item=BillingItem.ENERGY, item_price=Decimal(price), step_size=Decimal(0))
    return IndividualTariff(
        tariff_element=(TariffElement(price_component=component),), recipient=recipients, currency="EUR"
    )


@pytest.fixture
def house(store):
    house = CdrHouse(store, tariffs_that_applied)
    store._clock = lambda: house.now
    return house


def publish(house, at, *entries):
    """The operator's tariff, in force from that instant."""
    exchange = TariffExchange(house.store, lambda: house.now, Conversions(house.store, lambda: house.now))
    later, house.now = house.now, at
    tariff = TariffInfo(tariff_id="DEOPST1", individual_tariff=entries)
    answer = exchange.handlers[op.UPDATE_TARIFFS](UpdateTariffsRequest(tariff_info_array=(tariff,)), OPERATOR, V1_4_1)
    assert code(answer) == "ok"
    house.now = later


def findings(house, given):
    assert code(house.add(given)) == "ok"
    return {each.code: (each.severity, each.text) for each in house.record(key_of(given)).findings}


def test_a_price_of_the_tariff_passes_and_another_is_flagged(house):
    publish(house, START - timedelta(days=1), entry("0.40"))
    assert findings(house, cdr(connector_type=TARIFF)) == {}
    publish(house, START - timedelta(hours=1), entry("0.35"))
    dear = cdr(cdr_id="DEOPS0002", evse_id="DE*OPS*E2", connector_type=TARIFF)
    severity, text = findings(house, hours_later(dear, 2))["tariff-price"]
    assert (severity, text) == ("flag", "period 1 asks 0.40 for energy, the tariff 0.35")


def test_the_tariff_of_the_time_and_of_the_provider_counts(house):
    publish(house, START - timedelta(days=1), entry("0.99"), entry("0.40", "DEPRO"))
    publish(house, START + timedelta(minutes=1), entry("0.99"))
    assert findings(house, cdr(connector_type=TARIFF)) == {}
    other = cdr(cdr_id="DEOPS0002", evse_id="DE*OPS*E2", connector_type=TARIFF, contract_id="FR-PRX-C00000001")
    assert "the tariff 0.99" in findings(house, hours_later(other, -2))["tariff-price"][1]


def test_where_no_tariff_applied_a_note_says_so(house):
    publish(house, START + timedelta(minutes=1), entry("0.40"))
    assert findings(house, cdr(connector_type=TARIFF))["tariff-price"][0] == "note"


def test_an_upload_asks_as_many_questions_whatever_its_size(house):
    publish(house, START - timedelta(days=1), entry("0.40"))
    statements = []
    event.listen(house.store._transactions, "before_cursor_execute", lambda *about: statements.append(about[2]))

    def asked(numbers, **changes):
        """How many questions an upload of these CDRs asks."""
        statements.clear()
        given = [
            hours_later(cdr(cdr_id=f"DEOPS{number}", evse_id=f"DE*OPS*E{number}", **changes), 3 * number)
            for number in numbers
        ]
        house.add(*given, version=V1_3 if "live_auth_id" in changes else V1_4_1)
        return len(statements)

    assert asked(range(100, 102), connector_type=TARIFF) == asked(range(110, 140), connector_type=TARIFF)
    assert asked(range(200, 202)) == asked(range(210, 240))
    assert asked(range(300, 302), live_auth_id="LIVE") == asked(range(310, 340), live_auth_id="LIVE")


def test_a_live_answer_counts_for_the_operator_that_got_it(house):
    token = cdr().emt_id
    with house.store.books() as books:
        for partner, live_auth_id in ((OPERATOR.name, "OURS"), (OTHER_OPERATOR.name, "THEIRS")):
            books.roaming_lists.remember(
                LiveAuthorisation(
                    live_auth_id=live_auth_id,
                    partner=partner,
                    evse_id=cdr().evse_id,
                    contract_id=cdr().contract_id,
                    token=token_key(token),
                    at=START,
                )
            )
    for number, (live_auth_id, wrong) in enumerate((("OURS", False), ("THEIRS", True), ("NOBODYS", True))):
        given = hours_later(cdr(cdr_id=f"DEOPS{number}", live_auth_id=live_auth_id), 3 * number)
        house.add(given, version=V1_3)
        found = {each.code for each in house.record(key_of(given)).findings}
        assert ("live-authorisation" in found) is wrong
