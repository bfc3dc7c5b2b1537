"""The SelectEvse messages of the benchmarks: everybody gets the same bytes and gives an answer of the same content."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from clearinghouse.ochp.operations import Port
from clearinghouse.ochp.versions import V1_4
from clearinghouse.soap.faults import CONTENT_TYPE, ENVELOPE
from clearinghouse.soap.interfaces import path_of

PATH = path_of(Port.OPERATOR, V1_4)
DIRECT_ID = "DEBEN-0123456789ABCDEF0123456789ABCDEF"
TTL = datetime(2027, 1, 10, 11, 15, tzinfo=UTC)
PARTY_OF_CONTRACT = "DEPRV"
CONTRACT = "DE-PRV-C00000001-2"
HEADERS = {"content-type": CONTENT_TYPE}
OK = b"<resultCode>ok</resultCode>"


def evse_id(number: int) -> str:
    """The EVSE-ID of the operator's EVSE with this number, always of the same length."""
    return f"DE*BEN*E{number:07d}"


def request(number: int, until: datetime | None = None) -> bytes:
    """A SelectEvseRequest for one EVSE in an envelope."""
    instant = (until or datetime.now(UTC) + timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'<soap:Envelope xmlns:soap="{ENVELOPE}"><soap:Body><SelectEvseRequest xmlns="{V1_4.namespace}">'
        f"<evseId>{evse_id(number)}</evseId><contractId>{CONTRACT}</contractId>"
        f"<reserveUntil><DateTime>{instant}</DateTime></reserveUntil>"
        "</SelectEvseRequest></soap:Body></soap:Envelope>"
    ).encode()
