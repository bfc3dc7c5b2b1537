"""The timetable: what runs how often, and at which times of the UTC day in any case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something that is done again and again; `run` is idempotent, so a run too many costs nothing."""

    name: str
    run: Callable[[], object]
    every: timedelta
    at: tuple[time, ...] = ()


TOKEN_TIMES = (time(0, 0), time(0, 31), time(3, 0), time(11, 50), time(12, 6), time(23, 50))
"""Times of the token day at which waiting for the next interval would be a waste (OCHP-direct, token distribution)."""
