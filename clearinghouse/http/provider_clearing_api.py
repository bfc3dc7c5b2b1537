"""What the provider's JSON API shows of its part in clearing: CDRs to pay, charge points, tariffs, refused tokens."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Body, Path, Query

from clearinghouse.domain.cdr_review import RULES, Rule
from clearinghouse.domain.evidence import Verdict
from clearinghouse.domain.received_cdrs import CdrStage, ReceivedCdr
from clearinghouse.http.clearing_api import CdrId, InfoForm, LineForm, PageSize
from clearinghouse.http.forms import EvseIdText, EvseStatusForm, Form, Instant, Prose, StrictForm
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.ochp.plain import to_plain
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.services.api_keys_port import ApiKey


class CdrDesk(Protocol):
    """The CDRs that the provider received. Every method may raise any ClearinghouseError."""

    def find(
        self,
        stages: Collection[CdrStage] = (),
        *,
        operator_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Sequence[ReceivedCdr]:
        """The newest CDRs of these stages and this operator, or of all."""

    def get(self, cdr_id: str, evse_id: str | None = None) -> ReceivedCdr:
        """The CDR. Raises UnknownId, and Conflict where several EVSEs have one of this id."""

    def approve(self, cdr_id: str, actor: str, why: str | None = None, evse_id: str | None = None) -> ReceivedCdr:
        """Accept the claim. Raises UnknownId and Conflict."""

    def decline(self, cdr_id: str, actor: str, why: str | None = None, evse_id: str | None = None) -> ReceivedCdr:
        """Send the claim back to the operator. Raises UnknownId and Conflict."""


class Place(Protocol):
    """A charge point, its live status where that is known, and whether it can be used now."""

    @property
    def key(self) -> str: ...
    @property
    def point(self) -> ChargePointInfo: ...
    @property
    def status(self) -> EvseStatus | None: ...
    @property
    def usable(self) -> bool: ...


class AreaDesk(Protocol):
    """The provider's copies of what operators tell the house."""

    def places(
        self, *, operator_id: str | None = None, usable: bool = False, after: str = "", limit: int = 100
    ) -> Sequence[Place]:
        """Charge points in the order of their keys, after one: all, or those that can be used now."""

    def place(self, evse_id: str) -> Place:
        """A charge point. Raises UnknownId."""

    def known_tariffs(
        self, *, operator_id: str | None = None, after: str = "", limit: int = 100
    ) -> Sequence[tuple[str, TariffInfo]]:
        """The tariffs in force with their keys, in the order of these, after one."""


class TokenLine(Protocol):
    """A line of the provider's list, and why the house refused it."""

    @property
    def line(self) -> Any: ...
    @property
    def refusal(self) -> str | None: ...


class TokenDesk(Protocol):
    """The provider's tokens."""

    def refused(self, limit: int = 100) -> Sequence[TokenLine]:
        """Lines that the house refused, with the reasons."""


class FindingForm(Form):
    """A rule that a CDR breaks, why, and what the rule asks for."""

    rule: str
    verdict: Verdict
    text: str


class NoteForm(Form):
    """One entry of a CDR's history."""

    at: Instant
    actor: str
    what: str
    why: str | None = None


class ReceivedCdrForm(Form):
    """A CDR, where it stands, what the rules found, and what happened to it."""

    number: int
    stage: CdrStage
    info: InfoForm
    findings: list[FindingForm]
    received_at: Instant
    changed_at: Instant
    attempts: int
    reason: str | None = None
    history: list[NoteForm]


class ReceivedCdrListForm(Form):
    """A page of CDRs, newest first; `next` is the `before` of the following page."""

    cdrs: list[ReceivedCdrForm]
    next: int | None = None


class RuleForm(Form):
    """A rule and what becomes of CDRs that break it, unless settings say otherwise."""

    name: str
    says: str
    verdict: Verdict


class RuleListForm(Form):
    """The rules, in the order in which they are looked at."""

    rules: list[RuleForm]


class Decision(StrictForm):
    """Why a person decided so; the EVSE, where several have a CDR of this id."""

    why: Prose | None = None
    evse_id: EvseIdText | None = None


class PlaceForm(Form):
    """A charge point as OCHP describes it, its live status, and whether it can be used now."""

    key: str
    usable: bool
    status: EvseStatusForm | None = None
    charge_point: dict[str, Any]


class PlaceListForm(Form):
    """A page of charge points; `next` is the `after` of the following page."""

    charge_points: list[PlaceForm]
    next: str | None = None


class TariffListForm(Form):
    """A page of tariffs as OCHP describes them; `next` is the `after` of the following page."""

    tariffs: list[dict[str, Any]]
    next: str | None = None


class RefusedTokenForm(Form):
    """A line of the token list that the house refused, and why."""

    line: LineForm
    refusal: str | None = None


class RefusedTokenListForm(Form):
    """Lines of the token list that the house refused."""

    tokens: list[RefusedTokenForm]


Stages = Annotated[list[CdrStage] | None, Query(alias="stage")]
Operator = Annotated[str | None, Query(alias="operator", pattern="^[A-Za-z]{2}[A-Za-z0-9]{3}$")]
Number = Annotated[int | None, Query(ge=1, lt=1 << 63, description="Continue after the CDR of this number.")]
After = Annotated[str, Query(max_length=50, description="Continue after this key.")]
Said = Annotated[Decision | None, Body()]
EvseOption = Annotated[EvseIdText | None, Query(alias="evseId")]
EvseInPath = Annotated[EvseIdText, Path()]


def received_cdrs(desk: CdrDesk, key: Any) -> APIRouter:
    """What operators claim, and what the provider says to it."""
    router = APIRouter(prefix="/cdrs", tags=["cdrs"])

    @router.get("", response_model=ReceivedCdrListForm, dependencies=[key])
    def list_cdrs(
        stage: Stages = None, operator: Operator = None, limit: PageSize = 100, before: Number = None
    ) -> dict[str, Any]:
        """The newest CDRs, of some stages and one operator or of all."""
        asked = None if operator is None else operator.upper()
        found = desk.find(stage or (), operator_id=asked, limit=limit, before=before)
        return {"cdrs": found, "next": found[-1].number if len(found) == limit else None}

    @router.get("/rules", response_model=RuleListForm, dependencies=[key])
    def rules() -> dict[str, tuple[Rule, ...]]:
        """The rules by which CDRs are approved, declined, or left to a person."""
        return {"rules": RULES}

    @router.get("/{cdr_id}", response_model=ReceivedCdrForm, dependencies=[key])
    def show_cdr(cdr_id: CdrId, evse_id: EvseOption = None) -> ReceivedCdr:
        """A CDR."""
        return desk.get(cdr_id, evse_id)

    @router.post("/{cdr_id}/approve", response_model=ReceivedCdrForm)
    def approve_cdr(cdr_id: CdrId, said: Said = None, holder: ApiKey = key) -> ReceivedCdr:
        """Accept the claim: the house is told."""
        decision = said or Decision()
        return desk.approve(cdr_id, actor_of(holder), decision.why, decision.evse_id)

    @router.post("/{cdr_id}/decline", response_model=ReceivedCdrForm)
    def decline_cdr(cdr_id: CdrId, said: Said = None, holder: ApiKey = key) -> ReceivedCdr:
        """Send the claim back: the house is told, and the operator may revise it."""
        decision = said or Decision()
        return desk.decline(cdr_id, actor_of(holder), decision.why, decision.evse_id)

    return router


def actor_of(holder: ApiKey) -> str:
    """Who decided, for the CDR's history."""
    return f"api key {holder.name}"


def area(desk: AreaDesk, key: Any) -> APIRouter:
    """Where the provider's customers can charge, and what it costs."""
    router = APIRouter(tags=["charge points and tariffs"], dependencies=[key])

    @router.get("/charge-points", response_model=PlaceListForm)
    def list_points(
        operator: Operator = None,
        usable: Annotated[bool, Query(description="Only those that can be used now.")] = False,
        limit: PageSize = 100,
        after: After = "",
    ) -> dict[str, Any]:
        """Charge points, and whether they can be used now."""
        asked = None if operator is None else operator.upper()
        found = desk.places(operator_id=asked, usable=usable, after=after, limit=limit)
        return {"charge_points": [*map(shown, found)], "next": found[-1].key if len(found) == limit else None}

    @router.get("/charge-points/{evse_id}", response_model=PlaceForm)
    def show_point(evse_id: EvseInPath) -> dict[str, Any]:
        """A charge point."""
        return shown(desk.place(evse_id))

    @router.get("/tariffs", response_model=TariffListForm)
    def list_tariffs(operator: Operator = None, limit: PageSize = 100, after: After = "") -> dict[str, Any]:
        """The tariffs in force."""
        asked = None if operator is None else operator.upper()
        found = desk.known_tariffs(operator_id=asked, after=after, limit=limit)
        last = found[-1][0] if len(found) == limit else None
        return {"tariffs": [to_plain(tariff) for _, tariff in found], "next": last}

    return router


def shown(place: Place) -> dict[str, Any]:
    """A charge point for the form."""
    return {
        "key": place.key,
        "usable": place.usable,
        "status": place.status,
        "charge_point": to_plain(place.point),
    }


def token_list(desk: TokenDesk, key: Any) -> APIRouter:
    """What the house did not take of the provider's tokens."""
    router = APIRouter(prefix="/tokens", tags=["tokens"], dependencies=[key])

    @router.get("/refused", response_model=RefusedTokenListForm)
    def refused(limit: PageSize = 100) -> dict[str, Any]:
        """Lines that the house refused, with the reasons."""
        return {"tokens": desk.refused(limit)}

    return router
