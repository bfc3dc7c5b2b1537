"""Stations at the end of a wire that can be cut, before a command arrives or after it."""

from __future__ import annotations

from typing import Any

COMMANDS = ("reserve", "cancel", "start", "limit", "stop", "adopt")


class Died(BaseException):
    """The process ends here: nothing that would have come after this happens."""


class Wires:
    """Passes everything on to the stations; `cut` and `lose` name commands that fail before or after their effect."""

    def __init__(self, stations: Any) -> None:
        self.stations = stations
        self.cut: dict[str, BaseException] = {}
        self.lose: dict[str, BaseException] = {}
        self.given: list[str] = []
        self.are_near = False

    def reservation(self, *session: Any) -> Any:
        """Only stations that live in the store need not be told."""
        return self.stations.reservation(*session) if self.are_near else None

    def __getattr__(self, name: str) -> Any:
        command = getattr(self.stations, name)
        if name not in COMMANDS:
            return command

        def passed_on(*args: Any) -> Any:
            self.given.append(name)
            if name in self.cut:
                raise self.cut[name]
            result = command(*args)
            if name in self.lose:
                raise self.lose[name]
            return result

        return passed_on

    def mend(self) -> None:
        """Every wire is whole again."""
        self.cut.clear()
        self.lose.clear()
