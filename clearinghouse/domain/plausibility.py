"""Plausibility: the table of checks that an uploaded CDR goes through, and how grave each is.

A refused CDR goes back to the operator; a flag or a note does not stop it, but is kept with it for people to see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from clearinghouse.domain import cdr_rules as rules
from clearinghouse.domain import cdr_sum_rules as sums
from clearinghouse.domain.cdr_case import Case, Rule, Skipped
from clearinghouse.ochp.results import ResultCode


class Severity(StrEnum):
    """What happens to a CDR that fails a check."""

    REFUSE = "refuse"
    FLAG = "flag"
    NOTE = "note"
    """Shown with the CDR, but no reason to look at it."""
    OFF = "off"
    """The check is not made."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A rule with its name, the severity it has unless set otherwise, and the result code of a refusal."""

    code: str
    rule: Rule
    severity: Severity
    result: ResultCode = ResultCode.FORMAT
    is_fixed: bool = False
    """Whether its severity cannot be changed: who owns and who sees a CDR depends on it."""
    is_discreet: bool = False
    """Whether its finding tells of other operators, and is for the house's people alone."""

    @property
    def says(self) -> str:
        """What a plausible CDR is like, as a sentence for people."""
        return (self.rule.__doc__ or "").strip()


REFUSE, FLAG, NOTE = Severity.REFUSE, Severity.FLAG, Severity.NOTE
ID = ResultCode.INVALID_ID

CHECKS = (
    Check(code="foreign-evse", rule=rules.foreign_evse, severity=REFUSE, result=ID, is_fixed=True),
    Check(code="foreign-cdr-id", rule=rules.foreign_cdr_id, severity=REFUSE, result=ID),
    Check(code="cdr-id-taken", rule=rules.taken_cdr_id, severity=REFUSE, result=ID),
    Check(code="contract-form", rule=rules.malformed_contract, severity=REFUSE, result=ID, is_fixed=True),
    Check(code="check-digit", rule=rules.wrong_check_digit, severity=NOTE, result=ID),
    Check(code="no-connection", rule=rules.not_connected, severity=REFUSE, result=ID, is_fixed=True),
    Check(code="direct-session", rule=rules.unmatched_direct_session, severity=FLAG, result=ID),
    Check(code="live-authorisation", rule=rules.unmatched_live_answer, severity=FLAG, result=ID),
    Check(code="end-before-start", rule=rules.ends_before_start, severity=REFUSE),
    Check(code="end-in-future", rule=rules.ends_in_future, severity=REFUSE),
    Check(code="period-times", rule=rules.period_outside, severity=REFUSE),
    Check(code="duration", rule=rules.wrong_duration, severity=FLAG),
    Check(code="negative-value", rule=sums.negative_value, severity=REFUSE),
    Check(code="negative-price", rule=sums.negative_price, severity=FLAG),
    Check(code="one-off-value", rule=sums.not_once, severity=REFUSE),
    Check(code="period-cost", rule=sums.wrong_period_cost, severity=REFUSE),
    Check(code="total-cost", rule=sums.wrong_total, severity=REFUSE),
    Check(code="currency", rule=sums.unknown_currency, severity=REFUSE),
    Check(code="mixed-currencies", rule=sums.mixed_currencies, severity=FLAG),
    Check(code="tariff-price", rule=sums.wrong_price, severity=FLAG),
    Check(code="energy-power", rule=sums.beyond_power, severity=FLAG),
    Check(code="energy-limit", rule=sums.enormous_energy, severity=FLAG),
    Check(code="duplicate", rule=rules.duplicate, severity=FLAG),
    Check(code="evse-overlap", rule=rules.overlap_on_evse, severity=FLAG),
    Check(code="token-overlap", rule=rules.overlap_on_token, severity=FLAG, is_discreet=True),
    Check(code="country", rule=rules.unknown_country, severity=FLAG),
)
"""Every check, in the order in which faults are told."""

BY_CODE: Mapping[str, Check] = {check.code: check for check in CHECKS}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found in a CDR."""

    code: str
    severity: Severity
    text: str


@dataclass(frozen=True, kw_only=True)
class Strictness:
    """The severity of a check, set for the whole house or, with both IDs, for one pair of partners."""

    code: str
    severity: Severity
    operator_id: str | None = None
    provider_id: str | None = None


def severities(settings: Iterable[Strictness], operator_id: str, provider_id: str) -> dict[str, Severity]:
    """The severity of every check between two parties: as set for the pair, else for the house, else by default."""
    found = {check.code: check.severity for check in CHECKS}
    pairs = ((None, None), (operator_id, provider_id))
    for each in sorted(settings, key=lambda setting: setting.operator_id is not None):
        check = BY_CODE.get(each.code)
        if check and not check.is_fixed and (each.operator_id, each.provider_id) in pairs:
            found[each.code] = each.severity
    return found


def judge(case: Case, severity_of: Mapping[str, Severity]) -> tuple[Finding, ...]:
    """What all checks that are made find; a check that could not be made leaves a note."""
    findings = []
    for check in CHECKS:
        severity = severity_of[check.code]
        fault = None if severity is Severity.OFF else check.rule(case)
        if fault is not None:
            told = NOTE if isinstance(fault, Skipped) else severity
            findings.append(Finding(code=check.code, severity=told, text=str(fault)))
    return tuple(findings)


def refusals(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those for which the CDR goes back."""
    return tuple(each for each in findings if each.severity is REFUSE)


def told_operator(finding: Finding) -> str:
    """What the operator is told of a refusal."""
    check = BY_CODE[finding.code]
    return check.says if check.is_discreet else finding.text


def flags(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those for which people should look at the CDR."""
    return tuple(each for each in findings if each.severity is FLAG)
