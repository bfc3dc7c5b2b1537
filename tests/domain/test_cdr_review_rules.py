"""Every rule by which a provider judges CDRs: one that fits breaks none, one edit breaks the rule it is about."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.cdr_review import RULES, review, verdict_of
from clearinghouse.domain.charges import Charge, ChargeState
from clearinghouse.domain.errors import Conflict
from clearinghouse.domain.evidence import GRAVITY, Evidence, Finding, Tolerances, Verdict
from clearinghouse.domain.received_cdrs import REVIEW_MOVES, STAGE_AFTER, CdrStage, ReviewMove, moved, reviewed
from clearinghouse.domain.tariffs import TariffVersion
from clearinghouse.ochp.cdrs import BillingItem
from clearinghouse.ochp.tariffs import IndividualTariff, PriceComponent, TariffElement, TariffInfo
from clearinghouse.ochp.tokens import EmtId, RoamingAuthorisationInfo, TokenType
from tests.cdr_builders import CONTRACT, END, EVSE, NOW, START, cdr, hours_later, period

REMOTE = EmtId(instance="DEOPS-1", token_type=TokenType.REMOTE)
DIRECT = cdr(emt_id=REMOTE, total_cost=Decimal("8.00"))
CARD = cdr()
LINE = RoamingAuthorisationInfo(emt_id=CARD.emt_id, contract_id=CONTRACT, expiry_date=NOW + timedelta(days=1))
CHARGE = Charge(
    id="1",
    evse_id=EVSE,
    contract_id=CONTRACT,
    state=ChargeState.FINISHED,
    created_at=START,
    changed_at=END,
    direct_id="DEOPS-1",
    energy=Decimal(20),
    cost=Decimal("8.00"),
    currency="EUR",
)


def version(price="0.40", valid_from=START - timedelta(days=1), valid_until=None):
    component = PriceComponent(billing_item=BillingItem.ENERGY, item_price=Decimal(price), step_size=Decimal(0))
    entry = IndividualTariff(tariff_element=(TariffElement(price_component=component),), currency="EUR")
    tariff = TariffInfo(tariff_id="DE*OPS*T1", individual_tariff=(entry,))
    return TariffVersion(tariff=tariff, valid_from=valid_from, valid_until=valid_until)


FULL = Evidence(now=NOW, provider_ids=frozenset({"DEPRO"}), charge=CHARGE, lines=(LINE,), tariff=(version(),))


def knowing(**changes):
    return dataclasses.replace(FULL, **changes)


def telling(**changes):
    return knowing(charge=dataclasses.replace(CHARGE, **changes))


OTHER = dataclasses.replace(DIRECT, cdr_id="DEOPS0009")
BREAKS = {
    "own-contract": [(DIRECT, knowing(provider_ids=frozenset({"DEOTH"})))],
    "one-cdr-per-session": [(DIRECT, knowing(rivals=(hours_later(OTHER, 5),)))],
    "no-overlap": [(CARD, knowing(rivals=(hours_later(OTHER, 1),)))],
    "known-session": [(DIRECT, knowing(charge=None))],
    "same-session": [(DIRECT, telling(evse_id="DE*OPS*E2")), (DIRECT, telling(contract_id="DE-PRO-C00000002"))],
    "known-token": [
        (CARD, knowing(lines=())),
        (CARD, knowing(lines=(dataclasses.replace(LINE, contract_id="DE-PRO-C00000002"),))),
        (CARD, knowing(lines=(dataclasses.replace(LINE, expiry_date=START),))),
    ],
    "energy": [(DIRECT, telling(energy=Decimal(19)))],
    "times": [
        (dataclasses.replace(CARD, end_date_time=START - timedelta(seconds=1)), FULL),
        (hours_later(CARD, 3), FULL),
        (cdr(charging_periods=(period(start_date_time=START - timedelta(hours=1)),)), FULL),
        (cdr(charging_periods=(period(end_date_time=END + timedelta(hours=1)),)), FULL),
    ],
    "session-times": [(DIRECT, telling(created_at=START + timedelta(minutes=6)))],
    "sums": [(cdr(total_cost=Decimal("8.03")), FULL), (cdr(charging_periods=(period(period_cost=Decimal(9)),)), FULL)],
    "told-cost": [(DIRECT, telling(cost=Decimal("7.90"))), (DIRECT, telling(currency="CHF"))],
    "tariff-price": [(CARD, knowing(tariff=(version("0.39"),)))],
    "known-tariff": [(CARD, knowing(tariff=())), (CARD, knowing(tariff=(version(valid_from=NOW),)))],
    "modest-total": [
        (cdr(charging_periods=(period(item_price=Decimal(30), period_cost=Decimal(600)),)), knowing(tariff=()))
    ],
}


def test_every_rule_has_a_case_that_breaks_it_and_a_name_of_its_own():
    assert [each.name for each in RULES] == [*BREAKS]


@pytest.mark.parametrize("info", [DIRECT, CARD], ids=["direct", "card"])
def test_what_fits_breaks_no_rule(info):
    evidence = FULL if info is DIRECT else knowing(charge=None)
    assert review(info, evidence) == ()


@pytest.mark.parametrize(("rule", "info", "evidence"), [(r, *case) for r, cases in BREAKS.items() for case in cases])
def test_one_edit_breaks_the_rule_that_it_is_about(rule, info, evidence):
    found = {each.rule: each for each in review(info, evidence)}
    assert rule in found
    assert found[rule].text


@pytest.mark.parametrize("rule", [each.name for each in RULES])
def test_a_policy_says_what_becomes_of_a_broken_rule(rule):
    info, evidence = BREAKS[rule][0]
    for verdict in Verdict:
        found = {each.rule: each.verdict for each in review(info, evidence, policy={rule: verdict})}
        assert found[rule] is verdict


def test_without_evidence_nothing_is_held_against_a_card():
    nothing = Evidence(now=NOW, provider_ids=frozenset({"DEPRO"}))
    assert verdict_of(review(CARD, nothing)) is Verdict.APPROVE


def test_the_gravest_finding_decides():
    assert set(GRAVITY) == set(Verdict) == set(STAGE_AFTER)
    findings = [Finding(rule="r", verdict=each, text="t") for each in (Verdict.WAIT, Verdict.DECLINE, Verdict.APPROVE)]
    assert verdict_of(findings) is Verdict.DECLINE
    assert verdict_of(()) is Verdict.APPROVE


@pytest.mark.parametrize(("told", "fits"), [("19.7", True), ("20.4", True), ("19.5", False), ("20.5", False)])
def test_energy_may_differ_by_the_tolerance(told, fits):
    found = {each.rule for each in review(DIRECT, telling(energy=Decimal(told)))}
    assert ("energy" not in found) is fits
    strict = Tolerances(energy=Decimal(0), energy_part=Decimal(0))
    assert "energy" in {each.rule for each in review(DIRECT, telling(energy=Decimal(told)), strict)}


def test_a_new_price_counts_although_it_was_downloaded_after_the_charge_began():
    known_at = START + timedelta(minutes=10)
    versions = (version("0.30", valid_until=known_at), version("0.40", valid_from=known_at))
    assert "tariff-price" not in {each.rule for each in review(CARD, knowing(tariff=versions))}
    late = (versions[0], version("0.40", valid_from=START + timedelta(hours=2)))
    assert "tariff-price" in {each.rule for each in review(CARD, knowing(tariff=late))}


def test_only_the_moves_of_the_table_are_possible():
    waiting = reviewed(CARD, (Finding(rule="r", verdict=Verdict.WAIT, text="t"),), NOW, None)
    for stage in CdrStage:
        for move in ReviewMove:
            cdr_then = dataclasses.replace(waiting, stage=stage)
            if (stage, move) in REVIEW_MOVES:
                after = moved(cdr_then, move, NOW, "anna", "why")
                assert (after.stage, after.history[-1].actor) == (REVIEW_MOVES[stage, move], "anna")
            else:
                with pytest.raises(Conflict):
                    moved(cdr_then, move, NOW, "anna")
