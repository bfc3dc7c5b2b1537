"""A partner's talk with the house: publishing its own endpoints and fetching those of its partners."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import PartnerRefused
from clearinghouse.domain.token_day import is_static
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import (
    AddServiceEndpointsRequest,
    AddServiceEndpointsResponse,
    GetServiceEndpointsRequest,
    GetServiceEndpointsResponse,
    OperatorEndpoint,
    ProviderEndpoint,
)
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.versions import BY_NAMESPACE, V1_3, Version
from clearinghouse.services.calls_port import Line, Login


@dataclass(frozen=True, kw_only=True)
class HouseLine:
    """`house_url` and `own_url` are base URLs without a trailing slash."""

    line: Line
    login: Login
    house_url: str
    own_url: str
    role: Role
    spoken: tuple[Version, ...]
    whitelist: tuple[str, ...]
    blacklist: tuple[str, ...] = ()

    def upload(self, day: date, token: str) -> None:
        """Publish the own endpoint of a day, one record per dialect. Raises PartnerFailed, with the house's reason."""
        for version in self.spoken:
            request = self._request(
                url=f"{self.own_url}/direct/{self.role}/ochp/{version.path}",
                namespace_url=version.namespace,
                access_token=token,
                valid_date=day,
                whitelist=self.whitelist,
                blacklist=self.blacklist,
            )
            answer: AddServiceEndpointsResponse = self.line.call(
                self._url(version), version, op.ADD_SERVICE_ENDPOINTS, request, self.login
            )
            if answer.result.result_code is not ResultCode.OK:
                raise PartnerRefused(f"{answer.result.result_code}: {answer.result.result_description}")

    def _request(self, **record: Any) -> AddServiceEndpointsRequest:
        if self.role is Role.OPERATOR:
            return AddServiceEndpointsRequest(operator_endpoint_array=(OperatorEndpoint(**record),))
        return AddServiceEndpointsRequest(provider_endpoint_array=(ProviderEndpoint(**record),))

    def fetch(self, now: datetime) -> list[Endpoint]:
        """The partners' endpoints, of every day the house tells. Raises PartnerFailed."""
        found: dict[tuple[str, Role, str, date], Endpoint] = {}
        for version in self.spoken:
            answer: GetServiceEndpointsResponse = self.line.call(
                self._url(version), version, op.GET_SERVICE_ENDPOINTS, GetServiceEndpointsRequest(), self.login
            )
            if answer.result.result_code not in (ResultCode.OK, ResultCode.ROAMING):
                raise PartnerRefused(f"{answer.result.result_code}: {answer.result.result_description}")
            for record in self._read(answer, version, now):
                found[record.partner, record.role, record.url, record.day] = record
        return self._without_detours(found.values())

    def _read(self, answer: GetServiceEndpointsResponse, version: Version, now: datetime) -> Iterable[Endpoint]:
        arrays: dict[Role, tuple[ProviderEndpoint | OperatorEndpoint, ...]] = {
            Role.PROVIDER: answer.provider_endpoint_array,
            Role.OPERATOR: answer.operator_endpoint_array,
        }
        for role, records in arrays.items():
            for each in records:
                spoken = BY_NAMESPACE.get(each.namespace_url or V1_3.namespace)
                if spoken is None or not each.whitelist:
                    continue
                yield Endpoint(
                    partner=party_id(each.whitelist[0]),
                    role=role,
                    url=each.url,
                    version=spoken,
                    access_token=each.access_token,
                    day=each.valid_date,
                    whitelist=each.whitelist,
                    blacklist=each.blacklist,
                    uploaded_at=now,
                    valid_until=each.valid_until if is_static(each.valid_date, each.valid_until, now) else None,
                )

    def _without_detours(self, records: Iterable[Endpoint]) -> list[Endpoint]:
        """Leave out the house's relay where the same partner is known under an address of its own."""
        relay = f"{self.house_url}/"
        records = list(records)
        own_addresses = {(each.access_token, each.day) for each in records if not each.url.startswith(relay)}
        return [
            each
            for each in records
            if not each.url.startswith(relay) or (each.access_token, each.day) not in own_addresses
        ]

    def _url(self, version: Version) -> str:
        return f"{self.house_url}/direct/ochp/{version.path}"
