"""How a partner's back end calls the partner that answers for an identifier: directly, or through the house."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from clearinghouse.domain import token_day
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import NotFound, PartnerFailed
from clearinghouse.ochp.bridges import losses
from clearinghouse.ochp.direct import ControlEvseResponse, SelectEvseResponse
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.results import DirectResult, DirectResultCode
from clearinghouse.ochp.versions import ORDER, Version
from clearinghouse.services.calls_port import Line, Login, TokenPair
from clearinghouse.services.directory import Directory


class Relaying(StrEnum):
    """When calls to partners go through the house's relay."""

    NEVER = "never"
    WHEN_NEEDED = "when-needed"
    """Where the partner speaks no dialect that this back end speaks."""
    ALWAYS = "always"


@dataclass(frozen=True)
class House:
    """The house's relay: its base URL without a trailing slash, and this partner's login there."""

    url: str
    login: Login


@dataclass(frozen=True)
class Way:
    """Where a call goes, in which dialect, as whom."""

    url: str
    version: Version
    credentials: Login | TokenPair


@dataclass(frozen=True)
class PartnerLine:
    """Finds the way and makes the call, in the best dialect both speak."""

    line: Line
    directory: Directory
    clock: Clock
    spoken: Collection[Version]
    house: House
    relaying: Relaying = Relaying.WHEN_NEEDED

    def call(self, operation: Operation, request: Any, identifier: str, role: Role) -> Any:
        """The answer of the partner in that role which answers for the identifier. Raises NotFound, PartnerFailed."""
        way = self.way(identifier, role)
        answer = self.line.call(way.url, way.version, operation, request, way.credentials)
        return honest(answer, request, way.version)

    def way(self, identifier: str, role: Role) -> Way:
        """The way to that partner now. Raises NotFound, PartnerFailed."""
        if self.relaying is Relaying.ALWAYS:
            return self._through_the_house(role)
        endpoint = self.directory.resolve(identifier, role, self.spoken)
        if endpoint is not None:
            day = token_day.sending_day(self.clock()) if endpoint.valid_until else endpoint.day
            own = self.directory.own_token(day)
            if own is None:
                raise PartnerFailed(f"This back end has no token for {day} yet.")
            return Way(endpoint.url, endpoint.version, TokenPair(endpoint.access_token, own))
        if self.relaying is Relaying.WHEN_NEEDED and self.directory.resolve(identifier, role, ORDER):
            return self._through_the_house(role)
        raise NotFound(f"No connected {role} answers for {identifier} today.")

    def _through_the_house(self, role: Role) -> Way:
        version = max(self.spoken)
        return Way(f"{self.house.url}/direct/{role}/ochp/{version.path}", version, self.house.login)


SAYING_SO: dict[type[Any], DirectResultCode] = {
    ControlEvseResponse: DirectResultCode.PARTLY,
    SelectEvseResponse: DirectResultCode.OK,
}
"""What becomes of `ok` in an answer where not all was passed on: the time that a selection got is in its `ttl`."""


def honest(answer: Any, request: Any, version: Version) -> Any:
    """The answer, but not plainly `ok` where the dialect of the call could not say all that the request asks for."""
    code = SAYING_SO.get(type(answer))
    if code is None or answer.result.result_code is not DirectResultCode.OK:
        return answer
    lost = losses(request, version)
    if not lost:
        return answer
    text = f"OCHP-direct {version.direct} is spoken there; not passed on: {', '.join(lost)}."
    return dataclasses.replace(answer, result=DirectResult.of(code, text))
