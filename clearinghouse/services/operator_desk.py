"""The operator's side of a direct session: what providers ask for (OCHP-direct, partner-to-partner interface).

A session is written before the station is told, so that a crash in between leaves a session that times out, never a
charge that nobody knows of. Whoever ends a charge first, provider, station or deadline, finishes the session's books.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import EvseUnavailable, NotFound, NotSupported, UnknownId, UnknownSession
from clearinghouse.domain.informing import Bill, message_for
from clearinghouse.domain.patterns import PatternCase, answers_for
from clearinghouse.domain.sessions import OPEN, Deadlines, Limits, Move, Reading, Session, State, next_state
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import (
    ControlEvseRequest,
    ControlEvseResponse,
    DirectMessage,
    DirectOperation,
    GetEvseStatusRequest,
    InformProviderMessage,
    InformProviderRequest,
    ReleaseEvseRequest,
    ReleaseEvseResponse,
    ReportDiscrepancyRequest,
    ReportDiscrepancyResponse,
    SelectEvseRequest,
    SelectEvseResponse,
)
from clearinghouse.ochp.identifiers import contract_key, evse_key, party_id
from clearinghouse.ochp.live import GetStatusResponse
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.results import DirectResult, DirectResultCode
from clearinghouse.ochp.versions import Version
from clearinghouse.services.calls_port import Caller, Handler, Peer
from clearinghouse.services.ports import Books, Store
from clearinghouse.services.sessions_port import Discrepancy, Parcel
from clearinghouse.services.stations_port import Evse, Stations

MOVES = {DirectOperation.START: Move.START, DirectOperation.CHANGE: Move.CHANGE, DirectOperation.END: Move.END}
MESSAGE_OF = {
    State.SELECTED: DirectMessage.INFO,
    State.STARTING: DirectMessage.INFO,
    State.CHARGING: DirectMessage.INFO,
    State.ENDED: DirectMessage.END,
    State.CLOSED: DirectMessage.FINISH,
    State.EXPIRED: DirectMessage.END,
}
"""What a poll is answered with."""


@dataclass(frozen=True)
class OperatorDesk:
    """Serves providers at the operator's direct port."""

    store: Store
    stations: Stations
    clock: Clock
    deadlines: Deadlines
    case: PatternCase = PatternCase.LITERAL
    claim: Callable[[Books, Session], object] | None = None
    """Makes the CDR of a closed session; its provider is told that all is finished once the house has it."""

    @property
    def handlers(self) -> Mapping[Operation, Handler]:
        """The operations of the operator's port and what serves them."""
        return {
            op.SELECT_EVSE: self.select,
            op.CONTROL_EVSE: self.control,
            op.RELEASE_EVSE: self.release,
            op.GET_EVSE_STATUS: self.status,
            op.REPORT_DISCREPANCY: self.report,
            op.INFORM_PROVIDER_CPO: self.poll,
        }

    def select(self, request: SelectEvseRequest, caller: Caller, version: Version) -> SelectEvseResponse:
        """Reserve the EVSE and open the session; the same contract selecting again gets the session it has.

        Raises NotFound, NotSupported, EvseUnavailable.
        """
        evse = self._evse(request.evse_id)
        if not self._covers(caller, request.contract_id):
            raise NotSupported("No whitelist pattern of the caller covers this contract.")
        now = self.clock()
        session = Session(
            direct_id=new_direct_id(evse.evse_id),
            evse_id=evse.evse_id,
            evse_key=evse.key,
            contract_id=request.contract_id,
            state=State.SELECTED,
            deadline=self._granted(evse, now, request.reserve_until),
            selected_at=now,
        )
        holder, is_reserved = self._opened(session)
        if holder is None:
            if not is_reserved:
                self._reserve(session)
            return SelectEvseResponse(result=_ok(), direct_id=session.direct_id, ttl=session.deadline)
        if contract_key(holder.contract_id) != contract_key(request.contract_id):
            raise EvseUnavailable("another session holds it.")
        if holder.state is State.SELECTED:
            self._reserve(holder)  # the first time may have been cut short
        return SelectEvseResponse(
            result=DirectResult.of(DirectResultCode.OK, "The contract holds this EVSE already."),
            direct_id=holder.direct_id,
            ttl=holder.deadline,
        )

    def control(self, request: ControlEvseRequest, caller: Caller, version: Version) -> ControlEvseResponse:
        """Start, change or end the charge. What is not possible in the present state is answered `partly`."""
        if request.operation is DirectOperation.END:
            session = self._end(self._session(request.direct_id, caller))
            return _controlled(session, session.state is State.ENDED, ())
        with self.store.books() as books:
            before = self._session(request.direct_id, caller, books=books)
            after = self._moved(before, MOVES[request.operation], limits_of(request))
            if after is None:
                return _controlled(before, False, ())
            books.sessions.save(after)
        try:
            unapplied = self._command(request.operation, before, after)
        except EvseUnavailable:
            if before.state is not State.ENDED:
                raise
            return _controlled(before, False, ())
        self._applied(before, after, unapplied)
        return _controlled(after, True, unapplied)

    def release(self, request: ReleaseEvseRequest, caller: Caller, version: Version) -> ReleaseEvseResponse:
        """Close the session, ending its charge first if one runs; releasing twice is no error."""
        session = self._session(request.direct_id, caller, closed=True)
        if session.state is State.CHARGING:
            self._end(session)
        self.stations.stop(session.evse_key, session.direct_id)
        self.stations.cancel(session.evse_key, session.direct_id)
        with self.store.books() as books:
            current = books.sessions.get(session.direct_id, lock=True)
            if current is not None and current.is_open:
                self.close(books, current, State.CLOSED)
        return ReleaseEvseResponse(result=_ok(), direct_id=session.direct_id)

    def status(self, request: GetEvseStatusRequest, caller: Caller, version: Version) -> GetStatusResponse:
        """Live status of the known EVSEs; unknown ones are left out."""
        keys = [key for each in request.requested_evse_id if (key := evse_key(each))]
        return GetStatusResponse(evse=tuple(self.stations.status(keys)))

    def report(self, request: ReportDiscrepancyRequest, caller: Caller, version: Version) -> ReportDiscrepancyResponse:
        """Keep what a provider reports, also about an EVSE that nobody knows: the answer has no way to say so."""
        discrepancy = Discrepancy(evse_id=request.evse_id, reporter=caller.name, report=request.report, at=self.clock())
        with self.store.single() as books:
            books.discrepancies.add(discrepancy)
        return ReportDiscrepancyResponse()

    def poll(self, request: InformProviderRequest, caller: Caller, version: Version) -> InformProviderMessage:
        """The newest about a session; `invalid-id` with the last known values once it is over.

        Raises UnknownSession where the caller never had such a session: no valid message can be built then.
        """
        with self.store.single() as books:
            session = books.sessions.get(request.direct_id)
        if session is None or not self._covers(caller, session.contract_id):
            raise UnknownSession("There never was such a session of the caller.")
        is_over = self._state_now(session) not in OPEN
        reading = None if is_over else self.stations.reading(session.evse_key)
        result = DirectResult.of(DirectResultCode.INVALID_ID, "The session is over.") if is_over else _ok()
        message = self._message(measured(session, reading), MESSAGE_OF[session.state])
        return dataclasses.replace(message, result=result)

    # -- Shared with the station events and the deadlines --------------------------------------------------------

    def tell(self, books: Books, session: Session, message: DirectMessage, bill: Bill | None = None) -> None:
        """Put a message about a direct session into the outbox."""
        if not session.direct:
            return
        now = self.clock()
        parcel = Parcel(
            direct_id=session.direct_id,
            message=self._message(session, message, bill),
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
        if session is None or not self._is_overdue(session):
            return False
        self.stations.stop(session.evse_key, direct_id)
        self.stations.cancel(session.evse_key, direct_id)
        reading = self.stations.reading(session.evse_key) if session.state is State.CHARGING else None
        with self.store.books() as books:
            current = books.sessions.get(direct_id, lock=True)
            if current is None or not self._is_overdue(current):
                return False
            if self._state_now(current) is State.ENDED:
                self.finish_charge(books, current, reading)
            else:
                self.close(books, current, self._state_now(current))
        return True

    # -- Parts ---------------------------------------------------------------------------------------------------

    def _evse(self, evse_id: str) -> Evse:
        key = evse_key(evse_id)
        evse = self.stations.evse(key) if key else None
        if evse is None:
            raise NotFound("This operator has no such EVSE.")
        if not evse.direct:
            raise NotSupported("This EVSE does not offer OCHP-direct.")
        return evse

    def _covers(self, caller: Caller, contract_id: str) -> bool:
        return isinstance(caller, Peer) and any(answers_for(each, contract_id, self.case) for each in caller.endpoints)

    def _granted(self, evse: Evse, now: datetime, until: datetime | None) -> datetime:
        """The time granted for a selection: at most what the EVSE gives, but always the time to start in."""
        longest = None
        if evse.max_reservation is not None:
            longest = max(timedelta(minutes=evse.max_reservation), self.deadlines.selection)
        return self.deadlines.reservation(now, until, longest)

    def _opened(self, session: Session) -> tuple[Session | None, bool]:
        """The session that holds the EVSE already, None where this one does now; and whether the EVSE is reserved.

        Nobody waits for the sweep: an overdue holder makes room at once.
        """
        holder, is_reserved = self._open(session)
        if holder is None or not self._is_overdue(holder):
            return holder, is_reserved
        self.time_out(holder.direct_id)
        return self._open(session)

    def _open(self, session: Session) -> tuple[Session | None, bool]:
        reservation = self.stations.reservation(*_reserving(session))
        with self.store.single() as books:
            if reservation is None:
                return books.sessions.open(session), False
            return books.sessions.open_reserved(session, reservation)

    def _reserve(self, session: Session) -> None:
        try:
            self.stations.reserve(*_reserving(session))
        except Exception:
            with self.store.books() as books:
                current = books.sessions.get(session.direct_id, lock=True)
                if current is not None and current.state is State.SELECTED:
                    self.close(books, current, State.CLOSED)
            raise

    def _session(self, direct_id: str, caller: Caller, *, books: Books | None = None, closed: bool = False) -> Session:
        """The caller's session, locked within `books`. Raises UnknownId where it is another's or over.

        With `closed`, one that was closed is given too; one that expired never is.
        """
        if books is None:
            with self.store.single() as opened:
                session = opened.sessions.get(direct_id)
        else:
            session = books.sessions.get(direct_id, lock=True)
        if session is None or not self._covers(caller, session.contract_id):
            raise UnknownId("The direct id is unknown, or not the caller's.")
        state = self._state_now(session)
        if state not in OPEN and not (closed and state is State.CLOSED):
            raise UnknownId("The session is over.")
        return session

    def _is_overdue(self, session: Session) -> bool:
        return session.is_open and session.deadline is not None and session.deadline <= self.clock()

    def _state_now(self, session: Session) -> State:
        """The session's state; of an overdue one, that in which it will be as soon as somebody writes it down."""
        if not self._is_overdue(session):
            return session.state
        return next_state(session.state, Move.TIME_OUT) or session.state

    def _moved(self, session: Session, move: Move, limits: Limits) -> Session | None:
        state = next_state(session.state, move)
        if state is None:
            return None
        merged = dataclasses.replace(session, limits=session.limits.merged(limits))
        if state is session.state:
            return merged
        return dataclasses.replace(merged, state=state, deadline=self.deadlines.of(state, self.clock()))

    def _command(self, operation: DirectOperation, before: Session, after: Session) -> tuple[str, ...]:
        """Tell the station; where it cannot, the session goes back to where it was. Returns what was not applied.

        Starting once more is told as a start: the first one may have been lost on its way.
        """
        try:
            if operation is DirectOperation.START and after.state is State.STARTING:
                return self.stations.start(after.evse_key, after.direct_id, after.limits)
            return self.stations.limit(after.evse_key, after.direct_id, after.limits)
        except Exception:
            with self.store.books() as books:
                if books.sessions.get(after.direct_id, lock=True) == after:
                    books.sessions.save(before)
            raise

    def _applied(self, before: Session, after: Session, unapplied: tuple[str, ...]) -> None:
        """Keep only the limits that hold, and tell the provider of those of a running charge."""
        if not unapplied and before.state is not State.CHARGING:
            return
        with self.store.books() as books:
            session = books.sessions.get(after.direct_id, lock=True)
            if session is None or session.limits != after.limits or session.state not in (after.state, State.CHARGING):
                return
            held = {name: getattr(before.limits, name) for name in unapplied}
            session = dataclasses.replace(session, limits=dataclasses.replace(session.limits, **held))
            books.sessions.save(session)
            if before.state is State.CHARGING:
                self.tell(books, session, DirectMessage.CHANGE)

    def _end(self, session: Session) -> Session:
        """Stop the station and finish the books of a session that is under way; other sessions are left as they are."""
        if session.state not in (State.STARTING, State.CHARGING):
            return session
        self.stations.stop(session.evse_key, session.direct_id)
        reading = self.stations.reading(session.evse_key)
        with self.store.books() as books:
            current = books.sessions.get(session.direct_id, lock=True)
            return session if current is None else self.finish_charge(books, current, reading)

    def _message(self, session: Session, message: DirectMessage, bill: Bill | None = None) -> InformProviderMessage:
        evse = self.stations.evse(session.evse_key)
        return message_for(session, message, time_zone=evse.time_zone if evse else "UTC", bill=bill)


def limits_of(request: ControlEvseRequest) -> Limits:
    """The limits that a request states."""
    return Limits(
        max_power=request.max_power,
        max_current=request.max_current,
        one_phase=request.one_phase,
        max_energy=request.max_energy,
        min_energy=request.min_energy,
        departure=request.departure,
    )


def new_direct_id(evse_id: str) -> str:
    """An id that nobody guesses and that starts with the operator's; alphabet and length as the contract has them."""
    return f"{party_id(evse_id)}-{uuid.uuid4().hex.upper()}"


def measured(session: Session, reading: Reading | None) -> Session:
    """The session with a newer reading; the first one sets the meter's start."""
    if reading is None or (session.reading is not None and session.reading.at > reading.at):
        return session
    start = reading.meter if session.meter_start is None else session.meter_start
    return dataclasses.replace(session, reading=reading, meter_start=start)


def _reserving(session: Session) -> tuple[str, str, str, datetime]:
    """The EVSE to reserve, for which contract and session, until when."""
    return session.evse_key, session.contract_id, session.direct_id, session.deadline or session.selected_at


def _ok() -> DirectResult:
    return DirectResult(result_code=DirectResultCode.OK)


def _controlled(session: Session, possible: bool, unapplied: tuple[str, ...]) -> ControlEvseResponse:
    text = "" if possible else f"Not possible while the session is {session.state}."
    if unapplied:
        text = f"Not applied: {', '.join(unapplied)}."
    code = DirectResultCode.PARTLY if text else DirectResultCode.OK
    return ControlEvseResponse(result=DirectResult.of(code, text), direct_id=session.direct_id, ttl=session.deadline)
