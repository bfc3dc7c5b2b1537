"""Calls to partners and to the house, and what is written down of them on trial."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.versions import Version
from clearinghouse.services.calls_port import Line, Login
from clearinghouse.services.directory import Directory
from clearinghouse.services.partner_line import House, PartnerLine
from clearinghouse.settings import Settings

if TYPE_CHECKING:
    from clearinghouse.services.clearing_line import ClearingLine

MOST_CALLS = 16
"""Calls to one partner under way at a time, in each process."""


LARGEST_LIST = 1 << 30


def soap_line(settings: Settings, via: str | None = None) -> Line:
    """Calls to partners and to the house."""
    from clearinghouse.soap.client import SoapLine

    return SoapLine(
        timeout=settings.partner_timeout,
        ca_bundle=settings.ca_bundle,
        allow_private=settings.allow_private_partners,
        most_calls=MOST_CALLS,
        via=via,
        tap=trace(settings),
    )


def clearing_line(settings: Settings) -> ClearingLine:
    """Calls to the house that may carry whole lists."""
    import structlog

    from clearinghouse.services.clearing_line import ClearingLine
    from clearinghouse.soap.client import SoapLine

    log = structlog.get_logger("clearinghouse.clearing")
    line = SoapLine(
        timeout=settings.bulk_timeout,
        ca_bundle=settings.ca_bundle,
        allow_private=settings.allow_private_partners,
        max_answer=LARGEST_LIST,
        compressed=True,
        tap=trace(settings),
    )
    return ClearingLine(
        line=line,
        login=login(settings),
        house_url=str(settings.house_url).rstrip("/"),
        spoken=settings.dialects,
        lost=lambda name, path, why: log.info("not sayable", object=name, path=path, why=why),
        progress=lambda operation, records: log.info("under way", operation=operation.name, records=records),
    )


def trace(settings: Settings) -> Callable[..., None] | None:
    """Writes each SOAP exchange, secrets masked, to a numbered pair of files in the trace folder."""
    if settings.trace is None:
        return None
    folder = settings.trace
    folder.mkdir(parents=True, exist_ok=True)
    clock = settings.clock

    def write(place: str, operation: Operation | None, version: Version | None, asked: bytes, answered: bytes) -> None:
        name = f"{clock():%Y%m%dT%H%M%S.%f}-{operation or 'unknown'}-{version.value if version else ''}"
        (folder / f"{name}.request.xml").write_bytes(asked)
        (folder / f"{name}.response.xml").write_bytes(answered)

    return write


def login(settings: Settings) -> Login:
    """A partner's user name and password at the house."""
    if settings.house_username is None or settings.house_password is None:
        raise ValueError(f"the {settings.role} needs house_username and house_password")
    return Login(settings.house_username, settings.house_password.get_secret_value())


def partner_line(settings: Settings, line: Line, directory: Directory) -> PartnerLine:
    """Calls to roaming partners, directly or through the house as the settings say."""
    house = House(str(settings.house_url).rstrip("/"), login(settings))
    return PartnerLine(line, directory, settings.clock, settings.dialects, house, settings.relaying)
