"""Patterns: what matches, what is a pattern at all, and which of several endpoints is called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.patterns import (
    PatternCase,
    PatternIndex,
    is_valid_pattern,
    matches,
    party_of,
    role_of,
    written_for,
)
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1

LITERAL, FOLD = PatternCase
OPERATOR, PROVIDER = Role.OPERATOR, Role.PROVIDER
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
TODAY = NOON.date()

TABLE = [
    ("DE8AAC%", "DE-8AA-CA2B3C4D5-L", PROVIDER, LITERAL, True),
    ("DE8AACA2B3C4D5", "DE8AACA2B3C4D5L", PROVIDER, LITERAL, True),
    ("DE8AACA2B3C4D5L", "DE8AACA2B3C4D5L", PROVIDER, LITERAL, True),
    ("DE8AACA2B3C4D5L", "DE-8AA-CA2B3C4D5", PROVIDER, LITERAL, True),
    ("DE8AACA2B3C4D5", "DE8AACA2B3C4D6L", PROVIDER, LITERAL, False),
    ("DE8AAC%", "de8aaca2b3c4d5", PROVIDER, LITERAL, False),
    ("DE8AAC%", "de8aaca2b3c4d5", PROVIDER, FOLD, True),
    ("de8aac%", "DE8AACA2B3C4D5", PROVIDER, LITERAL, False),
    ("de8aac%", "DE8AACA2B3C4D5", PROVIDER, FOLD, True),
    ("DE8AAC%", "NLTNM000033963M", PROVIDER, LITERAL, False),
    ("DE8AAC%", "NLTNM000033963M", PROVIDER, FOLD, False),
    ("DE823E1234%", "DE*823*E1234*5678", OPERATOR, LITERAL, True),
    ("DE823E12345678", "DE*823*E1234*5678", OPERATOR, LITERAL, False),
    ("DE823E1234*5678", "DE823E1234*5678", OPERATOR, LITERAL, True),
    ("DE823E%", "de*823*e1234*5678", OPERATOR, LITERAL, True),
    ("DE823E%", "DE*823*F1", OPERATOR, LITERAL, False),
    ("DE823E", "DE*823*E1", OPERATOR, LITERAL, False),
    ("DE823E", "DE823E", OPERATOR, LITERAL, False),
    ("DE823E1", "DE*823*E1", OPERATOR, LITERAL, True),
    ("DE823E1%", "DE*823*E1", OPERATOR, LITERAL, True),
    ("DE823E12%", "DE*823*E1", OPERATOR, LITERAL, False),
    ("%", "DE*823*E1", OPERATOR, LITERAL, False),
    ("DE%", "DE*823*E1", OPERATOR, LITERAL, False),
    ("DE8AAC%%", "DE8AACA2B3C4D5", PROVIDER, LITERAL, False),
]


@pytest.mark.parametrize(("pattern", "identifier", "role", "case", "expected"), TABLE)
def test_a_pattern_matches_as_the_table_says(
    pattern: str, identifier: str, role: Role, case: PatternCase, expected: bool
) -> None:
    assert matches(pattern, identifier, role, case) is expected


@pytest.mark.parametrize(
    ("pattern", "identifier", "role", "case", "expected"), [row for row in TABLE if is_valid_pattern(row[0], row[2])]
)
def test_the_index_agrees_with_the_table(
    pattern: str, identifier: str, role: Role, case: PatternCase, expected: bool
) -> None:
    index = PatternIndex([endpoint(pattern, role=role)], role, case)
    assert (index.resolve(identifier, NOON, ORDER) is not None) is expected


@pytest.mark.parametrize("pattern", ["%", "DE%", "DE8AAC%%", "DE8%C", "DE8AAX%", "DE-8AA-C%", "", "DE8AACA2B3C4D5L1"])
def test_what_is_no_contract_pattern(pattern: str) -> None:
    assert not is_valid_pattern(pattern, PROVIDER)
    assert role_of(pattern) is None


@pytest.mark.parametrize("pattern", ["%", "DE%", "DE823E%%", "DE8%E", "de823E1%", "DE*823*E1", "DE823F1%", "DE823E1\n"])
def test_what_is_no_evse_pattern(pattern: str) -> None:
    assert not is_valid_pattern(pattern, OPERATOR)
    assert role_of(pattern) is None


@pytest.mark.parametrize("pattern", ["DE8AAC", "DE8AAC%", "de8aac%", "DE8AACA2B3C4D5L", "DE8AACA2B3C4D5%"])
def test_what_is_a_contract_pattern(pattern: str) -> None:
    assert role_of(pattern) is PROVIDER
    assert party_of(pattern) == "DE8AA"


@pytest.mark.parametrize("pattern", ["DE823E", "DE823E%", "DE823E1*2%", "DE823E" + "1" * 31])
def test_what_is_an_evse_pattern(pattern: str) -> None:
    assert role_of(pattern) is OPERATOR


def test_a_pattern_with_check_digit_is_shortened_for_0_2() -> None:
    assert written_for("DE8AACA2B3C4D5L", PROVIDER, V1_4) == "DE8AACA2B3C4D5%"
    assert written_for("DE8AACA2B3C4D5L%", PROVIDER, V1_4_1) == "DE8AACA2B3C4D5%"
    assert written_for("DE8AACA2B3C4D5L", PROVIDER, V1_3) == "DE8AACA2B3C4D5L"
    assert written_for("DE8AAC%", PROVIDER, V1_4) == "DE8AAC%"
    assert written_for("DE823E12345678901234", OPERATOR, V1_4) == "DE823E12345678901234"


def endpoint(*whitelist: str, role: Role = OPERATOR, **changes: object) -> Endpoint:
    valid = Endpoint(
        partner="DE823",
        role=role,
        url="https://cms.example/direct",
        version=V1_4,
        access_token="a token",
        day=TODAY,
        whitelist=whitelist,
        uploaded_at=NOON - timedelta(days=1),
    )
    return replace(valid, **changes)


def resolved(identifier: str, *endpoints: Endpoint, **more: object) -> str | None:
    index = PatternIndex(endpoints, endpoints[0].role, **more)
    found = index.resolve(identifier, NOON, ORDER)
    return found.url if found else None


def test_the_blacklist_wins() -> None:
    the_endpoint = endpoint("DE823E%", blacklist=("DE823E9%", "DE823E71"))
    assert resolved("DE*823*E99", the_endpoint) is None
    assert resolved("DE*823*E71", the_endpoint) is None
    assert resolved("DE*823*E711", the_endpoint) == the_endpoint.url


def test_a_blacklist_speaks_for_its_own_endpoint_only() -> None:
    black = endpoint("DE823E99", blacklist=("DE823E9%",), url="https://black")
    assert resolved("DE*823*E99", black, endpoint("DE823E%", url="https://other")) == "https://other"


def test_a_useless_blacklist_entry_changes_nothing() -> None:
    assert resolved("DE*823*E1", endpoint("DE823E%", blacklist=("NLTNME%",))) is not None


def test_the_exact_pattern_goes_before_any_prefix() -> None:
    prefix = endpoint("DE823E12%", url="https://prefix", version=V1_4_1)
    exact = endpoint("DE823E12", url="https://exact", version=V1_3)
    assert resolved("DE823E12", prefix, exact) == "https://exact"
    assert resolved("DE823E123", prefix, exact) == "https://prefix"


def test_the_longer_prefix_goes_before_the_shorter() -> None:
    short = endpoint("DE823E%", url="https://short", version=V1_4_1)
    long = endpoint("DE823E1%", url="https://long", version=V1_3)
    assert resolved("DE823E12", short, long) == "https://long"
    assert resolved("DE823E2", short, long) == "https://short"


def test_the_higher_version_goes_first_among_equal_patterns() -> None:
    old = endpoint("DE823E%", url="https://old", version=V1_3, uploaded_at=NOON)
    new = endpoint("DE823E%", url="https://new", version=V1_4_1)
    assert resolved("DE823E1", old, new) == resolved("DE823E1", new, old) == "https://new"


def test_the_registered_party_goes_first_among_equal_claims() -> None:
    stranger = endpoint("DE823E%", url="https://stranger", partner="NLTNM", uploaded_at=NOON)
    owner = endpoint("DE823E%", url="https://owner", partner="DE823")
    assert resolved("DE*823*E1", stranger, owner) == "https://owner"


def test_names_of_partners_are_looked_up_in_the_register() -> None:
    stranger = endpoint("DE823E%", url="https://stranger", partner="Stranger", uploaded_at=NOON)
    owner = endpoint("DE823E%", url="https://owner", partner="Owner")
    register = {"Owner": {"DE823"}, "Stranger": {"NLTNM"}}
    assert resolved("de823e1", stranger, owner, registered=register) == "https://owner"


def test_the_latest_upload_goes_first_at_last() -> None:
    first = endpoint("DE823E%", url="https://first")
    last = endpoint("DE823E%", url="https://last", uploaded_at=NOON)
    assert resolved("DE823E1", first, last) == resolved("DE823E1", last, first) == "https://last"


def test_only_the_tokens_of_the_sending_day_count() -> None:
    yesterday, tomorrow = (endpoint("DE823E%", day=TODAY + timedelta(days=days)) for days in (-1, 1))
    assert resolved("DE823E1", yesterday, tomorrow) is None
    assert resolved("DE823E1", yesterday, tomorrow, endpoint("DE823E%", url="https://today")) == "https://today"


def test_the_day_turns_at_midnight_though_both_are_valid() -> None:
    index = PatternIndex([endpoint("DE823E%", day=date(2026, 1, day)) for day in (1, 2)], OPERATOR)
    midnight = datetime(2026, 1, 2, tzinfo=UTC)
    for now, day in ((midnight - timedelta(seconds=1), 1), (midnight, 2), (midnight + timedelta(minutes=29), 2)):
        found = index.resolve("DE823E1", now, ORDER)
        assert found is not None
        assert found.day.day == day


def test_a_static_token_serves_any_day_until_it_ends() -> None:
    static = endpoint("DE823E%", version=V1_3, day=date(2026, 6, 1), valid_until=NOON)
    index = PatternIndex([static], OPERATOR)
    assert index.resolve("DE823E1", NOON - timedelta(days=20), ORDER) is static
    assert index.resolve("DE823E1", NOON, ORDER) is static
    assert index.resolve("DE823E1", NOON + timedelta(seconds=1), ORDER) is None


def test_a_dialect_that_is_not_spoken_is_left_out() -> None:
    new = endpoint("DE823E1%", url="https://new", version=V1_4_1)
    index = PatternIndex([new, endpoint("DE823E%", url="https://old", version=V1_3)], OPERATOR)
    found = index.resolve("DE823E1", NOON, {V1_3})
    assert found is not None
    assert found.url == "https://old"
    assert index.resolve("DE823E1", NOON, {V1_4}) is None


def test_the_other_role_is_not_asked() -> None:
    """A contract without C may look like an EVSE-ID."""
    index = PatternIndex([endpoint("DE823C%", role=PROVIDER), endpoint("DE823E%")], PROVIDER)
    assert index.resolve("DE823E12345678", NOON, ORDER) is None
    assert index.resolve("DE823C12345678", NOON, ORDER) is not None


def test_candidates_come_best_first_and_once_each() -> None:
    wide = endpoint("DE823E%", "DE823E1%", "DE823E1", "DE823E1", url="https://wide")
    narrow = endpoint("DE823E1%", url="https://narrow", version=V1_4_1)
    index = PatternIndex([wide, narrow, endpoint("DE823E2%")], OPERATOR)
    assert [each.url for each in index.candidates("DE823E1", NOON, ORDER)] == ["https://wide", "https://narrow"]
    assert [each.url for each in index.candidates("DE823E12", NOON, ORDER)] == ["https://narrow", "https://wide"]
    assert index.candidates("DE824E1", NOON, ORDER) == ()
    assert len(index) == 4


OUTLETS = st.text("1A*", min_size=0, max_size=5)
PATTERNS = st.builds(lambda rest, wild: "DE823E" + rest + wild, OUTLETS, st.sampled_from(["", "%"])).filter(
    lambda pattern: is_valid_pattern(pattern, OPERATOR)
)
LISTS = st.lists(PATTERNS, max_size=4)


@given(st.lists(st.tuples(LISTS, LISTS), min_size=1, max_size=4), st.text("1A*", min_size=0, max_size=6))
def test_the_index_finds_whom_a_scan_finds(lists: list[tuple[list[str], list[str]]], rest: str) -> None:
    endpoints = [
        endpoint(*white, blacklist=tuple(black), url=f"https://{number}") for number, (white, black) in enumerate(lists)
    ]
    identifier = "DE*823*E1" + rest
    scanned = {
        each.url
        for each in endpoints
        if any(matches(pattern, identifier, OPERATOR) for pattern in each.whitelist)
        and not any(matches(pattern, identifier, OPERATOR) for pattern in each.blacklist)
    }
    found = PatternIndex(endpoints, OPERATOR).candidates(identifier, NOON, ORDER)
    assert {each.url for each in found} == scanned
