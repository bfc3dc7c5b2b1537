"""Start-up of each role, from the start of its process to its first answer, the database being up."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from clearinghouse.ochp.operations import Port, Role
from clearinghouse.ochp.versions import V1_4
from clearinghouse.soap.faults import CONTENT_TYPE
from clearinghouse.soap.interfaces import path_of
from tests.benchmarks import messages
from tests.benchmarks.measuring import Row, Turn, row_from
from tests.benchmarks.site import Site, ground

LONGEST = 2.0
PORTS = {Role.HOUSE: Port.DIRECT, Role.OPERATOR: Port.OPERATOR, Role.PROVIDER: Port.PROVIDER}


def rows(quick: bool = False, progress: Callable[[str], None] = lambda _: None) -> list[Row]:
    """Seconds until a role has answered a SOAP request of a stranger, which goes through everything but a handler."""
    rounds = 2 if quick else 7
    taken: dict[Role, list[Turn]] = {role: [] for role in Role}
    with ground() as on:
        sites = {role: Site(on, role, evses=1000) for role in Role}
        for number in range(rounds):
            for role, site in sites.items():
                progress(f"start-up of the {role}, round {number + 1} of {rounds}")
                taken[role].append(start(site, role))
    return [row(role, turns) for role, turns in taken.items()]


def row(role: Role, turns: list[Turn]) -> Row:
    """The line of a role."""
    measured = row_from(
        f"start-up of the {role}",
        "s",
        [turn.seconds for turn in turns],
        peak_memory=max(turn.peak_memory for turn in turns),
        notes=f"CPU {statistics.median(turn.cpu for turn in turns):.2f} s, all its processes together",
    )
    return replace(measured, goal=f"< {LONGEST:g} s", is_met=measured.median < LONGEST)


def start(site: Site, role: Role) -> Turn:
    """Start a role and ask it. Raises RuntimeError where the answer is not the expected one."""
    started = time.perf_counter()
    with site.running() as running:
        path = path_of(PORTS[role], V1_4)
        status, body = running.answers(path, messages.request(1), {"Content-Type": CONTENT_TYPE})
        seconds = time.perf_counter() - started
        turn = Turn(done=1, seconds=seconds, cpu=running.cpu(), peak_memory=running.memory())
    if b"FailedAuthentication" not in body:
        raise RuntimeError(f"the {role} answered {status} {body!r}")
    return turn
