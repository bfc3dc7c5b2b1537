"""The house behind its SOAP server: partners call it in the version they like, and read what it answers."""

from lxml import etree

from clearinghouse.domain.live_status import Trust
from clearinghouse.domain.partners import Connection, ConnectionKind, Partner
from clearinghouse.ochp.operations import OPERATIONS, Role
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.services.calls_port import HttpRequest
from clearinghouse.services.cdrs import CdrExchange
from clearinghouse.services.charge_points import ChargePointExchange
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.live_status import StatusExchange
from clearinghouse.services.roaming_list import RoamingList
from clearinghouse.services.tariffs import TariffExchange
from clearinghouse.soap.codec import decode, encode
from clearinghouse.soap.faults import ENVELOPE, WSSE
from clearinghouse.soap.server import SoapServer
from clearinghouse.soap.xsd import validator

OPERATION = {operation.request: operation for operation in OPERATIONS}
POST = {"content-type": "text/xml; charset=utf-8"}
HEAD = (
    f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Header><w:Security xmlns:w="{WSSE}"><w:UsernameToken><w:Username>%s'
    "</w:Username><w:Password>secret</w:Password></w:UsernameToken></w:Security></s:Header><s:Body>"
)
FOOT = "</s:Body></s:Envelope>"


class CalledHouse:
    """A house with partners and connections; its clock stands still unless turned."""

    def __init__(self, url, keyring, now):
        self.now, self.partners = now, {}
        self.store = PostgresStore(url, keyring, pool_size=8, clock=self.clock)
        conversions = Conversions(self.store, self.clock)
        self.roaming_list = RoamingList(self.store, self.clock, conversions)
        self.handlers = {
            **self.roaming_list.handlers,
            **ChargePointExchange(self.store, self.clock, conversions).handlers,
            **TariffExchange(self.store, self.clock, conversions).handlers,
            **CdrExchange(self.store, self.clock, conversions).handlers,
            **StatusExchange(self.store, self.clock, Trust()).handlers,
        }
        self._server = SoapServer(Role.HOUSE, self.handlers, lambda login, role: self.partners[login.username])

    def clock(self):
        return self.now

    def partner(self, name, operator_ids=(), provider_ids=()):
        """A partner with an account."""
        self.partners[name] = Partner(
            name=name, operator_ids=frozenset(operator_ids), provider_ids=frozenset(provider_ids)
        )
        with self.store.books() as books:
            books.partners.add(self.partners[name], "test")

    def connect(self, operator_id, provider_id, kind=ConnectionKind.AUTH, **said):
        """A roaming connection, approved by both unless said otherwise."""
        approved = {"approved_by_operator": True, "approved_by_provider": True, **said}
        with self.store.books() as books:
            books.connections.put(
                Connection(operator_id=operator_id, provider_id=provider_id, kind=kind, **approved), "test"
            )

    def call(self, name, request, version):
        """The answer to the partner's request, which is valid by the version's schema."""
        operation = OPERATION[type(request)]
        answer = self.post(name, encode(request, version).decode(), version)
        assert answer.status == 200, answer.body
        (message,) = etree.fromstring(answer.body).find(f"{{{ENVELOPE}}}Body")
        validator(version).assertValid(message)
        return decode(operation.response, message, version)

    def post(self, name, message, version):
        """The HTTP answer to a message as text."""
        body = (HEAD % name + message + FOOT).encode()
        return self._server.answer(HttpRequest("POST", f"/service/ochp/{version.path}", "", POST, body, "https://h"))

    def conversions(self):
        """The conversion log."""
        with self.store.single() as books:
            return books.conversions.recent()
