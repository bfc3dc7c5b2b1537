"""Live status at the house: operators tell, providers and navigation services ask."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.live_status import (
    LiveStatus,
    Subject,
    Trust,
    combined,
    evse_told,
    judge,
    parking_told,
)
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.identifiers import evse_key, parking_key
from clearinghouse.ochp.live import (
    EvseStatus,
    GetStatusRequest,
    GetStatusResponse,
    ParkingStatus,
    StatusType,
    UpdateStatusRequest,
    UpdateStatusResponse,
)
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.results import Result
from clearinghouse.ochp.versions import Version
from clearinghouse.services.callers import acting_as
from clearinghouse.services.calls_port import Caller, Handler
from clearinghouse.services.ports import Books, Store
from clearinghouse.services.streams import opened

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """What a provider asks: as whom, when, and since when it knows."""

    ids: frozenset[str]
    now: datetime
    since: datetime | None


@dataclass(frozen=True)
class StatusExchange:
    """UpdateStatus and GetStatus. GetStatus has no result: what goes wrong there is a fault, nothing is nothing."""

    store: Store
    clock: Clock
    trust: Trust

    @property
    def handlers(self) -> Mapping[Operation, Handler]:
        """The operations served here."""
        return {op.UPDATE_STATUS: self.update, op.GET_STATUS: self.get}

    def update(self, request: UpdateStatusRequest, caller: Caller, version: Version) -> UpdateStatusResponse:
        """Keep what is the caller's own, known to the house or not; one statement whatever the number."""
        partner = acting_as(Role.OPERATOR, caller)
        judgement = judge(self._told(request, self.clock()), partner.operator_ids)
        if judgement.taken:
            with self.store.single() as books:
                books.live_statuses.put(judgement.taken)
        text = "; ".join((*judgement.refused, *judgement.notes))
        return UpdateStatusResponse(result=Result.of(judgement.code, text))

    def _told(self, request: UpdateStatusRequest, now: datetime) -> Iterator[tuple[LiveStatus, str | None]]:
        """The entries under their keys; an entry's own time to live beats that of the message."""
        until = self.trust.until
        for each in request.evse:
            key = evse_key(each.evse_id) or each.evse_id
            yield evse_told(each, key, until(each.ttl or request.ttl, each.major, now))
        for spot in request.parking:
            key = parking_key(spot.parking_id) or spot.parking_id
            yield parking_told(spot, key, until(spot.ttl or request.ttl, spot.status, now))

    def get(self, request: GetStatusRequest, caller: Caller, version: Version) -> GetStatusResponse:
        """What the caller may see, all or only what is newer than it says; nothing where it lies in the future."""
        partner = acting_as(Role.PROVIDER, caller)
        question = Question(partner.provider_ids, self.clock(), request.start_date_time)
        if question.since is not None and question.since > question.now:
            return GetStatusResponse()
        kind = request.status_type or StatusType.EVSE
        answer: dict[str, Any] = {kind.value: opened(self._found(FIND[kind], question))}
        return GetStatusResponse(**answer)

    def _found(self, find: Callable[[Books, Question], Iterable[T]], question: Question) -> Generator[T]:
        with self.store.books() as books:
            yield from find(books, question)


def _evses(books: Books, asked: Question) -> Iterator[EvseStatus]:
    found = books.live_statuses.seen(Subject.EVSE, asked.ids, asked.now, asked.since)
    return (each.as_evse() for each in found)


def _spots(books: Books, asked: Question) -> Iterator[ParkingStatus]:
    found = books.live_statuses.seen(Subject.PARKING, asked.ids, asked.now, asked.since)
    return (each.as_parking() for each in found)


def _combined(books: Books, asked: Question) -> Iterator[EvseStatus]:
    found = books.live_statuses.combinations(asked.ids, asked.now, asked.since)
    return (combined(evse, spots).as_evse() for evse, spots in found)


FIND: Mapping[StatusType, Callable[[Books, Question], Iterator[Any]]] = {
    StatusType.EVSE: _evses,
    StatusType.PARKING: _spots,
    StatusType.COMBINED: _combined,
}
"""What finds each kind of status; the lists of an answer are named like the kinds."""
