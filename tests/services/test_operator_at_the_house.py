"""An operator at the real house: uploads, cards from the roaming list, and a CDR that is declined at first."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.live_status import Trust
from clearinghouse.domain.own_cdrs import OwnCdrState
from clearinghouse.domain.partners import Connection, ConnectionKind, Partner
from clearinghouse.domain.sessions import Deadlines, Reading, Session, State
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import BillingItem, CdrReference, CdrStatus, ConfirmCdrsRequest, GetCdrsRequest
from clearinghouse.ochp.charge_points import GetChargePointListRequest
from clearinghouse.ochp.live import GetStatusRequest
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tariffs import GetTariffUpdatesRequest
from clearinghouse.ochp.tokens import (
    EmtId,
    RoamingAuthorisationInfo,
    SetRoamingAuthorisationListRequest,
    TokenType,
    UpdateRoamingAuthorisationListRequest,
)
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1
from clearinghouse.services.calls_port import HttpRequest, Login
from clearinghouse.services.cdr_making import CdrMaker
from clearinghouse.services.cdr_tariffs import tariffs_that_applied
from clearinghouse.services.cdrs import CdrExchange
from clearinghouse.services.charge_points import ChargePointExchange
from clearinghouse.services.claim_upload import ClaimUpload
from clearinghouse.services.claims import Claims
from clearinghouse.services.clearing_line import ClearingLine
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.live_status import StatusExchange
from clearinghouse.services.local_list import LocalList
from clearinghouse.services.roaming_list import RoamingList
from clearinghouse.services.session_keeper import SessionKeeper
from clearinghouse.services.site_upload import SiteUpload
from clearinghouse.services.status_upload import StatusUpload
from clearinghouse.services.tariffs import TariffExchange
from clearinghouse.services.upkeep import Upkeep
from clearinghouse.soap.client import security_of, understood
from clearinghouse.soap.codec import encode
from clearinghouse.soap.faults import envelope
from clearinghouse.soap.server import SoapServer
from clearinghouse.stations.inventory import SAMPLE, read_site
from clearinghouse.stations.simulator import Simulator
from clearinghouse.stations.tariff_file import SAMPLE_TARIFFS, read_tariffs

CONTRACT = "DEPROC000000018"
CARD = EmtId(instance="04A2B3C4D5E6F7", token_type=TokenType.RFID)
PARTNERS = {
    "ops": Partner(name="ops", operator_ids=frozenset({"DEOPS"})),
    "pro": Partner(name="pro", provider_ids=frozenset({"DEPRO"})),
}


class House:
    """Implements `Line`: the real handlers on a real store, without a socket; whoever logs in is believed."""

    def __init__(self, store, clock):
        conversions = Conversions(store, clock)
        exchanges = (
            RoamingList(store, clock, conversions),
            CdrExchange(store, clock, conversions, tariffs_that_applied),
            ChargePointExchange(store, clock, conversions),
            TariffExchange(store, clock, conversions),
            StatusExchange(store, clock, Trust()),
        )
        handlers = {operation: handler for each in exchanges for operation, handler in each.handlers.items()}
        self._server = SoapServer(Role.HOUSE, handlers, lambda login, role: PARTNERS[login.username])
        with store.books() as books:
            for partner in PARTNERS.values():
                books.partners.add(partner, "test")
            for kind in ConnectionKind:
                connection = Connection(
                    operator_id="DEOPS",
                    provider_id="DEPRO",
                    kind=kind,
                    approved_by_operator=True,
                    approved_by_provider=True,
                )
                books.connections.put(connection, "test")

    def call(self, url, version, operation, request, credentials):
        body = envelope(encode(request, version), security_of(credentials))
        headers = {"content-type": "text/xml; charset=utf-8"}
        path = url.removeprefix("https://house.example")
        answer = self._server.answer(HttpRequest("POST", path, "", headers, body, "https://house.example"))
        return understood(operation, version, answer.status, answer.body)

    def line_of(self, username, *spoken):
        return ClearingLine(
            line=self, login=Login(username, "secret"), house_url="https://house.example", spoken=spoken
        )


class Operator:
    """An operator with the sample site and all its upkeep in one."""

    def __init__(self, store, clock, line):
        self.store, self.clock = store, clock
        site, tariffs = read_site(SAMPLE), read_tariffs(SAMPLE_TARIFFS)
        simulator = Simulator(site.evses, store, clock)
        maker = CdrMaker(clock=clock, charge_points=site.points, tariffs=tariffs)
        self.keeper = SessionKeeper(store, simulator, clock, Deadlines(), claim=maker.claim)
        self.claims = Claims(store, clock)
        self.cards = LocalList(store, line, clock, site.points)
        parts = (
            SiteUpload(store, line, clock, tuple(site.published), tuple(tariffs.values())),
            StatusUpload(store, line, clock, simulator, tuple(site.evses)),
            self.cards,
            ClaimUpload(store, line, clock, self.keeper.claimed),
        )
        self.reports = []
        self._upkeep = [Upkeep(store, clock, each.chores, each.wanted, self._report) for each in parts]

    def _report(self, chore, text, failed):
        self.reports.append((chore, text, failed))

    def work(self):
        """Do everything that is due; nothing may fail."""
        self.reports.clear()
        for each in self._upkeep:
            each.work()
        assert not [report for report in self.reports if report[2]]

    def charge(self, **changes):
        now = self.clock()
        session = Session(
            direct_id="DEOPS-1",
            evse_id="DE*OPS*E1001",
            evse_key="DEOPSE1001",
            contract_id=CONTRACT,
            state=State.ENDED,
            selected_at=now - timedelta(minutes=70),
            started_at=now - timedelta(minutes=65),
            ended_at=now - timedelta(minutes=5),
            meter_start=Decimal(100),
            reading=Reading(meter=Decimal(110), power=Decimal(0), at=now - timedelta(minutes=5)),
        )
        session = dataclasses.replace(session, **changes)
        with self.store.books() as books:
            books.sessions.open(session)
            self.keeper.close(books, session, State.CLOSED)

    def claim(self):
        (found,) = self.claims.find()
        return found


@pytest.fixture
def house(make_store, clock):
    return House(make_store(), clock)


@pytest.fixture
def provider(house):
    return house.line_of("pro", V1_4_1)


@pytest.fixture
def start(make_store, clock, house):
    return lambda *spoken: Operator(make_store(), clock, house.line_of("ops", *spoken))


def listed(clock, expires=timedelta(days=30)):
    return (RoamingAuthorisationInfo(emt_id=CARD, contract_id=CONTRACT, expiry_date=clock() + expires),)


@pytest.mark.parametrize("spoken", [(V1_3,), (V1_3, V1_4), (V1_3, V1_4, V1_4_1)], ids=["1.3", "1.4", "1.4.1"])
def test_the_provider_sees_the_operators_site_whatever_dialect_the_operator_speaks(start, provider, spoken):
    operator = start(*spoken)
    operator.work()
    points = provider.ask(op.GET_CHARGE_POINT_LIST, GetChargePointListRequest()).charge_point_info_array
    status = provider.call(op.GET_STATUS, GetStatusRequest()).evse
    assert (len(points), len(status)) == (12, 12)
    tariffs = provider.call(op.GET_TARIFF_UPDATES, GetTariffUpdatesRequest()).tariff_info_array
    assert len(tariffs) == (0 if spoken == (V1_3,) else 2)


@pytest.mark.parametrize("spoken", [(V1_3,), (V1_4_1,)], ids=["1.3", "1.4.1"])
def test_a_providers_card_charges_from_the_list_and_by_the_second_look(start, provider, clock, spoken):
    operator = start(*spoken)
    operator.work()
    assert operator.cards.count() == 0
    upload = UpdateRoamingAuthorisationListRequest(roaming_authorisation_info_array=listed(clock))
    provider.ask(op.UPDATE_ROAMING_AUTHORISATION_LIST, upload)
    permit = operator.cards.authorise(CARD, "DEOPSE1001")
    assert permit.line.contract_id == CONTRACT
    assert bool(permit.live_auth_id) is (spoken == (V1_3,))
    clock.wait(minutes=5)
    operator.work()
    assert [each.contract_id for each in operator.cards.find(CARD)] == [CONTRACT]
    gone = UpdateRoamingAuthorisationListRequest(roaming_authorisation_info_array=listed(clock, -timedelta(seconds=1)))
    provider.ask(op.UPDATE_ROAMING_AUTHORISATION_LIST, gone)
    clock.wait(minutes=5)
    operator.work()
    assert operator.cards.count() == 0


def test_a_declined_cdr_is_revised_and_approved(start, provider, clock):
    operator = start(V1_3, V1_4, V1_4_1)
    operator.work()
    operator.charge()
    operator.work()
    assert (operator.claim().state, operator.claim().reason) == (OwnCdrState.SENT, None)
    (cdr,) = provider.ask(op.GET_CDRS, GetCdrsRequest()).cdr_info_array
    assert (cdr.emt_id.instance, cdr.total_cost) == ("DEOPS-1", Decimal("4.5"))
    reference = (CdrReference(cdr_id=cdr.cdr_id, evse_id=cdr.evse_id),)
    provider.ask(op.CONFIRM_CDRS, ConfirmCdrsRequest(declined=reference))
    clock.wait(minutes=6)
    operator.work()
    assert operator.claim().state is OwnCdrState.DECLINED
    operator.claims.revise(cdr.cdr_id, {BillingItem.USAGE_TIME: Decimal("0.50")})
    operator.work()
    (again,) = provider.ask(op.GET_CDRS, GetCdrsRequest()).cdr_info_array
    assert (again.status, again.total_cost) == (CdrStatus.REVISED, Decimal("4.4"))
    provider.ask(op.CONFIRM_CDRS, ConfirmCdrsRequest(approved=reference))
    clock.wait(minutes=6)
    operator.work()
    assert operator.claim().state is OwnCdrState.APPROVED


def test_a_claim_that_is_given_up_is_settled_at_the_house(start, provider, clock):
    operator = start(V1_4_1)
    operator.work()
    operator.charge()
    operator.work()
    reference = (CdrReference(cdr_id=operator.claim().cdr_id, evse_id="DE*OPS*E1001"),)
    provider.ask(op.CONFIRM_CDRS, ConfirmCdrsRequest(declined=reference))
    clock.wait(minutes=6)
    operator.work()
    operator.claims.give_up(operator.claim().cdr_id)
    operator.work()
    assert operator.claim().state is OwnCdrState.REJECTED
    answer = provider.call(op.GET_CDRS, GetCdrsRequest(cdr_status=CdrStatus.REJECTED))
    assert (answer.result.result_code, len(answer.cdr_info_array)) == (ResultCode.OK, 1)


def test_a_cdr_of_1_3_with_a_card_reaches_the_provider(start, provider, clock):
    operator = start(V1_3)
    upload = SetRoamingAuthorisationListRequest(roaming_authorisation_info_array=listed(clock))
    provider.ask(op.SET_ROAMING_AUTHORISATION_LIST, upload)
    operator.work()
    operator.charge(direct=False, local=True, token=CARD)
    operator.work()
    assert (operator.claim().state, operator.claim().reason) == (OwnCdrState.SENT, None)
    (cdr,) = provider.ask(op.GET_CDRS, GetCdrsRequest()).cdr_info_array
    assert (cdr.emt_id, cdr.contract_id) == (CARD, CONTRACT)
