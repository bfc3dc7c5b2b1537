"""What the edges that speak SOAP and HTTP exchange with the use cases: who calls, what is asked, what goes back."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.versions import Version


@dataclass(frozen=True)
class Login:
    """A WS-Security user name and password, in clear text."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class TokenPair:
    """The day's tokens of the two ends of a direct call: HTTP Basic `receiver:sender`."""

    receiver: str = field(repr=False)
    sender: str = field(repr=False)


@dataclass(frozen=True)
class Peer:
    """The partner at the other end of a direct call: the living endpoint records that hold the sender's token."""

    endpoints: tuple[Endpoint, ...]

    @property
    def name(self) -> str:
        """The partner's name or party ID, for logs."""
        return self.endpoints[0].partner


Caller = Partner | Peer


class Line(Protocol):
    """Calls partners over SOAP and TLS."""

    def call(
        self,
        url: str,
        version: Version,
        operation: Operation,
        request: Any,
        credentials: Login | TokenPair,
    ) -> Any:
        """The partner's answer, an instance of `operation.response`, within the line's total time-out.

        Raises a subclass of PartnerFailed: unreachable (also: certificate not trusted, too many calls under way to
        this partner), timed out, nonsense, refused.
        """


class Handler(Protocol):
    """Serves one operation."""

    def __call__(self, request: Any, caller: Caller, version: Version) -> Any:
        """The answer, an instance of the operation's response class; may raise any ClearinghouseError."""


class Doorkeeper(Protocol):
    """Decides who is calling."""

    def __call__(self, credentials: Login | TokenPair | None, role: Role) -> Caller:
        """The caller; raises NotAuthenticated, with a text that tells an attacker nothing, and Busy."""


@dataclass(frozen=True)
class HttpRequest:
    """An HTTP request whose body was read completely, into a file if it is long. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | BinaryIO = field(repr=False)
    base_url: str
    """Scheme, host and port as the caller used them."""


@dataclass(frozen=True)
class HttpAnswer:
    """What goes back. `facts` are for logs and metrics: operation, version, caller, outcome.

    A long body comes in pieces that are made while it is sent; whoever sends it closes it, sent or not.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | Generator[bytes] = field(repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)
