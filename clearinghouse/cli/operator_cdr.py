"""The operator's part of `clearinghouse cdr`: what became of its claims, and what its people do about it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from clearinghouse.app.desks import claims as opened_claims
from clearinghouse.cli.context import JsonOption, SettingsOption, plainly, rows
from clearinghouse.domain.own_cdrs import OwnCdr, OwnCdrState
from clearinghouse.ochp.cdrs import BillingItem

COLUMNS = {
    "CDR": lambda each: each.cdr_id,
    "state": lambda each: each.state,
    "EVSE": lambda each: each.info.evse_id,
    "contract": lambda each: each.info.contract_id,
    "start": lambda each: each.info.start_date_time,
    "items": lambda each: tuple(_line(each)),
    "total": lambda each: f"{each.info.total_cost} {each.info.currency}",
    "reason": lambda each: each.reason,
}
OPEN_CLAIMS = (OwnCdrState.DECLINED, OwnCdrState.IMPLAUSIBLE)

CdrId = Annotated[str, typer.Argument(help="The id of the CDR.")]
Price = Annotated[
    list[str] | None, typer.Option(help="A price per unit: `0.39` of the energy, or `usagetime=0.60`; may be repeated.")
]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")]


def add_to(app: typer.Typer) -> None:
    """Give the noun the operator's verbs."""
    app.command(epilog="Example: clearinghouse cdr claims -s operator.toml")(claims)
    app.command(epilog="Example: clearinghouse cdr declined -s operator.toml")(declined)
    app.command(epilog="Example: clearinghouse cdr revise DEOPS2027011000000001 --price 0.39 -s operator.toml")(revise)
    app.command(epilog="Example: clearinghouse cdr reject DEOPS2027011000000001 -s operator.toml")(reject)


def claims(limit: Limit = 20, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Operators: show the newest CDRs and how far they are."""
    with plainly(), opened_claims(settings) as desk:
        rows(desk.find((), limit), COLUMNS, json)


def declined(limit: Limit = 100, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Operators: show the CDRs that a provider declined or the house did not take."""
    with plainly(), opened_claims(settings) as desk:
        rows(desk.find(OPEN_CLAIMS, limit), COLUMNS, json)


def revise(cdr_id: CdrId, price: Price = None, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Operators: give a CDR new prices and let it be uploaded again; without any, insist on it as it is."""
    with plainly(), opened_claims(settings) as desk:
        rows([desk.revise(cdr_id, dict(map(_price, price or ())))], COLUMNS, json)


def reject(cdr_id: CdrId, settings: SettingsOption = None, json: JsonOption = False) -> None:
    """Operators: give a claim up."""
    with plainly(), opened_claims(settings) as desk:
        rows([desk.give_up(cdr_id)], COLUMNS, json)


def _line(cdr: OwnCdr) -> list[str]:
    return [f"{each.billing_item} {each.billing_value} x {each.item_price}" for each in cdr.info.charging_periods]


def _price(text: str) -> tuple[BillingItem, Decimal]:
    """A billing item and its price. Raises ValueError."""
    name, _, amount = text.rpartition("=")
    try:
        item = BillingItem(name) if name else BillingItem.ENERGY
        price = Decimal(amount)
    except (ValueError, InvalidOperation):
        raise ValueError(f"--price {text}: is neither a price nor of the form usagetime=0.60") from None
    if not price.is_finite() or price < 0:
        raise ValueError(f"--price {text}: is no price")
    return item, price
