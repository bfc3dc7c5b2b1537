"""Delivery of what the operator tells providers: from the outbox, in order within a session, until confirmed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import NotFound, PartnerFailed
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import InformProviderResponse
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import DirectResultCode
from clearinghouse.services.partner_line import PartnerLine
from clearinghouse.services.ports import Store
from clearinghouse.services.sessions_port import Parcel

AT_ONCE = 32
AT_ONCE_TO_ONE = 4
LEASE = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=24)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)

CONFIRMED = frozenset({DirectResultCode.OK, DirectResultCode.PARTLY, DirectResultCode.INVALID_ID})
"""Answers after which a message is not sent again: taken, taken in part, or the provider knows no such session."""

Report = Callable[[str, Exception], None]
"""Is told what could not be done and why, where the reason is an error of this program or of the store."""


def silent(what: str, error: Exception) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Teller:
    """Sends parcels to the provider whose whitelist holds the contract, not to whoever selected the EVSE.

    Deliveries run side by side, at most `AT_ONCE` of them and `AT_ONCE_TO_ONE` about the contracts of one provider: one
    that does not answer holds up only its own. A parcel that cannot even be sent is tried again like any other.
    """

    store: Store
    line: PartnerLine
    clock: Clock
    report: Report = silent
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "tell"), repr=False)
    _under_way: Counter[str] = field(default_factory=Counter, repr=False)
    _changed: threading.Condition = field(default_factory=threading.Condition, repr=False)

    def work(self) -> int:
        """Begin to deliver what is due, as far as there is room; returns how many deliveries were begun.

        Whoever is done with one goes on with the next.
        """
        begun = 0
        while (parcel := self._taken()) is not None:
            self._pool.submit(self._deliver_on, parcel)
            begun += 1
        return begun

    def settle(self) -> None:
        """Wait until nothing is due or under way any more."""
        while self.work() or self._under_way.total():
            with self._changed:
                self._changed.wait_for(lambda: not self._under_way.total())

    def close(self) -> None:
        """Let the deliveries under way end."""
        self._pool.shutdown()

    def _taken(self) -> Parcel | None:
        """The parcel to deliver next, where one is due and there is room for it."""
        with self._changed:
            if self._under_way.total() >= AT_ONCE:
                return None
            full = [party for party, count in self._under_way.items() if count >= AT_ONCE_TO_ONE]
            now = self.clock()
            with self.store.single() as books:
                parcel = next(iter(books.outbox.claim(now, now + LEASE, 1, leave=full)), None)
            if parcel is not None:
                self._under_way[party_id(parcel.message.contract_id)] += 1
            return parcel

    def _deliver_on(self, first: Parcel) -> None:
        parcel: Parcel | None = first
        try:
            while parcel is not None:
                try:
                    self._deliver(parcel)
                finally:
                    self._give_back(parcel)
                parcel = self._taken()
        except Exception as unexpected:  # noqa: BLE001 - the store's: what is claimed is due again after its lease
            self.report("deliveries", unexpected)

    def _give_back(self, parcel: Parcel) -> None:
        with self._changed:
            self._under_way[party_id(parcel.message.contract_id)] -= 1
            self._changed.notify_all()

    def _deliver(self, parcel: Parcel) -> None:
        try:
            error = self._send(parcel)
        except Exception as unexpected:  # noqa: BLE001 - a bad parcel neither goes on for ever nor stops others
            self.report(f"message {parcel.number}", unexpected)
            error = f"Not sent: {type(unexpected).__name__}."
        now = self.clock()
        with self.store.single() as books:
            if error is None:
                books.outbox.delivered(parcel.number, now)
            else:
                books.outbox.failed(parcel.number, error, next_attempt(parcel, now), now)

    def _send(self, parcel: Parcel) -> str | None:
        """None once the partner confirmed, else why not, in a sentence."""
        message = parcel.message
        try:
            answer: InformProviderResponse = self.line.call(
                op.INFORM_PROVIDER, message, message.contract_id, Role.PROVIDER
            )
        except (PartnerFailed, NotFound) as failure:
            return f"{type(failure).__name__}: {failure}"
        code = answer.result.result_code
        return None if code in CONFIRMED else f"{code}: {answer.result.result_description}"


def next_attempt(parcel: Parcel, now: datetime) -> datetime | None:
    """When to try again: pauses double up to a quarter of an hour; after a day the message is given up."""
    if now - parcel.created_at >= GIVE_UP_AFTER:
        return None
    doubled: int = 2 ** min(parcel.attempts, 20)
    return now + min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
