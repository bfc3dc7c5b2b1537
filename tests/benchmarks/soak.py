"""`make soak`: mixed calls at a role for a long time; its memory has to stay flat.

At an operator, several clients take sessions through their life, ask for what is not there and send what is no
message; at the house, partners download full lists, look up tokens, and tell status and charge data. Each answer has
to be the expected one. Memory is compared between the middle and the last third of the time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from lxml import etree
from rich.console import Console

from clearinghouse.ochp import direct
from clearinghouse.ochp.direct import DirectOperation
from clearinghouse.ochp.operations import Port, Role
from clearinghouse.ochp.versions import ORDER, Version
from clearinghouse.services.calls_port import TokenPair
from clearinghouse.soap.codec import encode
from clearinghouse.soap.faults import CONTENT_TYPE, envelope
from clearinghouse.soap.interfaces import path_of
from tests.benchmarks import messages
from tests.benchmarks.house import house
from tests.benchmarks.mixed import Sizes, busy
from tests.benchmarks.site import Ground, Running, Site, authorization, ground, let_in

CLIENTS = 4
EVSES = 400
SAMPLES = 240
AT_THE_HOUSE = Sizes(readers=4, tokens=100_000, evses=60_000, seconds=3600, words=30, cdrs=20, look_ups=50)
TOLERANCE = 0.03
"""By which part of itself the memory of the last third may be above that of the middle one."""


@dataclass
class Report:
    """What was called how often, and the role's memory in megabytes at equal intervals."""

    calls: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """How much higher the memory is in the last third than in the middle one, as a part of it."""
        return growth(self.memory)

    @property
    def is_good(self) -> bool:
        """Whether every answer was as expected and the memory stayed flat."""
        return not self.failures and self.growth <= TOLERANCE


def growth(memory: Sequence[float]) -> float:
    """The growth from the middle third to the last one; the first third is for warming up. Raises ValueError."""
    third = len(memory) // 3
    if not third:
        raise ValueError("three samples of memory are needed at least")
    middle, last = (statistics.median(part) for part in (memory[third : 2 * third], memory[2 * third :]))
    return last / middle - 1


class Client:
    """Calls in one thread; it has its own EVSEs."""

    def __init__(self, site: Site, pairs: Mapping[date, TokenPair], number: int, report: Report) -> None:
        self._connection = site.connect()
        self._pairs = pairs
        self._evses = [messages.evse_id(each) for each in range(number, EVSES, CLIENTS)]
        self._report = report

    def run(self, stop: threading.Event) -> None:
        """Go on until told to stop, or an answer is not as expected."""
        try:
            for evse, version in self._rounds(stop):
                self._session(evse, version)
                self._mistakes(version)
        except Exception as error:  # noqa: BLE001 - the report tells it
            self._report.failures.append(f"{type(error).__name__}: {error}")
            stop.set()
        finally:
            self._connection.close()

    def _rounds(self, stop: threading.Event) -> Iterator[tuple[str, Version]]:
        number = 0
        while not stop.is_set():
            yield self._evses[number % len(self._evses)], ORDER[number % len(ORDER)]
            number += 1

    def _session(self, evse: str, version: Version) -> None:
        """One session from selection to release."""
        selected = self._call(direct.SelectEvseRequest(evse_id=evse, contract_id=messages.CONTRACT), version, "ok")
        session = str(selected.findtext(".//{*}directId"))
        self._call(direct.GetEvseStatusRequest(requested_evse_id=(evse,)), version, None)
        for operation in (DirectOperation.START, DirectOperation.CHANGE, DirectOperation.END):
            self._call(direct.ControlEvseRequest(direct_id=session, operation=operation), version, "ok")
        if version is not ORDER[0]:
            self._call(direct.InformProviderRequest(direct_id=session), version, "ok")
        self._call(direct.ReleaseEvseRequest(direct_id=session), version, "ok")

    def _mistakes(self, version: Version) -> None:
        """What partners do wrong."""
        nowhere = direct.SelectEvseRequest(evse_id="DE*BEN*ENOWHERE", contract_id=messages.CONTRACT)
        self._call(nowhere, version, "not-found")
        self._call(direct.ReleaseEvseRequest(direct_id="DEBEN-NEVER"), version, "invalid-id")
        self._post(b"<no envelope", version, 500)
        self._report.calls["no message"] += 1

    def _call(self, request: Any, version: Version, expected: str | None) -> etree._Element:
        body = self._post(envelope(encode(request, version)), version, 200)
        answer = etree.fromstring(body)
        code = answer.findtext(".//{*}result/{*}resultCode/{*}resultCode")
        if expected is not None and code != expected:
            raise RuntimeError(f"{type(request).__name__} in {version.value}: {expected} expected, got {body!r}")
        self._report.calls[f"{type(request).__name__.removesuffix('Request')} {expected or ''}".strip()] += 1
        return answer

    def _post(self, body: bytes, version: Version, status: int) -> bytes:
        headers = {"Content-Type": CONTENT_TYPE, "Authorization": authorization(self._pairs)}
        self._connection.request("POST", path_of(Port.OPERATOR, version), body, headers)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != status:
            raise RuntimeError(f"HTTP {status} expected, got {answer.status} {said!r}")
        return said


def soak(on: Ground, minutes: float, progress: Callable[[str], None] = lambda _: None) -> Report:
    """Keep an operator busy for so long."""
    report, stop = Report(), threading.Event()
    site = Site(on, Role.OPERATOR, evses=EVSES, work_every=0.5)
    with site.store() as store:
        pairs = let_in(store, days=2 + int(minutes // (24 * 60)))
    with site.running() as running:
        running.answers("/readyz")
        clients = [Client(site, pairs, number, report) for number in range(CLIENTS)]
        threads = [threading.Thread(target=client.run, args=(stop,)) for client in clients]
        for thread in threads:
            thread.start()
        watch(running, report, minutes * 60, stop, progress)
        for thread in threads:
            thread.join()
    return report


def soak_house(sizes: Sizes, progress: Callable[[str], None] = lambda _: None) -> Report:
    """Keep a house busy with all that it does."""
    report = Report()
    with house() as on, busy(on, sizes, progress) as (stage, run), ThreadPoolExecutor(1) as pool:
        ran = pool.submit(run)
        watch(stage.running, report, sizes.seconds, threading.Event(), progress)
        outcome = ran.result()
    report.failures += outcome.errors
    report.calls.update({name: told["done"] for name, told in outcome.told.items()})
    return report


def watch(
    running: Running, report: Report, seconds: float, stop: threading.Event, progress: Callable[[str], None]
) -> None:
    """Note the memory until the time is over or a client stops."""
    started = time.monotonic()
    while not stop.wait(seconds / SAMPLES):
        report.memory.append(running.memory("VmRSS"))
        passed = time.monotonic() - started
        if passed >= seconds:
            stop.set()
        progress(f"{passed / 60:.1f} min, {report.calls.total():,} calls, {report.memory[-1]:.1f} MB")


def main() -> int:
    """Soak as told on the command line."""
    parser = argparse.ArgumentParser(prog="make soak ARGS=…", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=60.0)
    parser.add_argument("--house", action="store_true", help="soak the house, not an operator")
    asked = parser.parse_args()
    console = Console()
    with console.status("…") as status:
        if asked.house:
            report = soak_house(replace(AT_THE_HOUSE, seconds=60 * asked.minutes), status.update)
        else:
            with ground() as on:
                report = soak(on, asked.minutes, status.update)
    for call, count in report.calls.most_common():
        console.print(f"{count:>12,} × {call}")
    for failure in report.failures:
        console.print(failure, style="red", markup=False)
    if len(report.memory) >= 3:
        each = " ".join(f"{memory:.0f}" for memory in report.memory[:: max(1, len(report.memory) // 12)])
        console.print(f"memory in MB: {each}; grew by {report.growth:.1%} in the last third, {TOLERANCE:.0%} may be")
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
