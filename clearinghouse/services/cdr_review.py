"""The CDRs of a provider: downloaded, judged by rules and people, and confirmed at the house until it took note."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from clearinghouse.domain.cdr_review import AS_THE_TABLE_SAYS, Policy, review
from clearinghouse.domain.cdrs import CdrKey, key_of
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import Conflict, PartnerFailed, UnknownId
from clearinghouse.domain.evidence import EXACTLY_ENOUGH, Evidence, Tolerances, is_direct
from clearinghouse.domain.received_cdrs import RULES, CdrStage, ReceivedCdr, ReviewMove, moved, reviewed
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import CdrInfo, CdrReference, ConfirmCdrsRequest, GetCdrsRequest
from clearinghouse.ochp.identifiers import evse_key, tariff_key
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.versions import V1_3
from clearinghouse.services.clearing_line import ClearingLine, HouseRefused
from clearinghouse.services.ports import Books, Store

AT_ONCE = 100
NOBODY = frozenset({ResultCode.ROAMING})
UNSAYABLE = "it cannot be said in the dialect spoken with the house"
ABOUT_THE_CDRS = frozenset({ResultCode.PARTLY, ResultCode.FORMAT, ResultCode.INVALID_ID})
"""Answers that are about some CDR of a confirmation: the others are told apart by sending each alone."""
CONFIRMED = {CdrStage.APPROVING: "approved", CdrStage.DECLINING: "declined"}
HOUSE = "house"


@dataclass(frozen=True)
class CdrReview:
    """Keeps the received CDRs moving; `policy` and `within` are how strict the rules are."""

    store: Store
    line: ClearingLine
    clock: Clock
    provider_ids: frozenset[str]
    policy: Policy = field(default_factory=lambda: AS_THE_TABLE_SAYS)
    within: Tolerances = EXACTLY_ENOUGH

    @property
    def chores(self) -> Mapping[Chore, Callable[[], str]]:
        """What is to be kept up, and what does it."""
        return {Chore.GET_CDRS: self.download, Chore.CONFIRM_CDRS: self.confirm}

    def wanted(self) -> frozenset[Chore]:
        """Whether there are decisions that the house does not know."""
        with self.store.single() as books:
            waiting = books.received_cdrs.queue(1)
        return frozenset({Chore.CONFIRM_CDRS}) if waiting else frozenset()

    def download(self) -> str:
        """Fetch what was not confirmed yet and judge it. Raises PartnerFailed."""
        answer = self.line.ask(op.GET_CDRS, GetCdrsRequest(), NOBODY)
        news = 0
        for info in answer.cdr_info_array:
            with self.store.books() as books:
                news += self._received(books, info)
        return f"{len(answer.cdr_info_array)} CDRs, {news} of them new or changed"

    def confirm(self) -> str:
        """Tell the house every decision. Raises PartnerFailed, after which the rest goes on waiting."""
        count = after = 0
        while True:
            with self.store.single() as books:
                cdrs = books.received_cdrs.queue(AT_ONCE, after)
            if not cdrs:
                return f"{count} CDRs"
            self._send(cdrs)
            count, after = count + len(cdrs), cdrs[-1].number

    # -- What the own people do ----------------------------------------------------------------------------------

    def find(
        self,
        stages: Collection[CdrStage] = (),
        *,
        operator_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[ReceivedCdr]:
        """The newest CDRs of these stages and this operator, or of all."""
        with self.store.single() as books:
            return books.received_cdrs.find(stages, operator_id=operator_id, limit=limit, before=before)

    def get(self, cdr_id: str, evse_id: str | None = None) -> ReceivedCdr:
        """The CDR. Raises UnknownId, and Conflict where several EVSEs have one of this id."""
        with self.store.single() as books:
            return _one(books.received_cdrs.named(cdr_id), cdr_id, evse_id)

    def approve(self, cdr_id: str, actor: str, why: str | None = None, evse_id: str | None = None) -> ReceivedCdr:
        """Accept the claim. Raises UnknownId and Conflict."""
        return self._decide(cdr_id, evse_id, ReviewMove.APPROVE, actor, why)

    def decline(self, cdr_id: str, actor: str, why: str | None = None, evse_id: str | None = None) -> ReceivedCdr:
        """Send the claim back to the operator. Raises UnknownId and Conflict."""
        return self._decide(cdr_id, evse_id, ReviewMove.DECLINE, actor, why)

    def _decide(self, cdr_id: str, evse_id: str | None, move: ReviewMove, actor: str, why: str | None) -> ReceivedCdr:
        with self.store.books() as books:
            key = _one(books.received_cdrs.named(cdr_id), cdr_id, evse_id).key
            current = books.received_cdrs.of(key, lock=True)
            if current is None:
                raise UnknownId(f"there is no CDR {cdr_id!r}")
            decided = moved(current, move, self.clock(), actor, why)
            books.received_cdrs.put(decided)
        return decided

    # -- Receiving -----------------------------------------------------------------------------------------------

    def _received(self, books: Books, info: CdrInfo) -> bool:
        """Judge a CDR that is new or changed; one that was confirmed as it is needs to be confirmed once more."""
        now = self.clock()
        before = books.received_cdrs.of(key_of(info), lock=True)
        if before is None or before.info != info:
            findings = review(info, self._evidence(books, info), self.within, self.policy)
            books.received_cdrs.put(reviewed(info, findings, now, before))
            return True
        if before.stage in (CdrStage.APPROVED, CdrStage.DECLINED):
            why = "the house had it still to be confirmed"
            books.received_cdrs.put(moved(before, ReviewMove.REPEAT, now, RULES, why))
        return False

    def _evidence(self, books: Books, info: CdrInfo) -> Evidence:
        tariff = tariff_key(info.connector_type.tariff_id) if info.connector_type.tariff_id else None
        has_list = books.provider_tokens.is_kept()
        return Evidence(
            now=self.clock(),
            provider_ids=self.provider_ids,
            charge=books.charges.by_direct_id(info.emt_id.instance) if is_direct(info) else None,
            rivals=tuple(books.received_cdrs.rivals(info)),
            lines=tuple(books.provider_tokens.find(info.emt_id)) if has_list else None,
            tariff=books.downloads.tariff_versions(tariff) if tariff else (),
        )

    # -- Confirming ----------------------------------------------------------------------------------------------

    def _send(self, cdrs: Sequence[ReceivedCdr]) -> None:
        """Confirm CDRs together; where the house does not take all of them, each by itself."""
        said = self._said(cdrs)
        cdrs = [each for each in cdrs if each.key in said]
        if not cdrs:
            return
        lists: dict[str, tuple[CdrReference | CdrInfo, ...]] = {
            name: tuple(said[each.key] for each in cdrs if each.stage is stage) for stage, name in CONFIRMED.items()
        }
        try:
            result: Result = self.line.call(op.CONFIRM_CDRS, ConfirmCdrsRequest(**lists)).result
        except PartnerFailed as failure:
            raise self._postponed(cdrs, failure) from None
        if result.result_code is ResultCode.OK:
            self._settle(cdrs, ReviewMove.CONFIRM)
        elif result.result_code not in ABOUT_THE_CDRS:
            raise self._postponed(cdrs, HouseRefused(result))
        elif len(cdrs) == 1:
            self._settle(cdrs, ReviewMove.REFUSE, result.result_description)
        else:
            for each in cdrs:
                self._send([each])

    def _said(self, cdrs: Sequence[ReceivedCdr]) -> dict[CdrKey, CdrReference | CdrInfo]:
        """How CDRs are named: 1.3 repeats them whole; one that cannot be said there is left to a person."""
        if self.line.version_of(op.CONFIRM_CDRS) is not V1_3:
            return {each.key: CdrReference(cdr_id=each.cdr_id, evse_id=each.info.evse_id) for each in cdrs}
        infos = self.line.sayable(op.CONFIRM_CDRS, (each.info for each in cdrs), lambda info: info.cdr_id)
        said: dict[CdrKey, CdrReference | CdrInfo] = {key_of(each): each for each in infos}
        self._settle([each for each in cdrs if each.key not in said], ReviewMove.REFUSE, UNSAYABLE)
        return said

    def _postponed(self, cdrs: Sequence[ReceivedCdr], failure: PartnerFailed) -> PartnerFailed:
        """Note the failed attempt at each CDR, for people."""
        with self.store.books() as books:
            for each in cdrs:
                current = books.received_cdrs.of(each.key, lock=True)
                if current is not None:
                    attempts = current.attempts + 1
                    books.received_cdrs.put(dataclasses.replace(current, attempts=attempts))
        return failure

    def _settle(self, cdrs: Sequence[ReceivedCdr], move: ReviewMove, why: str | None = None) -> None:
        """Write what the house made of decisions, unless people changed them meanwhile."""
        with self.store.books() as books:
            for sent in cdrs:
                current = books.received_cdrs.of(sent.key, lock=True)
                if current is not None and (current.stage, current.info) == (sent.stage, sent.info):
                    books.received_cdrs.put(moved(current, move, self.clock(), HOUSE, why))


def _one(found: Sequence[ReceivedCdr], cdr_id: str, evse_id: str | None) -> ReceivedCdr:
    """The CDR that is meant. Raises UnknownId and Conflict."""
    if evse_id is not None:
        found = [each for each in found if each.key[0] == evse_key(evse_id)]
    if not found:
        raise UnknownId(f"there is no CDR {cdr_id!r}")
    if len(found) > 1:
        places = ", ".join(each.info.evse_id for each in found)
        raise Conflict(f"several EVSEs have a CDR {cdr_id!r}: say which of {places} is meant")
    return found[0]
