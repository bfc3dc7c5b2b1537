"""AddCDRs: each CDR of an upload is judged by itself, and stored or returned as implausible.

One upload of a partner is worked on at a time, in the order of keys; so what a CDR is judged by does not change
meanwhile, and uploads and confirmations never wait for each other in a circle.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from clearinghouse.domain.cdr_case import AppliedTariff, Case, LiveAnswer, Neighbour, Relayed
from clearinghouse.domain.cdr_life import Move, after, is_repeat, upload_move
from clearinghouse.domain.cdrs import CdrChange, CdrKey, CdrRecord, key_of, neighbour, same_content
from clearinghouse.domain.partners import Partner
from clearinghouse.domain.plausibility import (
    BY_CODE,
    Finding,
    Severity,
    Strictness,
    judge,
    refusals,
    severities,
    told_operator,
)
from clearinghouse.ochp.cdrs import CdrInfo, CdrStatus
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tokens import TokenType
from clearinghouse.ochp.versions import V1_3, Version
from clearinghouse.services.cdrs_port import RoamingQuestion
from clearinghouse.services.ports import Books

BATCH = 500
"""CDRs that are judged by the same few questions to the store."""

TariffsOf = Callable[[Books, Sequence[CdrInfo]], Mapping[CdrKey, AppliedTariff]]
"""Finds the tariffs that applied to CDRs, where the house knows them."""


def no_tariffs(books: Books, cdrs: Sequence[CdrInfo]) -> Mapping[CdrKey, AppliedTariff]:
    """For a house that keeps no tariffs: prices are not checked, and a note says so."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Implausible:
    """A CDR that goes back, and why."""

    cdr: CdrInfo
    code: ResultCode
    text: str

    def __str__(self) -> str:
        return f"CDR {self.cdr.cdr_id} at {self.cdr.evse_id}: {self.text}"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A CDR that the house keeps, as it is from now on."""

    record: CdrRecord
    change: CdrChange

    @property
    def codes(self) -> list[str]:
        """The codes of the checks that found something in it."""
        return [each.code for each in self.record.findings]


Outcome = Stored | Implausible | None
"""None for a CDR that only repeats what the house has."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """CDRs that a partner sends at one time."""

    books: Books
    operator: Partner
    version: Version
    now: datetime
    tariffs_of: TariffsOf = no_tariffs

    def take(self, cdrs: Iterable[CdrInfo]) -> list[Outcome]:
        """Store what is plausible; what became of each CDR, in no particular order."""
        self.books.cdrs.take_turn(self.operator.name)
        firsts, outcomes = _once_each(cdrs)
        ordered = [firsts[key] for key in sorted(firsts)]
        for start in range(0, len(ordered), BATCH):
            outcomes += self._batch(ordered[start : start + BATCH])
        return outcomes

    @cached_property
    def _strictness(self) -> list[Strictness]:
        return self.books.cdr_evidence.strictness()

    def _batch(self, cdrs: Sequence[CdrInfo]) -> list[Outcome]:
        own = [each for each in cdrs if self._owns(each)]
        outcomes: list[Outcome] = [_foreign(each) for each in cdrs if not self._owns(each)]
        if own:
            surroundings = Surroundings.of(self, own)
            outcomes += [self._judged(each, surroundings) for each in own]
        stored = [each for each in outcomes if isinstance(each, Stored)]
        if stored:
            self.books.cdrs.put([each.record for each in stored], [each.change for each in stored])
        return outcomes

    def _owns(self, cdr: CdrInfo) -> bool:
        return party_id(cdr.evse_id) in self.operator.operator_ids

    def _judged(self, cdr: CdrInfo, surroundings: Surroundings) -> Outcome:
        """What becomes of a CDR of the operator's own EVSE."""
        known = surroundings.existing.get(key_of(cdr))
        state = known.info.status if known else None
        move = upload_move(self.version, cdr.status)
        if move is None:
            text = f"an operator may not set its status to {cdr.status} in OCHP {self.version.value}"
            return Implausible(cdr=cdr, code=ResultCode.FORMAT, text=text)
        nothing_new = known is not None and (move is Move.GIVE_UP or same_content(known.info, cdr))
        if nothing_new and is_repeat(state, move):
            return None
        to = after(state, move)
        if to is None:
            code = ResultCode.INVALID_ID if known is None else ResultCode.FORMAT
            return Implausible(cdr=cdr, code=code, text=_impossible(state, move))
        if known is not None and move is Move.GIVE_UP:
            surroundings.neighbours.pop(known.key, None)
            return self._stored(known.info, cdr, move, to, known, known.findings)
        findings = judge(surroundings.case(cdr), self._severities(cdr))
        if refused := refusals(findings):
            text = "; ".join(map(told_operator, refused))
            return Implausible(cdr=cdr, code=BY_CODE[refused[0].code].result, text=text)
        surroundings.add(cdr)
        return self._stored(cdr, cdr, move, to, known, findings)

    def _severities(self, cdr: CdrInfo) -> Mapping[str, Severity]:
        return severities(self._strictness, party_id(cdr.evse_id), party_id(cdr.contract_id))

    def _stored(
        self,
        kept: CdrInfo,
        sent: CdrInfo,
        move: Move,
        to: CdrStatus,
        known: CdrRecord | None,
        findings: tuple[Finding, ...],
    ) -> Stored:
        """The record from now on, and the line of its history."""
        gives_up = move is Move.GIVE_UP
        record = CdrRecord(
            info=dataclasses.replace(kept, status=to),
            version=known.version if known and gives_up else self.version,
            revision=known.revision + (not gives_up) if known else 0,
            findings=findings,
            uploaded_at=known.uploaded_at if known else self.now,
            changed_at=self.now,
        )
        change = CdrChange(
            **record.key._asdict(),
            at=self.now,
            actor=self.operator.name,
            move=move,
            before=known.info.status if known else None,
            after=to,
            revision=record.revision,
            version=self.version,
            sent=sent,
        )
        return Stored(record=record, change=change)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the house knows about the CDRs of a batch."""

    upload: Upload
    existing: Mapping[CdrKey, CdrRecord]
    roaming: set[RoamingQuestion]
    neighbours: dict[CdrKey, Neighbour]
    namesakes: dict[str, list[str]]
    relayed: Mapping[str, Relayed]
    live: Mapping[str, LiveAnswer]
    tariffs: Mapping[CdrKey, AppliedTariff]

    @classmethod
    def of(cls, upload: Upload, cdrs: Sequence[CdrInfo]) -> Surroundings:
        """Ask the store; what exists is locked."""
        evidence = upload.books.cdr_evidence
        existing = upload.books.cdrs.get([key_of(each) for each in cdrs], lock=True)
        remote = {each.emt_id.instance for each in cdrs if each.emt_id.token_type is TokenType.REMOTE}
        live = {each.live_auth_id for each in cdrs if each.live_auth_id}
        namesakes: defaultdict[str, list[str]] = defaultdict(list)
        for each in evidence.namesakes([each.cdr_id for each in cdrs], upload.operator.operator_ids):
            namesakes[each.cdr_id].append(each.evse_key)
        return cls(
            upload=upload,
            existing=existing,
            roaming=evidence.roaming({_question(each) for each in cdrs}, upload.now),
            neighbours={_key(each): each for each in evidence.neighbours([neighbour(each) for each in cdrs])},
            namesakes=namesakes,
            relayed=evidence.relayed(remote, upload.operator.name) if remote else {},
            live=evidence.answered(live, upload.operator.name) if live else {},
            tariffs=upload.tariffs_of(upload.books, cdrs),
        )

    def case(self, cdr: CdrInfo) -> Case:
        """Everything that a CDR is judged by."""
        key, about = key_of(cdr), neighbour(cdr)
        near = [
            each for each in self.neighbours.values() if about.token == each.token or about.evse_key == each.evse_key
        ]
        return Case(
            cdr=cdr,
            version=self.upload.version,
            own_ids=self.upload.operator.operator_ids,
            connected=_question(cdr) in self.roaming,
            now=self.upload.now,
            neighbours=tuple(each for each in near if _key(each) != key),
            namesakes=tuple(evse for evse in self.namesakes.get(cdr.cdr_id, ()) if evse != key.evse_key),
            relayed=self.relayed.get(cdr.emt_id.instance),
            live=self.live.get(cdr.live_auth_id or ""),
            tariff=self.tariffs.get(key),
        )

    def add(self, cdr: CdrInfo) -> None:
        """Let the next CDRs of the batch see this one."""
        about = neighbour(cdr)
        self.neighbours[_key(about)] = about
        if self.upload.version is not V1_3:
            self.namesakes.setdefault(about.cdr_id, []).append(about.evse_key)


def _key(about: Neighbour) -> CdrKey:
    return CdrKey(about.evse_key, about.cdr_id)


def _question(cdr: CdrInfo) -> RoamingQuestion:
    return party_id(cdr.evse_id), party_id(cdr.contract_id), cdr.start_date_time


def _foreign(cdr: CdrInfo) -> Implausible:
    return Implausible(cdr=cdr, code=ResultCode.INVALID_ID, text="the EVSE does not belong to the uploader")


def _impossible(state: CdrStatus | None, move: Move) -> str:
    if state is None:
        return "the house has no such CDR to give up"
    if move in (Move.SUBMIT, Move.RESUBMIT):
        return f"the house has a CDR of this id with other content, which is {state}; correct it by a revision"
    return f"it is {state}, so it cannot be {'given up' if move is Move.GIVE_UP else 'revised'}"


def _once_each(cdrs: Iterable[CdrInfo]) -> tuple[dict[CdrKey, CdrInfo], list[Outcome]]:
    """The first CDR of each key, and what becomes of the others: repeats are none, contradictions are implausible."""
    firsts: dict[CdrKey, CdrInfo] = {}
    others: list[Outcome] = []
    for cdr in cdrs:
        first = firsts.setdefault(key_of(cdr), cdr)
        if first is cdr:
            continue
        if first.status is cdr.status and same_content(first, cdr):
            others.append(None)
        else:
            text = "it is given twice in this upload, and not the same; the first counts"
            others.append(Implausible(cdr=cdr, code=ResultCode.FORMAT, text=text))
    return firsts, others
