"""Records for readers of another version: what can be said is said, what is lost lands in the conversion log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.bridges import crosses_unchanged, fitted
from clearinghouse.ochp.shape import wire_of
from clearinghouse.ochp.versions import Version
from clearinghouse.services.conversion_port import Shortfall
from clearinghouse.services.ports import Store

T = TypeVar("T")

NAMED = 1000
"""Records of one answer that are named for each kind of loss; more are counted under `OTHERS`."""
OTHERS = "(others)"
RETENTION = timedelta(days=90)
MOST = 100_000
"""Lines that are kept of each reader."""


@dataclass(frozen=True)
class Conversions:
    """Fits records for readers, and keeps the log of it."""

    store: Store
    clock: Clock

    def fit(
        self,
        records: Iterable[T],
        version: Version,
        reader: Partner,
        name_of: Callable[[T], str],
        instead: Callable[[T], T] | None = None,
    ) -> Iterator[T]:
        """What the reader's version can say of the records; the log is written after the last.

        In deltas, `instead` makes of a record that cannot be said one that takes it back: the reader may have it as it
        was before. It may be used within a transaction: the log has its own.
        """
        tally = Tally(reader.name, version)
        for record in records:
            if crosses_unchanged(type(record), version):
                yield record
                continue
            said, losses = fitted(record, version)
            for loss in losses:
                tally.count(wire_of(type(record)).name, name_of(record), loss.path, loss.why, left_out=said is None)
            if said is None and instead is not None:
                said, _ = fitted(instead(record), version)
            if said is not None:
                yield said
        if tally.counted:
            with self.store.single() as books:
                books.conversions.note(tally.counted, self.clock())

    def forget(self) -> int:
        """Keep the log within its bounds."""
        with self.store.single() as books:
            return books.conversions.forget(self.clock() - RETENTION, MOST)


class Tally:
    """The shortfalls of one answer."""

    def __init__(self, partner: str, version: Version) -> None:
        self.counted: Counter[Shortfall] = Counter()
        self._partner = partner
        self._version = version
        self._named: Counter[tuple[str, str, str]] = Counter()

    def count(self, subject: str, name: str, field: str, reason: str, *, left_out: bool) -> None:
        """Count a loss, under the record's name as long as there is room for names."""
        kind = (subject, field, reason)
        self._named[kind] += 1
        shortfall = Shortfall(
            partner=self._partner,
            version=self._version,
            subject=subject,
            name=name if self._named[kind] <= NAMED else OTHERS,
            field=field,
            reason=reason,
            left_out=left_out,
        )
        self.counted[shortfall] += 1
