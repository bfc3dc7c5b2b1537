"""What use cases need of the store for charge points."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clearinghouse.domain.charge_points import OwnedPoint
from clearinghouse.ochp.charge_points import ChargePointInfo


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What came of an upload: how many charge points it had, and at which locations they are scattered.

    A location is, where its charge points now stand for more than one address or place on the map.
    """

    count: int
    scattered: tuple[str, ...] = ()


class ChargePoints(Protocol):
    """Charge points of all operators, one row per EVSE."""

    def put(self, points: Iterable[OwnedPoint], owners: Collection[str], *, replace: bool) -> Taken:
        """Store these, each EVSE once; only what differs counts as a change.

        With `replace`, whatever else the same operator IDs had is gone, unless there are no points at all.
        """

    def visible(self, provider_ids: Iterable[str], now: datetime) -> Iterator[ChargePointInfo]:
        """What is there of the operators that these providers are connected to, by EVSE."""

    def changed(self, provider_ids: Iterable[str], now: datetime, since: datetime) -> Iterator[ChargePointInfo]:
        """What became visible, changed, or went since then; what went is `Closed`."""

    def get(self, evse_ids: Collection[str]) -> dict[str, ChargePointInfo]:
        """By these EVSE-IDs, the charge points that are known and not gone, as their operators said them."""
