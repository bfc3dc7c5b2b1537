"""The rules of plausibility about IDs, times and other CDRs: each says what is wrong, in words for a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from clearinghouse.domain.cdr_case import Case, Fault, Neighbour, periods, token_key
from clearinghouse.domain.iso_codes import COUNTRIES
from clearinghouse.domain.roaming_list import TokenKey
from clearinghouse.domain.roaming_list import token_key as token_key_of
from clearinghouse.ochp.identifiers import (
    contract_key,
    evse_key,
    has_wrong_check_digit,
    party_id,
    without_separators,
)
from clearinghouse.ochp.tokens import TokenType
from clearinghouse.ochp.versions import V1_3

CONTRACT = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[A-Z0-9]{9}[A-Z0-9]?")
LATEST = timedelta(hours=24)
"""So far in the future may a charge end: clocks of charge points are wrong sometimes."""
SLACK = timedelta(seconds=60)


# -- Whose it is ------------------------------------------------------------------------------------------------


def foreign_evse(case: Case) -> Fault:
    """The EVSE-ID begins with an operator ID of the uploader."""
    return None if party_id(case.cdr.evse_id) in case.own_ids else "the EVSE does not belong to the uploader"


def foreign_cdr_id(case: Case) -> Fault:
    """Since 1.4, a CDR-ID begins with an operator ID of the uploader."""
    if case.version is V1_3 or case.cdr.cdr_id[:5] in case.own_ids:
        return None
    return f"since OCHP 1.4 its id must begin with an operator ID of the uploader, not with {case.cdr.cdr_id[:5]}"


def taken_cdr_id(case: Case) -> Fault:
    """Since 1.4, a CDR-ID is unique in the whole house, and a revision keeps its EVSE."""
    if case.version is V1_3 or not case.namesakes:
        return None
    return f"its id is that of the CDR at {case.namesakes[0]}; use another id, or keep the EVSE in a revision"


def malformed_contract(case: Case) -> Fault:
    """The Contract-ID is one."""
    plain = without_separators(case.cdr.contract_id).upper()
    return None if CONTRACT.fullmatch(plain) else "its contractId is no Contract-ID"


def wrong_check_digit(case: Case) -> Fault:
    """The Contract-ID's check digit is right; many in use are not."""
    if malformed_contract(case) or not has_wrong_check_digit(case.cdr.contract_id):
        return None
    return "the check digit of its Contract-ID is wrong"


def not_connected(case: Case) -> Fault:
    """Operator and provider roam."""
    if case.connected:
        return None
    provider = party_id(case.cdr.contract_id)
    return f"there was no roaming connection for CDRs with {provider} when the charge began, and there is none now"


def unmatched_direct_session(case: Case) -> Fault:
    """A CDR of a direct session names one that the house relayed, at this EVSE and for this contract."""
    if case.cdr.emt_id.token_type is not TokenType.REMOTE:
        return None
    relayed = case.relayed
    if relayed is None:
        return "the house relayed no direct session of this id; the partners may have arranged it between themselves"
    if evse_key(relayed.evse_id) != evse_key(case.cdr.evse_id):
        return f"its direct session was at {relayed.evse_id}"
    if contract_key(relayed.contract_id) != contract_key(case.cdr.contract_id):
        return "its direct session was for another contract"
    return None


def unmatched_live_answer(case: Case) -> Fault:
    """A live authorisation that a CDR of 1.3 names is one that the house gave the operator, for this token and EVSE."""
    if case.cdr.live_auth_id is None:
        return None
    if case.live is None:
        return "the house gave the operator no live authorisation of this id"
    if not same_token(case.live.token, token_key_of(case.cdr.emt_id)):
        return "its live authorisation was for another token"
    if evse_key(case.live.evse_id) != evse_key(case.cdr.evse_id):
        return f"its live authorisation was for {case.live.evse_id}"
    return None


# -- When -------------------------------------------------------------------------------------------------------


def ends_before_start(case: Case) -> Fault:
    """A charge ends after it began."""
    return "it ends before it starts" if case.cdr.end_date_time < case.cdr.start_date_time else None


def ends_in_future(case: Case) -> Fault:
    """A charge that is billed is over."""
    return "it ends more than 24 hours from now" if case.cdr.end_date_time > case.now + LATEST else None


def period_outside(case: Case) -> Fault:
    """Periods lie within the charge and do not run backwards; they may overlap."""
    for number, period in periods(case):
        if period.end_date_time < period.start_date_time:
            return f"period {number} ends before it starts"
        if period.start_date_time < case.cdr.start_date_time or period.end_date_time > case.cdr.end_date_time:
            return f"period {number} is not within the charge"
    return None


def wrong_duration(case: Case) -> Fault:
    """The duration is the time from start to end."""
    cdr = case.cdr
    actual = cdr.end_date_time - cdr.start_date_time
    if cdr.duration is None or abs(cdr.duration - actual) <= SLACK:
        return None
    return f"its duration says {cdr.duration}, but from start to end it is {actual}"


# -- Beside others ----------------------------------------------------------------------------------------------


def duplicate(case: Case) -> Fault:
    """No other CDR is about a charge at this EVSE, with this token, from this instant."""
    twin = next((each for each in case.neighbours if _is_twin(case, each)), None)
    return f"CDR {twin.cdr_id} is about the same charge" if twin else None


def overlap_on_evse(case: Case) -> Fault:
    """One EVSE charges one car at a time."""
    return _overlap(case, lambda each: each.evse_key == evse_key(case.cdr.evse_id), "at the same EVSE")


def overlap_on_token(case: Case) -> Fault:
    """One token charges one car at a time."""
    return _overlap(case, lambda each: each.token == token_key(case.cdr.emt_id), "with the same token")


# -- Where ------------------------------------------------------------------------------------------------------


def unknown_country(case: Case) -> Fault:
    """The country is one of ISO 3166-1."""
    country = case.cdr.charge_point_address.country
    return None if country in COUNTRIES else f"{country!r} is no country; three letters of ISO 3166-1 are asked for"


def same_token(one: TokenKey, other: TokenKey) -> bool:
    """Whether two keys may be of one token, one of them hashed or none."""
    return one.token_type is other.token_type and (
        one == other
        or one.hashes.get(other.representation) == other.instance
        or other.hashes.get(one.representation) == one.instance
    )


def _is_twin(case: Case, other: Neighbour) -> bool:
    cdr = case.cdr
    return (other.evse_key, other.token, other.started_at) == (
        evse_key(cdr.evse_id),
        token_key(cdr.emt_id),
        cdr.start_date_time,
    )


def _overlap(case: Case, same: Callable[[Neighbour], bool], what: str) -> Fault:
    cdr = case.cdr
    for each in case.neighbours:
        if not same(each) or _is_twin(case, each):
            continue
        if each.started_at < cdr.end_date_time and cdr.start_date_time < each.ended_at:
            return f"CDR {each.cdr_id} overlaps it {what}"
    return None
