"""TLS connections to partners: trust, deadlines, and no way into the own network."""

from __future__ import annotations

import ipaddress
import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

CONNECT_SECONDS = 5.0


class Deadline(threading.local):
    """When the calling thread's call has to be over, on the monotonic clock."""

    at: float = math.inf

    def left(self) -> float:
        """The seconds left. Raises TimeoutError when there are none."""
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time for the call is over")
        return seconds

    def is_over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self.at


DEADLINE = Deadline()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give what happens on connections inside the block so much time altogether."""
    DEADLINE.at = time.monotonic() + seconds
    try:
        yield
    finally:
        DEADLINE.at = math.inf


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket on which each step gets only what is left of the call's time: a drip of bytes cannot stretch it."""

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002 - the standard library's name
        """Read within the deadline. Raises TimeoutError."""
        self._hurry()
        return super().read(len, buffer)

    def send(self, data: Any, flags: int = 0) -> int:
        """Send within the deadline. Raises TimeoutError."""
        self._hurry()
        return super().send(data, flags)

    def _hurry(self) -> None:
        if DEADLINE.at < math.inf:
            self.settimeout(DEADLINE.left())


def trust(bundle: Path | None) -> ssl.SSLContext:
    """TLS 1.2 at least, certificates verified against the bundle, or the system's authorities where there is none.

    Raises OSError for a bundle that cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=bundle)
    except OSError as error:
        why = "holds no PEM certificates" if isinstance(error, ssl.SSLError) else error.strerror
        raise OSError(error.errno, f"the CA bundle cannot be used: {why}", str(bundle)) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = DeadlineSocket
    return context


class PartnerConnection(HTTPSConnection):
    """A connection to one of the host's addresses, within the deadline."""

    private_allowed = True

    def connect(self) -> None:
        """Connect and agree on TLS; once more where the other side hangs up meanwhile: nothing was asked of it yet.

        A server that is replaced by another, for a new certificate for example, drops who waits in its queue.
        """
        try:
            super().connect()
        except (ssl.SSLEOFError, ConnectionError):
            self.close()
            super().connect()

    def _new_conn(self) -> socket.socket:
        """Try each address in turn. Raises urllib3's errors."""
        last: Exception | None = None
        try:
            addresses = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NewConnectionError(self, "the host has no address") from None
        for family, kind, protocol, _, address in addresses:
            if not (self.private_allowed or ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global):
                last = NewConnectionError(self, "the host's address is not public")
                continue
            try:
                return self._connected(family, kind, protocol, address)
            except OSError as error:
                last = error
        if isinstance(last, TimeoutError):
            raise ConnectTimeoutError(self, "no connection in time")
        raise NewConnectionError(self, "no connection")

    def _connected(self, family: int, kind: int, protocol: int, address: Any) -> socket.socket:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(min(CONNECT_SECONDS, DEADLINE.left()))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock


class PublicConnection(PartnerConnection):
    """A connection that never leads to private, loopback or link-local addresses, whatever a name resolves to."""

    private_allowed = False


class PartnerPool(HTTPSConnectionPool):
    """Connections to one host."""

    ConnectionCls = PartnerConnection


class PublicPool(HTTPSConnectionPool):
    """Connections to one public host."""

    ConnectionCls = PublicConnection


class PartnerAdapter(HTTPAdapter):
    """Connections with our trust instead of the bundle that requests brings along; no retries."""

    def __init__(self, context: ssl.SSLContext, pool: type[HTTPSConnectionPool], size: int) -> None:
        self._context = context
        self._pool = pool
        super().__init__(pool_connections=64, pool_maxsize=size, max_retries=0)

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Let the pools use our context and our connections."""
        super().init_poolmanager(*args, **settings, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = {"https": self._pool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Demand a certificate; the context knows the authorities."""
        conn.cert_reqs = "CERT_REQUIRED"


def session(bundle: Path | None, *, allow_private: bool, size: int) -> Session:
    """A session that speaks https alone, knows no proxies, and stores nothing. Raises OSError for a bad bundle."""
    made = Session()
    made.trust_env = False
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    made.adapters.clear()
    made.mount("https://", PartnerAdapter(trust(bundle), PartnerPool if allow_private else PublicPool, size))
    return made
