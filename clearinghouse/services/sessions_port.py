"""What use cases need of the store for direct sessions: the sessions, what stations report, what providers are told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clearinghouse.domain.sessions import Session
from clearinghouse.ochp.direct import InformProviderMessage
from clearinghouse.services.stations_port import Reservation, StationEvent


class Sessions(Protocol):
    """Direct sessions of an operator."""

    def open(self, session: Session) -> Session | None:
        """Store a new session; where its EVSE is held by another open one, store nothing and return that one."""

    def open_reserved(self, session: Session, reservation: Reservation) -> tuple[Session | None, bool]:
        """Like `open`, and with a new session keep its EVSE if that is idle; tells whether it is kept.

        The reservation's members are put over the EVSE's document, others stay: the meter goes on counting.
        """

    def get(self, direct_id: str, *, lock: bool = False) -> Session | None:
        """The session, locked against other writers until the transaction ends if asked."""

    def save(self, session: Session) -> None:
        """Replace the session."""

    def open_at(self, evse_key: str, *, lock: bool = False) -> Session | None:
        """The open session that holds this EVSE."""

    def overdue(self, now: datetime, limit: int = 100) -> list[Session]:
        """Open sessions whose deadline has passed, oldest first, locked; ones that others hold are skipped."""

    def recent(self, limit: int = 100) -> list[Session]:
        """The newest sessions."""


class StationEvents(Protocol):
    """The inbox of what stations reported and the operator has not yet acted on."""

    def add(self, events: Sequence[StationEvent]) -> None:
        """Append; numbers are given in this order."""

    def pending(self, limit: int = 100, *, leave: Collection[str] = ()) -> list[StationEvent]:
        """The oldest events not yet done, locked so that one worker acts on them; none of the EVSEs to `leave`."""

    def done(self, number: int) -> None:
        """The event was acted on."""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A message that waits to be told to the provider. `number` orders those of a session."""

    number: int = 0
    direct_id: str
    message: InformProviderMessage
    created_at: datetime
    next_attempt_at: datetime
    attempts: int = 0
    delivered_at: datetime | None = None
    given_up_at: datetime | None = None
    last_error: str | None = None


class Outbox(Protocol):
    """Messages to providers: kept until confirmed, in order within a session."""

    def put(self, parcel: Parcel) -> None:
        """Append; an undelivered `info` of the same session is superseded and removed."""

    def claim(
        self, now: datetime, lease_until: datetime, limit: int = 20, *, leave: Collection[str] = ()
    ) -> list[Parcel]:
        """The next due parcel of each session that has none under way; others leave them alone until the lease ends.

        None is for a contract of the providers (party IDs) to `leave`.
        """

    def delivered(self, number: int, now: datetime) -> None:
        """The partner confirmed."""

    def failed(self, number: int, error: str, next_attempt_at: datetime | None, now: datetime) -> None:
        """Try again at that time, or give up where it is None."""

    def of(self, direct_id: str) -> list[Parcel]:
        """Everything said about a session, in order."""

    def waiting(self) -> int:
        """How many messages are not delivered and not given up."""


@dataclass(frozen=True, kw_only=True)
class Discrepancy:
    """What a provider reported about an EVSE."""

    evse_id: str
    reporter: str
    report: str
    at: datetime


class Discrepancies(Protocol):
    """Reports about EVSEs."""

    def add(self, discrepancy: Discrepancy) -> None:
        """Keep the report."""

    def recent(self, limit: int = 100) -> list[Discrepancy]:
        """The newest first."""
