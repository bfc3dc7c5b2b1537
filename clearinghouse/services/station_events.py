"""What stations report and what deadlines demand, written into the sessions' books and told to providers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clearinghouse.domain.informing import Thresholds, is_worth_telling
from clearinghouse.domain.sessions import Session, State
from clearinghouse.ochp.direct import DirectMessage
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import ORDER
from clearinghouse.services.directory import Directory
from clearinghouse.services.ports import Books
from clearinghouse.services.session_keeper import SessionKeeper, measured, new_direct_id
from clearinghouse.services.stations_port import StationEvent, StationEventKind
from clearinghouse.services.telling import Report, silent

REST = timedelta(seconds=30)
"""How long what could not be acted on is left alone before it is tried again."""

Command = Callable[[], object]
"""What to tell a station once the books are committed."""


@dataclass(frozen=True)
class StationDesk:
    """Acts on station events, in order at each EVSE, and on sessions whose time is over.

    What cannot be acted on is reported and tried again later; only its own EVSE waits for it.
    """

    keeper: SessionKeeper
    directory: Directory
    thresholds: Thresholds
    report: Report = silent
    _resting: dict[str, datetime] = field(default_factory=dict, repr=False)

    def work(self, limit: int = 100) -> int:
        """Act on the oldest pending events, each in the transaction that marks it done; returns how many were done."""
        done = failed = 0
        while done + failed < limit and (acted := self._act_on_next()) is not None:
            done, failed = done + acted, failed + (not acted)
        return done

    def sweep(self, limit: int = 100) -> int:
        """Let overdue sessions time out; returns how many did."""
        resting = self._still_resting()
        with self.keeper.store.single() as books:
            overdue = books.sessions.overdue(self.keeper.clock(), limit + len(resting))
        gone = 0
        for session in overdue:
            if session.direct_id in resting:
                continue
            try:
                gone += self.keeper.time_out(session.direct_id)
            except Exception as error:  # noqa: BLE001 - one session must not keep the others
                self._rest(session.direct_id, f"deadline of session {session.direct_id}", error)
        return gone

    def _act_on_next(self) -> bool | None:
        """Whether the oldest event that is not left alone could be acted on; None where there is none."""
        event = None
        try:
            with self.keeper.store.books() as books:
                for event in books.station_events.pending(1, leave=self._still_resting()):
                    command = self._act(books, event)
                    books.station_events.done(event.number)
        except Exception as error:
            if event is None:
                raise
            self._rest(event.evse_key, f"event {event.number} of {event.evse_key}", error)
            return False
        if event is None:
            return None
        if command is not None:
            self._tell_station(command, event)
        return True

    def _tell_station(self, command: Command, event: StationEvent) -> None:
        """A command that fails now is given again with the station's next measurement."""
        try:
            command()
        except Exception as error:  # noqa: BLE001 - the event was acted on
            self.report(f"command after event {event.number} of {event.evse_key}", error)

    def _rest(self, name: str, what: str, error: Exception) -> None:
        self._resting[name] = self.keeper.clock() + REST
        self.report(what, error)

    def _still_resting(self) -> list[str]:
        now = self.keeper.clock()
        for name in [name for name, until in self._resting.items() if until <= now]:
            del self._resting[name]
        return list(self._resting)

    # -- What an event does ---------------------------------------------------------------------------------------

    def _act(self, books: Books, event: StationEvent) -> Command | None:
        """What one event does to the books; the answer, if any, is what to tell the station once they are committed."""
        if event.kind is StationEventKind.CARD:
            return self._card(books, event)
        session = self._session_of(books, event)
        if session is None:
            return None
        acts: Mapping[StationEventKind, Callable[[Books, Session, StationEvent], Command | None]] = {
            StationEventKind.CHARGING: self._charging,
            StationEventKind.METERED: self._metered,
            StationEventKind.STOPPED: self._stopped,
        }
        command = acts[event.kind](books, session, event)
        if event.direct_id is None and event.kind is not StationEventKind.STOPPED:
            return self._adopting(session, command)
        return command

    def _session_of(self, books: Books, event: StationEvent) -> Session | None:
        """The session the event is about: by its id, or the one begun with a card that the station has no id for."""
        if event.direct_id is not None:
            return books.sessions.get(event.direct_id, lock=True)
        session = books.sessions.open_at(event.evse_key, lock=True)
        return session if session is not None and session.local else None

    def _adopting(self, session: Session, command: Command | None) -> Command:
        """The station never heard the session's id, for example because the process died: tell it, then the rest."""

        def tell() -> None:
            self.keeper.stations.adopt(session.evse_key, session.direct_id)
            if command is not None:
                command()

        return tell

    def _charging(self, books: Books, session: Session, event: StationEvent) -> Command | None:
        if session.state not in (State.SELECTED, State.STARTING):
            return self._metered(books, session, event)
        started = dataclasses.replace(
            measured(session, event.reading),
            state=State.CHARGING,
            started_at=session.started_at or event.at,
            deadline=self.keeper.deadlines.of(State.CHARGING, self.keeper.clock()),
            told_at=event.at,
        )
        books.sessions.save(started)
        self.keeper.tell(books, started, DirectMessage.START)
        return None

    def _metered(self, books: Books, session: Session, event: StationEvent) -> Command | None:
        if not session.is_open or session.state is State.ENDED:
            # The station never heard that the session is over, for example because the process died in between.
            return lambda: self.keeper.stations.stop(session.evse_key, session.direct_id)
        if event.reading is None or session.state is not State.CHARGING:
            return None
        newer = measured(session, event.reading)
        if is_worth_telling(newer, event.reading, self.thresholds):
            self.keeper.tell(books, newer, DirectMessage.INFO)
            newer = dataclasses.replace(
                newer, told_energy=newer.energy, told_power=event.reading.power, told_at=event.at
            )
        books.sessions.save(newer)
        return None

    def _stopped(self, books: Books, session: Session, event: StationEvent) -> Command | None:
        is_of_the_last_charge = session.ended_at is not None and event.at <= session.ended_at
        if session.state in (State.STARTING, State.CHARGING) and is_of_the_last_charge:
            return None
        ended = self.keeper.finish_charge(books, session, event.reading)
        if not ended.direct and ended.state is State.ENDED:
            # Nobody is going to release it.
            self.keeper.close(books, ended, State.CLOSED)
        return None

    def _card(self, books: Books, event: StationEvent) -> Command | None:
        """A card started a charge: announced where a provider's endpoint answers for its contract.

        Elsewhere it is only billed, and one whose token is not known is left alone.
        """
        evse = self.keeper.stations.evse(event.evse_key)
        if evse is None or event.contract_id is None or event.direct_id is not None:
            return None
        direct = evse.direct and self.directory.resolve(event.contract_id, Role.PROVIDER, ORDER) is not None
        if not direct and event.token is None:
            return None
        session = Session(
            direct_id=new_direct_id(evse.evse_id),
            evse_id=evse.evse_id,
            evse_key=evse.key,
            contract_id=event.contract_id,
            state=State.STARTING,
            deadline=self.keeper.deadlines.of(State.STARTING, self.keeper.clock()),
            selected_at=event.at,
            local=True,
            direct=direct,
            token=event.token,
            live_auth_id=event.live_auth_id,
        )
        self._make_room(books, event)
        if books.sessions.open(session) is not None:
            return None
        return lambda: self.keeper.stations.adopt(evse.key, session.direct_id)

    def _make_room(self, books: Books, event: StationEvent) -> None:
        """A card that starts a charge shows that whoever charged there before has left."""
        holder = books.sessions.open_at(event.evse_key, lock=True)
        if holder is not None and holder.state is State.ENDED:
            self.keeper.close(books, holder, State.CLOSED)
