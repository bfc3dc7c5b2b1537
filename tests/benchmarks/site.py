"""A role as it is run in production, for the benchmarks: own process, TLS, real PostgreSQL, seeded day tokens."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from clearinghouse.app.store import open_store
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.http import certificates
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_4
from clearinghouse.persistence import schema
from clearinghouse.persistence.embedded import EmbeddedPostgres
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.services.calls_port import TokenPair
from clearinghouse.services.endpoints_port import OwnToken
from clearinghouse.settings import load
from clearinghouse.soap.security import basic_header
from tests.benchmarks import messages
from tests.benchmarks.measuring import cpu_of, family_of, status_of

HOST = "127.0.0.1"
START_WITHIN = 30.0
STOP_WITHIN = 60.0
FORGET_THE_PEAK = "5"
REST = 0.5
"""Seconds after which a role that was started has nothing to do any more."""
COMMAND = (sys.executable, "-c", "from clearinghouse.cli import main; main()", "serve", "-s")
PARTY = {Role.OPERATOR: "DEBEN", Role.PROVIDER: "DEPRV"}


@dataclass(frozen=True)
class Ground:
    """What roles stand on: a folder, a running PostgreSQL and certificates."""

    folder: Path
    postgres: EmbeddedPostgres

    @property
    def authority(self) -> Path:
        """The certificate that clients trust."""
        return self.folder / f"{certificates.AUTHORITY}.pem"


@contextmanager
def ground() -> Iterator[Ground]:
    """A PostgreSQL with its own defaults, so that a commit is on the disk, and certificates; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="clearinghouse-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with EmbeddedPostgres(folder / "database") as postgres:
            certificates.make(folder, "server", [HOST, "localhost"])
            yield Ground(folder, postgres)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


class Site:
    """One role on the ground: its settings and its database; it runs within `running`."""

    def __init__(self, on: Ground, role: Role, *, evses: int = 1, **settings: Any) -> None:
        self.ground = on
        self.port = free_port()
        self.url = on.postgres.url(f"bench_{role}")
        schema.upgrade(self.url)
        self.folder = on.folder / role
        self.folder.mkdir()
        self.path = self.folder / "settings.toml"
        self.path.write_text(toml(self._settings(role) | settings))
        if role is Role.OPERATOR:
            rows = "".join(f"{messages.evse_id(number)},22,3,60\n" for number in range(evses))
            (self.folder / "evses.csv").write_text("evse_id,max_power_kw,phases,max_reservation_minutes\n" + rows)

    def _settings(self, role: Role) -> dict[str, Any]:
        folder = self.ground.folder
        partner = {
            "house_url": f"https://{HOST}:1",
            "house_username": "nobody",
            "house_password": "nothing",
            "party_ids": [PARTY.get(role)],
            "evse_file": "evses.csv",
            "allow_private_partners": True,
        }
        return {
            "role": role,
            "database_url": self.url,
            "home": ".",
            "port": self.port,
            "public_url": f"https://{HOST}:{self.port}",
            "certificate": str(folder / "server.pem"),
            "private_key": str(folder / "server.key"),
            "ca_bundle": str(self.ground.authority),
            **({} if role is Role.HOUSE else partner),
        }

    @contextmanager
    def store(self) -> Iterator[PostgresStore]:
        """The role's store."""
        opened = open_store(load(self.path), self.url)
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def running(self) -> Iterator[Running]:
        """The role's process, once it answers; it is stopped afterwards, and has to end well."""
        log = self.folder / "log"
        with log.open("ab") as words:
            process = subprocess.Popen([*COMMAND, str(self.path)], stdout=words, stderr=words)
        try:
            yield Running(self, process)
        finally:
            process.send_signal(signal.SIGTERM)
            if process.wait(STOP_WITHIN) not in (0, -signal.SIGTERM):
                sys.stderr.write("".join(log.read_text().splitlines(keepends=True)[-20:]))

    def connect(self) -> HTTPSConnection:
        """A client's connection that checks the certificate."""
        context = ssl.create_default_context(cafile=str(self.ground.authority))
        return HTTPSConnection(HOST, self.port, timeout=10, context=context)


@dataclass(frozen=True)
class Running:
    """A role that was started."""

    site: Site
    process: subprocess.Popen[bytes]
    idle: dict[int, float] = field(default_factory=dict)
    """The memory of each process, in megabytes, when it had nothing to do."""

    def answers(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """The status and body of the first answer. Raises TimeoutError and RuntimeError where none comes."""
        ends = time.monotonic() + START_WITHIN
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                raise RuntimeError(f"the role ended: {(self.site.folder / 'log').read_text()[-2000:]}")
            connection = self.site.connect()
            try:
                connection.request("GET" if body is None else "POST", path, body, dict(headers or {}))
                answer = connection.getresponse()
                return answer.status, answer.read()
            except OSError:
                time.sleep(0.005)
            finally:
                connection.close()
        raise TimeoutError(f"no answer within {START_WITHIN:g} s")

    def cpu(self) -> float:
        """The processor time that all its processes have taken, in seconds."""
        return cpu_of(self.process.pid)

    def memory(self, what: str = "VmHWM") -> float:
        """The most memory that one of its processes ever held, or (`VmRSS`) holds, in megabytes."""
        return max(status_of(pid, what) for pid in family_of(self.process.pid))

    def rest(self) -> None:
        """Note what its processes hold now, as what they hold while there is nothing to do."""
        time.sleep(REST)
        for pid in family_of(self.process.pid):
            Path(f"/proc/{pid}/clear_refs").write_text(FORGET_THE_PEAK)
            self.idle[pid] = status_of(pid, "VmRSS")

    def grown(self) -> float:
        """By how many megabytes that of its processes grew that grew most, at most, since it was idle."""
        return max((status_of(pid, "VmHWM") - idle for pid, idle in self.idle.items()), default=0.0)


def database_cpu(on: Ground) -> float:
    """The processor time that PostgreSQL has taken, in seconds."""
    postmaster = int((on.folder / "database" / "postgresql" / "postmaster.pid").read_text().split()[0])
    return cpu_of(postmaster)


def let_in(store: PostgresStore, days: int = 2) -> dict[date, TokenPair]:
    """Give the operator its own tokens and a provider's endpoint from today on; returns the pair of each day."""
    now = datetime.now(UTC)
    pairs = {}
    for day in (now.date() + timedelta(days=ahead) for ahead in range(days)):
        pairs[day] = TokenPair(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
        endpoint = Endpoint(
            partner=PARTY[Role.PROVIDER],
            role=Role.PROVIDER,
            url=f"https://{HOST}:1",
            version=V1_4,
            access_token=pairs[day].sender,
            day=day,
            whitelist=(f"{messages.PARTY_OF_CONTRACT}C%",),
            uploaded_at=now,
        )
        with store.books() as books:
            books.own_tokens.make(OwnToken(day=day, token=pairs[day].receiver, made_at=now, uploaded_at=now))
            books.endpoints.put([endpoint])
    return pairs


def authorization(pairs: Mapping[date, TokenPair]) -> str:
    """The value of the HTTP header at this time."""
    return basic_header(pairs[datetime.now(UTC).date()])["Authorization"]


def toml(values: Mapping[str, Any]) -> str:
    """Simple values as TOML: JSON spells them alike."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def cores() -> int:
    """How many worker processes the machine carries."""
    return os.cpu_count() or 1
