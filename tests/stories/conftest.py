"""A house, two operators and two providers as processes, on board and ready; all stories of a session share them."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.cli import cast, play
from clearinghouse.cli.cast import OPERATOR, PROVIDER
from clearinghouse.cli.stage import Stage, StageError
from clearinghouse.cli.story import Story

CUSTOMERS = itertools.count(1)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """The stage after everybody came on board, at about 11:00 of a simulated day that runs 30 times as fast."""
    with (
        tempfile.TemporaryDirectory(prefix="clearinghouse-story-", ignore_cleanup_errors=True) as folder,
        contextlib.closing(Stage(Path(folder), speed=cast.SPEED, begin=cast.MORNING)) as opened,
    ):
        story = Story(opened.folder, show_soap=False)
        play.set_up(opened, story)
        play.come_on_board(opened, story)
        play.exchange_endpoints(opened, story)
        yield opened


class Journey:
    """One charge of one customer of fahrstrom at one EVSE, from both ends."""

    def __init__(self, stage: Stage, evse_id: str) -> None:
        self.stage = stage
        self.evse_id = evse_id
        self.contract_id = f"DEPROC{next(CUSTOMERS):08d}"
        self.charge: dict[str, Any] = {}

    def select(self, *, start: bool = False) -> None:
        """Reserve the EVSE, and with `start` begin the charge."""
        body = {"evseId": self.evse_id, "contractId": self.contract_id, "start": start}
        self.charge = self.stage.post(PROVIDER, "/charges", body)

    def ask(self, verb: str, **limits: float) -> dict[str, Any]:
        """Start, change, stop or release."""
        body = {"limits": limits} if verb in ("start", "change") else None
        answer: dict[str, Any] = self.stage.post(PROVIDER, f"/charges/{self.charge['id']}/{verb}", body)
        return answer

    def drive(self, act: str) -> None:
        """Plug or unplug."""
        self.stage.drive(self.evse_id, act, car={"max_ac_kw": 11} if act == "plug" else None)

    @property
    def session(self) -> dict[str, Any]:
        """The session and what was told about it, in the operator's words."""
        answer: dict[str, Any] = self.stage.get(OPERATOR, f"/sessions/{self.charge['directId']}")
        return answer

    @property
    def received(self) -> list[str]:
        """The kinds of the messages that the provider took, in their order."""
        history = self.stage.get(PROVIDER, f"/charges/{self.charge['id']}")["history"]
        return [each["kind"] for each in history if "message" in each["detail"]]

    @property
    def sent(self) -> list[str]:
        """The kinds of the messages in the operator's outbox, in their order."""
        return [each["message"]["message"] for each in self.session["told"]]

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait for something."""
        try:
            self.stage.wait(what, holds)
        except StageError as error:
            error.add_note(f"sent {self.sent}, received {self.received}, the session is {self.session}")
            raise

    def until_told(self, kind: str) -> None:
        """Wait until the provider took a message of that kind."""
        self.until(f"{kind} at the provider", lambda: kind in self.received)

    def check_story(self) -> None:
        """Everything was told in order and once, from start to finish, and energy was charged."""
        self.until_told("finish")
        self.until("the last confirmation", lambda: all(each["deliveredAt"] for each in self.session["told"]))
        assert self.received == self.sent
        milestones = [kind for kind in self.received if kind not in ("info", "change")]
        assert milestones == ["start", "end", "finish"]
        assert self.received[0] == "start"
        assert self.received[-2:] == ["end", "finish"]
        assert self.session["state"] == "closed"
        assert self.session["energy"] > 0


@pytest.fixture
def journey(stage: Stage) -> Iterator[Callable[[str], Journey]]:
    """Makes journeys; leaves the EVSEs as it found them."""
    made: list[Journey] = []

    def make(evse_id: str) -> Journey:
        made.append(Journey(stage, evse_id))
        return made[-1]

    yield make
    for each in made:
        if each.charge and each.session["state"] not in ("closed", "expired"):
            each.ask("release")


def restart(stage: Stage, *places: str) -> None:
    """Kill roles in the middle of what they do, and start them again."""
    for place in places:
        stage.kill(place)
    stage.start(*places)
    stage.await_ready(*places)
