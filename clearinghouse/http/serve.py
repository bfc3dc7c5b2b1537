"""Runs an ASGI application on granian: TLS, worker processes, limits, and certificates that change without a restart.

A worker reads its certificate when it is born and never again. So when the files change and the new pair is good,
workers are replaced one by one: the new one listens before the old one stops, and the old one finishes what it works
on. On Linux each worker has a listening socket of its own; with `net.ipv4.tcp_migrate_req=1` not even connections
that wait in the queue of the old one are lost.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from pkgutil import resolve_name
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog

from clearinghouse import cores
from clearinghouse.http.certificates import BadCertificate, TlsFiles, TlsPair, read_pair, write_private

if TYPE_CHECKING:
    from granian.server import MPServer

log = structlog.get_logger("clearinghouse.http.serve")

QUIET = {"handlers": [], "level": "INFO", "propagate": True}
LOGGING: dict[str, Any] = {"version": 1, "disable_existing_loggers": False, "loggers": {"_granian": QUIET}}
"""The server's own words go where the process's log goes."""


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Where and how to listen. Without `tls`, `plain_http` has to be asked for: it is for behind a proxy only.

    Seconds: `header_seconds` for a request's head (also the longest silence of an idle connection), `grace_seconds`
    for requests under way when a worker stops, `watch_seconds` between two looks at the certificate's files, and
    `overlap_seconds` for a new worker to start before the old one stops. A role needs one or two to start, several
    times that where the machine is busy, and calls that come when neither listens are refused.
    """

    host: str = "127.0.0.1"
    port: int = 8443
    workers: int = 1
    tls: TlsFiles | None = None
    plain_http: bool = False
    backlog: int = 2048
    max_connections: int = 2000
    max_header_bytes: int = 64 << 10
    header_seconds: float = 30.0
    grace_seconds: int = 30
    overlap_seconds: float = 10.0
    watch_seconds: float = 5.0
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.tls is None and not self.plain_http:
            raise ValueError("a certificate and key are needed, or plain HTTP has to be asked for")
        if self.tls is not None and self.plain_http:
            raise ValueError("either TLS or plain HTTP, not both")


def serve(factory: str, listening: Listening) -> None:
    """Serve until SIGTERM or SIGINT. `factory` is `module:function`; workers call it with `listening.arguments`.

    SIGHUP replaces the workers. Raises BadCertificate and OSError (the address is taken) before anything listens.
    """
    claim(address_of(listening.host), listening.port)
    signal.signal(signal.SIGTERM, _leave)
    os.register_at_fork(after_in_child=_forget_signals)
    with tempfile.TemporaryDirectory(prefix="clearinghouse-") as folder:
        private = Path(folder)
        if listening.workers > 1 and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            (private / "metrics").mkdir()
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(private / "metrics")
        server = granian(listening)
        if listening.tls is not None:
            watch = CertificateWatch(listening.tls, private, partial(_present, server))
            watch.load()
            server.on_reload(watch.reload)
            changed = partial(watch.run, listening.watch_seconds, server.signal_handler_reload)
            server.on_startup(threading.Thread(target=changed, name="certificates", daemon=True).start)
            server.on_shutdown(watch.stop)
        loader = partial(load, factory, dict(listening.arguments), listening.workers)
        server.serve(target_loader=loader, wrap_loader=False)


def load(factory: str, arguments: dict[str, Any], workers: int, number: int) -> Any:
    """The application of the worker with this number, which ends when the process that started it is gone."""
    cores.keep_to_one(workers, number)
    threading.Thread(target=_follow, args=(os.getppid(),), name="parent", daemon=True).start()
    return resolve_name(factory)(**arguments)


def _leave(number: int, frame: FrameType | None) -> None:
    """A stop before the server has its own handlers still clears away the private files."""
    sys.exit(128 + number)


def _forget_signals() -> None:
    """A worker that is told to stop before it has its own handlers would only run its parent's, and live on."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _follow(parent: int) -> None:
    """An orphan would keep its share of the port's connections for ever."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def granian(listening: Listening) -> MPServer:
    """The server, configured but without its certificate."""
    from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
    from granian.http import HTTP1Settings
    from granian.server import MPServer

    class Numbering(MPServer):
        """Tells each worker its number, from 0 on; one that is replaced leaves its number to its successor."""

        def _spawn_worker(  # type: ignore[override] # MPServer's own lacks an argument, too
            self, idx: int, target: Any, callback_loader: Callable[..., Any]
        ) -> Any:
            return super()._spawn_worker(idx, target, partial(callback_loader, idx))

    return Numbering(
        "",
        address_of(listening.host),
        listening.port,
        interface=Interfaces.ASGI,
        workers=listening.workers,
        runtime_mode=RuntimeModes.st,  # a second thread of a worker would take a sixth more time for a short request
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        backlog=listening.backlog,
        backpressure=listening.max_connections,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(listening.header_seconds * 1000), max_buffer_size=listening.max_header_bytes
        ),
        log_dictconfig=LOGGING,
        respawn_failed_workers=True,
        respawn_interval=listening.overlap_seconds,
        workers_kill_timeout=listening.grace_seconds,
    )


def address_of(host: str) -> str:
    """The address to bind: the server knows no names. Raises OSError for a name that has none."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][4][0])
    except socket.gaierror as error:
        raise OSError(error.errno, f"cannot listen at {host}: {error.strerror}") from None


def claim(address: str, port: int) -> None:
    """Raises OSError where somebody listens already: workers share a port so readily that they would join in."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise OSError(error.errno, f"cannot listen at {address} port {port}: {error.strerror}") from error


def _present(server: MPServer, files: TlsFiles) -> None:
    from granian.constants import SSLProtocols

    server.build_ssl_context(files.certificate, files.key, None, SSLProtocols.tls12, None, [], client_verify=False)


class CertificateWatch:
    """Keeps a private copy of the newest good pair, and tells when there is a newer one.

    Each good pair is a generation with a folder of its own, so that no worker ever reads half of one: also one that
    is born after a crash, while the files of the outside are being written. The last but one is kept for a worker that
    is being born.
    """

    def __init__(self, files: TlsFiles, folder: Path, present: Callable[[TlsFiles], None]) -> None:
        self._files = files
        self._folder = folder
        self._present = present
        self._generations = count()
        self._current: TlsPair | None = None
        self._newest: Path | None = None
        self._kept: Path | None = None
        self._refused: str | None = None
        self._stopped = threading.Event()

    def load(self) -> None:
        """Present the pair. Raises BadCertificate."""
        pair = read_pair(self._files)
        if pair == self._current:
            return
        folder = self._folder / f"tls-{next(self._generations)}"
        folder.mkdir(0o700)
        files = TlsFiles(certificate=folder / "chain.pem", key=folder / "key.pem")
        files.certificate.write_bytes(pair.chain)
        write_private(files.key, pair.key)
        self._present(files)
        self._current = pair
        if self._kept is not None:
            shutil.rmtree(self._kept)
        self._kept, self._newest = self._newest, folder

    def reload(self) -> None:
        """Present the pair if it is good; a broken one is logged and the old one kept."""
        try:
            self.load()
        except BadCertificate as error:
            self._refuse(error)

    def newer(self) -> TlsPair | None:
        """The good pair in the files, where it is not the one presented."""
        try:
            pair = read_pair(self._files)
        except BadCertificate as error:
            self._refuse(error)
            return None
        self._refused = None
        return None if pair == self._current else pair

    def run(self, interval: float, changed: Callable[[], None]) -> None:
        """Look every `interval` seconds until stopped; call `changed` once for each new good pair."""
        announced = None
        while not self._stopped.wait(interval):
            pair = self.newer()
            if pair is not None and pair != announced:
                log.info("new certificate", file=str(self._files.certificate))
                changed()
            announced = pair

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    def _refuse(self, error: BadCertificate) -> None:
        if self._refused != str(error):
            log.error("the new certificate is not used, the old one is kept", why=str(error))
        self._refused = str(error)
