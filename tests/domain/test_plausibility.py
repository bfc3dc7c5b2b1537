"""Every check of plausibility, with CDRs that pass it and CDRs that fail it by one edit."""

import dataclasses
import hashlib
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain import roaming_list
from clearinghouse.domain.cdr_case import Case, LiveAnswer, Neighbour, Relayed, token_key
from clearinghouse.domain.plausibility import (
    BY_CODE,
    CHECKS,
    Severity,
    Strictness,
    flags,
    judge,
    refusals,
    severities,
    told_operator,
)
from clearinghouse.ochp.cdrs import BillingItem
from clearinghouse.ochp.connectors import Ratings
from clearinghouse.ochp.locations import Address
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tokens import EmtId, Representation, TokenType
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1
from tests.cdr_builders import END, NOW, START, cdr, hours_later, period

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
REMOTE = EmtId(instance="DEOPS-1", token_type=TokenType.REMOTE, representation=Representation.PLAIN)
SESSION = Relayed(evse_id="DEOPSE1*1", contract_id="DEPROC00000001")
LIVE = LiveAnswer(evse_id="DEOPSE1*1", token=roaming_list.token_key(cdr().emt_id))
HASHED = EmtId(
    instance=hashlib.sha1(b"04A1B2C3").hexdigest(),
    token_type=TokenType.RFID,
    representation=Representation.SHA_160,
)
TOKEN = token_key(cdr().emt_id)
HERE = "DEOPSE1*1"


@dataclasses.dataclass(frozen=True)
class FlatTariff:
    """Forty cents or twenty a kWh."""

    currency: str = "EUR"

    def prices(self, period):
        return {Decimal("0.4"), Decimal("0.2")} if period.billing_item is BillingItem.ENERGY else set()


def case(record=None, **facts):
    usual = {
        "cdr": record or cdr(),
        "version": V1_4_1,
        "own_ids": frozenset({"DEOPS"}),
        "connected": True,
        "now": NOW,
        "tariff": FlatTariff(),
    }
    return Case(**{**usual, **facts})


def other(evse=HERE, token="rfid plain FF", start=START, end=END):
    return Neighbour(evse_key=evse, cdr_id="DEOPS0002", token=token, started_at=start, ended_at=end)


def one(**changes):
    return cdr(charging_periods=(period(**changes),))


def in_country(country):
    return cdr(charge_point_address=Address(address="Quai", city="X", zip_code="1", country=country))


FEE = {"billing_item": BillingItem.SERVICE_FEE, "item_price": Decimal(1), "period_cost": Decimal(1)}
UNSAID = {"period_cost": None}
TWO_PERIODS = (period(), period())
THIRDS = tuple(
    period(billing_value=Decimal("0.333"), item_price=Decimal(1), period_cost=Decimal("0.34")) for _ in "123"
)
MIXED = (period(currency="EUR"), period(currency="CHF"))

PASSING = [
    ("foreign-evse", case(cdr(evse_id="de*ops*e1"))),
    ("foreign-evse", case(own_ids=frozenset({"FROPX", "DEOPS"}))),
    ("foreign-cdr-id", case(cdr(cdr_id="DEOPS9"))),
    ("foreign-cdr-id", case(cdr(cdr_id="4711"), version=V1_3)),
    ("cdr-id-taken", case()),
    ("cdr-id-taken", case(version=V1_3, namesakes=("DEOPSE2",))),
    ("contract-form", case(cdr(contract_id="deproc00000001"))),
    ("check-digit", case(cdr(contract_id="NL-TNM-000122045-U"))),
    ("check-digit", case(cdr(contract_id="NL-TNM-000122045"))),
    ("no-connection", case()),
    ("direct-session", case()),
    ("direct-session", case(cdr(emt_id=REMOTE), relayed=SESSION)),
    ("live-authorisation", case()),
    ("live-authorisation", case(cdr(live_auth_id="L1"), live=LIVE)),
    ("live-authorisation", case(cdr(live_auth_id="L1", emt_id=HASHED), live=LIVE)),
    ("end-before-start", case(cdr(start_date_time=END))),
    ("end-in-future", case(now=END - timedelta(hours=24))),
    ("period-times", case(one(start_date_time=START, end_date_time=END))),
    ("period-times", case(cdr(charging_periods=TWO_PERIODS))),
    ("period-times", case(one(start_date_time=START, end_date_time=START))),
    ("duration", case(cdr(duration=2 * HOUR + timedelta(seconds=60)))),
    ("duration", case(cdr(duration=None))),
    ("negative-value", case(one(billing_value=Decimal(0), period_cost=Decimal(0)))),
    ("negative-price", case(one(item_price=Decimal(0), period_cost=Decimal(0)))),
    ("one-off-value", case(one(**FEE, billing_value=Decimal("1.0")))),
    ("one-off-value", case(one(**{**FEE, "billing_item": BillingItem.RESERVATION}, billing_value=Decimal(1)))),
    ("period-cost", case(one(period_cost=Decimal("8.01")))),
    ("period-cost", case(one(period_cost=Decimal("7.99")))),
    ("period-cost", case(one(**UNSAID))),
    ("total-cost", case(cdr(total_cost=Decimal("8.02")))),
    ("total-cost", case(cdr(total_cost=Decimal("7.98")))),
    ("total-cost", case(cdr(total_cost=Decimal("1.02"), charging_periods=THIRDS))),
    ("total-cost", case(cdr(total_cost=Decimal("0.999"), charging_periods=THIRDS))),
    ("currency", case(cdr(currency="CHF"))),
    ("mixed-currencies", case(cdr(charging_periods=(period(currency="EUR"), period())))),
    ("tariff-price", case()),
    ("tariff-price", case(one(item_price=Decimal("0.20"), period_cost=Decimal(4)))),
    ("tariff-price", case(one(item_price=Decimal(0), period_cost=Decimal(0)))),
    ("energy-power", case(one(billing_value=Decimal("48.9"), **UNSAID))),
    ("energy-power", case(cdr(ratings=None, charging_periods=(period(billing_value=Decimal(900), **UNSAID),)))),
    ("energy-limit", case(one(billing_value=Decimal(1000), **UNSAID))),
    ("duplicate", case(neighbours=(other(token=TOKEN, start=START + SECOND),))),
    ("duplicate", case(neighbours=(other(evse="DEOPSE2", token=TOKEN),))),
    ("evse-overlap", case(neighbours=(other(start=END, end=END + HOUR), other(start=START - HOUR, end=START)))),
    ("evse-overlap", case(neighbours=(other(evse="DEOPSE1*2"),))),
    ("token-overlap", case(neighbours=(other(evse="DEOPSE2", token=TOKEN, start=END, end=END + HOUR),))),
    ("token-overlap", case(neighbours=(other(evse="DEOPSE2"),))),
    ("country", case(in_country("XKX"))),
]
FAILING = [
    ("foreign-evse", case(cdr(evse_id="FR*OPX*E1")), "does not belong"),
    ("foreign-cdr-id", case(cdr(cdr_id="FROPX1"), version=V1_4), "not with FROPX"),
    ("cdr-id-taken", case(namesakes=("DEOPSE2",)), "at DEOPSE2"),
    ("contract-form", case(cdr(contract_id="DE-PRO-C0000")), "no Contract-ID"),
    ("check-digit", case(cdr(contract_id="NL-TNM-000122045-X")), "check digit"),
    ("no-connection", case(connected=False), "no roaming connection for CDRs with DEPRO"),
    ("direct-session", case(cdr(emt_id=REMOTE)), "relayed no direct session"),
    ("direct-session", case(cdr(emt_id=REMOTE, evse_id="DE*OPS*E2"), relayed=SESSION), "was at DEOPSE1"),
    ("direct-session", case(cdr(emt_id=REMOTE, contract_id="DEPROC00000002"), relayed=SESSION), "another contract"),
    ("live-authorisation", case(cdr(live_auth_id="L1")), "no live authorisation"),
    ("live-authorisation", case(cdr(live_auth_id="L1", emt_id=REMOTE), live=LIVE), "another token"),
    ("live-authorisation", case(cdr(live_auth_id="L1", evse_id="DE*OPS*E2"), live=LIVE), "was for DEOPSE1*1"),
    ("end-before-start", case(cdr(start_date_time=END + SECOND)), "ends before"),
    ("end-in-future", case(now=END - timedelta(hours=24) - SECOND), "24 hours"),
    ("period-times", case(one(start_date_time=START - SECOND)), "period 1 is not within"),
    ("period-times", case(cdr(charging_periods=(period(), period(end_date_time=END + SECOND)))), "period 2 is not"),
    ("period-times", case(one(start_date_time=END, end_date_time=START)), "period 1 ends before"),
    ("duration", case(cdr(duration=2 * HOUR + timedelta(seconds=61))), "2:01:01"),
    ("duration", case(cdr(duration=2 * HOUR - timedelta(seconds=61))), "1:58:59"),
    ("negative-value", case(one(billing_value=Decimal("-0.001"))), "period 1 has a value below zero"),
    ("negative-price", case(one(item_price=Decimal("-0.4"), period_cost=Decimal(-8))), "price below zero"),
    ("one-off-value", case(one(**FEE, billing_value=Decimal(2))), "not 1"),
    ("one-off-value", case(one(**{**FEE, "billing_item": BillingItem.RESERVATION}, billing_value=Decimal(0))), "not 1"),
    ("period-cost", case(one(period_cost=Decimal("8.011"))), "costs 8.011, but 20 at 0.40 are 8"),
    ("period-cost", case(one(period_cost=Decimal("7.98"))), "costs 7.98"),
    ("total-cost", case(cdr(total_cost=Decimal("8.021"))), "total is 8.021, but its periods add up to 8"),
    ("total-cost", case(cdr(total_cost=Decimal("7.97"))), "total is 7.97"),
    ("currency", case(cdr(currency="EURO")), "'EURO' is no currency"),
    ("currency", case(cdr(currency="XXX")), "'XXX' is no currency"),
    ("currency", case(one(currency="ZZZ")), "'ZZZ' is no currency"),
    ("mixed-currencies", case(cdr(charging_periods=MIXED)), "CHF, EUR"),
    ("tariff-price", case(one(item_price=Decimal("0.41"), period_cost=Decimal("8.20"))), "asks 0.41 for energy"),
    ("tariff-price", case(one(**FEE, billing_value=Decimal(1))), "the tariff nothing"),
    ("tariff-price", case(tariff=FlatTariff("CHF")), "currency of the tariff, CHF"),
    ("energy-power", case(one(billing_value=Decimal("48.901"), **UNSAID)), "more than 22 kW can give"),
    (
        "energy-power",
        case(cdr(ratings=Ratings(maximum_power=Decimal("3.7")), charging_periods=(period(),))),
        "20 kWh in 2:00:00 are more than 3.7 kW can give",
    ),
    ("energy-limit", case(one(billing_value=Decimal("1000.1"), **UNSAID)), "are they Wh?"),
    ("duplicate", case(neighbours=(other(token=TOKEN),)), "CDR DEOPS0002 is about the same charge"),
    ("evse-overlap", case(neighbours=(other(start=END - SECOND, end=END + HOUR),)), "at the same EVSE"),
    ("evse-overlap", case(neighbours=(other(start=START - HOUR, end=END + HOUR),)), "CDR DEOPS0002"),
    ("token-overlap", case(neighbours=(other(evse="FROPXE1", token=TOKEN),)), "with the same token"),
    ("country", case(in_country("DXX")), "'DXX' is no country"),
]


def fault(code, given):
    return BY_CODE[code].rule(given)


@pytest.mark.parametrize(("code", "given"), PASSING)
def test_a_plausible_cdr_passes(code, given):
    assert fault(code, given) is None


@pytest.mark.parametrize(("code", "given", "text"), FAILING)
def test_an_implausible_cdr_fails_with_a_reason(code, given, text):
    assert text in fault(code, given)


def test_every_check_is_tested_both_ways_and_speaks_to_people():
    codes = [check.code for check in CHECKS]
    assert len(codes) == len(set(codes))
    assert {code for code, _ in PASSING} == {code for code, _, _ in FAILING} == {*codes}
    assert all(check.says.endswith(".") and len(check.says) > 20 for check in CHECKS)


def test_a_good_cdr_passes_every_check():
    assert judge(case(), severities((), "DEOPS", "DEPRO")) == ()


def test_a_twin_is_a_duplicate_and_not_an_overlap_besides():
    found = judge(case(neighbours=(other(token=TOKEN),)), severities((), "DEOPS", "DEPRO"))
    assert [each.code for each in found] == ["duplicate"]


def test_without_a_tariff_a_note_says_that_prices_were_not_checked():
    (finding,) = judge(case(tariff=None), severities((), "DEOPS", "DEPRO"))
    assert (finding.code, finding.severity) == ("tariff-price", Severity.NOTE)
    assert "not checked" in finding.text
    assert not refusals([finding]) and not flags([finding])


def test_a_check_that_could_not_be_made_never_refuses():
    strict = [Strictness(code="tariff-price", severity=Severity.REFUSE)]
    assert not refusals(judge(case(tariff=None), severities(strict, "DEOPS", "DEPRO")))


def test_severities_are_set_for_the_house_and_more_closely_for_a_pair():
    wrong = case(in_country("DXX"))
    house = Strictness(code="country", severity=Severity.REFUSE)
    pair = Strictness(code="country", severity=Severity.OFF, operator_id="DEOPS", provider_id="DEPRO")
    for settings in ([house, pair], [pair, house]):
        assert judge(wrong, severities(settings, "DEOPS", "DEPRO")) == ()
        assert refusals(judge(wrong, severities(settings, "DEOPS", "FRPRX")))
        assert refusals(judge(wrong, severities(settings, "FROPX", "DEPRO")))
    assert flags(judge(wrong, severities([], "DEOPS", "DEPRO")))


def test_an_operator_does_not_learn_where_else_a_token_was():
    elsewhere = other(evse="FROPXE1", token=TOKEN)
    strict = severities([Strictness(code="token-overlap", severity=Severity.REFUSE)], "DEOPS", "DEPRO")
    (refused,) = refusals(judge(case(neighbours=(elsewhere,)), strict))
    assert "DEOPS0002" in refused.text
    assert told_operator(refused) == "One token charges one car at a time."
    (plain,) = refusals(judge(case(cdr(currency="EURO")), strict))
    assert told_operator(plain) == plain.text


def test_ownership_and_visibility_cannot_be_waived():
    fixed = {check.code for check in CHECKS if check.is_fixed}
    assert fixed == {"foreign-evse", "contract-form", "no-connection"}
    waived = [Strictness(code=code, severity=Severity.OFF) for code in fixed]
    assert all(severities(waived, "DEOPS", "DEPRO")[code] is Severity.REFUSE for code in fixed)


def test_what_is_about_ids_is_refused_as_such():
    about_ids = {check.code for check in CHECKS if check.result is ResultCode.INVALID_ID}
    assert {"foreign-evse", "foreign-cdr-id", "no-connection"} <= about_ids
    assert "total-cost" not in about_ids


def test_overlaps_are_seen_whatever_the_offset_of_the_clocks():
    later = hours_later(cdr(), 1)
    assert fault("evse-overlap", case(later, neighbours=(other(),)))
    assert not fault("evse-overlap", case(hours_later(cdr(), 2), neighbours=(other(),)))
