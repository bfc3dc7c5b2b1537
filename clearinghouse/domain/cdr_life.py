"""The life of a CDR between operator, house and provider, as one table.

A plausible new CDR is accepted at once, so the house keeps none as `new` (OCHP 1.4, CDR Validation Process).
"""

from __future__ import annotations

from enum import StrEnum

from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.versions import V1_3, Version

State = CdrStatus | None
"""Where a CDR stands; None while the house knows none of its id."""


class Move(StrEnum):
    """What somebody does to a CDR."""

    SUBMIT = "submit"
    """The operator uploads it as new, in a version that can say `revised`."""
    RESUBMIT = "resubmit"
    """The operator uploads it as new in 1.3, where a corrected CDR looks like a new one."""
    REVISE = "revise"
    GIVE_UP = "give up"
    """The operator takes back a claim that was declined."""
    APPROVE = "approve"
    DECLINE = "decline"
    UPHOLD = "uphold"
    """The house's people find, after talking to both, that a declined CDR is right (OCHP 1.3)."""
    DISMISS = "dismiss"
    """The house's people find that it is wrong."""


UNKNOWN: State = None
ACCEPTED, REVISED = CdrStatus.ACCEPTED, CdrStatus.REVISED
DECLINED, APPROVED, REJECTED = CdrStatus.DECLINED, CdrStatus.APPROVED, CdrStatus.REJECTED
STATES = (UNKNOWN, ACCEPTED, REVISED, DECLINED, APPROVED, REJECTED)

WAITING = frozenset({ACCEPTED, REVISED})
"""States in which the provider has to decide: its queue."""
FINAL = frozenset({APPROVED, REJECTED})
DECISIONS = {Move.APPROVE: APPROVED, Move.DECLINE: DECLINED}
"""What a provider decides, and the state of a CDR for which it has decided so already."""

MOVES: dict[tuple[State, Move], CdrStatus] = {
    (UNKNOWN, Move.SUBMIT): ACCEPTED,
    (UNKNOWN, Move.RESUBMIT): ACCEPTED,
    (UNKNOWN, Move.REVISE): ACCEPTED,  # some operators call every upload revised
    (ACCEPTED, Move.REVISE): REVISED,
    (ACCEPTED, Move.APPROVE): APPROVED,
    (ACCEPTED, Move.DECLINE): DECLINED,
    (REVISED, Move.REVISE): REVISED,
    (REVISED, Move.APPROVE): APPROVED,
    (REVISED, Move.DECLINE): DECLINED,
    (DECLINED, Move.REVISE): REVISED,
    (DECLINED, Move.RESUBMIT): REVISED,
    (DECLINED, Move.GIVE_UP): REJECTED,
    (DECLINED, Move.UPHOLD): APPROVED,
    (DECLINED, Move.DISMISS): REJECTED,
}
"""Every legal move; a pair that is not here is refused."""

UPLOADS: dict[tuple[bool, CdrStatus], Move] = {
    (True, CdrStatus.NEW): Move.RESUBMIT,
    (False, CdrStatus.NEW): Move.SUBMIT,
    (False, CdrStatus.REVISED): Move.REVISE,
    (False, CdrStatus.REJECTED): Move.GIVE_UP,
}
"""What an operator means by the status of an upload, in 1.3 (True) and later; partners set no other status."""


def after(state: State, move: Move) -> CdrStatus | None:
    """The state that a move leads to, or None where it is not allowed."""
    return MOVES.get((state, move))


def upload_move(version: Version, status: CdrStatus) -> Move | None:
    """What an upload with this status means, or None where an operator may not set it."""
    return UPLOADS.get((version is V1_3, status))


def is_repeat(state: State, move: Move) -> bool:
    """Whether the move, with content that the house has already, only says again what has happened.

    An upload with nothing new is one, unless it answers a refusal: to revise a declined CDR without a change is to
    insist on it, and to give it up changes its state.
    """
    if state is UNKNOWN:
        return False
    if move in DECISIONS:
        return state is DECISIONS[move]
    if move is Move.GIVE_UP:
        return state is REJECTED
    if move is Move.REVISE:
        return state in (ACCEPTED, REVISED, APPROVED)
    return move in (Move.SUBMIT, Move.RESUBMIT)
