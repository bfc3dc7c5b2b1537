"""The books of an operator's sessions: how charges end, sessions close and time out, and what providers are told of it.

Whoever ends a charge first, provider, station or deadline, finishes the session's books.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.informing import Bill, message_for
from clearinghouse.domain.sessions import Deadlines, Move, Reading, Session, State, next_state
from clearinghouse.ochp.direct import DirectMessage, InformProviderMessage
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.services.ports import Books, Store
from clearinghouse.services.sessions_port import Parcel
from clearinghouse.services.stations_port import Stations


@dataclass(frozen=True)
class SessionKeeper:
    """Keeps the sessions' books for whoever acts on them: providers, stations and deadlines."""

    store: Store
    stations: Stations
    clock: Clock
    deadlines: Deadlines
    claim: Callable[[Books, Session], object] | None = None
    """Makes the CDR of a closed session; its provider is told that all is finished once the house has it."""

    def tell(self, books: Books, session: Session, message: DirectMessage, bill: Bill | None = None) -> None:
        """Put a message about a direct session into the outbox."""
        if not session.direct:
            return
        now = self.clock()
        parcel = Parcel(
            direct_id=session.direct_id,
            message=self.message_about(session, message, bill),
            created_at=now,
            next_attempt_at=now,
        )
        books.outbox.put(parcel)

    def finish_charge(self, books: Books, session: Session, reading: Reading | None) -> Session:
        """Write that the charge is over and tell the provider, once; returns the session as it is now."""
        if session.state not in (State.STARTING, State.CHARGING):
            if reading is not None and session.started_at is not None:
                session = measured(session, reading)
                books.sessions.save(session)
            return session
        now = self.clock()
        ended = dataclasses.replace(
            measured(session, reading),
            state=State.ENDED,
            ended_at=now,
            deadline=self.deadlines.of(State.ENDED, now),
        )
        books.sessions.save(ended)
        self.tell(books, ended, DirectMessage.END)
        return ended

    def end_charge(self, session: Session) -> Session:
        """Stop the station and finish the books of a session that is under way; other sessions are left as they are."""
        if session.state not in (State.STARTING, State.CHARGING):
            return session
        self.stations.stop(session.evse_key, session.direct_id)
        reading = self.stations.reading(session.evse_key)
        with self.store.books() as books:
            current = books.sessions.get(session.direct_id, lock=True)
            return session if current is None else self.finish_charge(books, current, reading)

    def close(self, books: Books, session: Session, state: State) -> Session:
        """Let the session go; a charge that ran is claimed, or told as finished where this operator claims nothing.

        "Finish" says that the CDR is at the clearing house (OCHP-direct, InformProvider).
        """
        closed = dataclasses.replace(session, state=state, deadline=None)
        books.sessions.save(closed)
        if session.started_at is None:
            return closed
        if self.claim is not None:
            self.claim(books, closed)
        else:
            self.tell(books, closed, DirectMessage.FINISH)
        return closed

    def claimed(self, books: Books, direct_id: str, bill: Bill) -> None:
        """The house has the CDR of this session: its provider is told that all is finished, and what it costs."""
        session = books.sessions.get(direct_id)
        if session is not None:
            self.tell(books, session, DirectMessage.FINISH, bill)

    def time_out(self, direct_id: str) -> bool:
        """Let an open session end whose deadline has passed; False where it is no such session any more.

        The station is told first: where that fails, or the process dies in between, the session is still overdue.
        """
        with self.store.single() as books:
            session = books.sessions.get(direct_id)
        if session is None or not self.is_overdue(session):
            return False
        self.stations.stop(session.evse_key, direct_id)
        self.stations.cancel(session.evse_key, direct_id)
        reading = self.stations.reading(session.evse_key) if session.state is State.CHARGING else None
        with self.store.books() as books:
            current = books.sessions.get(direct_id, lock=True)
            if current is None or not self.is_overdue(current):
                return False
            if self.state_now(current) is State.ENDED:
                self.finish_charge(books, current, reading)
            else:
                self.close(books, current, self.state_now(current))
        return True

    def is_overdue(self, session: Session) -> bool:
        """Whether the session is open and its deadline has passed."""
        return session.is_open and session.deadline is not None and session.deadline <= self.clock()

    def state_now(self, session: Session) -> State:
        """The session's state; of an overdue one, that in which it will be as soon as somebody writes it down."""
        if not self.is_overdue(session):
            return session.state
        return next_state(session.state, Move.TIME_OUT) or session.state

    def message_about(
        self, session: Session, message: DirectMessage, bill: Bill | None = None
    ) -> InformProviderMessage:
        """What is told about the session, in the time zone of its EVSE."""
        evse = self.stations.evse(session.evse_key)
        return message_for(session, message, time_zone=evse.time_zone if evse else "UTC", bill=bill)


def new_direct_id(evse_id: str) -> str:
    """An id that nobody guesses and that starts with the operator's; alphabet and length as the contract has them."""
    return f"{party_id(evse_id)}-{uuid.uuid4().hex.upper()}"


def measured(session: Session, reading: Reading | None) -> Session:
    """The session with a newer reading; the first one sets the meter's start."""
    if reading is None or (session.reading is not None and session.reading.at > reading.at):
        return session
    start = reading.meter if session.meter_start is None else session.meter_start
    return dataclasses.replace(session, reading=reading, meter_start=start)
