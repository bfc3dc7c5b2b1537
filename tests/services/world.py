"""Houses, operators and providers on real stores, with a clock to turn and a line that needs no socket."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from clearinghouse.domain.errors import PartnerFailed, PartnerTimedOut, PartnerUnreachable
from clearinghouse.domain.informing import Thresholds
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.domain.sessions import Deadlines
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.versions import ORDER, Version
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.services.administration import Administration
from clearinghouse.services.calls_port import HttpAnswer, HttpRequest, Login, TokenPair
from clearinghouse.services.directory import Directory
from clearinghouse.services.doorkeepers import DirectDoorkeeper, HouseDoorkeeper
from clearinghouse.services.endpoints import EndpointExchange
from clearinghouse.services.house_line import HouseLine
from clearinghouse.services.inform_desk import InformDesk
from clearinghouse.services.operator_desk import OperatorDesk
from clearinghouse.services.partner_line import House, PartnerLine, Relaying
from clearinghouse.services.provider_desk import ProviderDesk
from clearinghouse.services.relay import Relay
from clearinghouse.services.session_keeper import SessionKeeper
from clearinghouse.services.station_events import StationDesk
from clearinghouse.services.stations_port import Evse
from clearinghouse.services.telling import Teller
from clearinghouse.services.token_cycle import TokenCycle
from clearinghouse.soap.carrier import http_headers
from clearinghouse.soap.client import security_of, understood, without_secrets
from clearinghouse.soap.codec import encode
from clearinghouse.soap.faults import envelope
from clearinghouse.soap.security import basic_header
from clearinghouse.soap.server import SoapServer
from clearinghouse.stations.simulator import Simulator

NOON = datetime(2027, 3, 10, 13, 0, tzinfo=UTC)
HOUSE = "house.example"
HOUSE_URL = f"https://{HOUSE}"
DIRECT = (ConnectionKind.DIRECT,)
LETTER = {Role.OPERATOR: "E", Role.PROVIDER: "C"}


class Clock:
    """Shows what it was set to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def turn(self, now: datetime) -> None:
        self.now = now


Serve = Callable[[HttpRequest], HttpAnswer]
Mood = Callable[[Serve, HttpRequest], HttpAnswer]


def dead(serve: Serve, request: HttpRequest) -> HttpAnswer:
    raise PartnerUnreachable("no connection")


def mute(serve: Serve, request: HttpRequest) -> HttpAnswer:
    """What the line says of a partner that did not answer in time, without the time."""
    raise PartnerTimedOut("no answer in time")


def lossy(serve: Serve, request: HttpRequest) -> HttpAnswer:
    """The call has its effect, and its answer is lost."""
    serve(request)
    raise PartnerTimedOut("no answer in time")


def refusing(serve: Serve, request: HttpRequest) -> HttpAnswer:
    return HttpAnswer(401, {}, b"")


def faulty(serve: Serve, request: HttpRequest) -> HttpAnswer:
    fault = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Server'
        "</faultcode><faultstring>out of order</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    return HttpAnswer(500, {}, fault.encode())


def babbling(serve: Serve, request: HttpRequest) -> HttpAnswer:
    return HttpAnswer(200, {}, b"<html>It works!</html>")


def slow(seconds: float) -> Mood:
    def mood(serve: Serve, request: HttpRequest) -> HttpAnswer:
        time.sleep(seconds)
        return serve(request)

    return mood


class InProcessLine:
    """Carries calls to the server of the URL's host through the real codec; hosts may be put in a mood."""

    def __init__(self) -> None:
        self.servers: dict[str, Serve] = {}
        self.moods: dict[str, Mood] = {}
        self.calls: list[tuple[str, str, Version]] = []
        self.via: dict[str, str] = {}

    def passing_on(self, name: str) -> InProcessLine:
        """The same line, for a server that passes calls on under a name."""
        line = copy.copy(self)
        line.via = {"via": f"1.1 {name}"}
        return line

    @contextmanager
    def mood(self, host: str, mood: Mood) -> Any:
        self.moods[host] = mood
        try:
            yield
        finally:
            del self.moods[host]

    def call(
        self, url: str, version: Version, operation: Operation, request: Any, credentials: Login | TokenPair
    ) -> Any:
        parts = urlsplit(url)
        headers = {name.lower(): value for name, value in http_headers(version, operation).items()} | self.via
        if isinstance(credentials, TokenPair):
            headers |= {name.lower(): value for name, value in basic_header(credentials).items()}
        body = envelope(encode(request, version), security_of(credentials))
        self.calls.append((parts.netloc, operation.name, version))
        if parts.netloc not in self.servers:
            raise PartnerUnreachable(f"{parts.netloc}: no connection")
        message = HttpRequest("POST", parts.path, "", headers, body, f"https://{parts.netloc}")
        serve = self.servers[parts.netloc]
        mood = self.moods.get(parts.netloc)
        answer = mood(serve, message) if mood else serve(message)
        try:
            return understood(operation, version, answer.status, answer.body)
        except PartnerFailed as failure:
            raise type(failure)(f"{parts.netloc}: {without_secrets(str(failure), credentials)}") from None

    def asked(self, operation: Operation, host: str | None = None) -> int:
        """How often this was called."""
        return sum(name == operation.name and host in (None, at) for at, name, _ in self.calls)


def hash_password(password: str) -> str:
    """Stands for argon2, which is proven elsewhere and takes its time."""
    return f"hash of {password[::-1]}"


def verify(password_hash: str, password: str) -> bool:
    return password_hash == hash_password(password)


def make_evse(evse_id: str, *, max_power: str = "22", phases: int = 3, **stated: Any) -> Evse:
    key = evse_key(evse_id)
    assert key is not None
    return Evse(evse_id=evse_id, key=key, max_power=Decimal(max_power), phases=phases, **stated)


class Back:
    """A partner's back end: its own store, its endpoint records and its tokens."""

    def __init__(self, world: World, name: str, role: Role, ids: Iterable[str], **stated: Any) -> None:
        self.world, self.name, self.role, self.ids = world, name, role, tuple(ids)
        self.host = f"{name}.example"
        self.clock = stated.pop("clock", world.clock)
        self.spoken: tuple[Version, ...] = stated.pop("spoken", ORDER)
        self.relaying: Relaying = stated.pop("relaying", Relaying.WHEN_NEEDED)
        self.whitelist = stated.pop("whitelist", tuple(f"{each}{LETTER[role]}%" for each in self.ids))
        self.blacklist = stated.pop("blacklist", ())
        self.store = world.make_store()
        self.directory = Directory(self.store, self.clock)
        self.login = world.account(name, role, self.ids)
        self.house_line = HouseLine(
            line=world.line,
            login=self.login,
            house_url=HOUSE_URL,
            own_url=f"https://{self.host}",
            role=role,
            spoken=self.spoken,
            whitelist=self.whitelist,
            blacklist=self.blacklist,
        )
        self.cycle = TokenCycle(self.store, self.clock, self.house_line, self._reported)
        self.reports: list[tuple[Any, str | None]] = []
        self.line = PartnerLine(
            world.line, self.directory, self.clock, self.spoken, House(HOUSE_URL, self.login), self.relaying
        )
        self.doorkeeper = DirectDoorkeeper(self.directory, self.clock)
        self.build(**stated)
        self.server = SoapServer(role, self.handlers, self.doorkeeper)
        world.line.servers[self.host] = self.server.answer

    handlers: Mapping[Operation, Any]

    def build(self) -> None:
        """Make the desks of the role."""

    def close(self) -> None:
        """Let the threads end."""

    def _reported(self, action: Any, failure: str | None) -> None:
        self.reports.append((action, failure))

    def refresh(self) -> None:
        """Exchange tokens with the house now."""
        self.cycle.refresh()
        self.directory.forget()

    def url(self, version: Version) -> str:
        return f"https://{self.host}/direct/{self.role}/ochp/{version.path}"

    def call_house(self, operation: Operation, request: Any, version: Version, path: str = "direct") -> Any:
        """Call the house with the partner's own login."""
        url = f"{HOUSE_URL}/{path}/ochp/{version.path}"
        return self.world.line.call(url, version, operation, request, self.login)

    def relayed(self, operation: Operation, request: Any, version: Version) -> Any:
        """Call a partner through the house."""
        return self.call_house(operation, request, version, f"direct/{operation.at}")

    def token(self) -> str:
        """Today's own token."""
        self.directory.forget()
        token = self.directory.own_token(self.clock().date())
        assert token is not None
        return token


class Operator(Back):
    """An operator with simulated stations."""

    def build(self, *, evses: Iterable[Evse] = (), deadlines: Deadlines | None = None, **stated: Any) -> None:
        self.stations = Simulator({each.key: each for each in evses}, self.store, self.clock)
        keeper = SessionKeeper(self.store, self.stations, self.clock, deadlines or Deadlines())
        self.desk = OperatorDesk(keeper)
        self.station_desk = StationDesk(keeper, self.directory, stated.get("thresholds", Thresholds()))
        self.teller = Teller(self.store, self.line, self.clock)
        self.handlers = self.desk.handlers

    def work(self) -> None:
        """What the operator's jobs do in a second."""
        self.stations.tick(self.clock())
        while self.station_desk.work():
            pass
        self.station_desk.sweep()
        self.teller.work()
        self.teller.settle()

    def close(self) -> None:
        self.teller.close()

    def session(self, direct_id: str) -> Any:
        with self.store.single() as books:
            return books.sessions.get(direct_id)

    def told(self, direct_id: str) -> list[str]:
        """What was put into the outbox about a session."""
        with self.store.single() as books:
            return [each.message.message.value for each in books.outbox.of(direct_id)]


class Provider(Back):
    """A provider with its app."""

    def build(self) -> None:
        self.desk = ProviderDesk(self.store, self.directory, self.line, self.clock, frozenset(self.ids))
        self.inform_desk = InformDesk(self.store, self.clock, frozenset(self.ids))
        self.handlers = self.inform_desk.handlers

    def heard(self, charge_id: str) -> list[str]:
        """The kinds of what happened to a charge."""
        return [each.kind for each in self.desk.history(charge_id)]


class World:
    """The house and its partners."""

    def __init__(self, make_store: Callable[[], PostgresStore], clock: Clock) -> None:
        self.make_store, self.clock = make_store, clock
        self.line = InProcessLine()
        self.store = make_store()
        self.directory = Directory(self.store, clock)
        self.administration = Administration(self.store, clock, "hub", hash_password)
        self.exchange = EndpointExchange(self.store, clock, HOUSE_URL)
        self.relay = Relay(self.store, self.directory, self.line.passing_on(HOUSE), clock)
        self.doorkeeper = HouseDoorkeeper(self.store, self.directory, clock, verify, "decoy")
        self.server = SoapServer(
            Role.HOUSE,
            {
                op.ADD_SERVICE_ENDPOINTS: self.exchange.add,
                op.GET_SERVICE_ENDPOINTS: self.exchange.get,
                **self.relay.handlers,
            },
            self.doorkeeper,
            via=HOUSE,
        )
        self.line.servers[HOUSE] = self.server.answer
        self.cycle = TokenCycle(self.store, clock, None)
        self.partners: list[Back] = []

    def account(self, name: str, role: Role, ids: Iterable[str]) -> Login:
        """A new partner's login, or the one more of a partner that is there already."""
        ids = {f"{role}_ids": ids}
        if name in {each.name for each in self.administration.partners()}:
            self.administration.change_partner(name, **ids)  # type: ignore[arg-type]
        else:
            self.administration.add_partner(name, ids.get("operator_ids", ()), ids.get("provider_ids", ()))
        credential, password = self.administration.issue_credential(name)
        return Login(credential.username, password)

    def operator(self, name: str = "ops", ids: Iterable[str] = ("DEOPS",), **stated: Any) -> Operator:
        stated.setdefault("evses", [make_evse(f"{each[:2]}*{each[2:]}*E{n}") for each in ids for n in (1, 2, 3)])
        made = Operator(self, name, Role.OPERATOR, ids, **stated)
        self.partners.append(made)
        return made

    def provider(self, name: str = "pro", ids: Iterable[str] = ("DEPRO",), **stated: Any) -> Provider:
        made = Provider(self, name, Role.PROVIDER, ids, **stated)
        self.partners.append(made)
        return made

    def connect(self, operator_id: str = "DEOPS", provider_id: str = "DEPRO", **period: Any) -> None:
        """Let two parties roam."""
        self.administration.request_connection(operator_id, provider_id, DIRECT, **period)
        for side in (Role.OPERATOR, Role.PROVIDER):
            self.administration.approve_connection(operator_id, provider_id, side, True)

    def exchange_tokens(self) -> None:
        """Everybody publishes, then everybody fetches."""
        for _ in range(2):
            for each in self.partners:
                each.refresh()
        self.directory.forget()

    def close(self) -> None:
        for each in self.partners:
            each.close()
        self.relay.close()
