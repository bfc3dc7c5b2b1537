"""The direct session as the operator keeps it: states, moves and deadlines (OCHP-direct 0.2, basic process)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from clearinghouse.ochp.results import DirectResultCode
from clearinghouse.ochp.tokens import EmtId


class State(StrEnum):
    """Where a session stands."""

    SELECTED = "selected"
    STARTING = "starting"
    CHARGING = "charging"
    ENDED = "ended"
    CLOSED = "closed"
    EXPIRED = "expired"


OPEN = frozenset({State.SELECTED, State.STARTING, State.CHARGING, State.ENDED})
"""States in which the session holds its EVSE."""


class Move(StrEnum):
    """What can happen to a session: asked by the provider, told by the station, or a deadline that passed."""

    START = "start"
    CONNECT = "connect"
    CHANGE = "change"
    END = "end"
    RELEASE = "release"
    STOP = "stop"
    TIME_OUT = "time-out"


TRANSITIONS: dict[tuple[State, Move], State] = {
    (State.SELECTED, Move.START): State.STARTING,
    (State.SELECTED, Move.RELEASE): State.CLOSED,
    (State.SELECTED, Move.TIME_OUT): State.EXPIRED,
    (State.STARTING, Move.START): State.STARTING,
    (State.STARTING, Move.CHANGE): State.STARTING,
    (State.STARTING, Move.CONNECT): State.CHARGING,
    (State.STARTING, Move.END): State.ENDED,
    (State.STARTING, Move.STOP): State.ENDED,
    (State.STARTING, Move.RELEASE): State.CLOSED,
    (State.STARTING, Move.TIME_OUT): State.EXPIRED,
    (State.CHARGING, Move.CHANGE): State.CHARGING,
    (State.CHARGING, Move.START): State.CHARGING,
    (State.CHARGING, Move.END): State.ENDED,
    (State.CHARGING, Move.STOP): State.ENDED,
    (State.CHARGING, Move.RELEASE): State.CLOSED,
    (State.CHARGING, Move.TIME_OUT): State.ENDED,
    (State.ENDED, Move.START): State.STARTING,
    (State.ENDED, Move.END): State.ENDED,
    (State.ENDED, Move.STOP): State.ENDED,
    (State.ENDED, Move.RELEASE): State.CLOSED,
    (State.ENDED, Move.TIME_OUT): State.CLOSED,
}
"""Every legal move. What is not here is answered `partly` while the session is open, `invalid-id` after."""


def next_state(state: State, move: Move) -> State | None:
    """The state after a move, or None where the move is not possible."""
    return TRANSITIONS.get((state, move))


def answer_to(state: State, move: Move) -> DirectResultCode:
    """What the provider is told of a move that it asks for, as far as the state decides it."""
    if (state, move) in TRANSITIONS:
        return DirectResultCode.OK
    return DirectResultCode.PARTLY if state in OPEN else DirectResultCode.INVALID_ID


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the provider allows: kW, A, kWh; None is not limited. The lower of power and current holds."""

    max_power: Decimal | None = None
    max_current: Decimal | None = None
    one_phase: bool | None = None
    max_energy: Decimal | None = None
    min_energy: Decimal | None = None
    departure: datetime | None = None

    def merged(self, newer: Limits) -> Limits:
        """These limits with what `newer` states put over them."""
        stated = {f.name: v for f in dataclasses.fields(newer) if (v := getattr(newer, f.name)) is not None}
        return dataclasses.replace(self, **stated)


NO_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """How long each state may last."""

    selection: timedelta = timedelta(minutes=5)
    longest_reservation: timedelta = timedelta(minutes=30)
    plug_in: timedelta = timedelta(minutes=5)
    session: timedelta = timedelta(hours=24)
    after_end: timedelta = timedelta(minutes=15)

    def of(self, state: State, now: datetime) -> datetime | None:
        """When a state entered now will time out."""
        spans = {
            State.SELECTED: self.selection,
            State.STARTING: self.plug_in,
            State.CHARGING: self.session,
            State.ENDED: self.after_end,
        }
        return now + spans[state] if state in spans else None

    def reservation(self, now: datetime, until: datetime | None, longest: timedelta | None = None) -> datetime:
        """The time granted for a selection: as asked, or the longest that the operator or this EVSE (`longest`) gives.

        Where nothing is asked, or a time that has passed, it is the time to start in.
        """
        if until is None or until <= now:
            return now + self.selection
        return min(until, now + (self.longest_reservation if longest is None else longest))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a station measured: the meter in kWh, the power in kW, at an instant."""

    meter: Decimal
    power: Decimal
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Session:
    """One charging process at one EVSE for one contract.

    `evse_id` is spelled as the operator's own data spells it. `told_energy`, `told_power` and `told_at` are what the
    provider was last informed of; `local` sessions were started at the station, with a card (`token`) perhaps. Of those
    that are not `direct` nobody is told. `live_auth_id` is what the house said to the card (1.3). A charge may begin
    once more after it `ended_at` some instant.
    """

    direct_id: str
    evse_id: str
    evse_key: str
    contract_id: str
    state: State
    deadline: datetime | None = None
    selected_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    limits: Limits = NO_LIMITS
    meter_start: Decimal | None = None
    reading: Reading | None = None
    told_energy: Decimal = Decimal(0)
    told_power: Decimal = Decimal(0)
    told_at: datetime | None = None
    local: bool = False
    direct: bool = True
    token: EmtId | None = field(default=None, repr=False)
    live_auth_id: str | None = None

    @property
    def energy(self) -> Decimal:
        """The energy charged so far, in kWh."""
        if self.reading is None or self.meter_start is None:
            return Decimal(0)
        return self.reading.meter - self.meter_start

    @property
    def is_open(self) -> bool:
        """Whether the session still holds its EVSE."""
        return self.state in OPEN
