"""What the use cases of the roaming list need of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clearinghouse.domain.roaming_list import TokenKey
from clearinghouse.ochp.tokens import RoamingAuthorisationInfo


@dataclass(frozen=True, kw_only=True)
class LiveAuthorisation:
    """What was answered to a live request of 1.3; charge data may name it."""

    live_auth_id: str
    partner: str
    """Whose request it was."""
    evse_id: str
    contract_id: str
    token: TokenKey
    at: datetime


class RoamingLists(Protocol):
    """The tokens of all providers, and what became of each. Viewers are operators, named by their IDs."""

    def put(
        self,
        lines: Iterable[RoamingAuthorisationInfo],
        owners: Collection[str],
        now: datetime,
        *,
        replace: bool,
    ) -> int:
        """Store lines of providers `owners`, the last of several for one token; how many were given.

        With `replace`, what the owners have and is not among the lines expires now, unless there are no lines.
        Only lines that differ from what is stored count as changed.
        """

    def visible(self, viewers: Collection[str], now: datetime) -> Iterator[RoamingAuthorisationInfo]:
        """The lines of connected providers, without those that expired long ago."""

    def changed(self, viewers: Collection[str], since: datetime, now: datetime) -> Iterator[RoamingAuthorisationInfo]:
        """What changed for these viewers since then: lines, and what they may not use any more as expired lines."""

    def find(self, viewers: Collection[str], key: TokenKey, now: datetime) -> RoamingAuthorisationInfo | None:
        """The line of a token in any representation: rather one that holds, rather a newer one."""

    def remember(self, live: LiveAuthorisation) -> None:
        """Keep what was answered."""

    def forget(self, before: datetime) -> int:
        """Delete lines that expired before, and what was answered to live requests before; how many."""
