"""A partner that takes its time, over real TLS: the house's other callers do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import time

import httpx
import pytest

from clearinghouse.domain.errors import PartnerUnreachable
from clearinghouse.domain.partners import Partner
from clearinghouse.http.app import build
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import (
    AddServiceEndpointsRequest,
    GetServiceEndpointsRequest,
    OperatorEndpoint,
    ProviderEndpoint,
    SelectEvseRequest,
)
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_4
from clearinghouse.services.relay import Relay
from clearinghouse.services.room import Room
from clearinghouse.soap.client import SoapLine, security_of, understood
from clearinghouse.soap.codec import encode
from clearinghouse.soap.faults import envelope
from clearinghouse.soap.server import SoapServer
from tests.services.world import World
from tests.soap.partners import Authority, partner

PATIENCE = 3.0
THREADS, WAITING, OF_ONE = 2, 6, 3


def test_room_is_limited_for_each_and_for_all():
    room = Room(of_each=2, of_all=3)
    with contextlib.ExitStack() as held:
        held.enter_context(room.taken("a"))
        held.enter_context(room.taken("a"))
        with pytest.raises(PartnerUnreachable, match="Too many calls of a"), room.taken("a"):
            pass
        held.enter_context(room.taken("b"))
        with pytest.raises(PartnerUnreachable, match="Too many calls are"), room.taken("c"):
            pass
    with room.taken("a"), room.taken("a"):
        pass


@pytest.fixture
def slow_operator(tmp_path):
    """The URL of an operator that hears everything and says nothing, and the authority that vouches for it."""
    authority = Authority(tmp_path, "trusted")
    with partner(authority.server(), lambda connection, request: time.sleep(PATIENCE + 1)) as url:
        yield url, authority


def record(cls, token, party, url, clock):
    letter = "E" if cls is OperatorEndpoint else "C"
    return cls(
        url=url,
        namespace_url=V1_4.namespace,
        access_token=token,
        valid_date=clock().date(),
        whitelist=(f"{party}{letter}%",),
    )


def test_many_calls_to_a_slow_partner_leave_room_for_everybody_else(world: World, slow_operator):
    url, authority = slow_operator
    line = SoapLine(timeout=PATIENCE, ca_bundle=authority.bundle, allow_private=True)
    rooms = [Room(of_each=OF_ONE, of_all=WAITING) for _ in range(2)]
    relay = Relay(world.store, world.directory, line, world.clock, *rooms)
    handlers = {op.GET_SERVICE_ENDPOINTS: world.exchange.get, **relay.handlers}
    logins = {name: world.account(name, Role.PROVIDER, [f"DE{name.upper()}"]) for name in ("one", "two", "six")}
    world.account("ops", Role.OPERATOR, ["DEOPS"])
    operator = AddServiceEndpointsRequest(
        operator_endpoint_array=(record(OperatorEndpoint, "ops", "DEOPS", url, world.clock),)
    )
    world.exchange.add(operator, Partner(name="ops", operator_ids=frozenset({"DEOPS"})), V1_4)
    for name in logins:
        party = f"DE{name.upper()}"
        world.connect("DEOPS", party)
        own = record(ProviderEndpoint, name, party, f"https://{name}.example", world.clock)
        world.exchange.add(
            AddServiceEndpointsRequest(provider_endpoint_array=(own,)),
            Partner(name=name, provider_ids=frozenset({party})),
            V1_4,
        )
    app = build(
        answer=SoapServer(Role.HOUSE, handlers, world.doorkeeper).answer, ready=lambda: None, threads=THREADS + WAITING
    )

    async def post(path, operation, request, login):
        body = envelope(encode(request, V1_4), security_of(login))
        began = time.monotonic()
        answer = await client.post(path, content=body, headers={"content-type": "text/xml"})
        return understood(operation, V1_4, answer.status_code, answer.content), time.monotonic() - began

    async def select(name, path):
        request = SelectEvseRequest(evse_id="DE*OPS*E1", contract_id=f"DE{name.upper()}C12345678")
        return await post(path, op.SELECT_EVSE, request, logins[name])

    async def play():
        async with client:
            # by the right path and by the exchange's: a body decides what it is, wherever it is sent
            paths = ("/direct/operator/ochp/v1.4", "/direct/ochp/v1.4")
            relayed = [asyncio.create_task(select("one", path)) for path in paths for _ in range(20)]
            await asyncio.sleep(0.7)
            others = [
                await post("/direct/ochp/v1.4", op.GET_SERVICE_ENDPOINTS, GetServiceEndpointsRequest(), logins["two"])
                for _ in range(10)
            ]
            return others, await asyncio.gather(*relayed)

    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://house.example", timeout=30)
    others, relayed = asyncio.run(play())
    relay.close()
    assert max(seconds for _, seconds in others) < PATIENCE / 2
    assert all(answer.result.result_code == "ok" for answer, _ in others)
    waited = [answer for answer, seconds in relayed if seconds >= PATIENCE]
    refused = [answer for answer, seconds in relayed if seconds < PATIENCE]
    assert len(waited) == OF_ONE
    assert {answer.result.result_code for answer, _ in relayed} == {"server"}
    assert all("Too many calls" in answer.result.result_description for answer in refused)
