"""Carrying messages to partners with zeep: its reading of our contract says which soapAction, its transport posts.

zeep does not write the bodies: it cannot write every element of OCHP right, and the codec, which does, is several
times faster. This module is imported with the first call, since zeep takes a while to load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from http.client import HTTPException, RemoteDisconnected
from typing import Any

import zeep
from requests import ConnectTimeout, RequestException, Response, Session, Timeout
from requests.exceptions import SSLError
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as PoolTimeout
from zeep.transports import Transport

from clearinghouse.domain.errors import (
    PartnerAnsweredNonsense,
    PartnerFailed,
    PartnerTimedOut,
    PartnerUnreachable,
)
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.versions import Version
from clearinghouse.soap import wsdl
from clearinghouse.soap.connections import DEADLINE
from clearinghouse.soap.faults import CONTENT_TYPE
from clearinghouse.soap.interfaces import DIRECT


class Carrier(Transport):
    """zeep's transport: loads our contract from memory, follows no redirects, leaves the answer's body to be read."""

    def __init__(self, session: Session) -> None:
        super().__init__(session=session)  # type: ignore[no-untyped-call]
        session.adapters.pop("file://", None)
        session.headers.update({"User-Agent": "clearinghouse", "Accept": "text/xml"})

    def load(self, url: str) -> bytes:
        """A file of the contract, named `contract:/<version>/<file>`."""
        _, version, name = url.rsplit("/", 2)
        return wsdl.documents(Version(version))[name]

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> Response:
        """Post a message; nothing of it is logged."""
        seconds = DEADLINE.left()
        return self.session.post(
            address, data=message, headers=headers, timeout=seconds, stream=True, allow_redirects=False
        )


@cache
def actions(version: Version) -> dict[str, str]:
    """The soapAction of each operation of a version, as zeep reads it from the contract."""
    location = f"contract:/{version.value}/{DIRECT.filename}"  # it imports all others
    client = zeep.Client(location, transport=Carrier(Session()))  # type: ignore[no-untyped-call]
    contract: Any = client.wsdl
    ports = [port for service in contract.services.values() for port in service.ports.values()]
    bound = [operation for port in ports for operation in port.binding.all().values()]
    return {operation.name: operation.soapaction for operation in bound}


def http_headers(version: Version, operation: Operation) -> dict[str, str]:
    """The HTTP headers of a call."""
    action = actions(version)[operation.name_at(version)]
    return {"Content-Type": CONTENT_TYPE, "SOAPAction": f'"{action}"'}


BROKEN = (RequestException, HTTPError, HTTPException, OSError)
"""What requests, urllib3, the standard library and the system raise when a call fails."""

BROKE = "the connection broke"
FAILURES: tuple[tuple[tuple[type[Exception], ...], type[PartnerFailed], str], ...] = (
    ((SSLError,), PartnerUnreachable, "no TLS, or the certificate is not trusted"),
    ((NewConnectionError,), PartnerUnreachable, "no connection"),
    ((ConnectTimeout, ConnectTimeoutError), PartnerUnreachable, "no connection in time"),
    ((Timeout, PoolTimeout, TimeoutError), PartnerTimedOut, "no answer in time"),
    ((RemoteDisconnected,), PartnerUnreachable, BROKE),
    ((HTTPException,), PartnerAnsweredNonsense, "the answer is no HTTP"),
)
"""What a failure means, by what lies at its root; the first that fits."""


def failure_of(error: Exception) -> tuple[type[PartnerFailed], str]:
    """What to tell of a failure. Its own text is never repeated, since it may hold the URL and more."""
    chain = list(_causes(error))
    for kinds, failure, why in FAILURES:
        if any(isinstance(each, kinds) for each in chain):
            return failure, why
    return (PartnerTimedOut, "no answer in time") if DEADLINE.is_over() else (PartnerUnreachable, BROKE)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
