"""Rows that nobody needs any more are deleted once their time is over, in bites that block nobody for long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.retention import Remains
from clearinghouse.services.ports import Store

AT_ONCE = 5_000
"""Rows that one statement deletes."""


@dataclass(frozen=True)
class Pruner:
    """Deletes what was `kept` long enough; `report` is told how much, where there was anything."""

    store: Store
    clock: Clock
    kept: Mapping[Remains, timedelta]
    report: Callable[[Remains, int], None] = lambda what, rows: None

    def prune(self) -> None:
        """Delete whatever is due; what is interrupted goes on the next time."""
        for what, length in self.kept.items():
            rows = self._prune(what, self.clock() - length)
            if rows:
                self.report(what, rows)

    def _prune(self, what: Remains, before: datetime) -> int:
        """Delete these until a bite is not full; how many."""
        total, last = 0, AT_ONCE
        while last >= AT_ONCE:
            with self.store.single() as books:
                last = books.retention.delete(what, before, AT_ONCE)
            total += last
        return total
