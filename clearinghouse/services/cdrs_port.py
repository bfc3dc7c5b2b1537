"""What the use cases of charge data need of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from clearinghouse.domain.cdr_case import LiveAnswer, Neighbour, Relayed
from clearinghouse.domain.cdrs import CdrChange, CdrKey, CdrRecord, LostSession
from clearinghouse.domain.plausibility import Strictness
from clearinghouse.domain.settlement import SettlementLine
from clearinghouse.ochp.cdrs import CdrStatus

RoamingQuestion = tuple[str, str, datetime]
"""Operator ID, provider ID, and the instant at which a charge began."""


@dataclass(frozen=True, kw_only=True)
class CdrFilter:
    """Which CDRs people want to see; days are those on which charges ended in UTC, both included."""

    party_ids: frozenset[str] | None = None
    """Operator or provider IDs that take part."""
    statuses: frozenset[CdrStatus] | None = None
    first_day: date | None = None
    last_day: date | None = None
    flagged: bool = False
    limit: int = 100


class Cdrs(Protocol):
    """CDRs and their history."""

    def take_turn(self, operator: str) -> None:
        """Wait until no other upload of this partner is under way; the turn ends with the transaction."""

    def get(self, keys: Collection[CdrKey], *, lock: bool = False) -> dict[CdrKey, CdrRecord]:
        """Those that exist, locked against other writers until the transaction ends if asked."""

    def visible(self, keys: Collection[CdrKey], provider_ids: Collection[str], now: datetime) -> set[CdrKey]:
        """Those among the keys that the provider may see."""

    def put(self, records: Sequence[CdrRecord], changes: Sequence[CdrChange]) -> None:
        """Create or replace records, and append to their history."""

    def for_provider(
        self, provider_ids: Collection[str], statuses: Collection[CdrStatus], now: datetime
    ) -> Iterator[CdrRecord]:
        """The CDRs that a provider may see, in these states, oldest change first, read as they are asked for."""

    def of_operator(self, operator_ids: Collection[str], statuses: Collection[CdrStatus]) -> Iterator[CdrRecord]:
        """The CDRs of an operator, in these states, oldest change first, read as they are asked for."""

    def shown(self, revisions: Mapping[CdrKey, int]) -> None:
        """Note which revisions a provider has downloaded."""

    def find(self, wanted: CdrFilter) -> list[CdrRecord]:
        """What people look for, the newest charges first."""

    def with_id(self, cdr_id: str) -> list[CdrRecord]:
        """Every CDR of this id, at whatever EVSE."""

    def history(self, key: CdrKey) -> list[CdrChange]:
        """What happened to a CDR, oldest first."""


class CdrEvidence(Protocol):
    """What CDRs are judged by."""

    def roaming(self, questions: Collection[RoamingQuestion], now: datetime) -> set[RoamingQuestion]:
        """Those (operator ID, provider ID, start) with a connection for CDRs, now or at the start."""

    def neighbours(self, of: Sequence[Neighbour]) -> list[Neighbour]:
        """CDRs at the same EVSEs or with the same tokens that these may overlap; themselves and rejected ones aside."""

    def namesakes(self, cdr_ids: Collection[str], operator_ids: Collection[str]) -> list[CdrKey]:
        """CDRs of the operator with these ids that were uploaded in 1.4 or later."""

    def relayed(self, direct_ids: Collection[str], operator: str) -> dict[str, Relayed]:
        """The direct sessions of these ids that the house relayed for the partner."""

    def answered(self, live_auth_ids: Collection[str], partner: str) -> dict[str, LiveAnswer]:
        """What the house told the partner under these live ids."""

    def strictness(self) -> list[Strictness]:
        """The severities that were set."""

    def set_strictness(self, setting: Strictness, at: datetime, actor: str) -> None:
        """Set the severity of a check for the house or a pair of partners."""


class Settlement(Protocol):
    """Sums over CDRs, and what is missing from them."""

    def lines(self, month: str) -> list[SettlementLine]:
        """What providers owe operators for a month, from approved CDRs."""

    def lost(self, before: datetime, limit: int) -> list[LostSession]:
        """Relayed sessions that may have begun to charge before that, without a CDR, oldest first."""
