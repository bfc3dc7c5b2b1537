"""The relay: the house takes a direct call, finds the partner it is for, and makes it there in that partner's dialect.

The call carries the token combination of the two partners, so that the receiver sees who is really calling.
Later calls about a direct session go to the endpoint where its SelectEvse went, or to the operator that told of it.

A relayed call keeps its thread while the partner takes its time. `Relay` therefore admits few of them for each caller,
few to each callee, and altogether only so many as the house has threads beside those for everything else (settings
`relayed_calls` and `threads`): a slow partner harms its own calls, and whatever path a call came by, the endpoint
exchange has the other threads. Threads that wait cost next to nothing, so that this is simpler than a second pool.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import (
    NotAuthorized,
    NotFound,
    NotSupported,
    PartnerFailed,
    UnknownId,
    UnknownSession,
)
from clearinghouse.domain.informing import in_kwh
from clearinghouse.domain.partners import ConnectionKind, Partner, connected_ids
from clearinghouse.domain.relayed_sessions import may_have_begun, tells_of_charge
from clearinghouse.domain.token_day import is_for_sending, pass_together, sending_day
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import (
    ControlEvseRequest,
    ControlEvseResponse,
    GetEvseStatusRequest,
    InformProviderMessage,
    InformProviderRequest,
    InformProviderResponse,
    ReleaseEvseRequest,
    ReleaseEvseResponse,
    ReportDiscrepancyRequest,
    ReportDiscrepancyResponse,
    SelectEvseRequest,
    SelectEvseResponse,
)
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.live import GetStatusResponse
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.versions import ORDER, Version
from clearinghouse.services.calls_port import Caller, Handler, Line, Peer, TokenPair
from clearinghouse.services.directory import Directory
from clearinghouse.services.doorkeepers import opposite
from clearinghouse.services.endpoints import known_by
from clearinghouse.services.endpoints_port import Route
from clearinghouse.services.partner_line import honest
from clearinghouse.services.ports import Store
from clearinghouse.services.room import Room

MOST_CALLS = 32
"""Relayed calls under way at a time."""
MOST_CALLS_OF_ONE = 8
"""Of these the ones of one caller, and to one callee."""


@dataclass(frozen=True)
class Relay:
    """Direct operations at the house, on behalf of an authenticated partner."""

    store: Store
    directory: Directory
    line: Line
    clock: Clock
    callers: Room = field(default_factory=lambda: Room(of_each=MOST_CALLS_OF_ONE, of_all=MOST_CALLS))
    callees: Room = field(default_factory=lambda: Room(of_each=MOST_CALLS_OF_ONE, of_all=MOST_CALLS))
    going_to_wait: Callable[[], None] = lambda: None
    """Called by a thread before it waits for partners."""
    _asking: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MOST_CALLS, "ask"), repr=False)

    @property
    def handlers(self) -> Mapping[Operation, Handler]:
        """The relayed operations and what serves them."""
        return {
            op.SELECT_EVSE: self.select,
            op.CONTROL_EVSE: self.control,
            op.RELEASE_EVSE: self.release,
            op.INFORM_PROVIDER_CPO: self.poll,
            op.GET_EVSE_STATUS: self.status,
            op.REPORT_DISCREPANCY: self.report,
            op.INFORM_PROVIDER: self.inform,
        }

    def select(self, request: SelectEvseRequest, caller: Caller, version: Version) -> SelectEvseResponse:
        """Open a session at the operator that answers for the EVSE, and remember where it lives."""
        partner = self._partner(caller, Role.PROVIDER)
        own = frozenset({party_id(request.contract_id)})
        if not own <= partner.provider_ids:
            raise NotSupported(f"The contract does not belong to one of the provider IDs of {partner.name}.")
        target = self._target(request.evse_id, Role.OPERATOR, partner, self._connected(own, Role.PROVIDER))
        answer: SelectEvseResponse = self._call(op.SELECT_EVSE, request, partner, target)
        if answer.direct_id is not None:
            self._remember(
                Route(
                    direct_id=answer.direct_id,
                    operator=target.partner,
                    provider=partner.name,
                    url=target.url,
                    evse_id=request.evse_id,
                    contract_id=request.contract_id,
                    created_at=self.clock(),
                )
            )
        return answer

    def control(self, request: ControlEvseRequest, caller: Caller, version: Version) -> ControlEvseResponse:
        """Start, change or end where the session lives; limits that its dialect cannot say make it `partly`."""
        partner, target = self._route(request.direct_id, caller)
        answer: ControlEvseResponse | None = None
        try:
            answer = self._call(op.CONTROL_EVSE, request, partner, target)
        finally:
            if may_have_begun(request, answer):
                self._begun(request.direct_id, operator=target.partner, provider=partner.name)
        return dataclasses.replace(answer, direct_id=answer.direct_id or request.direct_id)

    def release(self, request: ReleaseEvseRequest, caller: Caller, version: Version) -> ReleaseEvseResponse:
        """Close the session where it lives."""
        answer: ReleaseEvseResponse = self._call(op.RELEASE_EVSE, request, *self._route(request.direct_id, caller))
        return dataclasses.replace(answer, direct_id=answer.direct_id or request.direct_id)

    def poll(self, request: InformProviderRequest, caller: Caller, version: Version) -> InformProviderMessage:
        """Ask the operator for the newest about a session."""
        try:
            partner, target = self._route(request.direct_id, caller)
        except UnknownId as unknown:
            raise UnknownSession(str(unknown)) from unknown
        if not op.INFORM_PROVIDER_CPO.exists_in(target.version):
            raise UnknownSession(
                f"The operator speaks OCHP-direct {target.version.direct}, which has no such operation."
            )
        answer: InformProviderMessage = self._call(op.INFORM_PROVIDER_CPO, request, partner, target)
        if tells_of_charge(answer):
            self._begun(request.direct_id, operator=target.partner, provider=partner.name)
        with self.store.single() as books:
            operator = books.partners.get(target.partner)
        return in_kwh(answer, operator.meter_unit)

    def status(self, request: GetEvseStatusRequest, caller: Caller, version: Version) -> GetStatusResponse:
        """Ask every responsible operator, side by side; who does not answer, or is not connected, is left out.

        Raises PartnerFailed where none of those asked answers.
        """
        partner = self._partner(caller, Role.PROVIDER)
        connected = self._connected(partner.provider_ids, Role.PROVIDER)
        asked: defaultdict[Endpoint, list[str]] = defaultdict(list)
        for evse_id in request.requested_evse_id:
            with suppress(NotFound, NotSupported):
                asked[self._target(evse_id, Role.OPERATOR, partner, connected)].append(evse_id)

        def ask(target: Endpoint) -> GetStatusResponse | PartnerFailed:
            one = GetEvseStatusRequest(requested_evse_id=tuple(asked[target]))
            try:
                answer: GetStatusResponse = self._reach(op.GET_EVSE_STATUS, one, partner, target)
            except PartnerFailed as failure:
                return failure
            return answer

        with self.callers.taken(partner.name):
            self.going_to_wait()
            answers = list(self._asking.map(ask, asked))
        failures = [each for each in answers if isinstance(each, PartnerFailed)]
        if failures and len(failures) == len(answers):
            raise failures[0]
        found = (each.evse for each in answers if not isinstance(each, PartnerFailed))
        return GetStatusResponse(evse=tuple(chain.from_iterable(found)))

    def report(self, request: ReportDiscrepancyRequest, caller: Caller, version: Version) -> ReportDiscrepancyResponse:
        """Pass a report on to the operator. Raises NotFound, NotSupported."""
        partner = self._partner(caller, Role.PROVIDER)
        connected = self._connected(partner.provider_ids, Role.PROVIDER)
        target = self._target(request.evse_id, Role.OPERATOR, partner, connected)
        answer: ReportDiscrepancyResponse = self._call(op.REPORT_DISCREPANCY, request, partner, target)
        return answer

    def inform(self, request: InformProviderMessage, caller: Caller, version: Version) -> InformProviderResponse:
        """Tell the provider that answers for the contract, and remember where a session lives that nobody selected."""
        partner = self._partner(caller, Role.OPERATOR)
        own = frozenset({party_id(request.evse_id)})
        if not own <= partner.operator_ids:
            raise NotSupported(f"The EVSE does not belong to one of the operator IDs of {partner.name}.")
        target = self._target(request.contract_id, Role.PROVIDER, partner, self._connected(own, Role.OPERATOR))
        with self.store.single() as books:
            route = books.routes.find(request.direct_id, target.partner)
        if route is None:
            self._remember(
                Route(
                    direct_id=request.direct_id,
                    operator=partner.name,
                    provider=target.partner,
                    evse_id=request.evse_id,
                    contract_id=request.contract_id,
                    created_at=self.clock(),
                )
            )
        if tells_of_charge(request):
            self._begun(request.direct_id, operator=partner.name, provider=target.partner)
        message = in_kwh(request, partner.meter_unit)
        answer: InformProviderResponse = self._call(op.INFORM_PROVIDER, message, partner, target)
        return answer

    def close(self) -> None:
        """Let the threads that ask end; what they are at is finished."""
        self._asking.shutdown()

    # -- Parts ---------------------------------------------------------------------------------------------------

    def _partner(self, caller: Caller, role: Role) -> Partner:
        """The calling partner, who must act in that role. Raises NotAuthorized."""
        if isinstance(caller, Peer):
            with self.store.single() as books:
                caller = books.partners.get(caller.name)
        if not caller.enabled or not caller.ids_as(role):
            raise NotAuthorized(f"{caller.name} has no {role} ID.")
        return caller

    def _connected(self, ids: frozenset[str], side: Role) -> frozenset[str]:
        """The party IDs at the other side that these are connected to now."""
        with self.store.single() as books:
            connections = books.connections.all(ids)
        return connected_ids(connections, ids, side, ConnectionKind.DIRECT, self.clock())

    def _target(self, identifier: str, role: Role, partner: Partner, connected: frozenset[str]) -> Endpoint:
        """The endpoint of another, connected partner that answers for an identifier, in the newest dialect it offers.

        Raises NotSupported where the identifier's party is not connected, NotFound where nobody answers for it.
        """
        if party_id(identifier) not in connected:
            raise NotSupported(f"There is no roaming connection to {party_id(identifier)}.")
        candidates = self.directory.candidates(identifier, role, ORDER)
        target = next((each for each in candidates if each.partner != partner.name), None)
        if target is None:
            raise NotFound(f"No {role} answers for {identifier} today.")
        return target

    def _route(self, direct_id: str, caller: Caller) -> tuple[Partner, Endpoint]:
        """The calling provider, and the endpoint where its session lives. Raises UnknownId, PartnerFailed."""
        partner = self._partner(caller, Role.PROVIDER)
        with self.store.single() as books:
            route = books.routes.find(direct_id, partner.name)
        if route is None or route.provider != partner.name:
            raise UnknownId("This direct id was not selected through the clearing house by the caller.")
        candidates = self.directory.candidates(route.evse_id, Role.OPERATOR, ORDER)
        living = [each for each in candidates if each.partner == route.operator]
        if not living:
            raise PartnerFailed(f"{route.operator} has no endpoint for this EVSE today.")
        return partner, next((each for each in living if each.url == route.url), living[0])

    def _remember(self, route: Route) -> None:
        with self.store.single() as books:
            books.routes.put(route)

    def _begun(self, direct_id: str, *, operator: str, provider: str) -> None:
        with self.store.single() as books:
            books.routes.begun(direct_id, operator, provider, self.clock())

    def _call(self, operation: Operation, request: Any, partner: Partner, target: Endpoint) -> Any:
        """Call the target as the partner. Raises PartnerFailed."""
        with self.callers.taken(partner.name):
            return self._reach(operation, request, partner, target)

    def _reach(self, operation: Operation, request: Any, partner: Partner, target: Endpoint) -> Any:
        pair = TokenPair(target.access_token, self._token(partner, target))
        with self.callees.taken(target.partner):
            self.going_to_wait()
            answer = self.line.call(target.url, target.version, operation, request, pair)
        return honest(answer, request, target.version)

    def _token(self, partner: Partner, target: Endpoint) -> str:
        """The token by which the target knows the partner. Raises PartnerFailed where it published none for the day."""
        role, now = opposite(target.role), self.clock()
        own = [
            each
            for each in self.directory.of(partner.name, role)
            if pass_together(each, target, now) and is_for_sending(each, now)
        ]
        if not own:
            raise PartnerFailed(
                f"{partner.name} has published no {role} endpoint for {sending_day(now)}: its token is missing, "
                "upload it with AddServiceEndpoints first."
            )
        return known_by(own, target.version).access_token
