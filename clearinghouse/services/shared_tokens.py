"""Tokens that several providers claim: each keeps its line and the newest counts, but their people should talk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clearinghouse.domain.clock import Clock
from clearinghouse.services.ports import Store


@dataclass(frozen=True)
class SharedTokenWatch:
    """Tells `report` which providers claim tokens together, and how many."""

    store: Store
    clock: Clock
    report: Callable[[tuple[str, ...], int], None]

    def look(self) -> None:
        """Look through the roaming list once."""
        with self.store.single() as books:
            found = books.shared_tokens.count(self.clock())
        for provider_ids, tokens in found.items():
            self.report(provider_ids, tokens)
