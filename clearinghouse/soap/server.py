"""The SOAP server of a role: an HTTP request in, an HTTP answer out; synchronous, for any number of threads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl

from spyne import Fault, MethodContext
from spyne.server import ServerBase

from clearinghouse.domain.errors import Busy, NotAuthenticated
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.versions import BY_NAMESPACE, ORDER, Version
from clearinghouse.services.calls_port import Caller, Doorkeeper, Handler, HttpAnswer, HttpRequest, Login, TokenPair
from clearinghouse.soap import wsdl
from clearinghouse.soap.documents import charset_parameter, utf8
from clearinghouse.soap.entries import Entry
from clearinghouse.soap.envelopes import Envelope, steps, understand
from clearinghouse.soap.faults import CONTENT_TYPE, FaultCode, Refusal, client_fault
from clearinghouse.soap.protocol import Exchange
from clearinghouse.soap.security import login, masked, token_pair
from clearinghouse.soap.service import application
from clearinghouse.soap.verdicts import INTERNAL, log_unexpected, text_of, unauthenticated

logging.getLogger("spyne").setLevel(logging.CRITICAL + 1)  # it logs requests and texts of errors

Tap = Callable[[str, Operation | None, Version | None, bytes, bytes], None]
"""Is shown the path or URL, the operation and version, and the request and answer with secrets masked."""

MEDIA_TYPES = frozenset({"text/xml", "application/xml", "application/soap+xml"})
MAX_BODY = 2 << 20
STREAMED = b"<!-- too long to be kept -->"
VERSIONS = {version.path: version for version in ORDER}


class Context(MethodContext):  # type: ignore[misc]
    """Spyne's context of a call, without what it does at each of fifty assignments and fourteen events.

    It would check that the name is known, and make a set of those who listen, who do not exist.
    """

    __setattr__ = object.__setattr__

    def fire_event(self, event: str, *_: Any, **__: Any) -> None:
        """Nobody listens."""


class VersionTransport(ServerBase):  # type: ignore[misc]
    """Takes an exchange through the Spyne application of its version."""

    transport = "http://schemas.xmlsoap.org/soap/http"

    def carry(self, exchange: Exchange) -> tuple[Any, Generator[bytes]]:
        """The answer's value, a Refusal among them, and its bytes, piece by piece."""
        initial = Context(self, MethodContext.SERVER)
        initial.udc = exchange
        context, *_ = self.generate_contexts(initial)
        if context.in_error is not None:
            raise context.in_error
        self.get_in_object(context)
        if context.in_error is not None:
            raise context.in_error
        self.get_out_object(context)
        self.get_out_string(context)
        return context.out_error or context.out_object[0], context.out_string


class SoapServer:
    """Serves the operations that it has handlers for, in every version that has them, as one role."""

    def __init__(
        self,
        role: Role,
        handlers: Mapping[Operation, Handler],
        doorkeeper: Doorkeeper,
        *,
        max_body: int = MAX_BODY,
        max_upload: int = MAX_BODY,
        via: str | None = None,
        tap: Tap | None = None,
    ) -> None:
        """`max_body` bounds messages in memory, `max_upload` those in files, both as they are when inflated.

        `via` is this server's name in the Via headers of the calls that it passes on: such a call is in a loop.
        """
        self.role = role
        self.via = via
        self.max_body = max_body
        self.max_upload = max_upload
        self._doorkeeper = doorkeeper
        self._tap = tap
        self._transports = {version: VersionTransport(application(version, handlers)) for version in ORDER}

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """The answer to any request; an error of any kind becomes a fault or an HTTP error."""
        if request.method == "GET":
            return document(request)
        if request.method != "POST":
            return plain(405, "Only POST is for SOAP, and GET for the contract.", {"Allow": "GET, POST"})
        visit = Visit(self, request)
        try:
            answer = visit.answer()
        except Refusal as refusal:
            answer = visit.refused(refusal)
        except Exception as error:  # noqa: BLE001 - the edge: whatever happened, the caller gets an answer
            log_unexpected(error, **visit.facts)
            answer = visit.refused(Refusal(FaultCode.SERVER, INTERNAL))
        if self._tap:
            said = answer.body if isinstance(answer.body, bytes) else STREAMED
            self._tap(request.path, visit.operation, visit.version, masked(visit.document), masked(said))
        return answer

    def welcome(self, request: HttpRequest) -> HttpAnswer | None:
        """What refuses a long request by the beginning of its body; None where the caller may send the rest."""
        visit = Visit(self, request)
        try:
            visit.admit(ends=False)
        except Refusal as refusal:
            return visit.refused(refusal)
        return None

    def admit(self, credentials: Login | TokenPair | None) -> Caller:
        """The caller. Raises Refusal."""
        try:
            return self._doorkeeper(credentials, self.role)
        except NotAuthenticated:
            by_basic = self.role is not Role.HOUSE or isinstance(credentials, TokenPair)
            raise unauthenticated(by_basic=by_basic) from None
        except Busy as busy:
            raise Refusal(FaultCode.SERVER, text_of(busy), 503, {"Retry-After": "5"}) from None

    def carry(self, exchange: Exchange) -> tuple[Any, Generator[bytes]]:
        """The answer's value and bytes."""
        return self._transports[exchange.version].carry(exchange)


class Visit:
    """One request at the server: what is known of it so far."""

    def __init__(self, server: SoapServer, request: HttpRequest) -> None:
        self._server = server
        self._request = request
        self.document = b""
        self.operation: Operation | None = None
        self.version: Version | None = None
        self.facts: dict[str, str] = {}

    def answer(self) -> HttpAnswer:
        """Read, admit, serve. Raises Refusal."""
        envelope, caller = self.admit()
        entry = Entry(envelope)
        self.version = version_of(entry.tag)
        self.facts["version"] = self.version.value
        return self._served(Exchange(entry, caller, self.version))

    def admit(self, *, ends: bool = True) -> tuple[Envelope, Caller]:
        """The message, read up to its body, and who sends it; without `ends`, all there is is its beginning.

        Raises Refusal.
        """
        if self._server.via and self._server.via in self._request.headers.get("via", "").replace(",", " ").split():
            raise client_fault("This call was passed on from here before: an endpoint leads back to this server.", 508)
        charset = charset_of(self._request.headers.get("content-type", ""))
        pair = token_pair(self._request.headers.get("authorization"))
        direct = self._server.role is not Role.HOUSE
        caller = self._server.admit(pair) if direct else None
        envelope = Envelope(self._pieces(charset, ends), ends=ends)
        security = understand(envelope.head())
        if caller is None:
            caller = self._server.admit((None if security is None else login(security)) or pair)
        self.facts["caller"] = caller.name
        return envelope, caller

    def _pieces(self, charset: str | None, ends: bool) -> Iterator[bytes]:
        body, encoding = self._request.body, self._request.headers.get("content-encoding")
        if not isinstance(body, bytes):
            self.document = STREAMED
            return utf8(body, encoding, charset, self._server.max_upload)
        limit = self._server.max_body if ends else self._server.max_upload
        self.document = b"".join(utf8(body, encoding, charset, limit, ends=ends))
        return steps(self.document)

    def _served(self, exchange: Exchange) -> HttpAnswer:
        try:
            value, pieces = self._server.carry(exchange)
        finally:
            self.operation = exchange.operation
            if self.operation:
                self.facts["operation"] = self.operation.name
        if isinstance(value, Fault):
            return self.refused(value if isinstance(value, Refusal) else Refusal(FaultCode.SERVER, INTERNAL))
        result = getattr(value, "result", None)
        self.facts["outcome"] = result.result_code.value if result else "ok"
        first = next(pieces)
        second = next(pieces, None)
        body: bytes | Generator[bytes] = first
        if second is not None:
            body = _resumed(first, second, pieces)
            next(body)
        return HttpAnswer(200, {"Content-Type": CONTENT_TYPE}, body, self.facts)

    def refused(self, refusal: Refusal) -> HttpAnswer:
        """The answer that says why not."""
        self.facts["outcome"] = "unauthenticated" if refusal.code is FaultCode.FAILED_AUTHENTICATION else "fault"
        headers = {"Content-Type": CONTENT_TYPE, **refusal.headers}
        return HttpAnswer(refusal.status, headers, refusal.body, self.facts)


def _resumed(first: bytes, second: bytes, rest: Generator[bytes]) -> Generator[bytes]:
    """All the pieces. It is started by a first `next`, since closing what never began would close nothing."""
    with closing(rest):
        yield b""
        yield first
        yield second
        yield from rest


def charset_of(content_type: str) -> str | None:
    """The character encoding that the HTTP header names, if any. Raises Refusal for media that are no XML."""
    if content_type.partition(";")[0].strip().lower() not in MEDIA_TYPES:
        raise client_fault("Content-Type must be text/xml.", 415)
    return charset_parameter(content_type)


def version_of(tag: str) -> Version:
    """The version whose namespace the body's entry is in. Raises Refusal."""
    namespace = tag[1:].partition("}")[0] if tag.startswith("{") else ""
    try:
        return BY_NAMESPACE[namespace]
    except KeyError:
        known = ", ".join(BY_NAMESPACE)
        raise client_fault(f"The body's entry must be in one of the namespaces {known}.") from None


def document(request: HttpRequest) -> HttpAnswer:
    """A file of the contract, of the version that the path ends with."""
    try:
        query = {name.lower(): value for name, value in parse_qsl(request.query, True, max_num_fields=8)}
    except ValueError:
        query = {}
    asked = query.get("wsdl", query.get("xsd"))
    if asked is None:
        return plain(405, "SOAP messages are posted; the contract is at ?wsdl.", {"Allow": "POST"})
    segments = [segment for segment in request.path.split("/") if segment]
    version = VERSIONS.get(segments[-1].lower()) if segments else None
    try:
        content = version and wsdl.served(version, asked or None, request.base_url, "/" + "/".join(segments))
    except ValueError:
        content = None
    if content is None:
        return plain(404, "There is no such document; paths end with v1.3, v1.4 or v1.4.1.")
    return HttpAnswer(200, {"Content-Type": CONTENT_TYPE}, content, {"outcome": "document"})


def plain(status: int, text: str, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    """An answer to what is no SOAP."""
    content = {"Content-Type": "text/plain; charset=utf-8", **(headers or {})}
    return HttpAnswer(status, content, f"{text}\n".encode(), {"outcome": str(status)})
