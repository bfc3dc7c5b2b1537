"""EVSE-, Parking-, Tariff- and Contract-IDs: canonical keys, party prefixes, separators and both check digits."""

from __future__ import annotations

import re
import string
from functools import lru_cache


def _owned(letter: str) -> re.Pattern[str]:
    """Country, party, the letter of what is named, and its instance; the stars before the letter are optional."""
    return re.compile(
        rf"([A-Z]{{2}})\*?([A-Z0-9]{{3}})\*?{letter}([A-Z0-9][A-Z0-9*]{{0,30}})", re.IGNORECASE | re.ASCII
    )


EVSE, PARKING, TARIFF = map(_owned, "EPT")
CONTRACT_LENGTH = 14
BASE_36 = string.digits + string.ascii_uppercase


@lru_cache(maxsize=8192)
def evse_key(evse_id: str) -> str | None:
    """The form in which two spellings of one EVSE-ID are equal, or None if it is none.

    Upper case, without the two optional separators; a star inside the outlet part belongs to its alphabet.
    """
    return _key(EVSE, "E", evse_id)


def parking_key(parking_id: str) -> str | None:
    """The form in which two spellings of one Parking-ID are equal, as for EVSE-IDs; None if it is none."""
    return _key(PARKING, "P", parking_id)


def tariff_key(tariff_id: str) -> str | None:
    """The form in which two spellings of one Tariff-ID are equal, as for EVSE-IDs; None if it is none."""
    return _key(TARIFF, "T", tariff_id)


def _key(pattern: re.Pattern[str], letter: str, identifier: str) -> str | None:
    match = pattern.fullmatch(identifier)
    return f"{match[1]}{match[2]}{letter}{match[3]}".upper() if match else None


def without_separators(contract_id: str) -> str:
    """A Contract-ID as transmitted, less its hyphens (and the stars of the DIN style)."""
    return contract_id.replace("-", "").replace("*", "")


def contract_key(contract_id: str) -> str:
    """The form in which two spellings of one Contract-ID are equal: 14 characters, the check digit is none of them."""
    return without_separators(contract_id).upper()[:CONTRACT_LENGTH]


def party_id(identifier: str) -> str:
    """The five characters of country and party that an EVSE-ID or Contract-ID begins with, in upper case."""
    return without_separators(identifier).upper()[:5]


P = ((0, 1), (1, 1))
Q = ((0, 1), (1, 2))


def _times(row: tuple[int, int], matrix: tuple[tuple[int, int], tuple[int, int]], modulus: int) -> tuple[int, int]:
    return (
        (row[0] * matrix[0][0] + row[1] * matrix[1][0]) % modulus,
        (row[0] * matrix[0][1] + row[1] * matrix[1][1]) % modulus,
    )


def _sum(rows: list[tuple[int, int]], matrix: tuple[tuple[int, int], tuple[int, int]], modulus: int) -> tuple[int, int]:
    """The sum over i = 1..n of row i times the i-th power of the matrix (Horner's scheme from the right)."""
    total = (0, 0)
    for row in reversed(rows):
        total = _times(((total[0] + row[0]) % modulus, (total[1] + row[1]) % modulus), matrix, modulus)
    return total


def iso_check_digit(contract_id: str) -> str:
    """The ISO 15118-1 check character of a Contract-ID's first 14 characters."""
    numbers = [BASE_36.index(character) for character in contract_key(contract_id)]
    s = _sum([(n // 18, n // 9 % 2) for n in numbers], P, 2)
    t = _times(_sum([(n // 3 % 3, n % 3) for n in numbers], Q, 3), ((0, 2), (2, 1)), 3)
    return BASE_36[18 * s[0] + 9 * s[1] + 3 * t[0] + t[1]]


def din_check_digit(contract_id: str) -> str:
    """The DIN SPEC 91286 check character of country, provider and a six-character instance."""
    total = exponent = 0
    for character in without_separators(contract_id).upper()[:11]:
        number = BASE_36.index(character)
        digits = (number,) if number < 10 else divmod(number, 10)
        for digit in digits:
            total += digit << exponent
            exponent += 1
    return (string.digits + "X")[total % 11]


def has_wrong_check_digit(contract_id: str) -> bool:
    """Whether a check digit is given and is not the one that ISO 15118 asks for. Never a reason to refuse."""
    plain = without_separators(contract_id).upper()
    return len(plain) > CONTRACT_LENGTH and plain[CONTRACT_LENGTH] != iso_check_digit(plain)
