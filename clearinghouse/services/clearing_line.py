"""A partner's calls to the house's service and live ports, in the best dialect that it speaks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from clearinghouse.domain.errors import NotSupported, PartnerRefused
from clearinghouse.ochp.bridges import fitted
from clearinghouse.ochp.operations import Operation, Port
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.shape import fields_of
from clearinghouse.ochp.versions import Version
from clearinghouse.services.calls_port import Line, Login

T = TypeVar("T")

TOLD_EVERY = 50_000
"""Records of a long list between two words of its progress."""

PATHS: Mapping[Port, str] = {Port.SERVICE: "service", Port.LIVE: "live"}
PASSED = frozenset({ResultCode.OK, ResultCode.PARTLY})


class HouseRefused(PartnerRefused):
    """The house answered that it did not do what was asked."""

    def __init__(self, result: Result) -> None:
        super().__init__(f"{result.result_code}: {result.result_description}")
        self.result = result


@dataclass(frozen=True, kw_only=True)
class ClearingLine:
    """`house_url` has no trailing slash; `lost` is told what could not be said: object, path and reason.

    `progress` is told of a long list, while it is sent or read, how many of its records are through.
    """

    line: Line
    login: Login
    house_url: str
    spoken: tuple[Version, ...]
    lost: Callable[[str, str, str], None] = lambda name, path, why: None
    progress: Callable[[Operation, int], None] = lambda operation, records: None

    def version_of(self, operation: Operation) -> Version | None:
        """The newest version spoken that has the operation."""
        return max((each for each in self.spoken if operation.exists_in(each)), default=None)

    def speaks(self, operation: Operation) -> bool:
        """Whether the operation can be called at all."""
        return self.version_of(operation) is not None

    def call(self, operation: Operation, request: Any) -> Any:
        """The house's answer, whatever its result is. Raises PartnerFailed, NotSupported without a dialect for it."""
        version = self._version(operation)
        url = f"{self.house_url}/{PATHS[operation.port]}/ochp/{version.path}"
        answer = self.line.call(url, version, operation, self._watched(operation, version, request), self.login)
        return self._watched(operation, version, answer)

    def ask(self, operation: Operation, request: Any, also: frozenset[ResultCode] = frozenset()) -> Any:
        """The answer with a good result, or one of `also`. Raises PartnerFailed, HouseRefused and NotSupported."""
        answer = self.call(operation, request)
        if answer.result.result_code not in PASSED | also:
            raise HouseRefused(answer.result)
        return answer

    def _watched(self, operation: Operation, version: Version, message: Any) -> Any:
        """The message; if its list is long, going through that tells of the progress."""
        cls: type = type(message)
        field = next((each for each in fields_of(cls, version) if each.is_stream), None)
        records = getattr(message, field.attr) if field else ()
        if field is None or (isinstance(records, tuple) and len(records) < TOLD_EVERY):
            return message
        return dataclasses.replace(message, **{field.attr: self._told(operation, records)})

    def _told(self, operation: Operation, records: Iterable[T]) -> Iterator[T]:
        for count, record in enumerate(records, 1):
            yield record
            if count % TOLD_EVERY == 0:
                self.progress(operation, count)

    def sayable(self, operation: Operation, values: Iterable[T], name_of: Callable[[T], str]) -> list[T]:
        """What can be said of the values in the operation's version; the rest is reported as lost."""
        version = self._version(operation)
        said = []
        for value in values:
            fit, losses = fitted(value, version)
            for loss in losses:
                self.lost(name_of(value), loss.path, loss.why)
            if fit is not None:
                said.append(fit)
        return said

    def _version(self, operation: Operation) -> Version:
        version = self.version_of(operation)
        if version is None:
            raise NotSupported(f"no dialect spoken here has {operation}")
        return version
