"""The operator's CDRs at the house: uploaded in order until they are taken, and watched."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import PartnerFailed
from clearinghouse.domain.informing import Bill
from clearinghouse.domain.own_cdrs import CdrMove, OwnCdr, OwnCdrState, moved, taken
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import AddCdrsRequest, AddCdrsResponse, CdrInfo, CdrStatus, CheckCdrsRequest
from clearinghouse.ochp.results import ResultCode
from clearinghouse.services.claims import known
from clearinghouse.services.clearing_line import PASSED, ClearingLine, HouseRefused
from clearinghouse.services.ports import Books, Store

AT_ONCE = 100
UNSAYABLE = "it cannot be said in the dialect spoken with the house"
ABOUT_THE_CDRS = frozenset({ResultCode.FORMAT, ResultCode.INVALID_ID})
"""Answers that are the fault of a CDR, not of the house or the line: sending it again would not help."""
ENDS: Mapping[CdrStatus, CdrMove] = {CdrStatus.DECLINED: CdrMove.DECLINE, CdrStatus.APPROVED: CdrMove.APPROVE}
"""How CDRs that were sent end, as the house tells when it is asked for those of a status."""


@dataclass(frozen=True)
class ClaimUpload:
    """`claimed` is told of each direct session whose CDR the house took for the first time, and what it costs."""

    store: Store
    line: ClearingLine
    clock: Clock
    claimed: Callable[[Books, str, Bill], None]

    @property
    def chores(self) -> Mapping[Chore, Callable[[], str]]:
        """What is to be kept up, and what does it."""
        check = {Chore.CHECK_CDRS: self.check} if self.line.speaks(op.CHECK_CDRS) else {}
        return {Chore.ADD_CDRS: self.upload, **check}

    def wanted(self) -> frozenset[Chore]:
        """Whether there is something to upload."""
        with self.store.single() as books:
            waiting = books.own_cdrs.queue(1)
        return frozenset({Chore.ADD_CDRS}) if waiting else frozenset()

    def upload(self) -> str:
        """Upload what waits, oldest first. Raises PartnerFailed, after which the rest goes on waiting."""
        count = 0
        while True:
            with self.store.single() as books:
                cdrs = books.own_cdrs.queue(AT_ONCE)
            if not cdrs:
                return f"{count} CDRs"
            self._send(cdrs)
            count += len(cdrs)

    def check(self) -> str:
        """Ask which CDRs providers declined, and approved where any is open. Raises PartnerFailed."""
        with self.store.single() as books:
            open_cdrs = books.own_cdrs.counts().get(OwnCdrState.SENT, 0)
        if not open_cdrs:
            return "none is open"
        found = {status: self._ended(status, move) for status, move in ENDS.items()}
        return ", ".join(f"{count} {status}" for status, count in found.items())

    def _send(self, cdrs: Sequence[OwnCdr]) -> None:
        """Upload CDRs together; where the house refuses all of them for one, each by itself."""
        said = {each.cdr_id: each for each in self.line.sayable(op.ADD_CDRS, (c.info for c in cdrs), _name)}
        for mute in [each for each in cdrs if each.cdr_id not in said]:
            self._settle([mute], {mute.cdr_id: UNSAYABLE})
        cdrs = [each for each in cdrs if each.cdr_id in said]
        if not cdrs:
            return
        answer = self._asked(cdrs, [said[each.cdr_id] for each in cdrs])
        named = {each if isinstance(each, str) else each.cdr_id for each in answer.implausible_cdrs_array}
        result = answer.result
        if result.result_code in PASSED or named:
            self._settle(cdrs, dict.fromkeys(named, result.result_description))
        elif result.result_code not in ABOUT_THE_CDRS:
            raise self._postponed(cdrs, HouseRefused(result))
        elif len(cdrs) == 1:
            self._settle(cdrs, {cdrs[0].cdr_id: result.result_description})
        else:
            for each in cdrs:
                self._send([each])

    def _asked(self, cdrs: Sequence[OwnCdr], infos: Sequence[CdrInfo]) -> AddCdrsResponse:
        try:
            answer: AddCdrsResponse = self.line.call(op.ADD_CDRS, AddCdrsRequest(cdr_info_array=tuple(infos)))
        except PartnerFailed as failure:
            raise self._postponed(cdrs, failure) from None
        return answer

    def _postponed(self, cdrs: Sequence[OwnCdr], failure: PartnerFailed) -> PartnerFailed:
        """Note the failure at each CDR, for people; the order stays, since the chore as a whole pauses."""
        with self.store.books() as books:
            for each in cdrs:
                current = known(books.own_cdrs.get(each.cdr_id, lock=True), each.cdr_id)
                books.own_cdrs.save(dataclasses.replace(current, attempts=current.attempts + 1, reason=str(failure)))
        return failure

    def _settle(self, cdrs: Sequence[OwnCdr], refused: Mapping[str, str]) -> None:
        """Write what the house made of CDRs, unless people changed them meanwhile, and tell providers."""
        now = self.clock()
        with self.store.books() as books:
            for sent in cdrs:
                current = books.own_cdrs.get(sent.cdr_id, lock=True)
                if current is None or (current.state, current.info) != (sent.state, sent.info):
                    continue
                if sent.cdr_id in refused:
                    books.own_cdrs.save(moved(current, CdrMove.REFUSE, now, refused[sent.cdr_id]))
                    continue
                books.own_cdrs.save(taken(current, now))
                if current.taken_at is None and current.direct_id is not None:
                    self.claimed(books, current.direct_id, bill_of(current.info))

    def _ended(self, status: CdrStatus, move: CdrMove) -> int:
        """Note what the house says of CDRs of a status; returns how many were news."""
        answer = self.line.ask(op.CHECK_CDRS, CheckCdrsRequest(cdr_status=status), frozenset({ResultCode.ROAMING}))
        now, news = self.clock(), 0
        for info in answer.cdr_info_array:
            with self.store.books() as books:
                current = books.own_cdrs.get(info.cdr_id, lock=True)
                if current is not None and current.state is OwnCdrState.SENT:
                    books.own_cdrs.save(moved(current, move, now))
                    news += 1
        return news


def bill_of(info: CdrInfo) -> Bill:
    """What a CDR says to cost."""
    return Bill(periods=info.charging_periods, cost=info.total_cost or Decimal(0), currency=info.currency)


def _name(info: CdrInfo) -> str:
    return f"CDR {info.cdr_id}"
