"""The play of the demo: who comes on board, what drivers do, what has to come of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from clearinghouse.cli.stage import Stage, together
from clearinghouse.cli.story import Story

HOUSE, OPERATOR, PROVIDER, VETERAN = "house", "operator", "provider", "veteran"
EVSE, SECOND_EVSE, THIRD_EVSE = "DE*OPS*E1001", "DE*OPS*E1003", "DE*OPS*E1002"
CONTRACT, OLD_CONTRACT = "DEPROC12345678", "NLVETC00000001"
AGREED = "0.35"
"""The price per kWh that oudlader insists on, in EUR; the tariff says 0.39."""
SPEED = 30
MORNING = datetime(2027, 3, 28, 9, 0, tzinfo=UTC)
"""A day on which clocks in Europe change, which must not matter."""

PARTNERS: dict[str, tuple[str, str, str, dict[str, object]]] = {
    OPERATOR: (
        "operator",
        "stromkreis",
        "DEOPS",
        {
            "dialects": ["1.4", "1.4.1"],
            "tell_spacing": 1,
            "tell_silence": 2,
            "work_every": 0.2,
            "check_cdr_minutes": 0.5,
        },
    ),
    PROVIDER: ("provider", "fahrstrom", "DEPRO", {"get_cdr_minutes": 0.5}),
    VETERAN: (
        "provider",
        "oudlader",
        "NLVET",
        {"dialects": ["1.3"], "get_cdr_minutes": 0.5, "cdr_largest_total": 0},
    ),
}
"""The role of each partner, its name, its party ID, and settings of its own."""


def perform(stage: Stage, story: Story) -> None:
    """Play everything. Raises StageError where something is not as told."""
    set_up(stage, story)
    come_on_board(stage, story)
    exchange_endpoints(stage, story)
    charge_directly(stage, story)
    charge_through_the_relay(stage, story)
    start_with_a_card(stage, story)
    clear_charges(stage, story)
    turn_the_day(stage, story)
    story.end()


def set_up(stage: Stage, story: Story) -> None:
    """Make certificates and databases, and let the house begin to start."""
    story.chapter("Certificates, databases and the house")
    certificates = ("certs", "make", "--folder", str(stage.folder / "certs"), "--name", "demo", "--host", "localhost")
    upgrades = [("db", "upgrade", "--url", stage.database(place)) for place in (HOUSE, *PARTNERS)]
    together(*(partial(stage.cli, *command) for command in (certificates, *upgrades)))
    stage.configure(HOUSE, "house")
    stage.start(HOUSE)
    story.say("the clearing house starts", stage.url(HOUSE))


def come_on_board(stage: Stage, story: Story) -> None:
    """Give every partner an account, connections and a running back end, by the command line."""
    story.chapter("Partners come on board, by the command line")
    together(*(partial(_account, stage, place) for place in PARTNERS))
    for role, name, party_id, _ in PARTNERS.values():
        story.say(f"{name} has an account at the house", f"{role} {party_id}")
    providers = [party_id for role, _, party_id, _ in PARTNERS.values() if role == "provider"]
    stage.start(*PARTNERS)
    together(
        *(partial(_connect, stage, provider_id) for provider_id in providers),
        *(partial(_issue_key, stage, place) for place in PARTNERS),
    )
    for provider_id in providers:
        story.say(f"DEOPS and {provider_id} roam", "approved by both sides")
    stage.await_ready(HOUSE, *PARTNERS)
    story.say("four processes serve", "a house, an operator, two providers")


def _account(stage: Stage, place: str) -> None:
    role, name, party_id, own = PARTNERS[place]
    stage.cli("partner", "add", name, f"--{role}-id", party_id, at=HOUSE)
    issued = stage.cli_json("credential", "issue", name, at=HOUSE)
    stage.configure(place, role, (issued["username"], issued["password"]), party_ids=[party_id], **own)


def _connect(stage: Stage, provider_id: str) -> None:
    stage.cli("connection", "request", "DEOPS", provider_id, at=HOUSE)
    stage.cli("connection", "approve", "DEOPS", provider_id, "--as", "operator", "--as", "provider", at=HOUSE)


def _issue_key(stage: Stage, place: str) -> None:
    stage.keys[place] = stage.cli_json("api-key", "issue", "demo", at=place)["key"]


def exchange_endpoints(stage: Stage, story: Story) -> None:
    """Let every back end publish its endpoint, and two hours later find those of the others."""
    story.chapter("Endpoints and the day's tokens, exchanged through the house")
    names = {name for _, name, _, _ in PARTNERS.values()}
    stage.wait("every endpoint at the house", lambda: _partners(stage, HOUSE) == names)
    story.say("each back end has published where it listens, and its token")
    stage.turn_clock(MORNING + timedelta(hours=2))
    stage.wait("the providers' endpoints at the operator", lambda: _partners(stage, OPERATOR) == {"DEPRO", "NLVET"})
    known = stage.wait("endpoints at the provider", lambda: stage.get(PROVIDER, "/operators")["operators"])
    story.show_soap("AddServiceEndpoints", "GetServiceEndpoints")
    story.say("stromkreis speaks 0.2 alone, oudlader 0.1 alone, fahrstrom both")
    story.check("two hours later, fahrstrom knows the endpoints of stromkreis", bool(known))
    story.check("and no token of theirs is shown", "accessToken" not in str(known))


def charge_directly(stage: Stage, story: Story) -> None:
    """A charge from back end to back end in 0.2, with a limit that changes."""
    story.chapter("A driver of fahrstrom charges at stromkreis: 0.2, back end to back end")
    charge = stage.post(PROVIDER, "/charges", {"evseId": EVSE, "contractId": CONTRACT, "limits": {"maxPower": 7.4}})
    story.say("SelectEvse and ControlEvse start, at most 7.4 kW", charge["directId"])
    story.show_soap("SelectEvse", "ControlEvse")
    story.check("the EVSE shows as reserved", _minor(stage, EVSE) == "reserved")
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
    """A charge between partners with no dialect in common, translated by the house."""
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


def clear_charges(stage: Stage, story: Story) -> None:
    """CDRs travel to the providers: one is approved by rules, one is declined, revised and approved by a person."""
    story.chapter("The charges are cleared: CDRs, a dispute, and a settlement")
    _staged(stage, PROVIDER, "approved")
    story.say("fahrstrom's rules approve what agrees with its own charge")
    story.show_soap("AddCDRs", "GetCDRs", "ConfirmCDRs")
    waiting = _staged(stage, VETERAN, "waiting")
    cdr_id = waiting["info"]["cdrId"]
    story.say("oudlader, which speaks 1.3, lets a person look at each", cdr_id)
    stage.post(VETERAN, f"/cdrs/{cdr_id}/decline", {"why": "The price is not the agreed one."})
    stage.wait(
        "the declined CDR at the operator",
        lambda: next((each for each in stage.cli_json("cdr", "declined", at=OPERATOR) if cdr_id in str(each)), None),
    )
    story.say("it declines; the operator finds the CDR among the declined")
    stage.cli("cdr", "revise", cdr_id, "--price", AGREED, at=OPERATOR)
    story.say("the operator revises the price and sends it again", f"{AGREED} EUR per kWh")
    revised = _staged(stage, VETERAN, "waiting")
    prices = [period["itemPrice"] for period in revised["info"]["chargingPeriods"]]
    story.check("oudlader sees the revised price", float(AGREED) in prices)
    stage.post(VETERAN, f"/cdrs/{cdr_id}/approve", {"why": "Now it is."})
    _staged(stage, VETERAN, "approved")
    month = f"{MORNING:%Y-%m}"
    settled = stage.wait(
        "both providers in the settlement",
        lambda: _settled_with(stage, month, {"DEPRO", "NLVET"}),
    )
    for line in settled["lines"]:
        story.say(f"{line['provider_id']} owes {line['operator_id']}", f"{line['net']} {line['currency']}")


def _staged(stage: Stage, place: str, cdr_stage: str) -> dict[str, Any]:
    """The newest CDR that a provider has in that stage."""
    return stage.wait(
        f"a CDR that is {cdr_stage} at {place}",
        lambda: next(iter(stage.get(place, "/cdrs", stage=cdr_stage)["cdrs"]), None),
    )


def _settled_with(stage: Stage, month: str, provider_ids: set[str]) -> dict[str, Any] | None:
    settled: dict[str, Any] = stage.cli_json("settlement", "show", "--month", month, at=HOUSE)
    return settled if provider_ids <= {line["provider_id"] for line in settled["lines"]} else None


def turn_the_day(stage: Stage, story: Story) -> None:
    """The tokens of the next day are made, exchanged, used, and those of the past deleted."""
    story.chapter("The tokens turn with the day (simulated clock)")
    day = MORNING.date().isoformat()
    midnight = datetime.combine(MORNING.date() + timedelta(days=1), datetime.min.time(), UTC)
    tomorrow = midnight.date().isoformat()
    stage.turn_clock(midnight - timedelta(hours=11, minutes=50))
    stage.wait("tokens of the next day", lambda: _is_ready_for(stage, tomorrow))
    story.say("12:10 UTC: tokens of the next day are made, uploaded and downloaded")
    for text, instant in (
        ("23:45, the last quarter of the day", midnight - timedelta(minutes=15)),
        ("23:55, both days are accepted", midnight - timedelta(minutes=5)),
        ("00:05, the new day's tokens are sent", midnight + timedelta(minutes=5)),
        ("00:40, the old day's tokens are gone", midnight + timedelta(minutes=40)),
    ):
        stage.turn_clock(instant)
        story.check(f"{text}: a call passes", _minor(stage, EVSE) == "available")
    stage.wait("yesterday's tokens to be deleted everywhere", lambda: day not in _days(stage))
    story.check("tokens of yesterday are deleted everywhere", True)


def tell_where(stage: Stage, story: Story) -> None:
    """Tell where everything is that can be looked at."""
    story.chapter("The roles stay up until you press Ctrl-C")
    for place in (HOUSE, *PARTNERS):
        direct = "direct" if place == HOUSE else f"direct/{PARTNERS[place][0]}"
        story.say(f"{place}, contract", f"{stage.url(place)}/{direct}/ochp/v1.4?wsdl")
        if key := stage.keys.get(place):
            story.say(f"{place}, JSON API", f"{stage.url(place)}/api/docs")
            story.say(f"{place}, key of its JSON API", key)
    story.say("all of them are trusted by", str(stage.folder / "certs" / "ca.pem"))
    story.say("settings, logs and SOAP messages are in", str(stage.folder))
    story.say("the command line works too", f"clearinghouse partner list -s {stage.settings(HOUSE)}")


def _release(stage: Stage, story: Story, place: str, charge: dict[str, Any]) -> None:
    stage.post(place, f"/charges/{charge['id']}/release")
    _until(stage, story, place, charge, "finish", "ReleaseEvse, InformProvider finish")
    told = stage.wait("the last confirmation", lambda: _all_told(stage, charge["directId"]))
    kinds = [each["kind"] for each in stage.get(place, f"/charges/{charge['id']}")["history"] if _is_told(each)]
    story.check("the session is closed", told["state"] == "closed")
    story.check("energy was charged", told["energy"] > 0)
    story.check("every message was delivered once", kinds == [each["message"]["message"] for each in told["told"]])
    story.say("charged", f"{told['energy']:.3f} kWh")


def _all_told(stage: Stage, direct_id: str) -> dict[str, Any] | None:
    story: dict[str, Any] = stage.get(OPERATOR, f"/sessions/{direct_id}")
    return story if all(each["deliveredAt"] for each in story["told"]) else None


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


def _minor(stage: Stage, evse_id: str) -> str | None:
    evses = stage.get(PROVIDER, "/evses/status", evseId=evse_id)["evses"]
    return evses[0].get("minor") if evses else None


def _partners(stage: Stage, place: str) -> set[str]:
    return {line["partner"] for line in stage.cli_json("endpoint", "list", at=place)}


def _days(stage: Stage) -> set[str]:
    places = (HOUSE, *PARTNERS)
    listed = together(*(partial(stage.cli_json, "endpoint", "list", at=place) for place in places))
    return {line["day"] for lines in listed for line in lines}


def _is_ready_for(stage: Stage, day: str) -> bool:
    lines = stage.cli_json("token", "status", at=OPERATOR)
    return all(each["standing"] in ("ready", "known") for each in lines if each["day"] == day)
