"""The roaming list's rules: which tokens are the same, which lines are taken, what an upload is told."""

from datetime import UTC, datetime

import pytest

from clearinghouse.domain.roaming_list import (
    CHECKS,
    HASH_FORM,
    HASHES,
    SPELLING,
    has_expired,
    refusal,
    token_key,
    verdict,
    withdrawn,
)
from clearinghouse.ochp.bridges import fitted
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tokens import EmtId, Permission, Representation, RoamingAuthorisationInfo, TokenType
from clearinghouse.ochp.versions import ORDER

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PLAIN, SHA_160, SHA_256 = Representation


def token(instance="04AB", kind=TokenType.RFID, representation=PLAIN):
    return EmtId(instance=instance, token_type=kind, representation=representation)


def line(emt_id=None, **said):
    usual = {"emt_id": emt_id or token(), "contract_id": "DE-PRO-C00000001", "expiry_date": NOON}
    return RoamingAuthorisationInfo(**{**usual, **said})


def test_every_type_has_its_spelling_and_every_hash_its_form():
    assert set(SPELLING) == set(TokenType)
    assert set(HASHES) == set(HASH_FORM) == set(Representation) - {PLAIN}
    for representation, hashed in HASHES.items():
        assert HASH_FORM[representation].fullmatch(hashed("04AB"))


SAME = [
    (token("04ab"), token(" 04AB "), True),
    (token("04AB"), token("04AB", TokenType.OTHER), False),
    (token("04AB"), token("04AB", representation=SHA_160), False),
    (token("ab", TokenType.OTHER), token("AB", TokenType.OTHER), False),
    (token("ab", TokenType.OTHER, SHA_160), token("AB", TokenType.OTHER, SHA_160), True),
    (token("de-pro-c00000001-x", TokenType.ISO_15118), token("DEPROC00000001", TokenType.ISO_15118), True),
    (token("DEPROC00000001", TokenType.ISO_15118), token("DEPROC00000002", TokenType.ISO_15118), False),
    (token("certificate of a car", TokenType.ISO_15118), token("CERTIFICATE OF A CAR", TokenType.ISO_15118), True),
    (token("certificate of a car", TokenType.ISO_15118), token("certificate of a bus", TokenType.ISO_15118), False),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_two_spellings_are_one_token_or_not(one, other, same):
    assert (token_key(one) == token_key(other)) is same


def test_a_plain_token_has_hashes_and_a_hash_has_none():
    assert token_key(token("04ab")).hashes == {kind: hashed("04AB") for kind, hashed in HASHES.items()}
    assert token_key(token("AB" * 20, representation=SHA_160)).hashes == {}


BROKEN = {
    "belongs_to_the_caller": line(contract_id="DE-RIV-C00000001"),
    "may_be_listed": line(token(kind=TokenType.REMOTE)),
    "is_what_it_says": line(token("AB" * 20, representation=SHA_256)),
}


@pytest.mark.parametrize(("code", "check"), CHECKS, ids=lambda each: getattr(each, "__name__", each))
def test_each_check_refuses_with_its_code(code, check):
    refused = refusal(BROKEN[check.__name__], {"DEPRO"})
    assert (refused.code, refused.line) == (code, BROKEN[check.__name__])
    assert check(line(), {"DEPRO"}) is None
    assert refusal(line(), {"DEPRO"}) is None


def test_the_check_of_the_contract_takes_every_spelling():
    assert refusal(line(contract_id="deproc00000001x"), {"DEPRO"}) is None


def test_an_upload_is_told_what_came_of_it():
    alien, remote = (refusal(BROKEN[name], {"DEPRO"}) for name in ("belongs_to_the_caller", "may_be_listed"))
    assert verdict(3, []).result_code is ResultCode.OK
    assert verdict(3, [remote]).result_code is ResultCode.PARTLY
    assert verdict(0, [alien, remote]).result_code is ResultCode.INVALID_ID
    assert verdict(0, [remote, alien]).result_code is ResultCode.FORMAT
    said = verdict(1, [alien, remote, alien]).result_description
    assert said == "3 refused: contracts of DERIV are not the caller's; tokens of type remote are not for the list"


def test_a_token_may_be_used_until_its_expiry_date():
    assert has_expired(line(expiry_date=NOON), NOON)
    assert not has_expired(line(expiry_date=NOON.replace(second=1)), NOON)


@pytest.mark.parametrize("version", ORDER)
def test_a_line_can_be_taken_back_in_every_version(version):
    now = NOON.replace(microsecond=5)
    gone = withdrawn(line(permissions=(Permission.FUEL,), printed_number="1", expiry_date=NOON.replace(year=2030)), now)
    assert fitted(gone, version) == (line(), [])
    assert has_expired(gone, now)
