"""The charges of the demo: what drivers do, and what back ends tell each other about it."""

from __future__ import annotations

import time
from typing import Any

from clearinghouse.cli.cast import (
    CONTRACT,
    EVSE,
    OLD_CONTRACT,
    OPERATOR,
    PIONEER,
    PIONEER_EVSE,
    PROVIDER,
    SECOND_EVSE,
    THIRD_EVSE,
    VETERAN,
)
from clearinghouse.cli.stage import Stage
from clearinghouse.cli.story import Story


def charge_directly(stage: Stage, story: Story) -> None:
    """A charge from back end to back end in 0.2, with a limit that changes."""
    story.chapter("A driver of fahrstrom charges at stromkreis: 0.2, back end to back end")
    charge = stage.post(PROVIDER, "/charges", {"evseId": EVSE, "contractId": CONTRACT, "limits": {"maxPower": 7.4}})
    story.say("SelectEvse and ControlEvse start, at most 7.4 kW", charge["directId"])
    story.show_soap("SelectEvse", "ControlEvse")
    story.check("the EVSE shows as reserved", minor_status(stage, EVSE) == "reserved")
    stage.drive(EVSE, "plug", car={"max_ac_kw": 11})
    story.say("the driver plugs in")
    _until(stage, story, PROVIDER, charge, "start", "InformProvider start")
    told = _until(stage, story, PROVIDER, charge, "info", "InformProvider info")
    story.check("the power stays within the limit", 0 < float(told["detail"]["current_power"]) <= 7.4)
    stage.post(PROVIDER, f"/charges/{charge['id']}/change", {"limits": {"maxPower": 11}})
    changed = _until(stage, story, PROVIDER, charge, "change", "ControlEvse change to 11 kW, InformProvider change")
    story.check("the new limit was told", changed["detail"]["max_power"] == "11")
    time.sleep(1)
    stage.post(PROVIDER, f"/charges/{charge['id']}/stop")
    _until(stage, story, PROVIDER, charge, "end", "ControlEvse end, InformProvider end")
    stage.drive(EVSE, "unplug")
    _release(stage, story, PROVIDER, charge)


def charge_through_the_relay(stage: Stage, story: Story) -> None:
    """A charge between partners with no dialect in common, translated by the house: the provider's is the old one."""
    story.chapter("A driver of oudlader charges at stromkreis: 0.1 meets 0.2 at the relay")
    charge = stage.post(VETERAN, "/charges", {"evseId": SECOND_EVSE, "contractId": OLD_CONTRACT, "limits": {}})
    story.say("SelectEvse in 0.1 to the house, in 0.2 on to stromkreis", charge["directId"])
    changed = stage.post(VETERAN, f"/charges/{charge['id']}/change", {"limits": {"maxPower": 5, "maxCurrent": 10}})
    story.check("what 0.1 cannot say is not lost in silence", "maxCurrent" in (changed["reason"] or ""))
    stage.drive(SECOND_EVSE, "plug", car={"max_ac_kw": 11})
    _until(stage, story, VETERAN, charge, "start", "InformProvider start in 0.2 to the house, in 0.1 to oudlader")
    story.show_soap("InformProviderEMP", "InformProvider")
    _until(stage, story, VETERAN, charge, "info", "InformProvider info")
    stage.post(VETERAN, f"/charges/{charge['id']}/stop")
    _until(stage, story, VETERAN, charge, "end", "InformProvider end")
    stage.drive(SECOND_EVSE, "unplug")
    _release(stage, story, VETERAN, charge)


def charge_at_an_old_operator(stage: Stage, story: Story) -> None:
    """The same the other way round: the operator's dialect is the old one."""
    story.chapter("A driver of fahrstrom charges at laadnet: 0.2 meets 0.1 at the relay")
    charge = stage.post(PROVIDER, "/charges", {"evseId": PIONEER_EVSE, "contractId": CONTRACT, "limits": {}})
    story.say("SelectEvse in 0.2 to the house, in 0.1 on to laadnet", charge["directId"])
    changed = stage.post(PROVIDER, f"/charges/{charge['id']}/change", {"limits": {"maxPower": 7, "onePhase": True}})
    story.check("what laadnet cannot be told comes back by name", "onePhase" in (changed["reason"] or ""))
    stage.drive(PIONEER_EVSE, "plug", car={"max_ac_kw": 11}, place=PIONEER)
    _until(stage, story, PROVIDER, charge, "start", "InformProvider start in 0.1 to the house, in 0.2 to fahrstrom")
    story.show_soap("InformProvider", "InformProviderEMP")
    time.sleep(0.5)
    stage.post(PROVIDER, f"/charges/{charge['id']}/stop")
    _until(stage, story, PROVIDER, charge, "end", "InformProvider end")
    stage.drive(PIONEER_EVSE, "unplug", place=PIONEER)
    _release(stage, story, PROVIDER, charge, operator=PIONEER)


def start_with_a_card(stage: Stage, story: Story) -> None:
    """A charge that begins at the station, is announced, and ended by the provider."""
    story.chapter("A card of fahrstrom starts a charge; the provider is told and takes over")
    stage.drive(THIRD_EVSE, "card", contract=CONTRACT, car={"max_ac_kw": 22})
    charge = stage.wait(
        "the announced charge",
        lambda: next(iter(stage.get(PROVIDER, "/charges", evseId=THIRD_EVSE)["charges"]), None),
    )
    story.say("InformProvider start announces the session", charge["directId"])
    story.check("the charge is marked as announced", charge["announced"])
    time.sleep(0.5)
    stage.post(PROVIDER, f"/charges/{charge['id']}/stop")
    _until(stage, story, PROVIDER, charge, "end", "the provider ends it by ControlEvse")
    stage.drive(THIRD_EVSE, "unplug")
    _release(stage, story, PROVIDER, charge)


def minor_status(stage: Stage, evse_id: str) -> str | None:
    """The minor status of an EVSE of stromkreis, by a call of fahrstrom; None where it gets none."""
    evses = stage.get(PROVIDER, "/evses/status", evseId=evse_id)["evses"]
    return evses[0].get("minor") if evses else None


def _release(stage: Stage, story: Story, place: str, charge: dict[str, Any], operator: str = OPERATOR) -> None:
    stage.post(place, f"/charges/{charge['id']}/release")
    _until(stage, story, place, charge, "finish", "ReleaseEvse, InformProvider finish")
    told = stage.wait("the last confirmation", lambda: _all_told(stage, operator, charge["directId"]))
    kinds = [each["kind"] for each in stage.get(place, f"/charges/{charge['id']}")["history"] if _is_told(each)]
    story.check("the session is closed", told["state"] == "closed")
    story.check("energy was charged", told["energy"] > 0)
    story.check("every message was delivered once", kinds == [each["message"]["message"] for each in told["told"]])
    story.say("charged", f"{told['energy']:.3f} kWh")


def _all_told(stage: Stage, operator: str, direct_id: str) -> dict[str, Any] | None:
    session: dict[str, Any] = stage.get(operator, f"/sessions/{direct_id}")
    return session if all(each["deliveredAt"] for each in session["told"]) else None


def _is_told(event: dict[str, Any]) -> bool:
    """What the operator told carries the session's id; what the provider asked for does not."""
    return "message" in event["detail"]


def _until(stage: Stage, story: Story, place: str, charge: dict[str, Any], kind: str, text: str) -> dict[str, Any]:
    def told() -> dict[str, Any] | None:
        history = stage.get(place, f"/charges/{charge['id']}")["history"]
        return next((each for each in history if each["kind"] == kind and _is_told(each)), None)

    event = stage.wait(text, told)
    story.say(text, f"{event['detail'].get('charged_energy', '0')} kWh")
    return event
