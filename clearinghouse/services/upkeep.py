"""A partner's chores at the house, done when they are due and noted when they are done."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import PartnerFailed
from clearinghouse.domain.upkeep import AS_THE_TABLE_SAYS, Chore, Progress, Rhythm, due
from clearinghouse.services.ports import Store

Report = Callable[[Chore, str, bool], None]
"""Is told what was done, in a few words, and whether it failed."""


@dataclass(frozen=True)
class Upkeep:
    """Does some chores; `wanted` says which of them have something to do. A failed one pauses, the others go on."""

    store: Store
    clock: Clock
    chores: Mapping[Chore, Callable[[], str]]
    wanted: Callable[[], frozenset[Chore]]
    report: Report = lambda chore, text, failed: None
    rhythm: Rhythm = field(default_factory=lambda: AS_THE_TABLE_SAYS)

    def work(self) -> tuple[Chore, ...]:
        """Do what is due now; returns what was tried."""
        with self.store.single() as books:
            journal = books.journals.all()
        chores = due(self.clock(), journal, self.chores.keys(), self.wanted(), self.rhythm)
        for chore in chores:
            self._do(chore, journal.get(chore, Progress(chore=chore)))
        return chores

    def _do(self, chore: Chore, before: Progress) -> None:
        began = self.clock()
        try:
            text = self.chores[chore]()
        except PartnerFailed as failure:
            error = f"{type(failure).__name__}: {failure}"
            after = dataclasses.replace(before, tried_at=began, failures=before.failures + 1, error=error)
            self.report(chore, error, True)
        else:
            after = Progress(chore=chore, succeeded_at=began, tried_at=began)
            self.report(chore, text, False)
        with self.store.single() as books:
            books.journals.put(after)
