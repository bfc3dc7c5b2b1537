"""What a CDR is judged by: the record itself, and what the house knows besides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from clearinghouse.domain import roaming_list
from clearinghouse.domain.roaming_list import TokenKey
from clearinghouse.ochp.cdrs import CdrInfo, CdrPeriod
from clearinghouse.ochp.tokens import EmtId
from clearinghouse.ochp.versions import Version


class AppliedTariff(Protocol):
    """The tariff that applied to a CDR: the one for its provider, as it was when the charge began."""

    @property
    def currency(self) -> str:
        """The currency of its prices."""

    def prices(self, period: CdrPeriod) -> Collection[Decimal]:
        """The prices of a unit that may stand in this period; none where the tariff does not charge for its item."""


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """Another CDR of the house, as far as it matters for overlaps."""

    evse_key: str
    cdr_id: str
    token: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class Relayed:
    """A direct session that the house relayed for the operator."""

    evse_id: str
    contract_id: str


@dataclass(frozen=True, kw_only=True)
class Case:
    """A CDR and everything it is judged by."""

    cdr: CdrInfo
    version: Version
    own_ids: frozenset[str]
    """The uploader's operator IDs."""
    connected: bool
    """Whether operator and provider are connected for CDRs, now or when the charge began."""
    now: datetime
    neighbours: tuple[Neighbour, ...] = ()
    namesakes: tuple[str, ...] = ()
    """Other EVSEs at which the operator has a CDR of this id, uploaded in 1.4 or later."""
    relayed: Relayed | None = None
    live: LiveAnswer | None = None
    tariff: AppliedTariff | None = None


@dataclass(frozen=True, kw_only=True)
class LiveAnswer:
    """What the house told the operator when it asked about a token by a live request (OCHP 1.3)."""

    evse_id: str
    token: TokenKey


class Skipped(str):
    """Why a rule could not be applied."""

    __slots__ = ()


Fault = str | Skipped | None
Rule = Callable[[Case], Fault]


def token_key(token: EmtId) -> str:
    """The form in which two spellings of one token are equal, as text."""
    key = roaming_list.token_key(token)
    return f"{key.token_type.value} {key.representation.value} {key.instance}"


def periods(case: Case) -> Iterator[tuple[int, CdrPeriod]]:
    """The charging periods with their numbers, from one."""
    return enumerate(case.cdr.charging_periods, 1)
