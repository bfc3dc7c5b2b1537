"""Calls to partners over SOAP and TLS, each within its time, and no partner at the cost of another."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import urlsplit

import structlog
from lxml import etree

from clearinghouse.domain.errors import (
    Malformed,
    PartnerAnsweredNonsense,
    PartnerFailed,
    PartnerRefused,
    PartnerUnreachable,
)
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.versions import Version
from clearinghouse.services.calls_port import Login, TokenPair
from clearinghouse.soap.answers import read_answer, read_long_answer
from clearinghouse.soap.codec import encode
from clearinghouse.soap.documents import charset_parameter, utf8
from clearinghouse.soap.elements import local_name
from clearinghouse.soap.entries import Entry
from clearinghouse.soap.envelopes import Envelope, steps
from clearinghouse.soap.faults import ENVELOPE, Refusal, envelope
from clearinghouse.soap.security import basic_header, masked, security_header
from clearinghouse.soap.server import STREAMED, Tap

if TYPE_CHECKING:
    from requests import Response

    from clearinghouse.soap.carrier import Carrier

log = structlog.get_logger(__name__)

MAX_ANSWER = 16 << 20
LONGEST_FAULT = 200
CHUNK = 1 << 16
IN_MEMORY = 2 << 20
FAULT = f"{{{ENVELOPE}}}Fault"


class SoapLine:
    """Lines to partners. `timeout` bounds a whole call in seconds, `most_calls` those under way to one host."""

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        ca_bundle: Path | None = None,
        allow_private: bool = False,
        most_calls: int = 16,
        max_answer: int = MAX_ANSWER,
        compressed: bool = False,
        via: str | None = None,
        tap: Tap | None = None,
    ) -> None:
        """Certificates are verified against `ca_bundle` alone where it is given, and it is read anew when it changes.

        Without `allow_private`, hosts at private and loopback addresses are not called; `compressed` asks for answers
        as gzip; `via` is the name by which a server that passes calls on knows its own again (RFC 9110, Via).
        """
        self._timeout = timeout
        self._bundle = ca_bundle
        self._allow_private = allow_private
        self._most_calls = most_calls
        self._max_answer = max_answer
        self._accepted = {"Accept-Encoding": "gzip" if compressed else "identity"}
        self._via = {"Via": f"1.1 {via}"} if via else {}
        self._tap = tap
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()
        self._carrier: Carrier | None = None
        self._read: object = None

    def call(
        self, url: str, version: Version, operation: Operation, request: Any, credentials: Login | TokenPair
    ) -> Any:
        """The partner's answer, an instance of `operation.response`. Raises a subclass of PartnerFailed."""
        host = host_of(url)
        message = envelope(encode(request, version), security_of(credentials))
        with self._room(host):
            answer, body = self._exchanged(url, host, version, operation, message, credentials)
        document = self._document(answer, body)
        if self._tap:
            said = document if isinstance(document, bytes) else STREAMED
            self._tap(url, operation, version, masked(message), masked(said))
        try:
            return understood(operation, version, answer.status_code, document)
        except PartnerFailed as failure:
            raise type(failure)(f"{host}: {without_secrets(str(failure), credentials)}") from None

    @contextmanager
    def _room(self, host: str) -> Iterator[None]:
        with self._lock:
            if self._under_way[host] >= self._most_calls:
                raise PartnerUnreachable(f"{host}: too many calls are under way to it")
            self._under_way[host] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[host] -= 1
                if not self._under_way[host]:
                    del self._under_way[host]

    def _exchanged(
        self,
        url: str,
        host: str,
        version: Version,
        operation: Operation,
        message: bytes,
        credentials: Login | TokenPair,
    ) -> tuple[Response, bytes | BinaryIO]:
        """The HTTP answer and its body. What only reads is asked once more where the connection breaks.

        Servers close connections that were kept, after a silence or for a restart, and a request may be on its way.
        """
        from clearinghouse.soap import carrier, connections

        headers = carrier.http_headers(version, operation) | self._accepted | self._via
        if isinstance(credentials, TokenPair):
            headers |= basic_header(credentials)
        transport = self._current_carrier()
        attempts = 2 if operation.only_reads else 1
        with connections.within(self._timeout):
            while True:
                attempts -= 1
                try:
                    with transport.post(url, message, headers) as answer:
                        return answer, self._body(answer)
                except PartnerFailed as failure:
                    raise type(failure)(f"{host}: {failure}") from None
                except carrier.BROKEN as error:
                    failed, why = carrier.failure_of(error)
                    if not attempts or why != carrier.BROKE:
                        raise failed(f"{host}: {why}") from None

    def _body(self, answer: Response) -> bytes | BinaryIO:
        """The body as it came over the wire, within bounds; a long one is a file.

        It is fetched to its end before anything is made of it: that keeps no partner waiting, and within its time.
        """
        chunks = self._bounded(answer.raw.stream(CHUNK, decode_content=False))
        held = b"".join(_until(chunks, IN_MEMORY))
        if len(held) <= IN_MEMORY:
            return held
        with ExitStack() as failed:
            file = cast("BinaryIO", failed.enter_context(tempfile.TemporaryFile()))
            file.writelines(chain((held,), chunks))
            failed.pop_all()
            return file

    def _bounded(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self._max_answer:
                raise PartnerAnsweredNonsense(f"the answer is larger than {self._max_answer} bytes")
            yield chunk

    def _document(self, answer: Response, body: bytes | BinaryIO) -> bytes | Iterator[bytes]:
        """The answer's body, decompressed and in UTF-8; one in memory stays as it is where it cannot be read."""
        encoding, charset = answer.headers.get("Content-Encoding"), answer.headers.get("Content-Type", "")
        pieces = utf8(body, encoding, charset_parameter(charset), self._max_answer)
        if not isinstance(body, bytes):
            return _closing(body, pieces)
        try:
            return b"".join(pieces)
        except Refusal:
            if encoding:
                raise PartnerAnsweredNonsense("the answer is compressed in a way that cannot be read") from None
            return body

    def _current_carrier(self) -> Carrier:
        """zeep's transport over a session that trusts the bundle as it is now."""
        from clearinghouse.soap import carrier, connections

        stamp = stamp_of(self._bundle)
        with self._lock:
            if self._carrier is None or (stamp is not None and stamp != self._read):
                try:
                    session = connections.session(
                        self._bundle, allow_private=self._allow_private, size=self._most_calls
                    )
                    self._carrier, self._read = carrier.Carrier(session), stamp
                except OSError as error:
                    if self._carrier is None:
                        raise
                    log.warning("the CA bundle cannot be read; the previous one holds", error=type(error).__name__)
                    self._read = stamp
            return self._carrier


def stamp_of(bundle: Path | None) -> tuple[int, int, int] | None:
    """What changes when the file does; None where it is not there."""
    try:
        found = bundle.stat() if bundle else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None


def host_of(url: str) -> str:
    """Host and port, fit to be shown. Raises PartnerUnreachable for what is no plain https address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 443
    except ValueError:
        raise PartnerUnreachable("the address is no URL") from None
    if parts.scheme != "https" or not host:
        raise PartnerUnreachable("only https addresses are called")
    if parts.username is not None or parts.password is not None:
        raise PartnerUnreachable(f"{host}: the address must not carry credentials")
    return f"{host}:{port}"


def security_of(credentials: Login | TokenPair) -> bytes:
    """The SOAP header entry for these credentials; empty where they go into the HTTP header."""
    return security_header(credentials) if isinstance(credentials, Login) else b""


def without_secrets(text: str, credentials: Login | TokenPair) -> str:
    """The text with each secret that a partner may have repeated in it replaced."""
    secrets = (credentials.password,) if isinstance(credentials, Login) else (credentials.receiver, credentials.sender)
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


def _until(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Chunks until they are more than so many bytes together."""
    held = 0
    while held <= size and (chunk := next(chunks, b"")):
        held += len(chunk)
        yield chunk


def _closing(file: BinaryIO, pieces: Iterator[bytes]) -> Iterator[bytes]:
    with file:
        yield from pieces


def understood(operation: Operation, version: Version, status: int, document: bytes | Iterator[bytes]) -> Any:
    """The response that an answer carries. Raises PartnerRefused, PartnerAnsweredNonsense.

    Of a document that comes in pieces, the list is read while somebody goes through it, and raises the same.
    """
    if status in (401, 403):
        raise PartnerRefused(f"the credentials were not accepted (HTTP {status})")
    in_memory = isinstance(document, bytes)
    try:
        entry = Entry(Envelope(steps(document) if isinstance(document, bytes) else document))
        if in_memory or entry.tag == FAULT:
            return _answered(operation, version, entry.whole())
        return read_long_answer(operation.response, entry, version)
    except Refusal:
        raise PartnerAnsweredNonsense(f"the answer is no SOAP 1.1 message (HTTP {status})") from None
    except Malformed as malformed:
        raise PartnerAnsweredNonsense(str(malformed)) from None


def _answered(operation: Operation, version: Version, entry: etree._Element) -> Any:
    if entry.tag == FAULT:
        raise PartnerRefused(f"fault {fault_text(entry)}")
    return read_answer(operation.response, entry, version)


def fault_text(entry: etree._Element) -> str:
    """What a fault says, on one line, shortened."""
    said = {local_name(child): " ".join((child.text or "").split()) for child in entry}
    return f"{said.get('faultcode', '')}: {said.get('faultstring', '')}"[:LONGEST_FAULT]
