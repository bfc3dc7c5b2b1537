"""Sums never drift: every amount is rounded once, and grouping and setting off change nothing."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.domain.settlement import (
    Balance,
    SettlementLine,
    amounts_of,
    currencies_of,
    netted,
    rounded,
    total,
)
from tests.cdr_builders import cdr, period

OPERATORS = {"DEOPS": "stadtwerke", "NLBTH": "both", "DEOP2": "stadtwerke"}
PROVIDERS = {"DEPRO": "fahrstrom", "NLBTH": "both", "DESTW": "stadtwerke"}
CURRENCIES = ("EUR", "CHF", "JPY", "KWD")
amounts = st.decimals(-(10**9), 10**9, places=6)
prices = st.decimals(0, 10**6, places=9)


def line(operator_id, provider_id, net, currency="EUR"):
    return SettlementLine(
        month="2027-01", operator_id=operator_id, provider_id=provider_id, currency=currency, cdrs=1, net=net
    )


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.005", "EUR", "0.01"),
        ("0.0049999", "EUR", "0.00"),
        ("-0.005", "EUR", "-0.01"),
        ("2.675", "EUR", "2.68"),
        ("7", "EUR", "7.00"),
        ("0.5", "JPY", "1"),
        ("0.0005", "KWD", "0.001"),
        ("123456789012345678901234567890.125", "EUR", "123456789012345678901234567890.13"),
    ],
)
def test_half_a_unit_is_rounded_away_from_zero(amount, currency, expected):
    assert str(rounded(Decimal(amount), currency)) == expected


def test_the_total_of_the_operator_counts_where_it_says_one():
    assert amounts_of(cdr(total_cost=Decimal("8.02"))) == {"EUR": Decimal("8.02")}


def test_otherwise_the_costs_of_the_periods_count_and_value_times_price_where_there_is_none():
    third = period(period_cost=None, billing_value=Decimal(1), item_price=Decimal("0.333"))
    assert amounts_of(cdr(charging_periods=(period(), third, third, third))) == {"EUR": Decimal("9.00")}


def test_each_currency_of_a_1_3_cdr_is_summed_by_itself():
    mixed = cdr(charging_periods=(period(currency="EUR"), period(currency="CHF"), period(currency="EUR")))
    assert amounts_of(mixed) == {"EUR": Decimal("16.00"), "CHF": Decimal("8.00")}
    assert currencies_of(mixed) == {"EUR", "CHF"}


@given(st.lists(st.tuples(prices, prices, st.none() | amounts), min_size=1, max_size=20))
def test_a_cdr_is_rounded_by_half_a_cent_at_most_however_many_periods_it_has(rows):
    periods = tuple(period(billing_value=value, item_price=price, period_cost=cost) for value, price, cost in rows)
    exact = sum(Fraction(value) * Fraction(price) if cost is None else Fraction(cost) for value, price, cost in rows)
    (amount,) = amounts_of(cdr(charging_periods=periods)).values()
    assert abs(Fraction(amount) - exact) <= Fraction(1, 200)
    assert amount == amount.quantize(Decimal("0.01"))


@given(st.lists(amounts), st.randoms())
def test_sums_do_not_depend_on_order_or_grouping(values, chance):
    cents = [rounded(each, "EUR") for each in values]
    shuffled = chance.sample(cents, len(cents))
    cut = chance.randint(0, len(cents))
    parts = total([total(shuffled[:cut]), total(shuffled[cut:])])
    assert total(cents) == parts == Decimal(sum(int(each * 100) for each in cents)) / 100


lines = st.lists(
    st.builds(
        lambda operator, provider, currency, net: line(operator, provider, rounded(net, currency), currency),
        st.sampled_from([*OPERATORS, "XXGON"]),
        st.sampled_from([*PROVIDERS, "XXGON"]),
        st.sampled_from(CURRENCIES),
        amounts,
    )
)


@given(lines)
def test_setting_off_leaves_every_partner_with_what_it_is_owed(found):
    claims, rest = defaultdict(Fraction), defaultdict(Fraction)
    for each in found:
        creditor = OPERATORS.get(each.operator_id, each.operator_id)
        debtor = PROVIDERS.get(each.provider_id, each.provider_id)
        claims[creditor, each.currency] += Fraction(each.net)
        claims[debtor, each.currency] -= Fraction(each.net)
    balances = netted(found, OPERATORS, PROVIDERS)
    for each in balances:
        rest[each.creditor, each.currency] += Fraction(each.amount)
        rest[each.debtor, each.currency] -= Fraction(each.amount)
    assert {key: owed for key, owed in claims.items() if owed} == {key: owed for key, owed in rest.items() if owed}
    pairs = [(frozenset({each.debtor, each.creditor}), each.currency) for each in balances]
    assert len(pairs) == len(set(pairs))
    assert all(each.amount >= 0 and each.debtor != each.creditor for each in balances)


def test_claims_of_two_partners_against_each_other_become_one():
    found = [
        line("DEOPS", "NLBTH", Decimal("10.00")),
        line("DEOP2", "NLBTH", Decimal("0.50")),
        line("NLBTH", "DESTW", Decimal("12.25")),
        line("NLBTH", "NLBTH", Decimal("99.00")),
    ]
    expected = Balance(month="2027-01", debtor="stadtwerke", creditor="both", currency="EUR", amount=Decimal("1.75"))
    assert netted(found, OPERATORS, PROVIDERS) == [expected]
