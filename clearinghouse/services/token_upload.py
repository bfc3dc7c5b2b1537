"""The provider's token list: kept here, uploaded whole the first time, and by its differences after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import Conflict
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tokens import (
    RoamingAuthorisationInfo,
    SetRoamingAuthorisationListRequest,
    UpdateRoamingAuthorisationListRequest,
)
from clearinghouse.services.clearing_line import PASSED, ClearingLine, HouseRefused
from clearinghouse.services.ports import Store
from clearinghouse.services.provider_port import TokenLine

AT_ONCE = 10_000
"""Lines of one upload of differences."""
UNSAYABLE = "it cannot be said in the dialect spoken with the house"
ABOUT_THE_LINES = frozenset({ResultCode.INVALID_ID, ResultCode.FORMAT})
REQUESTS = {
    op.SET_ROAMING_AUTHORISATION_LIST: SetRoamingAuthorisationListRequest,
    op.UPDATE_ROAMING_AUTHORISATION_LIST: UpdateRoamingAuthorisationListRequest,
}


@dataclass(frozen=True)
class TokenUpload:
    """Keeps the house's copy of the list like the provider's own."""

    store: Store
    line: ClearingLine
    clock: Clock

    @property
    def chores(self) -> Mapping[Chore, Callable[[], str]]:
        """What is to be kept up, and what does it."""
        return {Chore.SET_ROAMING_LIST: self.upload, Chore.UPDATE_ROAMING_LIST: self.update}

    def wanted(self) -> frozenset[Chore]:
        """The whole list where it never was uploaded, else its differences; nothing of an empty list."""
        with self.store.books() as books:
            if not books.provider_tokens.changed(1):
                return frozenset()
            is_first = (done := books.journals.all().get(Chore.SET_ROAMING_LIST)) is None or done.succeeded_at is None
        return frozenset({Chore.SET_ROAMING_LIST if is_first else Chore.UPDATE_ROAMING_LIST})

    def upload(self) -> str:
        """Upload every line that has not expired. Raises PartnerFailed."""
        with self.store.books() as books:
            lines = [each.line for each in books.provider_tokens.all(self.clock())]
        return self._told(op.SET_ROAMING_AUTHORISATION_LIST, lines)

    def update(self) -> str:
        """Upload what differs from what the house has. Raises PartnerFailed."""
        told: list[str] = []
        while True:
            with self.store.single() as books:
                lines = books.provider_tokens.changed(AT_ONCE)
            if not lines:
                return ", ".join(told) or "nothing differs"
            told.append(self._told(op.UPDATE_ROAMING_AUTHORISATION_LIST, lines))

    def _told(self, operation: Operation, lines: list[RoamingAuthorisationInfo]) -> str:
        """Upload lines and keep what the house says to them; those that cannot be said are kept as refused."""
        said = self.line.sayable(operation, lines, lambda line: line.contract_id)
        known = {(each.emt_id, each.contract_id) for each in said}
        mute = [each for each in lines if (each.emt_id, each.contract_id) not in known]
        refused: tuple[RoamingAuthorisationInfo, ...] = ()
        why = ""
        if said:
            answer = self.line.call(operation, REQUESTS[operation](roaming_authorisation_info_array=tuple(said)))
            code, why = answer.result.result_code, answer.result.result_description
            if code not in PASSED | ABOUT_THE_LINES:
                raise HouseRefused(answer.result)
            refused = answer.refused_roaming_authorisation_info
            if code in ABOUT_THE_LINES and not refused:
                refused = tuple(said)
        with self.store.books() as books:
            if mute:
                books.provider_tokens.settle(mute, mute, UNSAYABLE)
            unsaid = set(map(id, mute))
            books.provider_tokens.settle([each for each in lines if id(each) not in unsaid], refused, why)
        failed = len(refused) + len(mute)
        return f"{len(lines) - failed} uploaded" + (f", {failed} refused" if failed else "")

    # -- What the own people do ----------------------------------------------------------------------------------

    def take(self, lines: Iterable[RoamingAuthorisationInfo], *, whole: bool = False) -> int:
        """Put lines over the list, or make them the whole list; returns how many changed.

        Tokens that are not in a whole list expire now, for the roaming list knows no deletion. Raises Conflict where a
        whole list is empty.
        """
        taken = list(lines)
        if whole and not taken:
            raise Conflict("an empty list would let every token expire")
        with self.store.books() as books:
            ended = books.provider_tokens.expire_others(taken, self.clock()) if whole else 0
            return ended + books.provider_tokens.put(taken)

    def refused(self, limit: int = 100) -> list[TokenLine]:
        """Lines that the house refused, with the reasons."""
        with self.store.single() as books:
            return books.provider_tokens.refused(limit)
