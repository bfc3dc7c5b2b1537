"""The operator's copy of the roaming list, and who may charge by it: the copy first, the house as the second look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import Conflict, PartnerFailed
from clearinghouse.domain.upkeep import OVERLAP, Chore, is_doubtful, latest_success
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.connectors import ChargePointType
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tokens import (
    EmtId,
    GetRoamingAuthorisationListRequest,
    GetRoamingAuthorisationListUpdatesRequest,
    GetSingleRoamingAuthorisationRequest,
    RequestLiveRoamingAuthorisationRequest,
    RoamingAuthorisationInfo,
)
from clearinghouse.services.clearing_line import PASSED, ClearingLine
from clearinghouse.services.ports import Store

NOBODY = frozenset({ResultCode.ROAMING})
"""The answer where no provider is connected: the list is empty."""


class CardRefused(Conflict):
    """The card may not charge here; the text tells why."""


@dataclass(frozen=True, kw_only=True)
class Permit:
    """Whose card it is, and the id that its CDR repeats (1.3)."""

    line: RoamingAuthorisationInfo
    live_auth_id: str | None = None


@dataclass(frozen=True)
class LocalList:
    """Keeps the copy and looks cards up in it. `points` are the charge points by EVSE key."""

    store: Store
    line: ClearingLine
    clock: Clock
    points: Mapping[str, ChargePointInfo]

    @property
    def chores(self) -> Mapping[Chore, Callable[[], str]]:
        """What is to be kept up, and what does it."""
        return {Chore.GET_ROAMING_LIST: self.download, Chore.GET_ROAMING_UPDATES: self.catch_up}

    def wanted(self) -> frozenset[Chore]:
        """The whole list, where the copy is in doubt."""
        with self.store.single() as books:
            journal = books.journals.all()
        doubtful = is_doubtful(self.clock(), journal, Chore.GET_ROAMING_LIST, Chore.GET_ROAMING_UPDATES)
        return frozenset({Chore.GET_ROAMING_LIST}) if doubtful else frozenset()

    def download(self) -> str:
        """Make the copy anew. Raises PartnerFailed."""
        request = GetRoamingAuthorisationListRequest()
        answer = self.line.ask(op.GET_ROAMING_AUTHORISATION_LIST, request, NOBODY)
        with self.store.books() as books:
            return f"{books.local_tokens.replace(answer.roaming_authorisation_info_array)} tokens"

    def catch_up(self) -> str:
        """Bring the copy up to date since the last call began, and a little more. Raises PartnerFailed."""
        with self.store.single() as books:
            journal = books.journals.all()
        last = latest_success(journal, Chore.GET_ROAMING_LIST, Chore.GET_ROAMING_UPDATES)
        if last is None:
            return self.download()
        request = GetRoamingAuthorisationListUpdatesRequest(last_update=last - OVERLAP)
        answer = self.line.ask(op.GET_ROAMING_AUTHORISATION_LIST_UPDATES, request, NOBODY)
        with self.store.books() as books:
            return f"{books.local_tokens.apply(answer.roaming_authorisation_info)} changes"

    def find(self, token: EmtId) -> list[RoamingAuthorisationInfo]:
        """What the copy says of a token, also where it has expired."""
        with self.store.single() as books:
            return books.local_tokens.find(token)

    def count(self) -> int:
        """How many lines are valid."""
        with self.store.single() as books:
            return books.local_tokens.count(self.clock())

    # -- Cards ---------------------------------------------------------------------------------------------------

    def authorise(self, token: EmtId, evse_key: str) -> Permit:
        """Whose card it is, if it may charge at this EVSE. Raises CardRefused."""
        found = self._valid(self.find(token))
        permit = Permit(line=found) if found else self._second_look(token, evse_key)
        self._must_permit(permit.line, evse_key)
        return permit

    def _valid(self, lines: list[RoamingAuthorisationInfo]) -> RoamingAuthorisationInfo | None:
        return next((each for each in lines if each.expiry_date > self.clock()), None)

    def _second_look(self, token: EmtId, evse_key: str) -> Permit:
        """Ask the house about a token that the copy lacks, in 1.3 with the EVSE (OCHP, single authorisation)."""
        point = self.points.get(evse_key)
        evse_id = point.evse_id if point else evse_key
        try:
            if self.line.speaks(op.GET_SINGLE_ROAMING_AUTHORISATION):
                request = GetSingleRoamingAuthorisationRequest(emt_id=token)
                answer = self.line.call(op.GET_SINGLE_ROAMING_AUTHORISATION, request)
                live_auth_id = None
            else:
                live = RequestLiveRoamingAuthorisationRequest(emt_id=token, evse_id=evse_id)
                answer = self.line.call(op.REQUEST_LIVE_ROAMING_AUTHORISATION, live)
                live_auth_id = answer.live_auth_id
        except PartnerFailed as failure:
            raise CardRefused(
                f"the card is not in the roaming list, and the house cannot be asked: {failure}"
            ) from None
        line = answer.roaming_authorisation_info
        if answer.result.result_code not in PASSED or line is None or self._valid([line]) is None:
            raise CardRefused(f"the card may not charge here: {answer.result.result_description}")
        return Permit(line=line, live_auth_id=live_auth_id)

    def _must_permit(self, line: RoamingAuthorisationInfo, evse_key: str) -> None:
        """The contract allows the EVSE's current (OCHP 1.4.1, permissions)."""
        point = self.points.get(evse_key)
        needed = (point.charge_point_type if point else ChargePointType.AC).value
        if needed not in {each.value for each in line.permissions}:
            raise CardRefused(f"the card's contract does not allow {needed}")
