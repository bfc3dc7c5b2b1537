"""Real servers on loopback."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from clearinghouse.http import certificates

HERE = Path(__file__).parent
START_SECONDS = 15


@dataclass
class Running:
    """A server that answers."""

    port: int
    process: subprocess.Popen[bytes]
    folder: Path
    log: Path
    seconds_to_answer: float
    tls: bool = True

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "ca.pem")

    def client(self, **more: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.trust if self.tls else True, timeout=10, **more)

    def raw(self) -> socket.socket:
        connection = socket.create_connection(("localhost", self.port), timeout=10)
        return self.trust.wrap_socket(connection, server_hostname="localhost") if self.tls else connection


def until(condition: Callable[[], Any], seconds: float = 10) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, address: str) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(folder: Path, *, address: str = "localhost", wait: bool = True, **stated: Any) -> Iterator[Running]:
    """Start a server, wait until it listens, stop it with SIGTERM."""
    tls = not stated.get("plain_http")
    port = free_port()
    if tls and "tls" not in stated:
        files = certificates.make(folder, "server", ["localhost", "127.0.0.1"], force=True)
        stated["tls"] = {"certificate": str(files.certificate), "key": str(files.key)}
    env = os.environ | {"PYTHONPATH": f"{HERE}:{HERE.parent.parent}"}
    log = folder / "server.log"
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "served.py"), json.dumps(stated | {"port": port})],
            env=env,
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    try:
        while wait and not answers(port, address):
            assert process.poll() is None, log.read_text()
            assert time.perf_counter() - began < START_SECONDS, log.read_text()
            time.sleep(0.02)
        yield Running(port, process, folder, log, time.perf_counter() - began, tls)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


Serve = Callable[..., Running]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A provider in memory over TLS, with small bounds."""
    folder = tmp_path_factory.mktemp("server")
    with running(folder, arguments={"max_body": 100_000, "body_seconds": 1.0}) as each:
        yield each
