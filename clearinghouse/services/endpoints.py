"""The endpoint exchange at the house: partners publish where they listen and fetch where the others do."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from clearinghouse.domain.acceptance import Refusal, days_shown, judge, merged, visible
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import NotAuthorized, NotConnected
from clearinghouse.domain.partners import Connection, ConnectionKind, Partner, connected_ids
from clearinghouse.domain.patterns import written_for
from clearinghouse.domain.token_cycle import is_late
from clearinghouse.domain.token_day import sending_day
from clearinghouse.ochp.direct import (
    AddServiceEndpointsRequest,
    AddServiceEndpointsResponse,
    GetServiceEndpointsRequest,
    GetServiceEndpointsResponse,
    OperatorEndpoint,
    ProviderEndpoint,
)
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import MAX_DESCRIPTION, Result, ResultCode
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1, Version
from clearinghouse.services.calls_port import Caller
from clearinghouse.services.doorkeepers import opposite
from clearinghouse.services.ports import Store

E = TypeVar("E", ProviderEndpoint, OperatorEndpoint)

READABLE = {V1_3: {V1_3}, V1_4: {V1_3, V1_4}, V1_4_1: {V1_3, V1_4_1}}
"""The dialects that `namespaceUrl` can name in each version of the contract."""

LONGEST_TOLD = MAX_DESCRIPTION - 60
"""Room in a description for the refusals of records, leaving some for how many more there are."""


@dataclass(frozen=True)
class EndpointExchange:
    """AddServiceEndpoints and GetServiceEndpoints. `public_url` is the house's own, without a trailing slash."""

    store: Store
    clock: Clock
    public_url: str

    def add(self, request: AddServiceEndpointsRequest, caller: Caller, version: Version) -> AddServiceEndpointsResponse:
        """Store what is right, name what is not; the same URL and day replaces."""
        partner = as_partner(caller)
        now = self.clock()
        with self.store.books() as books:
            accepted, refused = judge(
                request, version, partner, now, holders=books.endpoints.holders, house_url=self.public_url
            )
            books.endpoints.put(accepted)
        if not refused:
            return AddServiceEndpointsResponse(result=Result.of(ResultCode.OK, _late(accepted, now)))
        code = ResultCode.PARTLY if accepted else refused[0].code
        return AddServiceEndpointsResponse(result=Result.of(code, _told(refused)))

    def get(self, request: GetServiceEndpointsRequest, caller: Caller, version: Version) -> GetServiceEndpointsResponse:
        """The living records of the partners that the caller is connected to, in the caller's dialect.

        Raises NotConnected where there are no such partners.
        """
        partner = as_partner(caller)
        now = self.clock()
        with self.store.books() as books:
            hidden = {partner.name} | {each.name for each in books.partners.all() if not each.enabled}
            records = [each for each in books.endpoints.living(now) if each.partner not in hidden]
            connections = books.connections.all(partner.operator_ids | partner.provider_ids)
        connected = {opposite(role): self._connected(partner, role, connections) for role in partner.roles}
        if not any(connected.values()):
            raise NotConnected
        seen = (visible(each, connected.get(each.role, frozenset()), now) for each in records)
        shown = [*self._readable(filter(None, seen), version)]
        return GetServiceEndpointsResponse(
            result=Result.of(ResultCode.OK, f"{len(shown)} endpoints."),
            provider_endpoint_array=tuple(
                _wire(ProviderEndpoint, each, version) for each in shown if each.role is Role.PROVIDER
            ),
            operator_endpoint_array=tuple(
                _wire(OperatorEndpoint, each, version) for each in shown if each.role is Role.OPERATOR
            ),
        )

    def _connected(self, viewer: Partner, role: Role, connections: Iterable[Connection]) -> frozenset[str]:
        return connected_ids(connections, viewer.ids_as(role), role, ConnectionKind.DIRECT, self.clock())

    def _readable(self, records: Iterable[Endpoint], version: Version) -> Iterator[Endpoint]:
        """Records whose dialect the reader's contract can name; the others are offered through the relay.

        A partner that has no record in a nameable dialect is listed once, with the relay's address and a token of its
        own: the reader can then know it by that token, and call it in the reader's own dialect.
        """
        now = self.clock()
        groups: defaultdict[tuple[str, Role, date], list[Endpoint]] = defaultdict(list)
        for record in records:
            for each in _by_day(record, version, now):
                groups[each.partner, each.role, each.day].append(each)
        for group in groups.values():
            nameable = [each for each in group if each.version in READABLE[version]]
            yield from nameable or [self._relayed(group, version)]

    def _relayed(self, group: Sequence[Endpoint], version: Version) -> Endpoint:
        url = f"{self.public_url}/direct/{group[0].role}/ochp/{version.path}"
        return dataclasses.replace(merged(group), url=url, version=version)


def known_by(records: Sequence[Endpoint], reader: Version) -> Endpoint:
    """Of a partner's records in one role for one day, one by whose token a reader of that version knows the partner."""
    return next((each for each in records if each.version in READABLE[reader]), records[0])


def as_partner(caller: Caller) -> Partner:
    """The caller as a partner of the house: tokens of the day open the relay only. Raises NotAuthorized."""
    if isinstance(caller, Partner):
        return caller
    raise NotAuthorized("This operation needs the partner's own user name and password.")


def _by_day(record: Endpoint, reader: Version, now: datetime) -> Iterable[Endpoint]:
    """The record for each day that the reader is told of; a static token of 0.1 is day by day where that is needed.

    0.2 knows no other way to say it, and in 0.1 its last day could not be told from a token of that day alone.
    """
    days = days_shown(record, now)
    if record.valid_until is None or (reader is V1_3 and record.day not in days):
        return [record]
    return [dataclasses.replace(record, day=day, valid_until=None) for day in days]


def _told(refused: Sequence[Refusal]) -> str:
    """Every refusal, as far as there is room for them in a description; how many more there are."""
    text, told = "", 0
    for each in refused:
        longer = f"{text}; {each.text}" if text else each.text
        if told and len(longer) > LONGEST_TOLD:
            return f"{text}; and {len(refused) - told} more are refused."
        text, told = longer, told + 1
    return text


def _late(accepted: Iterable[Endpoint], now: datetime) -> str:
    """A word of warning for tokens of the next day that come after their time (OCHP-direct 0.2, token distribution)."""
    if not any(each.day > sending_day(now) and is_late(each.day, now) for each in accepted):
        return ""
    return "Stored, but after 11:55 UTC: partners that fetch once a day may miss these tokens until their next look."


def _wire(cls: type[E], record: Endpoint, reader: Version) -> E:
    return cls(
        url=record.url,
        namespace_url=record.version.namespace,
        access_token=record.access_token,
        valid_until=record.valid_until,
        valid_date=record.day,
        whitelist=tuple(written_for(each, record.role, reader) for each in record.whitelist),
        blacklist=tuple(written_for(each, record.role, reader) for each in record.blacklist),
    )
