"""Which live status the house has to be told: what changed, and what it would soon stop to believe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearinghouse.ochp.live import EvseStatus, MajorStatus, MinorStatus

LEAD = timedelta(minutes=1)
"""A status is told again so long before its time to live ends."""


@dataclass(frozen=True, kw_only=True)
class ToldStatus:
    """What the house was told of an EVSE last."""

    major: MajorStatus
    minor: MinorStatus | None = None
    ttl: datetime | None = None


def to_tell(now: datetime, status: Iterable[EvseStatus], told: Mapping[str, ToldStatus]) -> list[EvseStatus]:
    """The entries to upload (OCHP 1.4, Live status: on change or before the time to live ends).

    `told` is by the spelling of the EVSE-ID in the status. One told without an end is told again when it changes only.
    """
    return [each for each in status if _is_news(now, each, told.get(each.evse_id))]


def _is_news(now: datetime, status: EvseStatus, told: ToldStatus | None) -> bool:
    if told is None or (told.major, told.minor) != (status.major, status.minor):
        return True
    is_ending = told.ttl is not None and told.ttl - now <= LEAD
    return is_ending and (status.ttl is None or told.ttl is None or status.ttl > told.ttl)
