"""Identifiers: canonical keys, separators and both check digits, on published vectors."""

from __future__ import annotations

import pytest

from clearinghouse.ochp.identifiers import (
    contract_key,
    din_check_digit,
    evse_key,
    has_wrong_check_digit,
    iso_check_digit,
    party_id,
    without_separators,
)

ISO = """
NN123ABCDEFGHI T
FRXYZ123456789 2
ITA1B2C3E4F5G6 4
ESZU8WOX834H1D R
PT73902837ABCZ Z
DE83DUIEN83QGZ D
DE83DUIEN83ZGQ M
DE8AA001234567 0
NLTNM000122045 U
NLTNMC00122045 K
DE8AACA2B3C4D5 L
DE8AA00123A563 M
"""
DIN = """
INTNM000071 9
INTNM000110 X
INTNM000124 0
INTNM000114 6
INTNM000191 5
NLTNM122045 0
NLTNM722345 8
DE8AA123A56 5
"""


def vectors(text: str) -> list[tuple[str, str]]:
    return [(contract, digit) for contract, digit in (line.split() for line in text.split("\n") if line)]


@pytest.mark.parametrize(("contract", "digit"), vectors(ISO))
def test_the_iso_check_digit(contract: str, digit: str) -> None:
    assert iso_check_digit(contract) == digit
    assert not has_wrong_check_digit(contract + digit)
    assert not has_wrong_check_digit(contract)


@pytest.mark.parametrize(("contract", "digit"), vectors(DIN))
def test_the_din_check_digit(contract: str, digit: str) -> None:
    assert din_check_digit(contract) == digit
    assert din_check_digit(f"{contract[:2]}*{contract[2:5]}*{contract[5:]}*{digit}") == digit


@pytest.mark.parametrize("spelling", ["NL-TNM-000122045-U", "nltnm000122045", "NLTNM000122045u", "NL-TNM-000122045"])
def test_check_digits_of_all_spellings_are_equal(spelling: str) -> None:
    assert iso_check_digit(spelling) == "U"


@pytest.mark.parametrize("contract", ["DE-8AA-CA2B3C4D5-N", "DE-8AA-00123A563-N", "NLTNM000122045K"])
def test_a_wrong_check_digit_is_noticed(contract: str) -> None:
    assert has_wrong_check_digit(contract)


@pytest.mark.parametrize("position", range(14))
def test_a_changed_character_changes_the_check_digit(position: int) -> None:
    contract = "NLTNMC00122045"
    other = "X" if contract[position] != "X" else "Y"
    assert iso_check_digit(contract[:position] + other + contract[position + 1 :]) != "K"


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("DE*823*E1234*5678", "DE823E1234*5678"),
        ("de823e1234*5678", "DE823E1234*5678"),
        ("De*823*e1234*5678", "DE823E1234*5678"),
        ("DE823E12345678", "DE823E12345678"),
        ("DE*823*E1", "DE823E1"),
        ("DE*823*E" + "1" * 31, "DE823E" + "1" * 31),
        ("DE*823*E1*", "DE823E1*"),
    ],
)
def test_the_key_of_an_evse_keeps_its_inner_stars(spelling: str, key: str) -> None:
    assert evse_key(spelling) == key
    assert evse_key(key) == key


@pytest.mark.parametrize(
    "text",
    [
        "+49*823*1234*5678",
        "DE*823*F1",
        "DE*823*E",
        "DE823E",
        "DE*DES*E*BMW*0113*2",
        "DE*823*E" + "1" * 32,
        "DE*82*E1",
        "DE-823-E1",
        "",
        "DE823E1\n",
        "DEſ23E1",
    ],
)
def test_what_is_no_evse_id_has_no_key(text: str) -> None:
    assert evse_key(text) is None


def test_a_star_makes_another_evse() -> None:
    assert evse_key("DE*823*E1234*5678") != evse_key("DE823E12345678")


@pytest.mark.parametrize(
    "spelling", ["NL-TNM-000122045-U", "nltnm000122045", "NLTNM000122045U", "NL*TNM*000122045", "NLTNM000122045X"]
)
def test_spellings_of_one_contract_have_one_key(spelling: str) -> None:
    assert contract_key(spelling) == "NLTNM000122045"


def test_another_contract_has_another_key() -> None:
    assert contract_key("NL-TNM-C00122045-K") == "NLTNMC00122045" != contract_key("NL-TNM-000122045-U")


def test_separators_go_and_case_stays() -> None:
    assert without_separators("nl-TNM-c00122045-k") == "nlTNMc00122045k"
    assert without_separators("DE*8AA*123A56*5") == "DE8AA123A565"


@pytest.mark.parametrize("identifier", ["de*823*E1", "DE823E1", "De-823-000122045-U", "de823c"])
def test_the_party_is_what_every_identifier_begins_with(identifier: str) -> None:
    assert party_id(identifier) == "DE823"
