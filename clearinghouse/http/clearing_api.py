"""What the operator's JSON API shows of its part in clearing: its CDRs, and its copy of the roaming list."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Path, Query
from pydantic import Field

from clearinghouse.domain.own_cdrs import OwnCdr, OwnCdrState
from clearinghouse.http.forms import Amount, Form, Instant, Number, StrictForm
from clearinghouse.ochp.cdrs import BillingItem, CdrStatus
from clearinghouse.ochp.tokens import EmtId, Permission, Representation, RoamingAuthorisationInfo, TokenType


class CdrDesk(Protocol):
    """The operator's CDRs. Every method may raise any ClearinghouseError."""

    def find(
        self, states: Collection[OwnCdrState] = (), limit: int = 100, before: int | None = None
    ) -> Sequence[OwnCdr]:
        """The newest CDRs of these states, or of all; `before` continues below that number."""

    def get(self, cdr_id: str) -> OwnCdr:
        """The CDR. Raises UnknownId."""

    def revise(self, cdr_id: str, prices: Mapping[BillingItem, Decimal]) -> OwnCdr:
        """Give the CDR new prices and let it be uploaded again. Raises UnknownId and Conflict."""

    def give_up(self, cdr_id: str) -> OwnCdr:
        """Drop the claim. Raises UnknownId and Conflict."""


class ListDesk(Protocol):
    """The operator's copy of the roaming list."""

    def find(self, token: EmtId) -> Sequence[RoamingAuthorisationInfo]:
        """What the copy says of a token, also where it has expired."""

    def count(self) -> int:
        """How many lines are valid."""


class TokenForm(Form):
    """A token: the number of a card, or what else a driver identifies with."""

    instance: str
    token_type: TokenType
    representation: Representation


class PeriodForm(Form):
    """A line of the bill: the value in the item's unit, the price and the cost in net money."""

    start_date_time: Instant
    end_date_time: Instant
    billing_item: BillingItem
    billing_value: Number
    item_price: Number
    period_cost: Number | None = None


class InfoForm(Form):
    """A CDR as it is uploaded."""

    cdr_id: str
    evse_id: str
    contract_id: str
    emt_id: TokenForm
    status: CdrStatus
    start_date_time: Instant
    end_date_time: Instant
    charging_periods: list[PeriodForm]
    total_cost: Number | None = None
    currency: str


class OwnCdrForm(Form):
    """A CDR, how far it is, and what the house said to it last."""

    number: int
    state: OwnCdrState
    info: InfoForm
    direct_id: str | None = None
    created_at: Instant
    changed_at: Instant
    taken_at: Instant | None = None
    attempts: int
    reason: str | None = None


class OwnCdrListForm(Form):
    """The newest CDRs."""

    cdrs: list[OwnCdrForm]


class Prices(StrictForm):
    """New prices of billing items, in net money for a unit."""

    prices: Annotated[dict[BillingItem, Amount], Field(min_length=1)]


class LineForm(Form):
    """A line of the roaming list."""

    emt_id: TokenForm
    contract_id: str
    permissions: list[Permission]
    printed_number: str | None = None
    expiry_date: Instant


class RoamingListForm(Form):
    """What the copy of the roaming list says of a token, and how many tokens may charge in all."""

    valid_tokens: int
    lines: list[LineForm]


PageSize = Annotated[int, Query(ge=1, le=1000)]
CdrId = Annotated[str, Path(max_length=36, pattern="^[0-9A-Z]+$")]
States = Annotated[list[OwnCdrState] | None, Query(alias="state")]
Instance = Annotated[str, Query(min_length=1, max_length=512)]
TypeOfToken = Annotated[TokenType, Query(alias="type")]


def cdrs(desk: CdrDesk, key: Any) -> APIRouter:
    """What became of the operator's claims."""
    router = APIRouter(prefix="/cdrs", tags=["cdrs"], dependencies=[key])

    @router.get("", response_model=OwnCdrListForm)
    def list_cdrs(state: States = None, limit: PageSize = 100, before: int | None = None) -> dict[str, Any]:
        """The newest CDRs, of some states or of all; `before` continues below that number."""
        return {"cdrs": desk.find(state or (), limit, before)}

    @router.get("/{cdr_id}", response_model=OwnCdrForm)
    def show_cdr(cdr_id: CdrId) -> OwnCdr:
        """A CDR."""
        return desk.get(cdr_id)

    @router.post("/{cdr_id}/revise", response_model=OwnCdrForm)
    def revise_cdr(cdr_id: CdrId, prices: Prices) -> OwnCdr:
        """Give a CDR that was declined or not taken new prices; it is uploaded again."""
        return desk.revise(cdr_id, prices.prices)

    @router.post("/{cdr_id}/reject", response_model=OwnCdrForm)
    def reject_cdr(cdr_id: CdrId) -> OwnCdr:
        """Give the claim up."""
        return desk.give_up(cdr_id)

    return router


def roaming_list(desk: ListDesk, key: Any) -> APIRouter:
    """Who may charge."""
    router = APIRouter(prefix="/roaming-list", tags=["roaming list"], dependencies=[key])

    @router.get("", response_model=RoamingListForm)
    def look_up(instance: Instance, token_type: TypeOfToken = TokenType.RFID) -> dict[str, Any]:
        """What the operator's copy of the roaming list says of a token, written plain."""
        lines = desk.find(EmtId(instance=instance, token_type=token_type))
        return {"valid_tokens": desk.count(), "lines": lines}

    return router
