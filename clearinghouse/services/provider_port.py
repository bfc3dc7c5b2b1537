"""What a provider keeps about its part in OCHP: the CDRs it received, its token list, what it downloaded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clearinghouse.domain.cdrs import CdrKey
from clearinghouse.domain.received_cdrs import CdrStage, ReceivedCdr
from clearinghouse.domain.tariffs import TariffVersion
from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.ochp.tokens import EmtId, RoamingAuthorisationInfo


class ReceivedCdrs(Protocol):
    """The CDRs of this provider's contracts, in the order in which they came."""

    def put(self, cdr: ReceivedCdr) -> None:
        """Store the CDR, in place of the one with its key."""

    def of(self, key: CdrKey, *, lock: bool = False) -> ReceivedCdr | None:
        """The CDR of an EVSE key and an id."""

    def named(self, cdr_id: str) -> list[ReceivedCdr]:
        """The CDRs of an id, at whatever EVSEs."""

    def rivals(self, info: CdrInfo) -> list[CdrInfo]:
        """Other CDRs of the same direct session, or of the same EVSE at the same time; declined ones do not count."""

    def queue(self, limit: int = 100, after: int = 0) -> list[ReceivedCdr]:
        """The first CDRs after a number whose decision the house is to be told, oldest first."""

    def find(
        self,
        stages: Collection[CdrStage] = (),
        *,
        operator_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[ReceivedCdr]:
        """The newest first, of these stages and this operator or of all; `before` continues below that number."""

    def counts(self) -> Mapping[CdrStage, int]:
        """How many CDRs are in each stage."""


class ProviderTokens(Protocol):
    """The provider's own tokens, and which of them the house has as they are."""

    def is_kept(self) -> bool:
        """Whether there are any."""

    def find(self, token: EmtId) -> list[RoamingAuthorisationInfo]:
        """The lines of this token in any representation, those that expire last first."""

    def put(self, lines: Iterable[RoamingAuthorisationInfo]) -> int:
        """Put lines over the list; returns how many are new or changed. The last of equal tokens wins."""

    def expire_others(self, lines: Iterable[RoamingAuthorisationInfo], now: datetime) -> int:
        """Let every token expire that is not among these; returns how many."""

    def changed(self, limit: int = 10_000) -> list[RoamingAuthorisationInfo]:
        """Lines that the house does not have as they are."""

    def settle(
        self, lines: Iterable[RoamingAuthorisationInfo], refused: Iterable[RoamingAuthorisationInfo], why: str
    ) -> None:
        """The house was told these lines and refused some; those changed meanwhile stay changed."""

    def all(self, now: datetime | None = None) -> Iterator[TokenLine]:
        """Every line, or those that have not expired, one by one."""

    def refused(self, limit: int = 100) -> list[TokenLine]:
        """Lines that the house refused."""


@dataclass(frozen=True, kw_only=True)
class TokenLine:
    """A line of the provider's list, whether the house has it, and why it refused it, if it did."""

    line: RoamingAuthorisationInfo
    uploaded: bool
    refusal: str | None = None


class Downloads(Protocol):
    """The provider's copies of what operators tell the house."""

    def replace_points(self, points: Iterable[ChargePointInfo]) -> int:
        """Make these charge points the whole copy; returns how many they are."""

    def apply_points(self, points: Iterable[ChargePointInfo]) -> int:
        """Put new and changed charge points over the copy; returns how many they are."""

    def points(
        self, *, operator_id: str | None = None, after: str = "", limit: int = 100
    ) -> Sequence[tuple[str, ChargePointInfo]]:
        """Charge points with their EVSE keys, in the order of these, after one."""

    def point(self, evse_key: str) -> ChargePointInfo | None:
        """A charge point."""

    def apply_tariffs(self, tariffs: Iterable[TariffInfo], now: datetime) -> int:
        """Put new and changed tariffs over the copy, and keep what they replace; returns how many changed."""

    def tariffs(
        self, *, operator_id: str | None = None, after: str = "", limit: int = 100
    ) -> Sequence[tuple[str, TariffInfo]]:
        """The tariffs in force with their keys, in the order of these, after one."""

    def tariff_versions(self, tariff_key: str) -> tuple[TariffVersion, ...]:
        """Every version of a tariff that was seen, oldest first."""

    def apply_status(self, status: Iterable[EvseStatus]) -> int:
        """Put newer live status over the copy; returns how many EVSEs."""

    def status(self, evse_keys: Collection[str], now: datetime) -> Mapping[str, EvseStatus]:
        """The live status of EVSEs that is still believed, by EVSE key."""
