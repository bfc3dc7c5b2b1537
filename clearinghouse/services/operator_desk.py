"""The operator's side of a direct session: what providers ask for (OCHP-direct, partner-to-partner interface).

A session is written before the station is told, so that a crash in between leaves a session that times out, never a
charge that nobody knows of.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from clearinghouse.domain.errors import EvseUnavailable, NotFound, NotSupported, UnknownId, UnknownSession
from clearinghouse.domain.patterns import PatternCase, answers_for
from clearinghouse.domain.sessions import OPEN, Limits, Move, Session, State, next_state
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
from clearinghouse.ochp.identifiers import contract_key, evse_key
from clearinghouse.ochp.live import GetStatusResponse
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.results import DirectResult, DirectResultCode
from clearinghouse.ochp.versions import Version
from clearinghouse.services.calls_port import Caller, Handler, Peer
from clearinghouse.services.ports import Books
from clearinghouse.services.session_keeper import SessionKeeper, measured, new_direct_id
from clearinghouse.services.sessions_port import Discrepancy
from clearinghouse.services.stations_port import Evse

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

    keeper: SessionKeeper
    case: PatternCase = PatternCase.LITERAL

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
        now = self.keeper.clock()
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
            session = self.keeper.end_charge(self._session(request.direct_id, caller))
            return _controlled(session, session.state is State.ENDED, ())
        with self.keeper.store.books() as books:
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
            self.keeper.end_charge(session)
        self.keeper.stations.stop(session.evse_key, session.direct_id)
        self.keeper.stations.cancel(session.evse_key, session.direct_id)
        with self.keeper.store.books() as books:
            current = books.sessions.get(session.direct_id, lock=True)
            if current is not None and current.is_open:
                self.keeper.close(books, current, State.CLOSED)
        return ReleaseEvseResponse(result=_ok(), direct_id=session.direct_id)

    def status(self, request: GetEvseStatusRequest, caller: Caller, version: Version) -> GetStatusResponse:
        """Live status of the known EVSEs; unknown ones are left out."""
        keys = [key for each in request.requested_evse_id if (key := evse_key(each))]
        return GetStatusResponse(evse=tuple(self.keeper.stations.status(keys)))

    def report(self, request: ReportDiscrepancyRequest, caller: Caller, version: Version) -> ReportDiscrepancyResponse:
        """Keep what a provider reports, also about an EVSE that nobody knows: the answer has no way to say so."""
        note = Discrepancy(evse_id=request.evse_id, reporter=caller.name, report=request.report, at=self.keeper.clock())
        with self.keeper.store.single() as books:
            books.discrepancies.add(note)
        return ReportDiscrepancyResponse()

    def poll(self, request: InformProviderRequest, caller: Caller, version: Version) -> InformProviderMessage:
        """The newest about a session; `invalid-id` with the last known values once it is over.

        Raises UnknownSession where the caller never had such a session: no valid message can be built then.
        """
        with self.keeper.store.single() as books:
            session = books.sessions.get(request.direct_id)
        if session is None or not self._covers(caller, session.contract_id):
            raise UnknownSession("There never was such a session of the caller.")
        is_over = self.keeper.state_now(session) not in OPEN
        reading = None if is_over else self.keeper.stations.reading(session.evse_key)
        result = DirectResult.of(DirectResultCode.INVALID_ID, "The session is over.") if is_over else _ok()
        message = self.keeper.message_about(measured(session, reading), MESSAGE_OF[session.state])
        return dataclasses.replace(message, result=result)

    # -- Parts ---------------------------------------------------------------------------------------------------

    def _evse(self, evse_id: str) -> Evse:
        key = evse_key(evse_id)
        evse = self.keeper.stations.evse(key) if key else None
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
            longest = max(timedelta(minutes=evse.max_reservation), self.keeper.deadlines.selection)
        return self.keeper.deadlines.reservation(now, until, longest)

    def _opened(self, session: Session) -> tuple[Session | None, bool]:
        """The session that holds the EVSE already, None where this one does now; and whether the EVSE is reserved.

        Nobody waits for the sweep: an overdue holder makes room at once.
        """
        holder, is_reserved = self._open(session)
        if holder is None or not self.keeper.is_overdue(holder):
            return holder, is_reserved
        self.keeper.time_out(holder.direct_id)
        return self._open(session)

    def _open(self, session: Session) -> tuple[Session | None, bool]:
        reservation = self.keeper.stations.reservation(*_reserving(session))
        with self.keeper.store.single() as books:
            if reservation is None:
                return books.sessions.open(session), False
            return books.sessions.open_reserved(session, reservation)

    def _reserve(self, session: Session) -> None:
        try:
            self.keeper.stations.reserve(*_reserving(session))
        except Exception:
            with self.keeper.store.books() as books:
                current = books.sessions.get(session.direct_id, lock=True)
                if current is not None and current.state is State.SELECTED:
                    self.keeper.close(books, current, State.CLOSED)
            raise

    def _session(self, direct_id: str, caller: Caller, *, books: Books | None = None, closed: bool = False) -> Session:
        """The caller's session, locked within `books`. Raises UnknownId where it is another's or over.

        With `closed`, one that was closed is given too; one that expired never is.
        """
        if books is None:
            with self.keeper.store.single() as opened:
                session = opened.sessions.get(direct_id)
        else:
            session = books.sessions.get(direct_id, lock=True)
        if session is None or not self._covers(caller, session.contract_id):
            raise UnknownId("The direct id is unknown, or not the caller's.")
        state = self.keeper.state_now(session)
        if state not in OPEN and not (closed and state is State.CLOSED):
            raise UnknownId("The session is over.")
        return session

    def _moved(self, session: Session, move: Move, limits: Limits) -> Session | None:
        state = next_state(session.state, move)
        if state is None:
            return None
        merged = dataclasses.replace(session, limits=session.limits.merged(limits))
        if state is session.state:
            return merged
        return dataclasses.replace(merged, state=state, deadline=self.keeper.deadlines.of(state, self.keeper.clock()))

    def _command(self, operation: DirectOperation, before: Session, after: Session) -> tuple[str, ...]:
        """Tell the station; where it cannot, the session goes back to where it was. Returns what was not applied.

        Starting once more is told as a start: the first one may have been lost on its way.
        """
        try:
            if operation is DirectOperation.START and after.state is State.STARTING:
                return self.keeper.stations.start(after.evse_key, after.direct_id, after.limits)
            return self.keeper.stations.limit(after.evse_key, after.direct_id, after.limits)
        except Exception:
            with self.keeper.store.books() as books:
                if books.sessions.get(after.direct_id, lock=True) == after:
                    books.sessions.save(before)
            raise

    def _applied(self, before: Session, after: Session, unapplied: tuple[str, ...]) -> None:
        """Keep only the limits that hold, and tell the provider of those of a running charge."""
        if not unapplied and before.state is not State.CHARGING:
            return
        with self.keeper.store.books() as books:
            session = books.sessions.get(after.direct_id, lock=True)
            if session is None or session.limits != after.limits or session.state not in (after.state, State.CHARGING):
                return
            held = {name: getattr(before.limits, name) for name in unapplied}
            session = dataclasses.replace(session, limits=dataclasses.replace(session.limits, **held))
            books.sessions.save(session)
            if before.state is State.CHARGING:
                self.keeper.tell(books, session, DirectMessage.CHANGE)


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
