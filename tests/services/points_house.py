"""A house with operators and providers at its real SOAP server: values go in and come out through the codec."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from lxml import etree

from clearinghouse.domain.live_status import Trust
from clearinghouse.domain.partners import Connection, ConnectionKind, Partner
from clearinghouse.ochp.charge_points import AuthMethod, ChargePointInfo, ChargePointStatus
from clearinghouse.ochp.connectors import (
    ChargePointType,
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    Ratings,
)
from clearinghouse.ochp.locations import Address, GeneralLocation, GeoPoint
from clearinghouse.ochp.operations import OPERATIONS, Role
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.services.calls_port import HttpRequest
from clearinghouse.services.charge_points import ChargePointExchange
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.live_status import StatusExchange
from clearinghouse.services.tariffs import TariffExchange
from clearinghouse.soap.codec import decode, encode
from clearinghouse.soap.faults import ENVELOPE
from clearinghouse.soap.server import SoapServer

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class TurnableClock:
    """Shows the time that it was turned to; every look is a microsecond later, as with a real clock."""

    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        self.now += timedelta(microseconds=1)
        return self.now

    def pass_by(self, **length):
        self.now += timedelta(**length)


class Faulted(Exception):  # noqa: N818
    """The server answered with a SOAP fault."""


class PointsHouse:
    """`ask` lets a partner call an operation; `connect` and `disconnect` turn connections on and off."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        self.conversions = Conversions(store, clock)
        self.partners = {}
        self._server = None
        self._caller = None

    def exchanges(self):
        return [
            ChargePointExchange(self.store, self.clock, self.conversions),
            TariffExchange(self.store, self.clock, self.conversions),
            StatusExchange(self.store, self.clock, Trust()),
        ]

    @property
    def server(self):
        if self._server is None:
            handlers = {op: handler for each in self.exchanges() for op, handler in each.handlers.items()}
            self._server = SoapServer(Role.HOUSE, handlers, lambda credentials, role: self._caller)
        return self._server

    def operator(self, name, *ids):
        return self._partner(Partner(name=name, operator_ids=frozenset(ids)))

    def provider(self, name, *ids):
        return self._partner(Partner(name=name, provider_ids=frozenset(ids)))

    def _partner(self, partner):
        with self.store.books() as books:
            books.partners.add(partner, "test")
        self.partners[partner.name] = partner
        return partner

    def connect(self, operator_id, provider_id, kind, *, on=True, **period):
        with self.store.books() as books:
            books.connections.put(
                Connection(
                    operator_id=operator_id,
                    provider_id=provider_id,
                    kind=ConnectionKind(kind),
                    approved_by_operator=on,
                    approved_by_provider=True,
                    **period,
                ),
                "test",
            )

    def disconnect(self, operator_id, provider_id, kind):
        self.connect(operator_id, provider_id, kind, on=False)

    def ask(self, partner, request, version=V1_4_1, path="/service/ochp"):
        """The decoded answer. Raises Faulted."""
        operation = next(each for each in OPERATIONS if each.request is type(request) and each.at is Role.HOUSE)
        body = encode(request, version)
        body = body.decode() if isinstance(body, bytes) else body
        envelope = f'<s:Envelope xmlns:s="{ENVELOPE}"><s:Body>{body}</s:Body></s:Envelope>'
        headers = {"content-type": "text/xml; charset=utf-8"}
        self._caller = partner
        answer = self.server.answer(
            HttpRequest("POST", f"{path}/{version.path}", "", headers, envelope.encode(), "https://house.example")
        )
        element = etree.fromstring(answer.body)[-1][0]
        if answer.status != 200:
            raise Faulted(element.findtext("faultstring"))
        return decode(operation.response, element, version)

    def losses(self, partner):
        """The fields that the partner's readings lost, from the conversion log."""
        with self.store.books() as books:
            return {each.field for each in books.conversions.recent(partner.name)}


def point(evse_id="DEABCE1", **changes):
    """A charge point that says no more than it has to, with these changes."""
    usual = {
        "evse_id": evse_id,
        "location_id": f"SITE {evse_id[-1]}".upper(),
        "location_name": "Car park",
        "location_name_lang": "ENG",
        "charge_point_address": Address(
            house_number="1", address="High Street", city="Aachen", zip_code="52062", country="DEU"
        ),
        "charge_point_location": GeoPoint(lat=Decimal("50.776000"), lon=Decimal("6.084000")),
        "status": ChargePointStatus.OPERATIVE,
        "location": GeneralLocation.PARKING_LOT,
        "auth_methods": (AuthMethod.OCHP_DIRECT,),
        "connectors": (
            Connector(
                connector_standard=ConnectorStandard.IEC_62196_T2,
                connector_format=ConnectorFormat.SOCKET,
            ),
        ),
        "charge_point_type": ChargePointType.AC,
        "ratings": Ratings(maximum_power=Decimal(22)),
    }
    return ChargePointInfo(**{**usual, **changes})
