"""A CDR as the house keeps it: the record, where it stands, and what happened to it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from clearinghouse.domain.cdr_case import Neighbour, token_key
from clearinghouse.domain.cdr_life import Move, after
from clearinghouse.domain.plausibility import Finding, flags
from clearinghouse.ochp.cdrs import CdrInfo, CdrReference, CdrStatus
from clearinghouse.ochp.identifiers import contract_key, evse_key, party_id
from clearinghouse.ochp.tokens import TokenType
from clearinghouse.ochp.versions import Version

MONTH = "%Y-%m"


class CdrKey(NamedTuple):
    """What names a CDR: ids of 1.3 are unique within an EVSE only."""

    evse_key: str
    cdr_id: str


def key_of(cdr: CdrInfo | CdrReference) -> CdrKey:
    """The key of a CDR that a message holds or refers to."""
    return CdrKey(evse_key(cdr.evse_id) or cdr.evse_id, cdr.cdr_id)


def same_content(one: CdrInfo, other: CdrInfo) -> bool:
    """Whether two CDRs say the same, however they spell EVSE and contract, and whatever their status."""
    return _plainly(one) == _plainly(other)


def _plainly(cdr: CdrInfo) -> CdrInfo:
    return dataclasses.replace(
        cdr,
        evse_id=key_of(cdr).evse_key,
        contract_id=contract_key(cdr.contract_id),
        status=CdrStatus.NEW,
    )


@dataclass(frozen=True, kw_only=True)
class CdrRecord:
    """A CDR, of which `info.status` tells where it stands now."""

    info: CdrInfo
    version: Version
    """The dialect in which its operator sent it."""
    revision: int = 0
    """How often it was revised."""
    shown: int | None = None
    """The newest revision that the provider has downloaded."""
    findings: tuple[Finding, ...] = ()
    uploaded_at: datetime
    changed_at: datetime

    @property
    def key(self) -> CdrKey:
        """What names it."""
        return key_of(self.info)

    @property
    def operator_id(self) -> str:
        """The party that is paid."""
        return party_id(self.info.evse_id)

    @property
    def provider_id(self) -> str:
        """The party that pays."""
        return party_id(self.info.contract_id)

    @property
    def direct_id(self) -> str | None:
        """The direct session that it is about, if any (OCHP-direct: token type remote, instance the direct id)."""
        token = self.info.emt_id
        return token.instance if token.token_type is TokenType.REMOTE else None

    @property
    def month(self) -> str:
        """The month in which the charge ended, by the clock on the charge point's wall."""
        return self.info.end_date_time.strftime(MONTH)

    @property
    def flags(self) -> tuple[str, ...]:
        """The codes of the checks for which people should look at it."""
        return tuple(each.code for each in flags(self.findings))

    @property
    def is_known_to_provider(self) -> bool:
        """Whether the provider has seen it as it is, as far as a decision asks for that: since it was revised."""
        return self.revision == 0 or self.shown == self.revision


def neighbour(cdr: CdrInfo) -> Neighbour:
    """A CDR as others see it that may overlap."""
    evse, cdr_id = key_of(cdr)
    return Neighbour(
        evse_key=evse,
        cdr_id=cdr_id,
        token=token_key(cdr.emt_id),
        started_at=cdr.start_date_time,
        ended_at=cdr.end_date_time,
    )


@dataclass(frozen=True, kw_only=True)
class CdrChange:
    """A line of a CDR's history: who did what to it, when, and why; and the CDR as it was sent, where one was."""

    evse_key: str
    cdr_id: str
    at: datetime
    actor: str
    move: Move
    before: CdrStatus | None
    after: CdrStatus
    revision: int
    why: str | None = None
    version: Version | None = None
    sent: CdrInfo | None = None


@dataclass(frozen=True, kw_only=True)
class LostSession:
    """A direct session that the house relayed and that may have charged, for which no CDR came."""

    direct_id: str
    operator: str
    provider: str
    evse_id: str
    contract_id: str
    begun_at: datetime


def moved(
    record: CdrRecord, move: Move, at: datetime, actor: str, why: str | None = None
) -> tuple[CdrRecord, CdrChange] | None:
    """The record after a move that leaves its content alone, and the line for its history; None where not allowed."""
    to = after(record.info.status, move)
    if to is None:
        return None
    changed = dataclasses.replace(record, info=dataclasses.replace(record.info, status=to), changed_at=at)
    change = CdrChange(
        **record.key._asdict(),
        at=at,
        actor=actor,
        move=move,
        before=record.info.status,
        after=to,
        revision=record.revision,
        why=why,
    )
    return changed, change
