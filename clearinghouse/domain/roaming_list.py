"""The roaming list's rules: when two tokens are the same, which lines of an upload are taken, what has expired."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from clearinghouse.ochp.identifiers import CONTRACT_LENGTH, contract_key, party_id, without_separators
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tokens import ELECTRIC, EmtId, Representation, RoamingAuthorisationInfo, TokenType

SHOWN_AFTER_EXPIRY = timedelta(days=30)
"""How long a full list still has expired lines; deltas have them until they are forgotten."""
KEPT_AFTER_EXPIRY = timedelta(days=400)
"""How long expired lines and answers to live requests are kept: longer than any reader or charge data may be late."""


def _sha_160(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().upper()


def _sha_256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest().upper()


HASHES: Mapping[Representation, Callable[[str], str]] = {
    Representation.SHA_160: _sha_160,
    Representation.SHA_256: _sha_256,
}
"""What is hashed is the text of the token's key; OCHP does not say, and readers write numbers in upper case."""


@dataclass(frozen=True)
class TokenKey:
    """The form in which two spellings of one token are equal."""

    token_type: TokenType
    representation: Representation
    instance: str

    @property
    def hashes(self) -> dict[Representation, str]:
        """The keys' instances of the same token in the hashed representations; none of what is a hash already."""
        if self.representation is not Representation.PLAIN:
            return {}
        return {representation: hashed(self.instance) for representation, hashed in HASHES.items()}


def _contract_certificate(instance: str) -> str:
    """An ISO 15118 token is a contract ID."""
    is_contract = CONTRACT_LENGTH <= len(without_separators(instance)) <= CONTRACT_LENGTH + 1
    return contract_key(instance) if is_contract else instance.upper()


SPELLING: Mapping[TokenType, Callable[[str], str]] = {
    TokenType.RFID: str.upper,
    TokenType.REMOTE: str,
    TokenType.ISO_15118: _contract_certificate,
    TokenType.OTHER: str,
}
"""How instances of each type become equal: RFID numbers are hexadecimal."""


def token_key(token: EmtId) -> TokenKey:
    """The key of a token; hashes are hexadecimal, whatever they are of."""
    instance = token.instance.strip()
    is_plain = token.representation is Representation.PLAIN
    spelled = SPELLING[token.token_type](instance) if is_plain else instance.upper()
    return TokenKey(token.token_type, token.representation, spelled)


def has_expired(line: RoamingAuthorisationInfo, now: datetime) -> bool:
    """Whether the token may not be used any more: it may until its expiry date."""
    return line.expiry_date <= now


def withdrawn(line: RoamingAuthorisationInfo, now: datetime) -> RoamingAuthorisationInfo:
    """The line as it takes back what a reader may have of it, in every version: expired, and no more than that."""
    expiry = min(line.expiry_date, now.replace(microsecond=0))
    return replace(line, permissions=ELECTRIC, printed_number=None, expiry_date=expiry)


@dataclass(frozen=True)
class Refusal:
    """Why a line was not taken."""

    line: RoamingAuthorisationInfo
    code: ResultCode
    reason: str


Check = Callable[[RoamingAuthorisationInfo, Collection[str]], str | None]


def belongs_to_the_caller(line: RoamingAuthorisationInfo, own_ids: Collection[str]) -> str | None:
    """A provider uploads tokens of its own contracts (OCHP 1.4, SetRoamingAuthorisationList)."""
    owner = party_id(line.contract_id)
    return None if owner in own_ids else f"contracts of {owner} are not the caller's"


def may_be_listed(line: RoamingAuthorisationInfo, _: Collection[str]) -> str | None:
    """`remote` appears in charge data only (OCHP 1.4, tokenType)."""
    return "tokens of type remote are not for the list" if line.emt_id.token_type is TokenType.REMOTE else None


HASH_FORM = {
    Representation.SHA_160: re.compile("[0-9A-Fa-f]{40}"),
    Representation.SHA_256: re.compile("[0-9A-Fa-f]{64}"),
}


def is_what_it_says(line: RoamingAuthorisationInfo, _: Collection[str]) -> str | None:
    """A hash has its length, and nothing is blank."""
    token = line.emt_id
    instance = token.instance.strip()
    form = HASH_FORM.get(token.representation)
    if form is not None and not form.fullmatch(instance):
        return f"an instance is not the hexadecimal {token.representation} hash that it is said to be"
    return None if instance else "an instance is blank"


CHECKS: tuple[tuple[ResultCode, Check], ...] = (
    (ResultCode.INVALID_ID, belongs_to_the_caller),
    (ResultCode.FORMAT, may_be_listed),
    (ResultCode.FORMAT, is_what_it_says),
)
"""What is asked of each line of an upload. One that has expired is taken: there is no other way to take it back."""


def refusal(line: RoamingAuthorisationInfo, own_ids: Collection[str]) -> Refusal | None:
    """Why the line is not taken from a caller with these provider IDs: the first check that it fails."""
    for code, check in CHECKS:
        if reason := check(line, own_ids):
            return Refusal(line, code, reason)
    return None


def verdict(taken: int, refused: Iterable[Refusal]) -> Result:
    """The result of an upload: nothing taken is told by why, and each reason once."""
    refused = list(refused)
    if not refused:
        return Result.of(ResultCode.OK)
    reasons = "; ".join(dict.fromkeys(each.reason for each in refused))
    return Result.of(ResultCode.PARTLY if taken else refused[0].code, f"{len(refused)} refused: {reasons}")
