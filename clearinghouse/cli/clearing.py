"""The clearing of the demo: CDRs, a dispute about one, and the settlement of the month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any

from clearinghouse.cli import operator_cdr, provider_cdr, settlement
from clearinghouse.cli.cast import (
    AGREED,
    CONNECTIONS,
    EVSE,
    HOUSE,
    MONTH,
    OPERATOR,
    PIONEER,
    PIONEER_EVSE,
    PROVIDER,
    SECOND_EVSE,
    VETERAN,
)
from clearinghouse.cli.stage import Stage, together
from clearinghouse.cli.story import Story
from clearinghouse.domain.own_cdrs import OwnCdr
from clearinghouse.domain.received_cdrs import ReceivedCdr
from clearinghouse.domain.settlement import Balance, SettlementLine, amounts_of
from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.identifiers import party_id
from clearinghouse.ochp.plain import from_plain

Debt = tuple[str, str, str, Decimal]
"""What is owed: to which operator ID, by which provider ID, the currency, and the net amount."""


def clear_charges(stage: Stage, story: Story) -> None:
    """CDRs travel to the providers: some are approved by rules, one is declined, revised and approved by a person."""
    story.chapter("The charges are cleared: CDRs, and a dispute about one")
    direct = _staged(stage, PROVIDER, EVSE, "approved")
    story.say("fahrstrom's rules approve the CDR of the direct session", direct["info"]["cdrId"])
    story.show_soap("AddCDRs", "GetCDRs", "ConfirmCDRs")
    across = _staged(stage, PROVIDER, PIONEER_EVSE, "approved")
    story.say("and the one of laadnet, with which it shares no version", across["info"]["cdrId"])
    story.check("laadnet has said everything in 1.3", story.versions_sent(PIONEER) == {"1.3"})
    story.check("fahrstrom has said everything in 1.4.1", story.versions_sent(PROVIDER) == {"1.4.1"})
    _dispute(stage, story)


def _dispute(stage: Stage, story: Story) -> None:
    """A person declines a CDR for its price; the operator's people see it, revise it, and it is approved."""
    waiting = _staged(stage, VETERAN, SECOND_EVSE, "waiting")
    cdr_id = waiting["info"]["cdrId"]
    story.say("oudlader, which speaks 1.3, lets a person look at each CDR")
    stage.post(VETERAN, f"/cdrs/{cdr_id}/decline", {"why": "The price is not the agreed one."})
    declined = from_plain(ReceivedCdr, stage.cli_json("cdr", "show", cdr_id, at=VETERAN))
    story.say("the person declines it; `cdr show` at oudlader:")
    story.record(declined, provider_cdr.COLUMNS)
    claim = stage.wait("the declined CDR at the operator", lambda: _declined(stage, cdr_id))
    story.say("stromkreis is told, but not why: OCHP has no field for that. `cdr declined`:")
    story.record(claim, operator_cdr.COLUMNS)
    stage.cli("cdr", "revise", cdr_id, "--price", AGREED, at=OPERATOR)
    story.say("stromkreis revises the price and sends it again", f"{AGREED} EUR per kWh")
    revised = _staged(stage, VETERAN, SECOND_EVSE, "waiting")
    prices = [period["itemPrice"] for period in revised["info"]["chargingPeriods"]]
    story.check("oudlader sees the revised price", float(AGREED) in prices)
    stage.post(VETERAN, f"/cdrs/{cdr_id}/approve", {"why": "Now it is."})
    _staged(stage, VETERAN, SECOND_EVSE, "approved")
    story.say("the person approves it")


def settle(stage: Stage, story: Story) -> None:
    """What the providers owe the operators for the month."""
    story.chapter(f"The month is settled: `settlement show --month {MONTH}` at the house")
    lines, balances = stage.wait("all pairs in the settlement", lambda: _settlement(stage))
    story.table(lines, settlement.LINES)
    story.say("set off between partners:")
    story.table(balances, settlement.BALANCES)
    approved = together(*(partial(_approved, stage, place) for place in (PROVIDER, VETERAN)))
    net = [(each.operator_id, each.provider_id, each.currency, each.net) for each in lines]
    story.check("each line is the sum of what its provider approved", net == _sums(*approved))


def _staged(stage: Stage, place: str, evse_id: str, cdr_stage: str) -> dict[str, Any]:
    """The newest CDR of an EVSE that a provider has in that stage."""

    def found() -> dict[str, Any] | None:
        cdrs = stage.get(place, "/cdrs", stage=cdr_stage)["cdrs"]
        return next((each for each in cdrs if each["info"]["evseId"] == evse_id), None)

    return stage.wait(f"a CDR of {evse_id} that is {cdr_stage} at {place}", found)


def _declined(stage: Stage, cdr_id: str) -> OwnCdr | None:
    """The operator's CDR of this id once it is among the declined."""
    claims = (from_plain(OwnCdr, each) for each in stage.cli_json("cdr", "declined", at=OPERATOR))
    return next((each for each in claims if each.cdr_id == cdr_id), None)


def _settlement(stage: Stage) -> tuple[list[SettlementLine], list[Balance]] | None:
    """The settlement at the house, once all that roam with each other are in it."""
    told = stage.cli_json("settlement", "show", "--month", MONTH, at=HOUSE)
    lines = [from_plain(SettlementLine, each) for each in told["lines"]]
    balances = [from_plain(Balance, each) for each in told["balances"]]
    return (lines, balances) if {(each.operator_id, each.provider_id) for each in lines} == {*CONNECTIONS} else None


def _approved(stage: Stage, place: str) -> list[CdrInfo]:
    """The CDRs that a provider approved, by its own books."""
    told = stage.cli_json("cdr", "list", "--stage", "approved", at=place)
    return [from_plain(ReceivedCdr, each).info for each in told]


def _sums(*cdrs: Iterable[CdrInfo]) -> list[Debt]:
    """What CDRs come to, in the order of a settlement."""
    sums: defaultdict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for each in chain(*cdrs):
        for currency, amount in amounts_of(each).items():
            sums[party_id(each.evse_id), party_id(each.contract_id), currency] += amount
    return [(*key, amount) for key, amount in sorted(sums.items())]
