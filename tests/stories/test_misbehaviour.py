"""Partners that are slow, dead, wrong or hostile harm their own calls; a healthy partner's calls pass meanwhile."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from clearinghouse.cli.cast import EVSE, HOUSE, OPERATOR, PROVIDER
from clearinghouse.cli.stage import Stage, free_port
from clearinghouse.domain.token_day import sending_day
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import AddServiceEndpointsRequest, OperatorEndpoint
from clearinghouse.ochp.versions import V1_4
from clearinghouse.services.calls_port import Login
from tests.soap.partners import Authority, partner
from tests.stories.insight import ask_house
from tests.stories.simulated import now

MARK = "a-word-that-no-log-repeats"
PORTS = ((HOUSE, "/direct/ochp/v1.4"), (OPERATOR, "/direct/operator/ochp/v1.4"))
QUICKLY = 5.0
"""Seconds, generous for a busy machine; a single call takes a hundredth of it."""


@contextlib.contextmanager
def healthy_calls(stage: Stage) -> Iterator[None]:
    """A healthy partner calls again and again meanwhile, and gets each answer soon."""
    over = threading.Event()
    took: list[float] = []

    def call() -> None:
        while not over.is_set():
            began = time.monotonic()
            assert stage.get(PROVIDER, "/evses/status", evseId=EVSE)["evses"]
            took.append(time.monotonic() - began)
            over.wait(0.05)

    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(call)
        try:
            yield
        finally:
            until = time.monotonic() + 10
            while len(took) < 2 and not calling.done() and time.monotonic() < until:
                time.sleep(0.05)
            over.set()
        calling.result()
    assert len(took) > 1
    assert max(took) < QUICKLY, slow_requests(stage)


def slow_requests(stage: Stage) -> list[str]:
    """What the roles logged of requests that took a second or more, to tell where a slow call waited."""
    return [
        f"{log.name}: {line}"
        for log in sorted(stage.folder.glob("*.log"))
        for line in log.read_text().splitlines()
        if (said := re.search(r'"ms": (\d+)', line)) and int(said[1]) >= 1000
    ]


def raw(stage: Stage, place: str, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLSocket:
    """A connection of one TLS version to a role."""
    context = ssl.create_default_context(cafile=stage.folder / "certs" / "ca.pem")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    address = ("localhost", urlsplit(stage.url(place)).port)
    return context.wrap_socket(socket.create_connection(address, timeout=20), server_hostname="localhost")


@pytest.mark.parametrize(("place", "path"), PORTS)
def test_hostile_requests_get_a_clear_answer_and_leave_no_trace(stage: Stage, place: str, path: str) -> None:
    url = stage.url(place) + path
    tokens = "Basic " + "bm90OmF0b2tlbg=="
    bodies = {
        "garbage": (f"{MARK}\0\xff".encode("latin-1"), {}),
        "another document": (f"<{MARK}/>".encode(), {}),
        "entities": (f'<!DOCTYPE x [<!ENTITY a "{MARK}">]><x>&a;</x>'.encode(), {}),
        "wrong credentials": (envelope(f"<wsse:Password>{MARK}</wsse:Password>"), {"Authorization": tokens}),
    }
    with healthy_calls(stage):
        for name, (body, headers) in bodies.items():
            answer = stage.http.post(url, content=body, headers={"Content-Type": "text/xml"} | headers)
            assert answer.status_code in (400, 401, 500), name
            assert "faultcode" in answer.text, name
            assert MARK not in answer.text
        huge = stage.http.post(url, content=b"<x>" + MARK.encode() * 200_000, headers={"Content-Type": "text/xml"})
        # The house takes uploads, from partners: what begins like none of theirs is not waited for.
        assert (huge.status_code, MARK in huge.text) == (500 if place == "house" else 413, False)
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            raw(stage, place, ssl.TLSVersion.TLSv1_1)
    for log in stage.folder.glob("*.log"):
        assert MARK not in log.read_text(), log.name


def envelope(header: str) -> bytes:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wsse="http://docs.oasis-open.org/wss/'
        '2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><s:Header><wsse:Security><wsse:UsernameToken>'
        f"<wsse:Username>fahrstrom</wsse:Username>{header}</wsse:UsernameToken></wsse:Security></s:Header><s:Body>"
        '<GetServiceEndpointsRequest xmlns="http://ochp.eu/1.4"/></s:Body></s:Envelope>'
    ).encode()


def test_bodies_that_never_end_hold_up_nobody(stage: Stage) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<x"
    with contextlib.ExitStack() as open_:
        slow = [open_.enter_context(raw(stage, place)) for place, _ in PORTS for _ in range(20)]
        for number, connection in enumerate(slow):
            connection.sendall(head % PORTS[number // 20][1].encode())
        with healthy_calls(stage):
            for _ in range(10):
                time.sleep(0.1)
                for connection in slow:
                    connection.sendall(b"x")


@contextlib.contextmanager
def wrong_operators(stage: Stage, folder: Path) -> Iterator[dict[str, str]]:
    """Addresses where something is wrong, by what it is; the stage trusts one further authority meanwhile."""
    bundle = stage.folder / "certs" / "ca.pem"
    before = bundle.read_bytes()
    trusted, foreign = Authority(folder, "second"), Authority(folder, "foreign")
    bundle.write_bytes(before + trusted.bundle.read_bytes())
    over = threading.Event()
    servers = {
        "a certificate for another name": (trusted.server("elsewhere.example"), None),
        "a certificate that has ended": (trusted.server(life=timedelta(hours=-1)), None),
        "a foreign certificate": (foreign.server(), None),
        "a black hole": (trusted.server(), lambda connection, request: over.wait(60)),
        "nonsense": (trusted.server(), lambda connection, request: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nno")),
    }
    try:
        with contextlib.ExitStack() as running:
            urls = {
                name: running.enter_context(partner(file, behave or (lambda connection, request: None)))
                for name, (file, behave) in servers.items()
            }
            running.callback(over.set)  # before the servers end, which wait for what they do
            yield urls | {"a dead port": f"https://127.0.0.1:{free_port()}/direct/ochp/v1.4"}
    finally:
        bundle.write_bytes(before)


def test_calls_to_wrong_endpoints_fail_in_bounded_time_beside_healthy_ones(stage: Stage, tmp_path: Path) -> None:
    stage.cli("partner", "add", "murks", "--operator-id", "DEBAD", at=HOUSE)
    issued = stage.cli_json("credential", "issue", "murks", at=HOUSE)
    stage.cli("connection", "request", "DEBAD", "DEPRO", "--kind", "direct", at=HOUSE)
    stage.cli("connection", "approve", "DEBAD", "DEPRO", "--as", "operator", "--as", "provider", at=HOUSE)
    with wrong_operators(stage, tmp_path) as urls:
        records = [
            OperatorEndpoint(
                url=url,
                namespace_url=V1_4.namespace,
                access_token=f"token-of-murks-{number}",
                valid_date=sending_day(now(stage)),
                whitelist=(f"DEBADE{number}%",),
            )
            for number, url in enumerate(urls.values())
        ]
        request = AddServiceEndpointsRequest(operator_endpoint_array=tuple(records))
        answer = ask_house(stage, op.ADD_SERVICE_ENDPOINTS, request, Login(issued["username"], issued["password"]))
        assert answer.result.result_code == "ok", answer.result
        stage.cli("token", "fetch", at=PROVIDER)
        stage.wait("murks at the provider", lambda: "DEBAD" in str(stage.get(PROVIDER, "/operators")))

        def start(number: int) -> tuple[httpx.Response, float]:
            began = time.monotonic()
            body = {"evseId": f"DE*BAD*E{number}01", "contractId": "DEPROC12345678"}
            headers = {"Authorization": f"Bearer {stage.keys[PROVIDER]}"}
            url = f"{stage.url(PROVIDER)}/api/v1/charges"
            return stage.http.post(url, json=body, headers=headers, timeout=30), time.monotonic() - began

        with healthy_calls(stage), ThreadPoolExecutor(len(records)) as pool:
            results = dict(zip(urls, pool.map(start, range(len(records))), strict=True))
    for what, (told, seconds) in results.items():
        assert told.status_code in (502, 504), (what, told.text)
        assert told.headers["content-type"] == "application/problem+json"
        assert seconds < 10 + QUICKLY, what
        assert "token-of-murks" not in told.text
    assert results["a black hole"][0].status_code == 504
    assert results["a dead port"][1] < QUICKLY
