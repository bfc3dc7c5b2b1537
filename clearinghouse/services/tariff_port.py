"""What use cases need of the store for tariffs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from clearinghouse.domain.tariffs import OwnedTariff, TariffVersion
from clearinghouse.ochp.tariffs import TariffInfo


class Tariffs(Protocol):
    """Tariffs of all operators, with every version that ever was in force."""

    def put(self, tariffs: Sequence[OwnedTariff]) -> None:
        """Let these be in force from now on; only what differs is a new version."""

    def visible(self, provider_ids: Iterable[str], now: datetime) -> Iterator[TariffInfo]:
        """The tariffs in force of the operators that these providers are connected to, with every recipient's entry."""

    def changed(self, provider_ids: Iterable[str], now: datetime, since: datetime) -> Iterator[TariffInfo]:
        """Those of them that changed or became visible since then."""

    def versions(self, tariff_id: str) -> list[TariffVersion]:
        """Every version of a tariff, the oldest first, whoever asks."""

    def held(self, asked: Collection[tuple[str, datetime]]) -> dict[str, list[TariffVersion]]:
        """By Tariff-ID, the versions that were in force at any of its instants, whoever asks."""
