"""Tokens by number: as messages, and as rows for COPY that are what an upload would have made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from clearinghouse.ochp.tokens import (
    EmtId,
    RoamingAuthorisationInfo,
    SetRoamingAuthorisationListRequest,
    TokenSubType,
    TokenType,
    UpdateRoamingAuthorisationListRequest,
)
from tests.benchmarks.stencils import Message, filled

PROVIDER = "DEPRV"
"""Whose tokens are uploaded: the numbers below `FIRST_OF_OTHERS`."""
FIRST_OF_OTHERS = 10_000_000
OF_EACH = 100_000
"""So many tokens has each other provider."""
SPREAD, SEVEN_BYTES = 0x9E3779B97F4A7C15, (1 << 56) - 1
"""An odd number: multiplied by it, numbers that follow one another are far apart, and no two become the same."""
EXPIRY = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
LONGER = datetime(2100, 12, 31, 23, 59, 59, tzinfo=UTC)
"""When changed tokens expire."""


def instance(number: int) -> str:
    """The token's number on the card, seven bytes in hexadecimal digits."""
    return f"{number * SPREAD & SEVEN_BYTES:014X}"


def provider_of(number: int) -> str:
    """The provider whose token it is."""
    return PROVIDER if number < FIRST_OF_OTHERS else f"DE{(number - FIRST_OF_OTHERS) // OF_EACH:03d}"


def providers(count: int) -> list[str]:
    """The other providers, if they have so many tokens together."""
    return [provider_of(number) for number in range(FIRST_OF_OTHERS, FIRST_OF_OTHERS + count, OF_EACH)]


def contract_id(number: int) -> str:
    """The contract that the token belongs to."""
    party = provider_of(number)
    return f"{party[:2]}-{party[2:]}-C{number:08d}"


def line(number: int) -> RoamingAuthorisationInfo:
    """The token as a value."""
    return _line(instance(number), contract_id(number), EXPIRY)


def _line(instance: str, contract: str, expiry: datetime) -> RoamingAuthorisationInfo:
    token = EmtId(instance=instance, token_type=TokenType.RFID, token_sub_type=TokenSubType.MIFARE_DESFIRE)
    return RoamingAuthorisationInfo(emt_id=token, contract_id=contract, printed_number=contract, expiry_date=expiry)


# -- In messages

MARKS = {"7777777": b"%014X", "DE-PRV-C88888888": b"DE-PRV-C%08d", "2001-01-01T00:00:00Z": b"%b"}
_sample = (_line("7777777", "DE-PRV-C88888888", datetime(2001, 1, 1, tzinfo=UTC)),)
SET = Message.of(SetRoamingAuthorisationListRequest(roaming_authorisation_info_array=_sample), MARKS)
UPDATE = Message.of(UpdateRoamingAuthorisationListRequest(roaming_authorisation_info_array=_sample), MARKS)
TAG = SET.tag.strip(b"<>").decode()
_USUAL, _CHANGED = (f"{each:%Y-%m-%dT%H:%M:%SZ}".encode() for each in (EXPIRY, LONGER))


def usual(number: int) -> tuple[Any, ...]:
    """A token of `PROVIDER`."""
    return number * SPREAD & SEVEN_BYTES, number, number, _USUAL


def changed(number: int) -> tuple[Any, ...]:
    """A token that expires at another time."""
    return number * SPREAD & SEVEN_BYTES, number, number, _CHANGED


def changed_in_a_hundred(number: int) -> tuple[Any, ...]:
    """One of a hundred tokens expires at another time."""
    return usual(number) if number % 100 else changed(number)


# -- In the table

COLUMNS = (
    "instance_key",
    "token_type",
    "representation",
    "provider_id",
    "sha_160",
    "sha_256",
    "instance",
    "token_sub_type",
    "contract_id",
    "permissions",
    "printed_number",
    "expiry_date",
    "change",
    "first_change",
)
SHOWN = ("instance", "contract_id", "printed_number", "expiry_date")
RENDERED = SET.record.replace(b"%014X", b"%b").replace(b"DE-PRV-C%08d", b"%b")
"""The record as a format of the columns `SHOWN`."""
ROW = b"%b\trfid\tplain\t%b\t%b\t%b\t%b\tmifareDes\t%b\t{AC,DC}\t%b\t{expiry}\t{change}\t{change}\n"


def rows(numbers: Iterable[int], change: int) -> Iterator[bytes]:
    """The tokens' rows of `COLUMNS` in PostgreSQL's text format, some at a time."""
    form = ROW.replace(b"{expiry}", EXPIRY.isoformat().encode()).replace(b"{change}", b"%d" % change)
    return filled(form, numbers, _row)


def _row(number: int) -> tuple[bytes, ...]:
    token, contract = b"%014X" % (number * SPREAD & SEVEN_BYTES), contract_id(number).encode()
    hashes = (
        each(token, usedforsecurity=False).hexdigest().upper().encode() for each in (hashlib.sha1, hashlib.sha256)
    )
    return token, contract[:2] + contract[3:6], *hashes, token, contract, contract
