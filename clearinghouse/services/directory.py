"""The endpoint records in memory: who holds a token, and who answers for an identifier."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.patterns import PatternCase, PatternIndex
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import Version
from clearinghouse.services.endpoints_port import OwnToken
from clearinghouse.services.ports import Store

T = TypeVar("T")
K = TypeVar("K")

LOOK_AGAIN = 1.0
"""Seconds between two looks at the store: what another process stored is known here after that."""
LOOK_AGAIN_AFTER_A_MISS = 0.1


def digest(token: str) -> bytes:
    """What tokens are looked up by, so that the time of a look-up tells nothing about a token."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True)
class Snapshot:
    """The living records of enabled partners at one revision of the store."""

    revision: int
    endpoints: tuple[Endpoint, ...]
    by_token: Mapping[bytes, Sequence[Endpoint]] = field(repr=False)
    by_partner: Mapping[tuple[str, Role], Sequence[Endpoint]] = field(repr=False)
    indexes: dict[Role, PatternIndex] = field(repr=False)


class Directory:
    """Answers from memory; re-reads the records when the store's revision moved. Safe for many threads."""

    def __init__(self, store: Store, clock: Clock, case: PatternCase = PatternCase.LITERAL) -> None:
        self._store = store
        self._clock = clock
        self._case = case
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._looked_at = -math.inf
        self._own: tuple[OwnToken, ...] = ()
        self._own_looked_at = -math.inf

    def snapshot(self, patience: float = LOOK_AGAIN) -> Snapshot:
        """The records as of at most `patience` seconds ago."""
        current = self._snapshot
        if current is not None and time.monotonic() - self._looked_at < patience:
            return current
        with self._lock:
            current = self._snapshot
            if current is None or time.monotonic() - self._looked_at >= patience:
                self._snapshot = current = self._look(current)
                self._looked_at = time.monotonic()
            return current

    def _look(self, current: Snapshot | None) -> Snapshot:
        with self._store.books() as books:
            revision = books.endpoints.revision()
            if current is not None and current.revision == revision:
                return current
            partners = books.partners.all()
            disabled = {each.name for each in partners if not each.enabled}
            living = books.endpoints.living(self._clock())
        endpoints = tuple(each for each in living if each.partner not in disabled)
        registered = {each.name: each.operator_ids | each.provider_ids for each in partners}
        return Snapshot(
            revision=revision,
            endpoints=endpoints,
            by_token=_grouped(endpoints, lambda each: digest(each.access_token)),
            by_partner=_grouped(endpoints, lambda each: (each.partner, each.role)),
            indexes={
                role: PatternIndex(endpoints, role, self._case, registered or None)
                for role in (Role.OPERATOR, Role.PROVIDER)
            },
        )

    def forget(self) -> None:
        """Read the store again at the next question (after this process changed it)."""
        self._looked_at = self._own_looked_at = -math.inf

    def candidates(self, identifier: str, role: Role, spoken: Collection[Version]) -> tuple[Endpoint, ...]:
        """The records in that role responsible for an identifier now, the best first."""
        return self.snapshot().indexes[role].candidates(identifier, self._clock(), spoken)

    def resolve(self, identifier: str, role: Role, spoken: Collection[Version]) -> Endpoint | None:
        """The record that calls about an identifier go to now."""
        return next(iter(self.candidates(identifier, role, spoken)), None)

    def of(self, partner: str, role: Role) -> Sequence[Endpoint]:
        """The living records of a partner in a role."""
        return self.snapshot().by_partner.get((partner, role), ())

    def holders(self, token: str) -> Sequence[Endpoint]:
        """The living records with this token; a token not yet known here is looked for once more."""
        key = digest(token)
        found = self.snapshot().by_token.get(key)
        return found or self.snapshot(LOOK_AGAIN_AFTER_A_MISS).by_token.get(key, ())

    def own_day(self, token: str) -> date | None:
        """The day for which this is the own back end's token."""
        key = digest(token)
        return self._of_own(lambda each: each.day if digest(each.token) == key else None)

    def own_token(self, day: date) -> str | None:
        """The own back end's token of that day."""
        return self._of_own(lambda each: each.token if each.day == day else None)

    def _of_own(self, wanted: Callable[[OwnToken], T | None]) -> T | None:
        """What is wanted of the own tokens; what is not found there is looked for once more in the store."""
        for patience in (LOOK_AGAIN, LOOK_AGAIN_AFTER_A_MISS):
            found = [value for each in self._own_tokens(patience) if (value := wanted(each)) is not None]
            if found:
                return found[0]
        return None

    def _own_tokens(self, patience: float) -> tuple[OwnToken, ...]:
        if time.monotonic() - self._own_looked_at >= patience:
            with self._lock:
                if time.monotonic() - self._own_looked_at >= patience:
                    with self._store.single() as books:
                        self._own = tuple(books.own_tokens.all())
                    self._own_looked_at = time.monotonic()
        return self._own


def _grouped(endpoints: Iterable[Endpoint], key: Callable[[Endpoint], K]) -> Mapping[K, Sequence[Endpoint]]:
    found: defaultdict[K, list[Endpoint]] = defaultdict(list)
    for each in endpoints:
        found[key(each)].append(each)
    return dict(found)
