"""The simulated time on a stage."""

from __future__ import annotations

from datetime import datetime

from clearinghouse.cli.stage import Stage
from clearinghouse.settings import SimulatedClock


def now(stage: Stage) -> datetime:
    """What the clock of all roles shows."""
    return SimulatedClock(stage.folder / "clock.json")()
