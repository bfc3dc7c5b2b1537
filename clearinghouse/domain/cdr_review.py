"""What a provider checks of a CDR before it pays: a table of rules, and what becomes of a CDR that breaks some."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from clearinghouse.domain.charges import ChargeState
from clearinghouse.domain.evidence import (
    EXACTLY_ENOUGH,
    GRAVITY,
    NOTHING,
    Evidence,
    Finding,
    Tolerances,
    Verdict,
    energy_of,
    is_direct,
    sum_of_periods,
    total_of,
)
from clearinghouse.domain.pricing import PricedPeriod, price
from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.identifiers import contract_key, evse_key, party_id

Look = Callable[[CdrInfo, Evidence, Tolerances], str | None]
"""What is wrong, None where nothing is or where there is no evidence to judge by."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A named rule: what holds for a good CDR, and what becomes of one that breaks it unless settings say otherwise."""

    name: str
    says: str
    verdict: Verdict
    look: Look


# -- The looks, in the order of the table ------------------------------------------------------------------------


def _own_contract(cdr: CdrInfo, evidence: Evidence, _: Tolerances) -> str | None:
    if party_id(cdr.contract_id) in evidence.provider_ids:
        return None
    return f"contract {cdr.contract_id} belongs to another provider"


def _one_per_session(cdr: CdrInfo, evidence: Evidence, _: Tolerances) -> str | None:
    same = [each for each in evidence.rivals if is_direct(cdr) and each.emt_id.instance == cdr.emt_id.instance]
    return f"CDR {same[0].cdr_id} claims the same session" if same else None


def _no_overlap(cdr: CdrInfo, evidence: Evidence, _: Tolerances) -> str | None:
    for each in evidence.rivals:
        together = each.start_date_time < cdr.end_date_time and cdr.start_date_time < each.end_date_time
        if together and evse_key(each.evse_id) == evse_key(cdr.evse_id):
            return f"CDR {each.cdr_id} is of the same time at the same EVSE"
    return None


def _known_session(cdr: CdrInfo, evidence: Evidence, _: Tolerances) -> str | None:
    if not is_direct(cdr) or evidence.charge is not None:
        return None
    return f"no charge of this provider has the direct id {cdr.emt_id.instance}"


def _same_session(cdr: CdrInfo, evidence: Evidence, _: Tolerances) -> str | None:
    charge = evidence.charge
    if charge is None:
        return None
    if evse_key(charge.evse_id) != evse_key(cdr.evse_id):
        return f"the charge was at {charge.evse_id}, the CDR says {cdr.evse_id}"
    if contract_key(charge.contract_id) != contract_key(cdr.contract_id):
        return f"the charge was for {charge.contract_id}, the CDR says {cdr.contract_id}"
    return None


def _known_token(cdr: CdrInfo, evidence: Evidence, _: Tolerances) -> str | None:
    if is_direct(cdr) or evidence.lines is None:
        return None
    lines = [each for each in evidence.lines if contract_key(each.contract_id) == contract_key(cdr.contract_id)]
    if not lines:
        return "the token list does not have this token for this contract"
    if all(each.expiry_date <= cdr.start_date_time for each in lines):
        return f"the token expired at {max(each.expiry_date for each in lines).isoformat()}"
    return None


def _energy(cdr: CdrInfo, evidence: Evidence, within: Tolerances) -> str | None:
    told = evidence.charge.energy if evidence.charge else None
    if told is None:
        return None
    billed = energy_of(cdr)
    if abs(billed - told) <= max(within.energy, within.energy_part * told):
        return None
    return f"{billed} kWh are billed, {told} kWh were told"


def _times(cdr: CdrInfo, evidence: Evidence, within: Tolerances) -> str | None:
    if cdr.end_date_time < cdr.start_date_time:
        return "it ends before it starts"
    if cdr.end_date_time > evidence.now + within.clock:
        return f"it ends in the future, at {cdr.end_date_time.isoformat()}"
    for each in cdr.charging_periods:
        if each.start_date_time < cdr.start_date_time - within.clock:
            return f"a period starts before the charge, at {each.start_date_time.isoformat()}"
        if each.end_date_time > cdr.end_date_time + within.clock:
            return f"a period ends after the charge, at {each.end_date_time.isoformat()}"
    return None


def _session_times(cdr: CdrInfo, evidence: Evidence, within: Tolerances) -> str | None:
    charge = evidence.charge
    if charge is None or charge.announced or cdr.start_date_time >= charge.created_at - within.clock:
        return None
    return f"it starts at {cdr.start_date_time.isoformat()}, before the driver asked for the charge"


def _sums(cdr: CdrInfo, _: Evidence, within: Tolerances) -> str | None:
    for each in cdr.charging_periods:
        cost = each.billing_value * each.item_price
        if each.period_cost is not None and abs(each.period_cost - cost) > within.money:
            return (
                f"{each.billing_value} of {each.billing_item} at {each.item_price} are {cost}, not {each.period_cost}"
            )
    if cdr.total_cost is not None and abs(cdr.total_cost - sum_of_periods(cdr)) > within.money:
        return f"the periods cost {sum_of_periods(cdr)}, the total says {cdr.total_cost}"
    return None


def _told_cost(cdr: CdrInfo, evidence: Evidence, within: Tolerances) -> str | None:
    charge = evidence.charge
    if charge is None or charge.cost is None or charge.state is not ChargeState.FINISHED:
        return None
    if charge.currency not in (None, cdr.currency):
        return f"{charge.currency} were told, {cdr.currency} are billed"
    if abs(total_of(cdr) - charge.cost) <= within.money:
        return None
    return f"{total_of(cdr)} {cdr.currency} are billed, {charge.cost} were told when the charge was finished"


def _tariff_price(cdr: CdrInfo, evidence: Evidence, within: Tolerances) -> str | None:
    wrong = [_wrong_price(priced) for priced in _priced(cdr, evidence, within)]
    return None if None in wrong else next(iter(wrong), None)


def _wrong_price(periods: Iterable[PricedPeriod]) -> str | None:
    for each in periods:
        if not each.fits and each.period.item_price > NOTHING:
            asked = "nothing" if each.component is None else each.component.item_price
            return f"{each.period.billing_item} is billed at {each.period.item_price}, the tariff says {asked}"
    return None


def _priced(cdr: CdrInfo, evidence: Evidence, within: Tolerances) -> list[tuple[PricedPeriod, ...]]:
    """The CDR priced by every version of the tariff that may have been in force."""
    start = cdr.start_date_time
    priced = (
        price(cdr, [dataclasses.replace(each, valid_from=min(each.valid_from, start))])
        for each in evidence.tariff
        if each.valid_from <= start + within.tariff_delay
    )
    return [each for each in priced if each is not None]


def _known_tariff(cdr: CdrInfo, evidence: Evidence, within: Tolerances) -> str | None:
    return None if _priced(cdr, evidence, within) else "no tariff is known by which it can be priced"


def _modest_total(cdr: CdrInfo, _: Evidence, within: Tolerances) -> str | None:
    total = total_of(cdr)
    return f"{total} {cdr.currency} are billed" if total > within.largest_total else None


RULES: tuple[Rule, ...] = (
    Rule(
        name="own-contract",
        says="The contract belongs to this provider.",
        verdict=Verdict.DECLINE,
        look=_own_contract,
    ),
    Rule(
        name="one-cdr-per-session",
        says="No other CDR claims the same direct session.",
        verdict=Verdict.DECLINE,
        look=_one_per_session,
    ),
    Rule(
        name="no-overlap",
        says="No other CDR is of the same time at the same EVSE.",
        verdict=Verdict.WAIT,
        look=_no_overlap,
    ),
    Rule(
        name="known-session",
        says="A direct session is one that this provider asked for or was told of.",
        verdict=Verdict.WAIT,
        look=_known_session,
    ),
    Rule(
        name="same-session",
        says="The EVSE and the contract are those of the charge.",
        verdict=Verdict.DECLINE,
        look=_same_session,
    ),
    Rule(
        name="known-token",
        says="The token list has the token for the contract, and it had not expired when the charge began.",
        verdict=Verdict.WAIT,
        look=_known_token,
    ),
    Rule(
        name="energy",
        says="The energy is what the operator told of the charge.",
        verdict=Verdict.DECLINE,
        look=_energy,
    ),
    Rule(
        name="times",
        says="The charge ends after it starts, not in the future, and its periods lie within it.",
        verdict=Verdict.WAIT,
        look=_times,
    ),
    Rule(
        name="session-times",
        says="The charge does not start before the driver asked for it.",
        verdict=Verdict.WAIT,
        look=_session_times,
    ),
    Rule(
        name="sums",
        says="Every period costs its value times its price, and the total is their sum.",
        verdict=Verdict.DECLINE,
        look=_sums,
    ),
    Rule(
        name="told-cost",
        says="The total is the cost that the operator told when the charge was finished.",
        verdict=Verdict.WAIT,
        look=_told_cost,
    ),
    Rule(
        name="tariff-price",
        says="Every price is that of the tariff that was in force when the charge began.",
        verdict=Verdict.DECLINE,
        look=_tariff_price,
    ),
    Rule(
        name="known-tariff",
        says="A tariff is known by which the CDR can be priced.",
        verdict=Verdict.APPROVE,
        look=_known_tariff,
    ),
    Rule(
        name="modest-total",
        says="The total is not so large that a person should see it.",
        verdict=Verdict.WAIT,
        look=_modest_total,
    ),
)

Policy = Mapping[str, Verdict]
"""What becomes of CDRs that break a rule, by the rule's name, where it is not as the table says."""
AS_THE_TABLE_SAYS: Policy = {}


def review(
    cdr: CdrInfo, evidence: Evidence, within: Tolerances = EXACTLY_ENOUGH, policy: Policy = AS_THE_TABLE_SAYS
) -> tuple[Finding, ...]:
    """Every rule that the CDR breaks, in the table's order."""
    looks = ((rule, rule.look(cdr, evidence, within)) for rule in RULES)
    return tuple(
        Finding(rule=rule.name, verdict=policy.get(rule.name, rule.verdict), text=text) for rule, text in looks if text
    )


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """The gravest of the findings; without any, the CDR is approved."""
    return max((each.verdict for each in findings), key=GRAVITY.index, default=Verdict.APPROVE)
