"""A provider is away while a charge runs; the house is away while the day turns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from clearinghouse.cli.cast import EVSE, HOUSE, OPERATOR, PARTNERS, PROVIDER
from clearinghouse.cli.stage import Stage
from tests.stories.conftest import Journey
from tests.stories.simulated import now

NewJourney = Callable[[str], Journey]


def test_a_provider_that_was_away_gets_in_order_what_is_not_superseded(stage: Stage, journey: NewJourney) -> None:
    one = journey("DE*OPS*E2001")
    one.select(start=True)
    stage.kill(PROVIDER)
    stage.drive(one.evse_id, "plug", car={"max_dc_kw": 40})
    one.until("the start of the charge", lambda: one.sent[:1] == ["start"])
    infos = set()
    for _ in range(3):
        stage.turn_clock(now(stage) + timedelta(minutes=3))
        one.until("a newer info", lambda: one.sent == ["start", "info"] and info_of(one) not in infos)
        infos.add(info_of(one))
    one.drive("unplug")
    one.until("the end, which says more than the info before it", lambda: one.sent == ["start", "end"])
    stage.turn_clock(now(stage) + timedelta(minutes=16))
    one.until("the session to be closed by its deadline", lambda: one.session["state"] == "closed")
    one.until("the house to take the CDR", lambda: one.sent == ["start", "end", "finish"])
    told = one.session["told"]
    assert not any(each["deliveredAt"] for each in told)
    assert told[0]["attempts"] > 0
    assert [each["attempts"] for each in told[1:]] == [0, 0], "nothing overtakes what waits before it"

    stage.start(PROVIDER)
    stage.await_ready(PROVIDER)
    stage.turn_clock(now(stage) + timedelta(minutes=16))
    one.check_story()
    assert one.received == ["start", "end", "finish"]


def info_of(one: Journey) -> float:
    """The energy that the info in the outbox tells."""
    (info,) = (each["message"] for each in one.session["told"] if each["message"]["message"] == "info")
    return float(info["chargedEnergy"])


def test_calls_between_partners_pass_while_the_house_is_away_and_tokens_heal_when_it_is_back(
    stage: Stage, journey: NewJourney
) -> None:
    today = now(stage).date()
    midnight = datetime.combine(today + timedelta(days=1), time(), UTC)
    stage.turn_clock(midnight - timedelta(hours=11, minutes=50))
    stage.wait("tokens of the next day", lambda: is_ready_for(stage, midnight))
    stage.kill(HOUSE)

    one = journey(EVSE)
    stage.turn_clock(midnight - timedelta(minutes=2))
    one.select(start=True)
    one.drive("plug")
    one.until_told("start")
    stage.turn_clock(midnight + timedelta(minutes=2))
    one.until("energy after midnight", lambda: one.session["energy"] > 0)
    one.ask("change", maxPower=5)
    one.until_told("change")
    stage.turn_clock(midnight + timedelta(minutes=40))
    one.ask("stop")
    one.drive("unplug")
    one.ask("release")
    one.until_told("end")

    second_midnight = midnight + timedelta(days=1)
    stage.turn_clock(midnight + timedelta(hours=15))
    assert not is_ready_for(stage, second_midnight)
    stage.start(HOUSE)
    stage.await_ready(HOUSE)
    stage.turn_clock(now(stage) + timedelta(minutes=16))  # uploads are tried again every quarter of an hour
    one.check_story()  # finish is told once the house has the CDR
    stage.wait(
        "the uploads",
        lambda: uploaders(stage, second_midnight) == {each.name for each in PARTNERS.values()},
    )
    stage.turn_clock(now(stage) + timedelta(hours=1))  # and downloads repeated every hour
    stage.wait("tokens of the day after", lambda: is_ready_for(stage, second_midnight))
    stage.turn_clock(second_midnight + timedelta(minutes=40))
    another = journey(EVSE)
    another.select()
    assert another.session["state"] == "selected"


def is_ready_for(stage: Stage, day: datetime) -> bool:
    """Whether the operator's own tokens of a day are exchanged, and every partner's known."""
    lines = [each for each in stage.cli_json("token", "status", at=OPERATOR) if each["day"] == day.date().isoformat()]
    return len(lines) == 3 and all(each["standing"] in ("ready", "known") for each in lines)


def uploaders(stage: Stage, day: datetime) -> set[str]:
    """Whose tokens of a day the house has."""
    lines = stage.cli_json("endpoint", "list", at=HOUSE)
    return {each["partner"] for each in lines if each["day"] == day.date().isoformat()}
