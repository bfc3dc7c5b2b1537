"""Envelopes and SOAP faults as bytes, in the style that every known reader takes (no declaration, prefix `soap`)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from spyne import Fault

from clearinghouse.soap.text import escape

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
CONTENT_TYPE = "text/xml; charset=utf-8"
LONGEST_TEXT = 500

OPENING = f'<soap:Envelope xmlns:soap="{ENVELOPE}">'.encode()
HEAD = OPENING + b"<soap:Body>"
TAIL = b"</soap:Body></soap:Envelope>"


class FaultCode(StrEnum):
    """The fault codes of SOAP 1.1, and the one of WS-Security for credentials that do not hold."""

    CLIENT = "soap:Client"
    SERVER = "soap:Server"
    VERSION_MISMATCH = "soap:VersionMismatch"
    MUST_UNDERSTAND = "soap:MustUnderstand"
    FAILED_AUTHENTICATION = "wsse:FailedAuthentication"


class Refusal(Fault):  # type: ignore[misc]
    """The request is answered with a fault, under this HTTP status and with these further HTTP headers."""

    def __init__(self, code: FaultCode, text: str, status: int = 500, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code.value, text)
        self.code = code
        self.text = text
        self.status = status
        self.headers = headers or {}

    @property
    def body(self) -> bytes:
        """The envelope that carries the fault."""
        return fault(self.code, self.text)


def client_fault(text: str, status: int = 500) -> Refusal:
    """The sender's fault."""
    return Refusal(FaultCode.CLIENT, text, status)


def envelope(payload: bytes, header: bytes = b"") -> bytes:
    """A payload, and header entries if any, in an envelope."""
    if header:
        return b"%s<soap:Header>%s</soap:Header><soap:Body>%s%s" % (OPENING, header, payload, TAIL)
    return HEAD + payload + TAIL


def fault(code: FaultCode, text: str) -> bytes:
    """An envelope with a fault."""
    prefix = f' xmlns:wsse="{WSSE}"' if code is FaultCode.FAILED_AUTHENTICATION else ""
    text = escape(" ".join(text.split())[:LONGEST_TEXT])
    return envelope(
        f"<soap:Fault><faultcode{prefix}>{code.value}</faultcode><faultstring>{text}</faultstring></soap:Fault>".encode()
    )
