"""What use cases need of the store for live status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from clearinghouse.domain.live_status import LiveStatus, Subject

Combination = tuple[LiveStatus, tuple[LiveStatus | None, ...]]
"""An EVSE's status and those of its parking spots, None where a spot has none."""


class LiveStatuses(Protocol):
    """The last word on every EVSE and parking spot."""

    def put(self, statuses: Sequence[LiveStatus]) -> None:
        """Keep these, received now, in one statement; each key comes once."""

    def seen(
        self, subject: Subject, provider_ids: Iterable[str], now: datetime, since: datetime | None
    ) -> Iterator[LiveStatus]:
        """What these providers may see: all that is believed now, or what is newer than `since`.

        Newer is what was received, or ended, or became visible after it, and, as unknown, what may no longer be seen.
        """

    def combinations(self, provider_ids: Iterable[str], now: datetime, since: datetime | None) -> Iterator[Combination]:
        """As `seen` of EVSEs, where one is newer also when one of its parking spots is."""
