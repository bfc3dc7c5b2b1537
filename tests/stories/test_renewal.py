"""Certificates, passwords and connections change while partners call each other."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509

from clearinghouse.cli.cast import CONNECTIONS, EVSE, HOUSE, PARTNERS, PROVIDER, VETERAN
from clearinghouse.cli.stage import Stage
from clearinghouse.domain.errors import PartnerRefused
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import GetServiceEndpointsRequest
from clearinghouse.services.calls_port import Login
from tests.stories.conftest import restart
from tests.stories.insight import ask_house, login
from tests.stories.simulated import now

OF_OTHER_STORIES = {"DEBAD"}
"""Who came on board in another story, in whatever order they run."""


@contextlib.contextmanager
def calls_meanwhile(call: Callable[[], object]) -> Iterator[list[object]]:
    """Calls again and again; what it got is in the list. Raises what a call raised."""
    over, got = Event(), []

    def again() -> None:
        while not over.is_set():
            got.append(call())
            over.wait(0.02)

    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(again)
        try:
            yield got
        finally:
            over.set()
            calling.result()


def serial(stage: Stage, place: str) -> int:
    """The serial number of the certificate that a new connection sees."""
    context = ssl.create_default_context(cafile=stage.folder / "certs" / "ca.pem")
    with (
        socket.create_connection(("localhost", urlsplit(stage.url(place)).port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"").serial_number


def test_a_new_certificate_is_served_while_calls_run(stage: Stage) -> None:
    places = (HOUSE, *PARTNERS)
    (old,) = {serial(stage, place) for place in places}

    def stopped(place: str) -> int:
        return (stage.folder / f"{place}.log").read_text().count("Stopping old worker")

    before = {place: stopped(place) for place in places}
    with calls_meanwhile(lambda: stage.get(PROVIDER, "/evses/status", evseId=EVSE)["evses"]) as got:
        stage.cli(
            "certs", "make", "--folder", str(stage.folder / "certs"), "--name", "demo", "--host", "localhost", "--force"
        )
        fresh = x509.load_pem_x509_certificate((stage.folder / "certs" / "demo.pem").read_bytes()).serial_number
        assert fresh != old
        for place in places:
            stage.wait(f"the new certificate at {place}", lambda place=place: serial(stage, place) == fresh, 60)
        for place in places:
            stage.wait(f"the end of the old worker at {place}", lambda place=place: stopped(place) > before[place], 60)
        count = len(got)
        stage.wait("calls on the new certificate", lambda: len(got) > count + 5)
    assert all(got)
    assert stage.http.get(stage.url(HOUSE) + "/readyz").status_code == 200


def listed(stage: Stage, own: Login) -> object:
    return ask_house(stage, op.GET_SERVICE_ENDPOINTS, GetServiceEndpointsRequest(), own).result.result_code


def test_a_password_is_rotated_while_calls_run_and_the_old_one_ends_with_the_overlap(stage: Stage) -> None:
    old = login(stage, PROVIDER)
    with calls_meanwhile(lambda: listed(stage, old)) as got:
        told = stage.cli_json("credential", "rotate", "fahrstrom", "--overlap-hours", "1", at=HOUSE)
        new = Login(told["username"], told["password"])
        assert new.username == old.username
        assert new.password != old.password
        assert listed(stage, new) == "ok"
        count = len(got)
        stage.wait("calls with the old password", lambda: len(got) > count + 3)
    assert set(got) == {"ok"}

    with calls_meanwhile(lambda: listed(stage, new)) as got:
        stage.turn_clock(now(stage) + timedelta(hours=1, minutes=1))
        with pytest.raises(PartnerRefused, match="FailedAuthentication"):
            stage.wait("the end of the old password", lambda: listed(stage, old) != "ok")
    assert set(got) == {"ok"}

    settings = stage.settings(PROVIDER)
    assert tomllib.loads(settings.read_text())["house_password"] == old.password
    settings.write_text(settings.read_text().replace(old.password, new.password))
    restart(stage, PROVIDER)
    assert "fetch" in stage.cli("token", "fetch", at=PROVIDER)
    assert stage.get(PROVIDER, "/evses/status", evseId=EVSE)["evses"]


def status_at(stage: Stage, place: str) -> int:
    headers = {"Authorization": f"Bearer {stage.keys[place]}"}
    answer: httpx.Response = stage.http.get(
        f"{stage.url(place)}/api/v1/evses/status", params={"evseId": EVSE}, headers=headers
    )
    return answer.status_code


def partners_at(stage: Stage, place: str) -> set[str]:
    return {each["partner"] for each in stage.cli_json("endpoint", "list", at=place)}


def test_a_withdrawn_connection_ends_relayed_calls_at_once_and_direct_ones_with_the_next_download(
    stage: Stage,
) -> None:
    """The house asks for the connection at every relayed call; back ends learn of it by the hourly download."""
    assert (status_at(stage, VETERAN), status_at(stage, PROVIDER)) == (200, 200)
    for pair in CONNECTIONS:
        stage.cli("connection", "withdraw", *pair, "--as", "operator", at=HOUSE)
    try:
        assert status_at(stage, VETERAN) != 200 or not relayed_evses(stage)
        assert status_at(stage, PROVIDER) == 200, "tokens that were exchanged hold until the next download"
        stage.turn_clock(now(stage) + timedelta(hours=1, minutes=1))
        for place in PARTNERS:
            stage.wait(f"no endpoints of others at {place}", lambda place=place: not strangers(stage, place))
        stage.wait("the refusal of direct calls", lambda: status_at(stage, PROVIDER) == 404)
        assert {each["partner"] for each in stage.get(PROVIDER, "/operators")["operators"]} <= OF_OTHER_STORIES
    finally:
        for pair in CONNECTIONS:
            stage.cli("connection", "approve", *pair, "--as", "operator", at=HOUSE)
        for place in PARTNERS:
            stage.cli("token", "fetch", at=place)
    stage.wait("direct calls again", lambda: status_at(stage, PROVIDER) == 200)
    stage.wait("relayed calls again", lambda: status_at(stage, VETERAN) == 200)


def relayed_evses(stage: Stage) -> list[object]:
    evses: list[object] = stage.get(VETERAN, "/evses/status", evseId=EVSE)["evses"]
    return evses


def strangers(stage: Stage, place: str) -> set[str]:
    return partners_at(stage, place) - OF_OTHER_STORIES
