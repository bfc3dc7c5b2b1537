"""What an operator and a driver can do at an EVSE: the state before in, the state after and the reports out."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from clearinghouse.domain.errors import Conflict, EvseUnavailable
from clearinghouse.domain.sessions import NO_LIMITS, Limits
from clearinghouse.ochp.identifiers import contract_key
from clearinghouse.services.stations_port import Evse, StationEventKind
from clearinghouse.stations.physics import NOTHING, Car, is_dc
from clearinghouse.stations.state import (
    RUNNING,
    Card,
    EvseState,
    Outcome,
    Phase,
    StopReason,
    begun,
    report,
    stopped,
    vacated,
)


class NotPossible(Conflict):
    """The driver wants what cannot be done at this EVSE as it is; the text tells why."""


IN_USE = {
    Phase.RESERVED: "it is reserved for somebody else",
    Phase.READY: "it waits for another driver's car",
    Phase.CHARGING: "it is charging",
    Phase.FINISHED: "the cable of the last charge is still plugged in",
}

# -- Limits -----------------------------------------------------------------------------------------------------


def not_applicable(limits: Limits, evse: Evse) -> tuple[str, ...]:
    """The names of stated limits that this EVSE cannot keep: it plans nothing, and direct current has no phases."""
    asked = {
        "one_phase": is_dc(evse) and limits.one_phase is True,
        "min_energy": limits.min_energy is not None,
        "departure": limits.departure is not None,
    }
    return tuple(name for name, is_asked in asked.items() if is_asked)


def stated(limits: Limits) -> tuple[str, ...]:
    """The names of all limits that say something."""
    return tuple(item.name for item in dataclasses.fields(limits) if getattr(limits, item.name) is not None)


# -- The operator -----------------------------------------------------------------------------------------------


def reserved(at: datetime, contract_id: str, direct_id: str, until: datetime) -> EvseState:
    """An EVSE that was idle and is now kept for a session; the meter is not known here."""
    return EvseState(at=at, phase=Phase.RESERVED, contract_id=contract_id, direct_id=direct_id, until=until)


def reserve(state: EvseState, contract_id: str, direct_id: str, until: datetime) -> Outcome:
    """Keep the EVSE for a session, or keep it longer. Raises EvseUnavailable.

    A car may be there already: one that came unannounced, or the same contract's after its last charge.
    """
    _must_be_in_order(state)
    is_own = state.phase is Phase.RESERVED and state.direct_id == direct_id
    is_again = state.phase is Phase.FINISHED and _is_of(state, contract_id)
    if state.phase is not Phase.IDLE and not is_own and not is_again:
        raise EvseUnavailable(IN_USE[state.phase])
    fresh = reserved(state.at, contract_id, direct_id, until)
    return dataclasses.replace(fresh, meter=state.meter, car=state.car), ()


def cancel(state: EvseState, direct_id: str) -> Outcome:
    """Drop the reservation of this session, also where it was told to start and no car came."""
    is_held = state.phase in (Phase.RESERVED, Phase.READY) and state.direct_id == direct_id
    return (vacated(state) if is_held else state), ()


def start(state: EvseState, evse: Evse, direct_id: str, limits: Limits) -> Outcome:
    """Authorise the session: charge at once where a car is plugged in. Raises EvseUnavailable.

    A session that runs already takes the limits; one that ended may go on, and its energy counts further.
    """
    _must_be_in_order(state)
    is_own = state.direct_id == direct_id
    if state.phase is not Phase.IDLE and not is_own:
        raise EvseUnavailable(IN_USE[state.phase])
    if state.phase in RUNNING:
        return limit(state, direct_id, limits)
    contract_id, energy = (state.contract_id, state.energy) if is_own else (None, NOTHING)
    ready = dataclasses.replace(
        state,
        phase=Phase.READY,
        contract_id=contract_id,
        direct_id=direct_id,
        until=None,
        limits=limits,
        energy=energy,
    )
    return (ready, ()) if state.car is None else begun(ready, evse)


def limit(state: EvseState, direct_id: str, limits: Limits) -> Outcome:
    """Put limits over those of the session, if it runs."""
    if not state.runs(direct_id):
        return state, ()
    return dataclasses.replace(state, limits=state.limits.merged(limits)), ()


def stop(state: EvseState, evse: Evse, direct_id: str) -> Outcome:
    """End the session's charge, if it runs."""
    return stopped(state, evse, StopReason.ASKED) if state.runs(direct_id) else (state, ())


def adopt(state: EvseState, direct_id: str) -> Outcome:
    """Give a charge that was begun with a card the operator's name for it."""
    is_local = state.phase in (Phase.CHARGING, Phase.FINISHED) and state.direct_id is None
    return (dataclasses.replace(state, direct_id=direct_id) if is_local else state), ()


# -- The driver -------------------------------------------------------------------------------------------------


def plug(state: EvseState, evse: Evse, car: Car) -> Outcome:
    """Plug a car in; it charges at once where the EVSE waits for it. Raises EvseUnavailable and NotPossible."""
    _must_be_in_order(state)
    if state.car is not None:
        raise NotPossible(f"{evse.evse_id}: a car is plugged in already")
    if is_dc(evse) and car.max_dc_power is None:
        raise NotPossible(f"{evse.evse_id} gives direct current, which this car does not take")
    plugged = dataclasses.replace(state, car=car)
    return begun(plugged, evse) if state.phase is Phase.READY else (plugged, ())


def unplug(state: EvseState, evse: Evse) -> Outcome:
    """Take the cable out, which always works and ends a charge. Raises NotPossible where there is no car."""
    if state.car is None:
        raise NotPossible(f"{evse.evse_id}: no car is plugged in")
    empty = dataclasses.replace(state, car=None)
    if state.phase is Phase.CHARGING:
        return stopped(empty, evse, StopReason.UNPLUGGED)
    return (vacated(empty) if state.phase is Phase.FINISHED else empty), ()


def present_card(state: EvseState, evse: Evse, contract_id: str, car: Car | None, held: Card | None = None) -> Outcome:
    """Start a charge at the station with a card, for the car given or the one that is there already.

    A reservation is also good for the cards of its contract (OCHP-direct 0.2, SelectEvse): the charge then
    belongs to that session. Raises EvseUnavailable and NotPossible.
    """
    _must_be_in_order(state)
    if state.phase in RUNNING or (state.phase is not Phase.IDLE and not _is_of(state, contract_id)):
        raise EvseUnavailable(IN_USE[state.phase])
    if car is not None:
        state, _ = plug(state, evse, car)
    if state.car is None:
        raise NotPossible(f"{evse.evse_id}: a card starts nothing until a car is plugged in")
    direct_id = state.direct_id if state.phase is Phase.RESERVED else None
    local = dataclasses.replace(
        state, contract_id=contract_id, direct_id=direct_id, card=held, until=None, limits=NO_LIMITS, energy=NOTHING
    )
    card = report(local, evse, StationEventKind.CARD)
    local, events = begun(local, evse)
    return local, (card, *events)


def fault(state: EvseState, evse: Evse, text: str) -> Outcome:
    """Put the EVSE out of order, which ends what runs there."""
    if not text:
        raise NotPossible("a fault has a description")
    broken = dataclasses.replace(state, fault=text)
    return stopped(broken, evse, StopReason.FAULT) if state.phase in RUNNING else (broken, ())


def clear_fault(state: EvseState, evse: Evse) -> Outcome:
    """Put the EVSE in order again. Raises NotPossible where it is."""
    if state.fault is None:
        raise NotPossible(f"{evse.evse_id} has no fault")
    return dataclasses.replace(state, fault=None), ()


def _must_be_in_order(state: EvseState) -> None:
    if state.fault is not None:
        raise EvseUnavailable(f"it is out of order: {state.fault}")


def _is_of(state: EvseState, contract_id: str) -> bool:
    return state.contract_id is not None and contract_key(state.contract_id) == contract_key(contract_id)
