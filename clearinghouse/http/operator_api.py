"""The operator's JSON API: sessions and what was told about them; and the hand that moves the simulated stations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Query
from pydantic import Field, model_validator

from clearinghouse.domain.errors import NotFound
from clearinghouse.domain.sessions import Session
from clearinghouse.http.clearing_api import CdrDesk, ListDesk, cdrs, roaming_list
from clearinghouse.http.forms import (
    Amount,
    ContractIdText,
    DiscrepancyForm,
    EvseIdText,
    EvseStatusListForm,
    Form,
    ParcelForm,
    Reference,
    SessionForm,
    StrictForm,
)
from clearinghouse.http.json_api import JsonApi
from clearinghouse.http.keys import FindKey, keyed
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.ochp.tokens import EmtId, TokenType
from clearinghouse.services.sessions_port import Discrepancy, Parcel


class OperatorDesk(Protocol):
    """What the operator's back end can see. Synchronous; every method may raise any ClearinghouseError."""

    def sessions(self, limit: int) -> Sequence[Session]:
        """The newest sessions."""

    def session(self, direct_id: str) -> Session:
        """The session. Raises UnknownId."""

    def told(self, direct_id: str) -> Sequence[Parcel]:
        """What was, or waits to be, told to the provider about a session, in order."""

    def status(self, evse_ids: Sequence[str]) -> Sequence[EvseStatus]:
        """The live status of the known ones among these EVSEs."""

    def discrepancies(self, limit: int) -> Sequence[Discrepancy]:
        """The newest reports of providers."""


class SimulatorDesk(Protocol):
    """What a driver, or fate, does at a simulated EVSE. Raises NotFound where there is no such EVSE.

    A car is a dictionary of `max_ac_kw`, `max_dc_kw`, `battery_kwh` (Decimals), `phases` (int) and `soc` (0 to 1);
    what is absent is the simulator's choice.
    """

    def plug(self, evse_key: str, car: dict[str, Any]) -> None:
        """A car is connected."""

    def unplug(self, evse_key: str) -> None:
        """The car is disconnected."""

    def present_card(self, evse_key: str, contract_id: str, car: dict[str, Any]) -> None:
        """A card is held to the reader of an idle EVSE, and the car connected."""

    def present_token(self, evse_key: str, token: EmtId, car: dict[str, Any]) -> None:
        """Like `present_card`, for the contract that the roaming list has for the token. Raises Conflict."""

    def fault(self, evse_key: str) -> None:
        """The EVSE breaks."""

    def clear_fault(self, evse_key: str) -> None:
        """The EVSE is mended."""


class Car(StrictForm):
    """A simulated car: powers in kW, battery in kWh, state of charge from 0 to 1."""

    max_ac_kw: Amount | None = None
    max_dc_kw: Amount | None = None
    phases: Annotated[int, Field(ge=1, le=3)] | None = None
    battery_kwh: Amount | None = None
    soc: Annotated[Amount, Field(le=1)] | None = None

    def stated(self) -> dict[str, Any]:
        """What was said about the car."""
        return self.model_dump(exclude_none=True)


class Act(StrictForm):
    """What happens at a simulated EVSE."""

    contract_id: ContractIdText | None = None
    car: Car = Car()


class Token(StrictForm):
    """What the card reader reads: a number, written plain, and what it is of."""

    instance: Annotated[str, Field(min_length=1, max_length=512)]
    type: TokenType = TokenType.RFID


class CardAct(Act):
    """A card is presented: its token is looked up in the roaming list, or its contract is known beforehand."""

    token: Token | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> CardAct:
        if (self.token is None) == (self.contract_id is None):
            raise ValueError("either a token or a contractId is needed")
        return self


class SessionListForm(Form):
    """The newest sessions."""

    sessions: list[SessionForm]


class SessionStoryForm(SessionForm):
    """A session and what its provider was told."""

    told: list[ParcelForm]


class DiscrepancyListForm(Form):
    """The newest reports."""

    discrepancies: list[DiscrepancyForm]


PageSize = Annotated[int, Query(ge=1, le=1000)]
EvseIds = Annotated[list[EvseIdText], Query(alias="evseId", min_length=1, max_length=500)]
EvseKey = Annotated[str, Path(max_length=50, description="An EVSE-ID in any spelling.")]


def operator_api(
    desk: OperatorDesk,
    find_key: FindKey,
    *,
    simulator: SimulatorDesk | None = None,
    cdr_desk: CdrDesk | None = None,
    list_desk: ListDesk | None = None,
    threads: int = 8,
) -> JsonApi:
    """The API of an operator's process; each of the optional parts only where there is one."""
    key = keyed(find_key)
    routers = [sessions(desk, key)]
    routers += [cdrs(cdr_desk, key)] if cdr_desk else []
    routers += [roaming_list(list_desk, key)] if list_desk else []
    routers += [simulated(simulator, key)] if simulator else []
    return JsonApi("Operator", routers, threads=threads)


def sessions(desk: OperatorDesk, key: Any) -> APIRouter:
    """What goes on at the operator's EVSEs."""
    router = APIRouter(tags=["operator"], dependencies=[key])

    @router.get("/sessions", response_model=SessionListForm)
    def list_sessions(limit: PageSize = 100) -> dict[str, Any]:
        """The newest sessions."""
        return {"sessions": desk.sessions(limit)}

    @router.get("/sessions/{direct_id}", response_model=SessionStoryForm)
    def show_session(direct_id: Reference) -> SessionStoryForm:
        """A session and what its provider was told."""
        session = SessionForm.model_validate(desk.session(direct_id))
        told = [ParcelForm.model_validate(parcel) for parcel in desk.told(direct_id)]
        return SessionStoryForm(**dict(session), told=told)

    @router.get("/evses/status", response_model=EvseStatusListForm)
    def evse_status(evse_id: EvseIds) -> dict[str, Any]:
        """The live status of EVSEs."""
        return {"evses": desk.status(evse_id)}

    @router.get("/discrepancies", response_model=DiscrepancyListForm)
    def discrepancies(limit: PageSize = 100) -> dict[str, Any]:
        """What providers reported about EVSEs."""
        return {"discrepancies": desk.discrepancies(limit)}

    return router


def simulated(desk: SimulatorDesk, key: Any) -> APIRouter:
    """What a driver does at a simulated EVSE."""
    router = APIRouter(prefix="/simulator/evses/{evse}", tags=["simulator"], dependencies=[key])

    @router.post("/plug", status_code=204)
    def plug(evse: EvseKey, act: Act | None = None) -> None:
        """Connect a car."""
        desk.plug(canonical(evse), (act or Act()).car.stated())

    @router.post("/card", status_code=204)
    def card(evse: EvseKey, act: CardAct) -> None:
        """Present a card and connect a car."""
        if act.token is not None:
            token = EmtId(instance=act.token.instance, token_type=act.token.type)
            desk.present_token(canonical(evse), token, act.car.stated())
        elif act.contract_id is not None:
            desk.present_card(canonical(evse), act.contract_id, act.car.stated())

    simple: dict[str, Callable[[str], None]] = {
        "unplug": desk.unplug,
        "fault": desk.fault,
        "clear": desk.clear_fault,
    }
    for verb, act in simple.items():
        router.add_api_route(f"/{verb}", _at_evse(act, verb), methods=["POST"], status_code=204)
    return router


def _at_evse(act: Callable[[str], None], verb: str) -> Callable[[str], None]:
    def endpoint(evse: EvseKey) -> None:
        act(canonical(evse))

    endpoint.__name__ = verb
    endpoint.__doc__ = act.__doc__
    return endpoint


def canonical(evse_id: str) -> str:
    """The canonical key of an EVSE-ID in a path. Raises NotFound where it is none."""
    key = evse_key(evse_id)
    if key is None:
        raise NotFound(f"{evse_id!r} is no EVSE-ID.")
    return key
