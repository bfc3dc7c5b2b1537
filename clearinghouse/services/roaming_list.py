"""The roaming list at the house: providers upload tokens, operators fetch those that may charge with them."""

from __future__ import annotations

import secrets
import string
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.partners import ConnectionKind, Partner, connected_ids
from clearinghouse.domain.roaming_list import (
    KEPT_AFTER_EXPIRY,
    Refusal,
    has_expired,
    refusal,
    token_key,
    verdict,
    withdrawn,
)
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tokens import (
    EmtId,
    GetRoamingAuthorisationListRequest,
    GetRoamingAuthorisationListResponse,
    GetRoamingAuthorisationListUpdatesRequest,
    GetRoamingAuthorisationListUpdatesResponse,
    GetSingleRoamingAuthorisationRequest,
    GetSingleRoamingAuthorisationResponse,
    RequestLiveRoamingAuthorisationRequest,
    RequestLiveRoamingAuthorisationResponse,
    RoamingAuthorisationInfo,
    SetRoamingAuthorisationListRequest,
    SetRoamingAuthorisationListResponse,
    UpdateRoamingAuthorisationListRequest,
    UpdateRoamingAuthorisationListResponse,
)
from clearinghouse.ochp.versions import Version
from clearinghouse.services.callers import UNCONNECTED, acting_as
from clearinghouse.services.calls_port import Caller, Handler
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.ports import Books, Store
from clearinghouse.services.roaming_list_port import LiveAuthorisation
from clearinghouse.services.streams import opened

LIVE_AUTH_ID = string.ascii_uppercase + string.digits
LIVE_AUTH_ID_LENGTH = 15
OK = Result.of(ResultCode.OK)


@dataclass(frozen=True)
class RoamingList:
    """The Authorisation operations of OCHP."""

    store: Store
    clock: Clock
    conversions: Conversions

    @property
    def handlers(self) -> Mapping[Operation, Handler]:
        """What serves which operation."""
        return {
            op.SET_ROAMING_AUTHORISATION_LIST: self.set,
            op.UPDATE_ROAMING_AUTHORISATION_LIST: self.update,
            op.GET_ROAMING_AUTHORISATION_LIST: self.get,
            op.GET_ROAMING_AUTHORISATION_LIST_UPDATES: self.get_updates,
            op.GET_SINGLE_ROAMING_AUTHORISATION: self.get_single,
            op.REQUEST_LIVE_ROAMING_AUTHORISATION: self.request_live,
        }

    def set(
        self, request: SetRoamingAuthorisationListRequest, caller: Caller, version: Version
    ) -> SetRoamingAuthorisationListResponse:
        """The caller's complete list; tokens that it does not name any more expire now."""
        result, refused = self._store(request.roaming_authorisation_info_array, caller, replace=True)
        return SetRoamingAuthorisationListResponse(result=result, refused_roaming_authorisation_info=refused)

    def update(
        self, request: UpdateRoamingAuthorisationListRequest, caller: Caller, version: Version
    ) -> UpdateRoamingAuthorisationListResponse:
        """New and changed lines of the caller."""
        result, refused = self._store(request.roaming_authorisation_info_array, caller, replace=False)
        return UpdateRoamingAuthorisationListResponse(result=result, refused_roaming_authorisation_info=refused)

    def _store(
        self, lines: Iterable[RoamingAuthorisationInfo], caller: Caller, *, replace: bool
    ) -> tuple[Result, tuple[RoamingAuthorisationInfo, ...]]:
        owners = acting_as(Role.PROVIDER, caller).provider_ids
        refused: list[Refusal] = []
        with self.store.books() as books:
            taken = books.roaming_lists.put(_accepted(lines, owners, refused), owners, self.clock(), replace=replace)
        return verdict(taken, refused), tuple(each.line for each in refused)

    def get(
        self, request: GetRoamingAuthorisationListRequest, caller: Caller, version: Version
    ) -> GetRoamingAuthorisationListResponse:
        """Every line of the providers that the caller is connected to."""
        reader = acting_as(Role.OPERATOR, caller)
        with self.store.books() as books:
            if not self._connected(books, reader):
                return GetRoamingAuthorisationListResponse(result=UNCONNECTED)
        shown = opened(self._visible(reader, version))
        return GetRoamingAuthorisationListResponse(result=OK, roaming_authorisation_info_array=shown)

    def _visible(self, reader: Partner, version: Version) -> Generator[RoamingAuthorisationInfo]:
        with self.store.books() as books:
            lines = books.roaming_lists.visible(reader.operator_ids, self.clock())
            yield from self.conversions.fit(lines, version, reader, contract_of)

    def get_updates(
        self, request: GetRoamingAuthorisationListUpdatesRequest, caller: Caller, version: Version
    ) -> GetRoamingAuthorisationListUpdatesResponse:
        """The lines that changed; tokens that the caller may not accept any more have expired in them."""
        reader = acting_as(Role.OPERATOR, caller)
        shown = opened(self._changed(reader, request.last_update, version))
        if not shown:
            with self.store.books() as books:
                if not self._connected(books, reader):
                    return GetRoamingAuthorisationListUpdatesResponse(result=UNCONNECTED)
        return GetRoamingAuthorisationListUpdatesResponse(result=OK, roaming_authorisation_info=shown)

    def _changed(self, reader: Partner, since: datetime, version: Version) -> Generator[RoamingAuthorisationInfo]:
        with self.store.books() as books:
            now = self.clock()
            lines = books.roaming_lists.changed(reader.operator_ids, since, now)
            yield from self.conversions.fit(lines, version, reader, contract_of, partial(withdrawn, now=now))

    def get_single(
        self, request: GetSingleRoamingAuthorisationRequest, caller: Caller, version: Version
    ) -> GetSingleRoamingAuthorisationResponse:
        """The line of one token. Raises UnknownId where it has none or has expired."""
        reader = acting_as(Role.OPERATOR, caller)
        try:
            with self.store.single() as books:
                line = self._look_up(books, request.emt_id, reader, version)
        except UnknownId:
            with self.store.single() as books:
                if self._connected(books, reader):
                    raise
            return GetSingleRoamingAuthorisationResponse(result=UNCONNECTED)
        return GetSingleRoamingAuthorisationResponse(result=OK, roaming_authorisation_info=line)

    def request_live(
        self, request: RequestLiveRoamingAuthorisationRequest, caller: Caller, version: Version
    ) -> RequestLiveRoamingAuthorisationResponse:
        """The line of one token, for one of the caller's EVSEs, and an id that its charge data repeats.

        Raises UnknownId where there is no such line or EVSE.
        """
        reader = acting_as(Role.OPERATOR, caller)
        if party_id(request.evse_id) not in reader.operator_ids:
            raise UnknownId(f"The EVSE {request.evse_id} is not the caller's.")
        with self.store.books() as books:
            line = self._look_up(books, request.emt_id, reader, version)
            live = LiveAuthorisation(
                live_auth_id="".join(secrets.choice(LIVE_AUTH_ID) for _ in range(LIVE_AUTH_ID_LENGTH)),
                partner=reader.name,
                evse_id=request.evse_id,
                contract_id=line.contract_id,
                token=token_key(request.emt_id),
                at=self.clock(),
            )
            books.roaming_lists.remember(live)
        return RequestLiveRoamingAuthorisationResponse(
            result=OK, roaming_authorisation_info=line, live_auth_id=live.live_auth_id
        )

    def forget(self) -> int:
        """Delete what nobody needs any more; how much that was."""
        with self.store.books() as books:
            return books.roaming_lists.forget(self.clock() - KEPT_AFTER_EXPIRY)

    def _look_up(self, books: Books, token: EmtId, reader: Partner, version: Version) -> RoamingAuthorisationInfo:
        now = self.clock()
        line = books.roaming_lists.find(reader.operator_ids, token_key(token), now)
        if line is None:
            raise UnknownId("No connected provider knows this token.")
        if has_expired(line, now):
            raise UnknownId(f"This token expired at {line.expiry_date:%Y-%m-%dT%H:%M:%SZ}.")
        for said in self.conversions.fit([line], version, reader, contract_of):
            return said
        raise UnknownId("This token cannot be said in the caller's version of OCHP.")

    def _connected(self, books: Books, reader: Partner) -> bool:
        connections = books.connections.all(reader.operator_ids)
        return bool(connected_ids(connections, reader.operator_ids, Role.OPERATOR, ConnectionKind.AUTH, self.clock()))


def contract_of(line: RoamingAuthorisationInfo) -> str:
    """What a line is called in the conversion log: numbers of cards do not belong there."""
    return line.contract_id


def _accepted(
    lines: Iterable[RoamingAuthorisationInfo], owners: Collection[str], refused: list[Refusal]
) -> Iterator[RoamingAuthorisationInfo]:
    """The lines that may be stored; the others go into `refused`."""
    for line in lines:
        reason = refusal(line, owners)
        if reason is None:
            yield line
        else:
            refused.append(reason)
