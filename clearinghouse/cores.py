"""The processor's cores: a worker keeps to one of them, and threads that need no interpreter use the others, too."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Set
from contextlib import suppress

ALL = frozenset(os.sched_getaffinity(0)) if sys.platform == "linux" else frozenset[int]()
"""What this process was given; none where a thread cannot choose."""
LEISURE = 10
"""The niceness of a thread that stands back: a tenth of what others get, where they want everything."""


def keep_to_one(workers: int, number: int) -> None:
    """Keep the worker of this number on one core, where there are enough workers for all of them.

    Its threads take turns at one interpreter, so that one core is all they use. On several they wake one another from
    core to core, at the price of 10 to 25 % of the short requests in a second.
    """
    if 1 < len(ALL) <= workers:
        _run_on({sorted(ALL)[number % len(ALL)]})


def use_all() -> None:
    """Let the calling thread run on every core again: it spends its time in libraries that leave the interpreter."""
    _run_on(ALL)


def stand_back() -> None:
    """Let the calling thread run on every core that others leave: its work is long, and waits well."""
    use_all()
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LEISURE)


def _run_on(cores: Set[int]) -> None:
    """Where the system forbids it, or gives other cores by now, a thread stays where it is: this is about speed."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setaffinity(0, cores)
