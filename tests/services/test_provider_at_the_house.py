"""A provider at the real house: what the rules decide is what the house keeps, in every dialect."""

from decimal import Decimal

import pytest

from clearinghouse.domain.cdrs import key_of
from clearinghouse.domain.charges import Charge, ChargeState
from clearinghouse.domain.evidence import Verdict
from clearinghouse.domain.received_cdrs import CdrStage
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.tokens import EmtId, TokenType
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4_1
from clearinghouse.services.calls_port import HttpRequest, Login
from clearinghouse.services.cdr_review import CdrReview
from clearinghouse.services.clearing_line import ClearingLine
from clearinghouse.soap.client import security_of, understood
from clearinghouse.soap.codec import encode
from clearinghouse.soap.faults import envelope
from tests.cdr_builders import CONTRACT, END, EVSE, NOW, START, cdr, cheaper
from tests.services.cdr_house import PROVIDER, CdrHouse, code

DIRECT = EmtId(instance="DEOPS-1", token_type=TokenType.REMOTE)


class LineTo:
    """Implements `Line` to a house without a socket."""

    def __init__(self, house):
        self.house = house

    def call(self, url, version, operation, request, credentials):
        body = envelope(encode(request, version), security_of(credentials))
        headers = {"content-type": "text/xml; charset=utf-8"}
        path = url.removeprefix("https://hub.example")
        answer = self.house.server.answer(HttpRequest("POST", path, "", headers, body, "https://hub.example"))
        return understood(operation, version, answer.status, answer.body)


@pytest.fixture
def house(store):
    return CdrHouse(store)


def provider_of(house, version, **policy):
    """The provider, with a charge of its own; its tables and the house's have nothing in common."""
    line = ClearingLine(
        line=LineTo(house), login=Login(PROVIDER.name, "secret"), house_url="https://hub.example", spoken=(version,)
    )
    charge = Charge(
        id="1",
        evse_id=EVSE,
        contract_id=CONTRACT,
        state=ChargeState.FINISHED,
        created_at=START,
        changed_at=END,
        direct_id=DIRECT.instance,
        energy=Decimal(20),
        cost=Decimal("7.00"),
        currency="EUR",
    )
    with house.store.books() as books:
        books.charges.add(charge)
    return CdrReview(house.store, line, lambda: NOW, PROVIDER.provider_ids, policy)


@pytest.mark.parametrize("version", ORDER, ids=lambda each: each.value)
def test_a_wrong_price_is_declined_revised_and_approved(house, version):
    dear = cdr(emt_id=DIRECT)
    provider = provider_of(house, version, **{"told-cost": Verdict.DECLINE})
    assert code(house.add(dear)) == "ok"
    provider.download()
    assert [each.rule for each in provider.get("DEOPS0001").findings if each.verdict is Verdict.DECLINE] == [
        "told-cost"
    ]
    provider.confirm()
    assert provider.get("DEOPS0001").stage is CdrStage.DECLINED
    assert house.record(key_of(dear)).info.status is CdrStatus.DECLINED
    assert code(house.add(cheaper(dear, status=CdrStatus.REVISED))) == "ok"
    provider.download()
    provider.confirm()
    assert provider.get("DEOPS0001").stage is CdrStage.APPROVED
    assert house.record(key_of(dear)).info.status is CdrStatus.APPROVED
    assert [(each.actor, each.what) for each in provider.get("DEOPS0001").history][1::3] == [
        ("rules", "decline"),
        ("rules", "approve"),
    ]


def test_a_1_3_operator_and_a_1_4_1_provider_settle(house):
    provider = provider_of(house, V1_4_1)
    given = cheaper(cdr(emt_id=DIRECT))
    assert code(house.add(given, version=V1_3)) == "ok"
    assert provider.download() == "1 CDRs, 1 of them new or changed"
    assert provider.confirm() == "1 CDRs"
    assert house.record(key_of(given)).info.status is CdrStatus.APPROVED
    assert provider.download() == "0 CDRs, 0 of them new or changed"
