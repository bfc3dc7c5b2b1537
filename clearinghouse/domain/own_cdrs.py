"""The CDRs of an operator on their way through the house: waiting, sent, declined, revised, settled."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from clearinghouse.domain.billing import bill, cost
from clearinghouse.domain.errors import Conflict
from clearinghouse.ochp.cdrs import BillingItem, CdrInfo, CdrStatus


class OwnCdrState(StrEnum):
    """Where a CDR stands, as far as the operator knows."""

    QUEUED = "queued"
    """To be uploaded with the status that it has."""
    SENT = "sent"
    IMPLAUSIBLE = "implausible"
    """The house did not take it: a person has to look."""
    DECLINED = "declined"
    """The provider did not take it: a person has to look."""
    APPROVED = "approved"
    REJECTED = "rejected"
    """The operator gave the claim up."""


class CdrMove(StrEnum):
    """What can happen to a CDR: answers of the house, decisions of the provider, and of the own people."""

    TAKE = "take"
    REFUSE = "refuse"
    DECLINE = "decline"
    APPROVE = "approve"
    REVISE = "revise"
    GIVE_UP = "give up"


QUEUED, SENT, IMPLAUSIBLE = OwnCdrState.QUEUED, OwnCdrState.SENT, OwnCdrState.IMPLAUSIBLE
DECLINED, APPROVED, REJECTED = OwnCdrState.DECLINED, OwnCdrState.APPROVED, OwnCdrState.REJECTED

OWN_CDR_MOVES: dict[tuple[OwnCdrState, CdrMove], OwnCdrState] = {
    (QUEUED, CdrMove.TAKE): SENT,
    (QUEUED, CdrMove.REFUSE): IMPLAUSIBLE,
    (SENT, CdrMove.DECLINE): DECLINED,
    (SENT, CdrMove.APPROVE): APPROVED,
    (SENT, CdrMove.REVISE): QUEUED,
    (IMPLAUSIBLE, CdrMove.REVISE): QUEUED,
    (IMPLAUSIBLE, CdrMove.GIVE_UP): REJECTED,
    (DECLINED, CdrMove.REVISE): QUEUED,
    (DECLINED, CdrMove.GIVE_UP): QUEUED,
    (DECLINED, CdrMove.APPROVE): APPROVED,
}
"""Every legal move (OCHP 1.4, CDR Validation Process). A claim given up is told to the house where it knows of it."""


@dataclass(frozen=True, kw_only=True)
class OwnCdr:
    """A CDR of this operator. `reason` is what the house said to it last; `taken_at` when it first took it."""

    number: int = 0
    info: CdrInfo
    state: OwnCdrState = QUEUED
    direct_id: str | None = None
    created_at: datetime
    changed_at: datetime
    attempts: int = 0
    taken_at: datetime | None = None
    reason: str | None = None

    @property
    def cdr_id(self) -> str:
        """The CDR's id."""
        return self.info.cdr_id


def moved(cdr: OwnCdr, move: CdrMove, now: datetime, reason: str | None = None) -> OwnCdr:
    """The CDR after a move. Raises Conflict where the move is not possible."""
    state = OWN_CDR_MOVES.get((cdr.state, move))
    if state is None:
        raise Conflict(f"CDR {cdr.cdr_id} is {cdr.state}: to {move} it is not possible")
    return dataclasses.replace(cdr, state=state, changed_at=now, attempts=0, reason=reason)


def taken(cdr: OwnCdr, now: datetime) -> OwnCdr:
    """The house took the CDR, or took note that it is given up."""
    after = dataclasses.replace(moved(cdr, CdrMove.TAKE, now), taken_at=cdr.taken_at or now)
    given_up = cdr.info.status is CdrStatus.REJECTED
    return dataclasses.replace(after, state=REJECTED) if given_up else after


def revised(cdr: OwnCdr, prices: Mapping[BillingItem, Decimal], now: datetime) -> OwnCdr:
    """The CDR with new prices, to be uploaded again: as revised if the house has it, else as new.

    Raises Conflict where it may not be revised, and where it bills nothing of an item.
    """
    absent = prices.keys() - {each.billing_item for each in cdr.info.charging_periods}
    if absent:
        raise Conflict(f"CDR {cdr.cdr_id} bills no {', '.join(sorted(absent))}")
    periods = tuple(
        dataclasses.replace(each, item_price=price, period_cost=cost(each.billing_value, price))
        for each in cdr.info.charging_periods
        for price in (prices.get(each.billing_item, each.item_price),)
    )
    status = CdrStatus.REVISED if cdr.taken_at else CdrStatus.NEW
    total = bill(periods, cdr.info.currency).cost
    info = dataclasses.replace(cdr.info, charging_periods=periods, total_cost=total, status=status)
    return dataclasses.replace(moved(cdr, CdrMove.REVISE, now, cdr.reason), info=info)


def given_up(cdr: OwnCdr, now: datetime) -> OwnCdr:
    """The operator drops its claim; the house is told where it has the CDR. Raises Conflict."""
    after = moved(cdr, CdrMove.GIVE_UP, now, cdr.reason)
    if cdr.taken_at is None:
        return dataclasses.replace(after, state=REJECTED)
    return dataclasses.replace(after, info=dataclasses.replace(cdr.info, status=CdrStatus.REJECTED))
