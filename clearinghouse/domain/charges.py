"""A charge as the provider keeps it: what its customer asked for and what the operator told about it since."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from clearinghouse.domain.sessions import NO_LIMITS, Limits
from clearinghouse.ochp.direct import DirectMessage, DirectOperation, InformProviderMessage
from clearinghouse.ochp.identifiers import contract_key, evse_key
from clearinghouse.ochp.plain import to_plain


class ChargeState(StrEnum):
    """Where a charge stands, as far as the provider knows, in the order in which the states follow one another."""

    REQUESTED = "requested"
    SELECTED = "selected"
    STARTING = "starting"
    CHARGING = "charging"
    ENDED = "ended"
    RELEASED = "released"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One charge of one customer. `direct_id` is absent until the operator selected the EVSE."""

    id: str
    evse_id: str
    contract_id: str
    state: ChargeState
    created_at: datetime
    changed_at: datetime
    direct_id: str | None = None
    operator: str | None = None
    ttl: datetime | None = None
    limits: Limits = NO_LIMITS
    energy: Decimal | None = None
    power: Decimal | None = None
    meter: Decimal | None = None
    cost: Decimal | None = None
    currency: str | None = None
    announced: bool = False
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChargeEvent:
    """One entry of a charge's history: `number` rises over the whole store, so readers resume by it."""

    number: int
    charge_id: str
    at: datetime
    kind: str
    detail: dict[str, object]


# -- What calls and messages do to a charge ---------------------------------------------------------------------

STATE_AFTER = {DirectOperation.START: ChargeState.STARTING, DirectOperation.END: ChargeState.ENDED}
"""The state that a control which the operator accepted puts the charge in."""

STATE_OF = {
    DirectMessage.START: ChargeState.CHARGING,
    DirectMessage.END: ChargeState.ENDED,
    DirectMessage.FINISH: ChargeState.FINISHED,
}
"""The state that a message puts the charge in; `change` and `info` leave it."""

OVER = frozenset({ChargeState.ENDED, ChargeState.RELEASED, ChargeState.FINISHED})
PROGRESS = [*ChargeState]


def later(state: ChargeState, candidate: ChargeState | None) -> ChargeState:
    """The state after a message: one that comes late never takes a charge back."""
    if candidate is None or PROGRESS.index(candidate) < PROGRESS.index(state):
        return state
    return candidate


def after_call(state: ChargeState, candidate: ChargeState | None) -> ChargeState:
    """The state after a call of the provider: it may begin an ended charge once more.

    A charge fails only before anything is known of it from the operator.
    """
    if candidate is ChargeState.FAILED and state is not ChargeState.REQUESTED:
        return state
    if candidate is ChargeState.STARTING and state is ChargeState.ENDED:
        return candidate
    return later(state, candidate)


def is_about(request: InformProviderMessage, charge: Charge) -> bool:
    """Whether a message names the charge's EVSE and contract, in any spelling."""
    is_its_contract = contract_key(charge.contract_id) == contract_key(request.contract_id)
    return is_its_contract and evse_key(charge.evse_id) == evse_key(request.evse_id)


def distinction(request: InformProviderMessage) -> str:
    """What tells two messages of one kind about a session apart; a message sent again has the same.

    For start, end and finish it is the meter's time. What informs or changes may come more often than the meter is
    read, and in 0.1 without a reading: there it is the content.
    """
    if request.message in STATE_OF:
        return request.meter_reading.meter_time.isoformat() if request.meter_reading else ""
    plain = json.dumps(to_plain(request), sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def told(charge: Charge, request: InformProviderMessage, now: datetime) -> Charge:
    """The charge with what a message tells; values that were overtaken on their way change nothing."""
    reading = request.meter_reading
    known: dict[str, Any] = {
        "ttl": request.ttl,
        "energy": request.charged_energy,
        "power": request.current_power,
        "meter": reading.meter_value if reading else None,
        "cost": request.current_cost,
        "currency": request.currency,
    }
    is_stale = request.message not in STATE_OF and _is_overtaken(charge, request)
    stated = {} if is_stale else {name: value for name, value in known.items() if value is not None}
    state = later(charge.state, STATE_OF.get(request.message))
    return dataclasses.replace(charge, state=state, changed_at=now, **stated)


def _is_overtaken(charge: Charge, request: InformProviderMessage) -> bool:
    if charge.state in OVER:
        return True
    return charge.energy is not None and request.charged_energy is not None and request.charged_energy < charge.energy
