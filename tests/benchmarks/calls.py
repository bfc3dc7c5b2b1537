"""The requests that the load generator sends one after the other, without end: each kind as whole HTTP messages."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from clearinghouse.ochp.live import EvseStatus, MajorStatus, MinorStatus, UpdateStatusRequest
from clearinghouse.ochp.operations import Port
from clearinghouse.ochp.tokens import EmtId, GetSingleRoamingAuthorisationRequest, TokenType
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.services.calls_port import Login
from clearinghouse.soap.faults import CONTENT_TYPE
from clearinghouse.soap.interfaces import path_of
from tests.benchmarks import cdrs, messages, tokens
from tests.benchmarks.stencils import single, stencil

SERVICE, LIVE = (path_of(port, V1_4_1) for port in (Port.SERVICE, Port.LIVE))


def posts(path: str, bodies: Iterable[bytes], host: str, **headers: str) -> Iterator[bytes]:
    """Each body as a POST on a connection that is kept."""
    said = {"Host": host, "Content-Type": CONTENT_TYPE, "SOAPAction": '""', **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    head = f"POST {path} HTTP/1.1\r\n{lines}Content-Length: ".encode()
    for body in bodies:
        yield b"%b%d\r\n\r\n%b" % (head, len(body), body)


def select_evse(host: str, authorization: str, evses: int) -> Iterator[bytes]:
    """Select every EVSE of an operator once, made beforehand."""
    bodies = [messages.request(number) for number in range(evses)]
    return posts(messages.PATH, bodies, host, Authorization=authorization)


def update_status(host: str, login: list[str], first: int, count: int) -> Iterator[bytes]:
    """Tell the status of one EVSE after the other, by chance among those of `evses.OPERATOR` from number `first` on."""
    status = EvseStatus(evse_id="DE*BEN*E77777777", major=MajorStatus.NOT_AVAILABLE, minor=MinorStatus.CHARGING)
    form = stencil(single(Login(*login), UpdateStatusRequest(evse=(status,))), {"77777777": b"%08d"})
    return posts(LIVE, (form % random.randrange(first, first + count) for _ in itertools.count()), host)


def look_up(host: str, login: list[str], first: int, count: int) -> Iterator[bytes]:
    """Ask about one token after the other, by chance among those from number `first` on."""
    token = EmtId(instance="7777777", token_type=TokenType.RFID)
    form = stencil(single(Login(*login), GetSingleRoamingAuthorisationRequest(emt_id=token)), {"7777777": b"%b"})
    numbers = (random.randrange(first, first + count) for _ in itertools.count())
    return posts(SERVICE, (form % tokens.instance(number).encode() for number in numbers), host)


def add_cdrs(host: str, logins: list[tuple[list[str], str]], first: int, start: str) -> Iterator[bytes]:
    """Batches of CDRs of several operators by turns."""
    who = [(Login(*login), operator_id) for login, operator_id in logins]
    return posts(SERVICE, cdrs.batches(who, first, datetime.fromisoformat(start)), host)


CALLS: Mapping[str, Callable[..., Iterator[bytes]]] = {
    "SelectEvse": select_evse,
    "UpdateStatus": update_status,
    "GetSingleRoamingAuthorisation": look_up,
    "AddCDRs": add_cdrs,
}
"""What makes the requests of each kind, given the Host header and what else it takes."""
