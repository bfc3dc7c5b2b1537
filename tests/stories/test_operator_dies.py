"""An operator's process dies, in each state of a session; after the restart the session goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from clearinghouse.cli.cast import OPERATOR
from clearinghouse.cli.stage import Stage
from tests.stories.conftest import Journey, restart
from tests.stories.simulated import now

NewJourney = Callable[[str], Journey]


def begin(one: Journey) -> None:
    one.select()


def start(one: Journey) -> None:
    one.ask("start", maxPower=7.4)


def plug(one: Journey) -> None:
    one.drive("plug")
    one.until("energy", lambda: one.session["energy"] > 0)


def stop(one: Journey) -> None:
    one.ask("stop")


STEPS = {"selected": begin, "starting": start, "charging": plug, "ended": stop}


@pytest.mark.parametrize("state", STEPS)
def test_a_session_goes_on_where_the_operator_was_killed(stage: Stage, journey: NewJourney, state: str) -> None:
    one = journey("DE*OPS*E1004")
    steps = list(STEPS)
    for name in steps[: steps.index(state) + 1]:
        STEPS[name](one)
    before = one.session
    assert before["state"] == state
    restart(stage, OPERATOR)
    after = one.session
    assert (after["state"], after["contractId"]) == (state, one.contract_id)
    assert after["limits"] == before["limits"]
    if state == "charging":
        one.until("more energy", lambda: one.session["energy"] > before["energy"])
    else:
        assert after["energy"] == before["energy"]
    for name in steps[steps.index(state) + 1 :]:
        STEPS[name](one)
    one.drive("unplug")
    one.ask("release")
    one.check_story()


def test_a_deadline_that_passes_while_the_operator_is_dead_holds(stage: Stage, journey: NewJourney) -> None:
    waiting, ended = journey("DE*OPS*E1005"), journey("DE*OPS*E1006")
    for step in STEPS.values():
        step(ended)
    waiting.select()
    stage.kill(OPERATOR)
    stage.turn_clock(now(stage) + timedelta(minutes=20))
    stage.start(OPERATOR)
    stage.await_ready(OPERATOR)
    waiting.until("the end of the selection", lambda: waiting.session["state"] == "expired")
    assert waiting.sent == []
    ended.until_told("finish")
    ended.drive("unplug")
    ended.check_story()
    again = journey("DE*OPS*E1005")
    again.select()
    assert again.session["state"] == "selected"
