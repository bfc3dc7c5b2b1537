"""A stage: roles as processes in a folder, a clock that can be turned, the command line, and the JSON APIs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from clearinghouse.persistence.embedded import EmbeddedPostgres
from clearinghouse.stations import inventory, tariff_file

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds to wait for something that should happen, also on a machine with other things to do."""
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Settings of the database: nobody misses what is lost with the machine."""


class StageError(Exception):
    """A step was not as told."""


class Stage:
    """Runs roles as processes in a folder and plays with them. Close it, and nothing is left running.

    The processes share one database server, whose URL they get by an environment variable: so none starts its own.
    """

    def __init__(self, folder: Path, *, speed: float, begin: datetime) -> None:
        self.folder = folder.resolve()
        self.keys: dict[str, str] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._databases: dict[str, str] = {}
        self._ports: dict[str, int] = {}
        self._speed = speed
        self._trusting: httpx.Client | None = None
        self._open = ExitStack()
        (self.folder / "evses.csv").write_bytes(inventory.SAMPLE.read_bytes())
        (self.folder / "tariffs.json").write_bytes(tariff_file.SAMPLE_TARIFFS.read_bytes())
        self.turn_clock(begin)
        self._server = self._open.enter_context(EmbeddedPostgres(self.folder / "data" / "database", HASTY))

    # -- Processes -----------------------------------------------------------------------------------------------

    def configure(self, place: str, role: str, login: tuple[str, str] | None = None, **own: object) -> None:
        """Write the settings of a role; `login`: user name and password at the house; `own` wins."""
        self._ports.setdefault(place, free_port())
        stated: dict[str, object] = {
            "role": role,
            "home": "data",
            "database_name": place,
            "port": self._ports[place],
            "public_url": self.url(place),
            "certificate": "certs/demo.pem",
            "private_key": "certs/demo.key",
            "ca_bundle": "certs/ca.pem",
            "allow_private_partners": True,
            "clock_file": "clock.json",
            "trace": f"trace/{place}",
            "reconcile_every": 0.5,
            "partner_timeout": 10,
        }
        if login:
            stated |= {"house_url": self.url("house"), "house_username": login[0], "house_password": login[1]}
        if role == "operator":
            stated |= {"evse_file": "evses.csv", "tariff_file": "tariffs.json"}
        path = self.settings(place)
        path.touch(mode=0o600)
        # Strings, numbers, truth values and lists of them are spelled in TOML as they are in JSON.
        path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in (stated | own).items()))

    def settings(self, place: str) -> Path:
        """The settings file of a role."""
        return self.folder / f"{place}.toml"

    def database(self, place: str) -> str:
        """The URL of a role's database."""
        if place not in self._databases:
            self._databases[place] = self._server.url(place)
        return self._databases[place]

    def start(self, *places: str) -> None:
        """Start roles side by side. Raises nothing: `await_ready` tells what became of them."""
        for place in places:
            log = (self.folder / f"{place}.log").open("ab")
            self._open.callback(log.close)
            environment = self._environment(place)
            with _signals_wait():  # one that came between the two would leave a process that nobody knows of
                self.processes[place] = subprocess.Popen(  # noqa: S603 our own program
                    [*PROGRAM, "serve", "--settings", str(self.settings(place))],
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )

    def await_ready(self, *places: str) -> None:
        """Wait until the roles are ready. Raises StageError, also where one has ended."""
        for place in places:
            self.wait(f"{place} to be ready", lambda place=place: self._is_ready(place))  # type: ignore[misc]

    def _is_ready(self, place: str) -> bool:
        process = self.processes[place]
        if process.poll() is not None:
            raise StageError(f"{place} ended with status {process.returncode}")
        try:
            return self.http.get(self.url(place) + "/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, *places: str) -> None:
        """Tell roles to stop, and wait until they have."""
        processes = [self.processes.pop(place) for place in places]
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                _kill(process)

    def kill(self, place: str) -> None:
        """Kill a role and its workers in the middle of whatever they do."""
        _kill(self.processes.pop(place))

    def close(self) -> None:
        """Stop everything, and let nobody interrupt that."""
        with _undisturbed():
            self.stop(*self.processes)
            self._open.close()

    # -- The command line ----------------------------------------------------------------------------------------

    def run(self, *arguments: str, at: str | None = None) -> subprocess.CompletedProcess[str]:
        """What came of a command, with the settings of a role if it needs them. Raises StageError"""
        settings = ["--settings", str(self.settings(at))] if at else []
        command = [*PROGRAM, *arguments, *settings]
        process = subprocess.Popen(  # noqa: S603 our own program
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment(at),
            start_new_session=True,
        )
        try:
            said, complained = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise StageError(f"clearinghouse {' '.join(arguments)} did not end") from None
        finally:
            if process.poll() is None:
                _kill(process)
        return subprocess.CompletedProcess(command, process.returncode, said, complained)

    def cli(self, *arguments: str, at: str | None = None) -> str:
        """What a command prints. Raises StageError."""
        done = self.run(*arguments, at=at)
        if done.returncode:
            raise StageError(f"clearinghouse {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def cli_json(self, *arguments: str, at: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(self.cli(*arguments, "--json", at=at))

    # -- Time ----------------------------------------------------------------------------------------------------

    def turn_clock(self, to: datetime) -> None:
        """Set the clock that all processes share."""
        stated = {"real": datetime.now(UTC).isoformat(), "simulated": to.isoformat(), "speed": self._speed}
        fresh = self.folder / "clock.json.new"
        fresh.write_text(json.dumps(stated))
        fresh.replace(self.folder / "clock.json")

    def wait(self, text: str, look: Callable[[], T | None], patience: float = PATIENCE) -> T:
        """What `look` finds, once it finds something. Raises StageError."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if found := look():
                return found
            time.sleep(0.05)
        raise StageError(f"waited {patience:.0f} s in vain for {text}")

    # -- JSON APIs -----------------------------------------------------------------------------------------------

    def url(self, place: str) -> str:
        """Where a role listens."""
        return f"https://localhost:{self._ports[place]}"

    @property
    def http(self) -> httpx.Client:
        """A client that trusts the stage's own authority and no other, which exists once certificates are made."""
        if self._trusting is None:
            context = ssl.create_default_context(cafile=self.folder / "certs" / "ca.pem")
            self._trusting = self._open.enter_context(httpx.Client(verify=context, timeout=PATIENCE))
        return self._trusting

    def get(self, place: str, path: str, **query: str) -> Any:
        """Read from a role's JSON API."""
        return self._ask("GET", place, path, params=query)

    def post(self, place: str, path: str, body: Any = None) -> Any:
        """Post to a role's JSON API."""
        return self._ask("POST", place, path, json=body)

    def drive(
        self,
        evse_id: str,
        act: str,
        *,
        contract: str | None = None,
        car: dict[str, Any] | None = None,
        place: str = "operator",
    ) -> None:
        """Do as a driver at a simulated EVSE of an operator."""
        body = {"contractId": contract, "car": car or {}} if contract else {"car": car or {}}
        self._ask("POST", place, f"/simulator/evses/{evse_id}/{act}", json=body)

    def _ask(self, method: str, place: str, path: str, **content: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.keys[place]}"}
        answer = self.http.request(method, f"{self.url(place)}/api/v1{path}", headers=headers, **content)
        if answer.is_error:
            raise StageError(f"{method} {path} at {place}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def _environment(self, place: str | None) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CLEARINGHOUSE_")}
        return inherited | ({"CLEARINGHOUSE_DATABASE_URL": self.database(place)} if place else {})


PROGRAM = (sys.executable, "-m", "clearinghouse")


def together(*acts: Callable[[], T]) -> list[T]:
    """What the acts return, done side by side. Raises what the first of them raised, after all are over."""
    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(act) for act in acts]
    return [future.result() for future in futures]


def free_port() -> int:
    """A port at which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _kill(process: subprocess.Popen[Any]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Let signals that come meanwhile take effect afterwards; what is started does not inherit that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda given, _: came.append(given)) for number in HURRY}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ignore the signals with which people and terminals hurry a program on."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in HURRY}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


HURRY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
