"""The operator's CDRs and its copy of the roaming list, over JSON."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.bare_points import bare_point
from clearinghouse.domain.billing import Stay, bill_of
from clearinghouse.domain.errors import Conflict, UnknownId
from clearinghouse.domain.own_cdrs import OwnCdr, OwnCdrState
from clearinghouse.http.app import build
from clearinghouse.http.operator_api import operator_api
from clearinghouse.ochp.cdrs import BillingItem, CdrInfo, CdrStatus
from clearinghouse.ochp.tokens import EmtId, RoamingAuthorisationInfo, TokenType
from clearinghouse.services.calls_port import HttpAnswer
from tests.http.asgi_call import call
from tests.http.memory_desks import CONTRACT, EVSE, MemoryOperatorDesk, find_key

NOON = datetime(2027, 1, 10, 12, tzinfo=UTC)
CARD = EmtId(instance="04A2B3", token_type=TokenType.RFID)


def cdr():
    point = bare_point(EVSE)
    stay = Stay(
        selected_at=NOON,
        started_at=NOON,
        ended_at=NOON + timedelta(hours=1),
        energy=Decimal("10.5"),
        rating=None,
        reserved=False,
    )
    info = CdrInfo(
        cdr_id="DEABC1",
        evse_id=EVSE,
        emt_id=CARD,
        contract_id=CONTRACT,
        status=CdrStatus.NEW,
        start_date_time=NOON,
        end_date_time=NOON + timedelta(hours=1),
        charge_point_address=point.charge_point_address,
        charge_point_type=point.charge_point_type,
        connector_type=point.connectors[0],
        charging_periods=bill_of(stay, None, "DEEMP", "EUR").periods,
        total_cost=Decimal("4.20"),
        currency="EUR",
    )
    return OwnCdr(
        number=7, info=info, state=OwnCdrState.DECLINED, created_at=NOON, changed_at=NOON, reason="too expensive"
    )


class MemoryDesk:
    """One declined CDR, and one line of the roaming list; writes down what is asked."""

    def __init__(self):
        self.asked = []

    def find(self, *what):
        self.asked.append(what)
        if isinstance(what[0], EmtId):
            found = RoamingAuthorisationInfo(emt_id=CARD, contract_id=CONTRACT, expiry_date=NOON)
            return [found] if what[0] == CARD else []
        return [cdr()]

    def count(self):
        return 3

    def get(self, cdr_id):
        if cdr_id != "DEABC1":
            raise UnknownId("there is no such CDR")
        return cdr()

    def revise(self, cdr_id, prices):
        self.asked.append((cdr_id, prices))
        return cdr()

    def give_up(self, cdr_id):
        raise Conflict("it is settled")


@pytest.fixture
def desk():
    return MemoryDesk()


@pytest.fixture
def app(desk):
    api = operator_api(MemoryOperatorDesk(), find_key, cdr_desk=desk, list_desk=desk)
    return build(answer=lambda request: HttpAnswer(200, {}, b""), ready=lambda: None, api=api)


def test_declined_cdrs_are_listed_with_the_bill_and_the_reason(app, desk):
    answer = call(app, "GET", "/api/v1/cdrs", params={"state": "declined", "limit": 5, "before": 9})
    (shown,) = answer.json()["cdrs"]
    assert (shown["state"], shown["reason"], shown["info"]["totalCost"]) == ("declined", "too expensive", 4.2)
    assert shown["info"]["chargingPeriods"][0]["billingValue"] == 10.5
    assert desk.asked == [([OwnCdrState.DECLINED], 5, 9)]


def test_a_cdr_is_shown_or_not_found(app):
    assert call(app, "GET", "/api/v1/cdrs/DEABC1").json()["number"] == 7
    assert call(app, "GET", "/api/v1/cdrs/DEABC2").status_code == 404


def test_a_cdr_gets_new_prices(app, desk):
    at = "/api/v1/cdrs/DEABC1/revise"
    assert call(app, "POST", at, json={"prices": {"energy": 0.29}}).status_code == 200
    assert desk.asked == [("DEABC1", {BillingItem.ENERGY: Decimal("0.29")})]
    for wrong in ({}, {"prices": {}}, {"prices": {"air": 1}}, {"prices": {"energy": -1}}):
        assert call(app, "POST", at, json=wrong).status_code == 422


def test_a_claim_that_is_settled_is_not_given_up(app):
    assert call(app, "POST", "/api/v1/cdrs/DEABC1/reject").status_code == 409


def test_a_token_is_looked_up_in_the_copy_of_the_roaming_list(app):
    found = call(app, "GET", "/api/v1/roaming-list", params={"instance": "04A2B3"}).json()
    assert (found["validTokens"], found["lines"][0]["contractId"]) == (3, CONTRACT)
    assert call(app, "GET", "/api/v1/roaming-list", params={"instance": "0B"}).json()["lines"] == []


@pytest.mark.parametrize("path", ["/cdrs", "/cdrs/DEABC1", "/roaming-list?instance=04"])
def test_nobody_looks_without_a_key(app, path):
    assert call(app, "GET", f"/api/v1{path}", key=None).status_code == 401
