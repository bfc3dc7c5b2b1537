"""The play of the demo: who comes on board, what drivers do, what has to come of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial

from clearinghouse.cli.cast import CONNECTIONS, EVSE, FILES, HOUSE, MORNING, OPERATOR, PARTNERS, PIONEER, PROVIDER
from clearinghouse.cli.charging import (
    charge_at_an_old_operator,
    charge_directly,
    charge_through_the_relay,
    minor_status,
    start_with_a_card,
)
from clearinghouse.cli.clearing import clear_charges, settle
from clearinghouse.cli.stage import Stage, together
from clearinghouse.cli.story import Story


def perform(stage: Stage, story: Story) -> None:
    """Play everything. Raises StageError where something is not as told."""
    set_up(stage, story)
    come_on_board(stage, story)
    exchange_endpoints(stage, story)
    charge_directly(stage, story)
    charge_through_the_relay(stage, story)
    charge_at_an_old_operator(stage, story)
    start_with_a_card(stage, story)
    clear_charges(stage, story)
    turn_the_day(stage, story)
    settle(stage, story)
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
    for name, content in FILES.items():
        (stage.folder / name).write_text(json.dumps(content))
    together(*(partial(_account, stage, place) for place in PARTNERS))
    for each in PARTNERS.values():
        story.say(f"{each.name} has an account at the house", f"{each.role} {each.party_id}")
    stage.start(*PARTNERS)
    together(
        *(partial(_connect, stage, *pair) for pair in CONNECTIONS),
        *(partial(_issue_key, stage, place) for place in PARTNERS),
    )
    for operator_id, provider_id in CONNECTIONS:
        story.say(f"{operator_id} and {provider_id} roam", "approved by both sides")
    stage.await_ready(HOUSE, *PARTNERS)
    story.say("five processes serve", "a house, two operators, two providers")


def _account(stage: Stage, place: str) -> None:
    who = PARTNERS[place]
    stage.cli("partner", "add", who.name, f"--{who.role}-id", who.party_id, at=HOUSE)
    issued = stage.cli_json("credential", "issue", who.name, at=HOUSE)
    stage.configure(place, who.role, (issued["username"], issued["password"]), **who.settings)


def _connect(stage: Stage, operator_id: str, provider_id: str) -> None:
    stage.cli("connection", "request", operator_id, provider_id, at=HOUSE)
    stage.cli("connection", "approve", operator_id, provider_id, "--as", "operator", "--as", "provider", at=HOUSE)


def _issue_key(stage: Stage, place: str) -> None:
    stage.keys[place] = stage.cli_json("api-key", "issue", "demo", at=place)["key"]


def exchange_endpoints(stage: Stage, story: Story) -> None:
    """Let every back end publish its endpoint, and two hours later find those of the others."""
    story.chapter("Endpoints and the day's tokens, exchanged through the house")
    names = {each.name for each in PARTNERS.values()}
    stage.wait("every endpoint at the house", lambda: _partners(stage, HOUSE) == names)
    story.say("each back end has published where it listens, and its token")
    stage.turn_clock(MORNING + timedelta(hours=2))
    stage.wait("the providers' endpoints at the operators", lambda: _know_their_providers(stage, OPERATOR, PIONEER))
    known = stage.wait("both operators' endpoints at the provider", lambda: _operators(stage))
    story.show_soap("AddServiceEndpoints", "GetServiceEndpoints")
    story.say("stromkreis and fahrstrom speak 0.2 alone, laadnet and oudlader 0.1 alone")
    story.check("two hours later, fahrstrom knows the endpoints of both operators", bool(known))
    story.check("and no token of theirs is shown", "accessToken" not in str(known))


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
        story.check(f"{text}: a call passes", minor_status(stage, EVSE) == "available")
    stage.wait("yesterday's tokens to be deleted everywhere", lambda: day not in _days(stage))
    story.check("tokens of yesterday are deleted everywhere", True)


def tell_where(stage: Stage, story: Story) -> None:
    """Tell where everything is that can be looked at."""
    story.chapter("The roles stay up until you press Ctrl-C")
    for place in (HOUSE, *PARTNERS):
        story.say(f"{place}, contract", f"{stage.url(place)}/{_port(place)}?wsdl")
        if key := stage.keys.get(place):
            story.say(f"{place}, JSON API", f"{stage.url(place)}/api/docs")
            story.say(f"{place}, key of its JSON API", key)
    story.say("all of them are trusted by", str(stage.folder / "certs" / "ca.pem"))
    story.say("settings, logs and SOAP messages are in", str(stage.folder))
    story.say("the command line works too", f"clearinghouse partner list -s {stage.settings(HOUSE)}")


def _port(place: str) -> str:
    """The path of a role's port for direct calls, in the newest dialect that it speaks."""
    if place == HOUSE:
        return "direct/ochp/v1.4.1"
    return f"direct/{PARTNERS[place].role}/ochp/v{PARTNERS[place].dialects[-1]}"


def _partners(stage: Stage, place: str) -> set[str]:
    return {line["partner"] for line in stage.cli_json("endpoint", "list", at=place)}


def _know_their_providers(stage: Stage, *places: str) -> bool:
    """Whether each operator knows all providers that it roams with."""
    known = together(*(partial(_partners, stage, place) for place in places))
    roaming = ({b for a, b in CONNECTIONS if a == PARTNERS[place].party_id} for place in places)
    return known == [*roaming]


def _days(stage: Stage) -> set[str]:
    places = (HOUSE, *PARTNERS)
    listed = together(*(partial(stage.cli_json, "endpoint", "list", at=place) for place in places))
    return {line["day"] for lines in listed for line in lines}


def _is_ready_for(stage: Stage, day: str) -> bool:
    lines = stage.cli_json("token", "status", at=OPERATOR)
    return all(each["standing"] in ("ready", "known") for each in lines if each["day"] == day)


def _operators(stage: Stage) -> list[dict[str, object]] | None:
    """The operators' endpoints that fahrstrom knows, once it knows those of both."""
    known: list[dict[str, object]] = stage.get(PROVIDER, "/operators")["operators"]
    return known if {each["partner"] for each in known} == {"DEOPS", "NLLAD"} else None
