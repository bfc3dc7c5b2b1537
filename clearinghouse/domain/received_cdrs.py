"""The CDRs that a provider received: reviewed, decided by rules or by a person, and confirmed at the house."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from clearinghouse.domain.cdr_review import verdict_of
from clearinghouse.domain.cdrs import CdrKey, key_of
from clearinghouse.domain.errors import Conflict
from clearinghouse.domain.evidence import Finding, Verdict
from clearinghouse.ochp.cdrs import CdrInfo


class CdrStage(StrEnum):
    """Where a received CDR stands."""

    WAITING = "waiting"
    """A person has to decide."""
    APPROVING = "approving"
    DECLINING = "declining"
    """Decided; the house is to be told."""
    APPROVED = "approved"
    DECLINED = "declined"
    REFUSED = "refused"
    """The house did not take the decision: a person has to look, or the operator sends the CDR anew."""


class ReviewMove(StrEnum):
    """What can happen to a received CDR."""

    APPROVE = "approve"
    DECLINE = "decline"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    REPEAT = "repeat"
    """The house has it still as it was confirmed: the confirmation did not arrive."""


WAITING, APPROVING, DECLINING = CdrStage.WAITING, CdrStage.APPROVING, CdrStage.DECLINING
APPROVED, DECLINED, REFUSED = CdrStage.APPROVED, CdrStage.DECLINED, CdrStage.REFUSED

REVIEW_MOVES: dict[tuple[CdrStage, ReviewMove], CdrStage] = {
    (WAITING, ReviewMove.APPROVE): APPROVING,
    (WAITING, ReviewMove.DECLINE): DECLINING,
    (APPROVING, ReviewMove.DECLINE): DECLINING,
    (DECLINING, ReviewMove.APPROVE): APPROVING,
    (REFUSED, ReviewMove.APPROVE): APPROVING,
    (REFUSED, ReviewMove.DECLINE): DECLINING,
    (APPROVING, ReviewMove.CONFIRM): APPROVED,
    (DECLINING, ReviewMove.CONFIRM): DECLINED,
    (APPROVING, ReviewMove.REFUSE): REFUSED,
    (DECLINING, ReviewMove.REFUSE): REFUSED,
    (APPROVED, ReviewMove.REPEAT): APPROVING,
    (DECLINED, ReviewMove.REPEAT): DECLINING,
}
"""Every legal move: a decision may be changed until the house has it (OCHP 1.4, CDR Validation Process)."""

STAGE_AFTER = {Verdict.APPROVE: APPROVING, Verdict.WAIT: WAITING, Verdict.DECLINE: DECLINING}
RULES = "rules"
"""Who decided, where it was not a person."""


@dataclass(frozen=True, kw_only=True)
class ReviewNote:
    """One entry of a CDR's history: who did what, and why."""

    at: datetime
    actor: str
    what: str
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReceivedCdr:
    """A CDR addressed to this provider: `reason` is the latest word about it, `attempts` are failed confirmations."""

    number: int = 0
    info: CdrInfo
    stage: CdrStage
    findings: tuple[Finding, ...] = ()
    received_at: datetime
    changed_at: datetime
    attempts: int = 0
    reason: str | None = None
    history: tuple[ReviewNote, ...] = ()

    @property
    def cdr_id(self) -> str:
        """The CDR's id, unique within its EVSE."""
        return self.info.cdr_id

    @property
    def key(self) -> CdrKey:
        """What the CDR is known by."""
        return key_of(self.info)


def reviewed(info: CdrInfo, findings: tuple[Finding, ...], now: datetime, before: ReceivedCdr | None) -> ReceivedCdr:
    """A CDR as it came, new or changed, with what the rules say to it."""
    verdict = verdict_of(findings)
    reason = "; ".join(f"{each.rule}: {each.text}" for each in findings if each.verdict is verdict) or None
    came = ReviewNote(at=now, actor="operator", what=f"sent as {info.status}")
    decided = ReviewNote(at=now, actor=RULES, what=verdict.value, why=reason)
    return ReceivedCdr(
        number=before.number if before else 0,
        info=info,
        stage=STAGE_AFTER[verdict],
        findings=findings,
        received_at=before.received_at if before else now,
        changed_at=now,
        reason=reason,
        history=(*(before.history if before else ()), came, decided),
    )


def moved(cdr: ReceivedCdr, move: ReviewMove, now: datetime, actor: str, why: str | None = None) -> ReceivedCdr:
    """The CDR after a move. Raises Conflict where the move is not possible."""
    stage = REVIEW_MOVES.get((cdr.stage, move))
    if stage is None:
        raise Conflict(f"CDR {cdr.cdr_id} is {cdr.stage}: to {move} it is not possible")
    note = ReviewNote(at=now, actor=actor, what=move.value, why=why)
    reason = why if why is not None else cdr.reason
    return dataclasses.replace(
        cdr, stage=stage, changed_at=now, attempts=0, reason=reason, history=(*cdr.history, note)
    )
