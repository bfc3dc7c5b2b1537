"""Secrets stay where they belong: a mixed day of roaming, and then a search for every token, password and pair."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import logging
import traceback

import pytest
import structlog

from clearinghouse.domain import endpoints as domain_endpoints
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import AddServiceEndpointsRequest, OperatorEndpoint, SelectEvseRequest
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1
from clearinghouse.services import calls_port, endpoints_port, sessions_port, stations_port
from clearinghouse.services.calls_port import HttpAnswer, HttpRequest, Login, TokenPair
from clearinghouse.services.endpoints_port import OwnToken
from clearinghouse.stations.physics import Car
from tests.services.world import HOUSE, HOUSE_URL, NOON, babbling, dead, faulty, refusing

E1, CONTRACT = "DE*OPS*E1", "DEPROC12345678"


class Ear:
    """Hears every log line, error text and answer."""

    def __init__(self, world):
        self.texts = []
        self.bodies = []
        for host, serve in list(world.line.servers.items()):
            world.line.servers[host] = self._listening(serve)

    def _listening(self, serve):
        def heard(request):
            answer = serve(request)
            self.texts += [repr(request), repr(answer), json.dumps(dict(answer.facts)), str(dict(answer.headers))]
            if b"GetServiceEndpoints" not in request.body:
                self.bodies.append(answer.body.decode())
            return answer

        return heard

    @contextlib.contextmanager
    def errors(self):
        try:
            yield
        except ClearinghouseError as error:
            while error is not None:
                self.texts += [str(error), repr(error), *traceback.format_exception(error)]
                error = error.__cause__


def repeating(serve, request):
    """A partner that repeats what it was sent, as debugging servers do."""
    return HttpAnswer(
        500,
        {},
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode>'
        b"<faultstring>"
        + base64.b64decode(request.headers["authorization"].partition(" ")[2])
        + b"</faultstring></s:Fault></s:Body></s:Envelope>",
    )


def secrets_of(world):
    found = set()
    for back in world.partners:
        found.add(back.login.password)
        with back.store.books() as books:
            own = [each.token for each in books.own_tokens.all()]
            foreign = [each.access_token for each in books.endpoints.living(world.clock())]
        found |= {*own, *foreign}
        pairs = [f"{theirs}:{mine}" for mine in own for theirs in foreign]
        found |= {base64.b64encode(pair.encode()).decode() for pair in pairs}
    return found


def test_no_secret_is_in_any_log_error_repr_or_answer(world, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    for library in ("zeep", "spyne"):
        caplog.set_level(logging.INFO, library)  # at DEBUG it tells its whole reading of the contract
    with structlog.testing.capture_logs() as logged:
        ops, pro = world.operator(spoken=(V1_4, V1_4_1)), world.provider(spoken=(V1_4_1,))
        old = world.provider("old", ["NLOLD"], spoken=(V1_3,))
        world.connect()
        world.connect("DEOPS", "NLOLD")
        world.exchange_tokens()
        ear = Ear(world)
        world.exchange_tokens()
        pro.desk.start("c1", E1, CONTRACT)
        ops.stations.plug("DEOPSE1", Car())
        ops.work()
        old.desk.start("c2", "DE*OPS*E2", "NLOLDC12345678")
        for back in (pro, old):
            with ear.errors():
                back.desk.start("c3", "DE*OPS*E404", f"{back.ids[0]}C12345678")
        for mood in (dead, refusing, faulty, babbling, repeating):
            world.line.moods = {"ops.example": mood, "pro.example": mood}
            with ear.errors():
                pro.desk.start(f"failed {mood.__name__}", "DE*OPS*E3", CONTRACT)
            with ear.errors():
                old.desk.status([E1])
            world.clock.wait(minutes=16)
            ops.work()
        world.line.moods = {HOUSE: dead}
        world.clock.wait(hours=2)
        pro.cycle.reconcile()
        world.line.moods = {}
        pair = TokenPair(ops.token(), pro.token())
        for wrong in (Login("pro", pro.login.password + "x"), Login("pro", ops.token()), TokenPair("x", pro.token())):
            with ear.errors():
                world.line.call(
                    f"{HOUSE_URL}/direct/ochp/v1.4",
                    V1_4,
                    op.SELECT_EVSE,
                    SelectEvseRequest(evse_id=E1, contract_id=CONTRACT),
                    wrong,
                )
        upload = OperatorEndpoint(
            url="https://ops.example/other",
            namespace_url=V1_4.namespace,
            access_token=pro.token(),
            valid_date=world.clock().date(),
            whitelist=("DEOPSE%",),
        )
        with ear.errors():
            ops.call_house(
                op.ADD_SERVICE_ENDPOINTS, AddServiceEndpointsRequest(operator_endpoint_array=(upload,)), V1_4
            )
    values = [ops, pro, world.relay, pair, upload, ops.house_line, pro.line, pro.directory.snapshot(), ops.teller]
    values += [ops.cycle, *pro.cycle.state().days, pro.line.way(E1, "operator"), pro.doorkeeper, world.doorkeeper]
    with ops.store.books() as books:
        values += [books.outbox.of(each.direct_id) for each in books.sessions.recent()]
        values += [books.endpoints.living(world.clock()), books.own_tokens.all(), world.directory.snapshot()]
    texts = [str(logged), caplog.text, *capsys.readouterr(), str(ops.reports), str(pro.reports), str(old.reports)]
    texts += [repr(each) for each in values] + ear.texts + ear.bodies
    texts += [repr(each) for each in pro.desk.find()] + [repr(each) for each in pro.desk.history("c1")]
    secrets = secrets_of(world)
    assert len(secrets) > 20 and len(ear.texts) > 50
    everything = "\n".join(texts)
    assert [each for each in secrets if each in everything] == []
    assert "no connection" in everything and "could not be authenticated" in everything, "the ear was at the door"


@pytest.mark.parametrize("name", ["access_token", "token", "password", "receiver", "sender", "headers", "body"])
def test_fields_that_hold_secrets_are_kept_out_of_reprs(name):
    modules = (calls_port, endpoints_port, sessions_port, stations_port, domain_endpoints)
    classes = {each for module in modules for each in vars(module).values() if dataclasses.is_dataclass(each)}
    holders = [(cls, item) for cls in classes for item in dataclasses.fields(cls) if item.name == name]
    assert holders
    shown = [(cls.__name__, item.name) for cls, item in holders if item.repr]
    assert shown in ([], [("HttpAnswer", "headers")])


def test_values_with_secrets_can_be_shown():
    for value in (
        Login("pro", "hush"),
        TokenPair("hush", "hush"),
        OwnToken(day=NOON.date(), token="hush", made_at=NOON),
        HttpRequest("POST", "/", "", {"authorization": "hush"}, b"hush", HOUSE_URL),
        HttpAnswer(200, {}, b"hush"),
    ):
        assert "hush" not in repr(value) and "hush" not in str(value)
