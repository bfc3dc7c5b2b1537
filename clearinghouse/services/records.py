"""The records that go in and out as files: what they are called, and what files of the store ask for."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, Protocol

from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.ochp.tokens import RoamingAuthorisationInfo


class Noun(StrEnum):
    """The kinds of records."""

    TOKENS = "tokens"
    CHARGE_POINTS = "charge-points"
    TARIFFS = "tariffs"
    CDRS = "cdrs"


CLASSES: Mapping[Noun, type] = {
    Noun.TOKENS: RoamingAuthorisationInfo,
    Noun.CHARGE_POINTS: ChargePointInfo,
    Noun.TARIFFS: TariffInfo,
    Noun.CDRS: CdrInfo,
}
DATED: Mapping[Noun, Callable[[Any], datetime | None]] = {
    Noun.CHARGE_POINTS: lambda point: point.timestamp,
    Noun.CDRS: lambda cdr: cdr.end_date_time,
}
"""The instant whose day a record itself says, where it says one; tokens and tariffs say none."""


@dataclass(frozen=True, kw_only=True)
class Days:
    """Days in UTC, from the first to the last, both included; all days where neither is said."""

    first: date | None = None
    last: date | None = None

    @property
    def begin(self) -> datetime | None:
        """The first instant of the first day."""
        return None if self.first is None else datetime.combine(self.first, time.min, UTC)

    @property
    def end(self) -> datetime | None:
        """The last instant of the last day, which is still of it: an instant has no more than microseconds."""
        return None if self.last is None else datetime.combine(self.last, time.max, UTC)

    def include(self, at: datetime | None) -> bool:
        """Whether an instant is of these days, whatever its offset; what is of no known day is of all days only."""
        if at is None:
            return self == ALL_DAYS
        return (self.begin is None or self.begin <= at) and (self.end is None or at <= self.end)


ALL_DAYS = Days()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which records: of these party IDs, or of all; of these days.

    The day is that on which a charge ended; for what is no CDR, that of the last change, where it is known.
    """

    party_ids: frozenset[str] | None = None
    days: Days = ALL_DAYS


class Holdings(Protocol):
    """Everything that a role has of each kind of records, for its own people."""

    def of(self, role: Role, noun: Noun, choice: Choice) -> Generator[Any]:
        """The records in the order of their keys, read as they are asked for, until it is closed.

        Raises Malformed where parties or days are asked for that are not kept with these records.
        """
