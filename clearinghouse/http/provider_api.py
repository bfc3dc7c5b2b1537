"""The provider's JSON API: what the provider's own app does with charges."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from clearinghouse.domain.charges import Charge, ChargeEvent
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.sessions import Limits
from clearinghouse.http.events import EventFeed
from clearinghouse.http.forms import (
    ChargeEventForm,
    ChargeForm,
    ContractIdText,
    EndpointForm,
    EvseIdText,
    EvseStatusListForm,
    Form,
    Instant,
    LimitsForm,
    Prose,
    Reference,
    StrictForm,
)
from clearinghouse.http.json_api import JsonApi
from clearinghouse.http.keys import FindKey, keyed
from clearinghouse.http.provider_clearing_api import AreaDesk, CdrDesk, TokenDesk, area, received_cdrs, token_list
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.services.api_keys_port import ApiKey


class ProviderDesk(Protocol):
    """What the provider can do. Synchronous; every method may raise any ClearinghouseError.

    Methods that name a charge raise UnknownId where there is none.
    """

    def start(
        self,
        charge_id: str,
        evse_id: str,
        contract_id: str,
        limits: Limits,
        *,
        reserve_until: datetime | None,
        start: bool,
    ) -> Charge:
        """Select the EVSE and, if asked, start. Calling it again with the same id has no effect.

        A charge of this id that exists already is returned as it stands; Conflict where it is about another EVSE
        or contract.
        """

    def begin(self, charge_id: str, limits: Limits) -> Charge:
        """Start a charge that was only selected."""

    def change(self, charge_id: str, limits: Limits) -> Charge:
        """Put these limits over those that hold."""

    def stop(self, charge_id: str) -> Charge:
        """End the flow of energy."""

    def release(self, charge_id: str) -> Charge:
        """Give the EVSE free."""

    def get(self, charge_id: str) -> Charge:
        """The charge."""

    def history(self, charge_id: str, after: int = 0, limit: int = 1000) -> Sequence[ChargeEvent]:
        """What happened to one charge, oldest first."""

    def events_after(self, number: int, limit: int) -> Sequence[ChargeEvent]:
        """What happened to any charge after that number, oldest first."""

    def newest_event(self) -> int:
        """The number of the last event, 0 where there is none."""

    def find(self, *, contract_id: str | None, evse_id: str | None, limit: int, before: str | None) -> Sequence[Charge]:
        """The newest charges first."""

    def status(self, evse_ids: Sequence[str]) -> Sequence[EvseStatus]:
        """The live status of those EVSEs that their operators know."""

    def report(self, evse_id: str, text: str) -> None:
        """Tell the operator that something about an EVSE is not as described."""

    def operators(self) -> Sequence[Endpoint]:
        """The operator endpoints known today."""


class NewCharge(StrictForm):
    """A wish to charge; with `start` false the EVSE is only reserved."""

    evse_id: EvseIdText
    contract_id: ContractIdText
    reserve_until: Instant | None = None
    start: bool = True
    limits: LimitsForm = LimitsForm()


class Change(StrictForm):
    """Limits for a charge."""

    limits: LimitsForm = LimitsForm()


class Report(StrictForm):
    """What is wrong with an EVSE."""

    evse_id: EvseIdText
    report: Prose


class ChargeListForm(Form):
    """A page of charges, newest first; `next` is the `before` of the following page."""

    charges: list[ChargeForm]
    next: str | None = None


class ChargeStoryForm(ChargeForm):
    """A charge and what happened to it."""

    history: list[ChargeEventForm]


class OperatorListForm(Form):
    """The operator endpoints known today."""

    operators: list[EndpointForm]


ResumeAfter = Annotated[
    int | None,
    Header(alias="Last-Event-ID", ge=0, lt=1 << 63, description="The last number seen: what came after it is told."),
]
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=255, description="The same key makes one charge only."),
]
PageSize = Annotated[int, Query(ge=1, le=1000)]
EvseIds = Annotated[list[EvseIdText], Query(alias="evseId", min_length=1, max_length=500)]
STREAM: dict[str, Any] = {"response_class": EventSourceResponse}


def provider_api(
    desk: ProviderDesk,
    find_key: FindKey,
    *,
    cdr_desk: CdrDesk | None = None,
    area_desk: AreaDesk | None = None,
    token_desk: TokenDesk | None = None,
    threads: int = 16,
    interval: float = 0.5,
) -> JsonApi:
    """The API of a provider's process; each of the optional parts only where there is one.

    `interval` in seconds is how often it looks for new events.
    """
    feed = EventFeed(desk.events_after, desk.newest_event, interval=interval)
    key = keyed(find_key)
    routers = [charges(desk, key), streams(desk, feed, key), roaming(desk, key)]
    routers += [received_cdrs(cdr_desk, key)] if cdr_desk else []
    routers += [area(area_desk, key)] if area_desk else []
    routers += [token_list(token_desk, key)] if token_desk else []
    return JsonApi("Provider", routers, threads=threads, feeds=(feed,))


def charges(desk: ProviderDesk, key: Any) -> APIRouter:
    """Start, steer, stop and find charges."""
    router = APIRouter(prefix="/charges", tags=["charges"])

    @router.post("", status_code=201, response_model=ChargeForm)
    def start_charge(
        wish: NewCharge, response: Response, idempotency_key: IdempotencyKey = None, holder: ApiKey = key
    ) -> Charge:
        """Select the EVSE for the contract and start to charge."""
        limits = wish.limits.limits()
        charge = desk.start(
            charge_id_of(holder, idempotency_key),
            wish.evse_id,
            wish.contract_id,
            limits,
            reserve_until=wish.reserve_until,
            start=wish.start,
        )
        response.headers["location"] = f"/api/v1/charges/{charge.id}"
        return charge

    @router.get("", response_model=ChargeListForm, dependencies=[key])
    def list_charges(
        contract_id: Annotated[ContractIdText | None, Query(alias="contractId")] = None,
        evse_id: Annotated[EvseIdText | None, Query(alias="evseId")] = None,
        limit: PageSize = 100,
        before: Annotated[Reference | None, Query(description="Continue after the charge of this id.")] = None,
    ) -> dict[str, Any]:
        """The newest charges first."""
        found = desk.find(contract_id=contract_id, evse_id=evse_id, limit=limit, before=before)
        return {"charges": found, "next": found[-1].id if len(found) == limit else None}

    @router.get("/{charge_id}", response_model=ChargeStoryForm, dependencies=[key])
    def show_charge(charge_id: Reference) -> ChargeStoryForm:
        """A charge and its history."""
        charge = ChargeForm.model_validate(desk.get(charge_id))
        history = [ChargeEventForm.model_validate(event) for event in desk.history(charge_id)]
        return ChargeStoryForm(**dict(charge), history=history)

    @router.post("/{charge_id}/start", response_model=ChargeForm, dependencies=[key])
    def begin_charge(charge_id: Reference, change: Change) -> Charge:
        """Start a charge that was only selected."""
        return desk.begin(charge_id, change.limits.limits())

    @router.post("/{charge_id}/change", response_model=ChargeForm, dependencies=[key])
    def change_charge(charge_id: Reference, change: Change) -> Charge:
        """Put these limits over those that hold."""
        return desk.change(charge_id, change.limits.limits())

    @router.post("/{charge_id}/stop", response_model=ChargeForm, dependencies=[key])
    def stop_charge(charge_id: Reference) -> Charge:
        """End the flow of energy; the EVSE stays reserved until it is released."""
        return desk.stop(charge_id)

    @router.post("/{charge_id}/release", response_model=ChargeForm, dependencies=[key])
    def release_charge(charge_id: Reference) -> Charge:
        """Give the EVSE free."""
        return desk.release(charge_id)

    return router


def streams(desk: ProviderDesk, feed: EventFeed[ChargeEvent], key: Any) -> APIRouter:
    """Live updates as server-sent events; the id of each is its number."""
    router = APIRouter(tags=["events"], dependencies=[key])

    def known(charge_id: Reference) -> str:
        return desk.get(charge_id).id

    named = Depends(known)

    @router.get("/charges/{charge_id}/events", **STREAM)
    async def charge_events(last_event_id: ResumeAfter = None, known_id: str = named) -> AsyncIterator[ServerSentEvent]:
        """What happened to one charge, from its beginning or from `Last-Event-ID` on, and what happens."""
        listening = feed.listen(
            last_event_id or 0,
            lambda after, limit: desk.history(known_id, after, limit),
            lambda event: event.charge_id == known_id,
        )
        async with aclosing(listening) as events:
            async for event in events:
                yield told(event)

    @router.get("/events", **STREAM)
    async def all_events(last_event_id: ResumeAfter = None) -> AsyncIterator[ServerSentEvent]:
        """What happens to all charges from now on, or from `Last-Event-ID` on."""
        async with aclosing(feed.listen(last_event_id)) as events:
            async for event in events:
                yield told(event)

    return router


def roaming(desk: ProviderDesk, key: Any) -> APIRouter:
    """What operators tell and are told."""
    router = APIRouter(tags=["roaming"], dependencies=[key])

    @router.get("/evses/status", response_model=EvseStatusListForm)
    def evse_status(evse_id: EvseIds) -> dict[str, Any]:
        """The live status of EVSEs, straight from their operators."""
        return {"evses": desk.status(evse_id)}

    @router.post("/discrepancies", status_code=204)
    def report_discrepancy(report: Report) -> None:
        """Tell the operator that something about an EVSE is not as described."""
        desk.report(report.evse_id, report.report)

    @router.get("/operators", response_model=OperatorListForm)
    def operators() -> dict[str, Any]:
        """The operator endpoints known today."""
        return {"operators": desk.operators()}

    return router


def charge_id_of(holder: ApiKey, idempotency_key: str | None) -> str:
    """A fresh id, or the one that this holder's idempotency key always gives."""
    if idempotency_key is None:
        return str(uuid.uuid4())
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:clearinghouse:charge:{holder.id}:{idempotency_key}"))


def told(event: ChargeEvent) -> ServerSentEvent:
    """The event on the wire."""
    form = ChargeEventForm.model_validate(event).model_dump(mode="json", by_alias=True)
    return ServerSentEvent(id=str(event.number), event=event.kind, data=form)
