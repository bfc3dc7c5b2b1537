"""The scalars of OCHP: identifiers, instants, days and amounts, each with its facets."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from clearinghouse.ochp.marks import Boxed, Places, Plain, Simple, Text, When
from clearinghouse.ochp.versions import V1_3, V1_4

EvseId = Annotated[
    str,
    Simple("EvseId"),
    Text(
        patterns=(
            r"[A-Za-z]{2}\*[A-Za-z0-9]{3}\*[Ee][A-Za-z0-9][A-Za-z0-9\*]{0,30}",
            r"[A-Za-z]{2}[A-Za-z0-9]{3}[Ee][A-Za-z0-9][A-Za-z0-9\*]{0,30}",
        )
    ),
]
ParkingId = Annotated[
    str,
    Simple("ParkingId"),
    Text(
        patterns=(
            r"[A-Za-z]{2}\*[A-Za-z0-9]{3}\*[Pp][A-Za-z0-9][A-Za-z0-9\*]{0,30}",
            r"[A-Za-z]{2}[A-Za-z0-9]{3}[Pp][A-Za-z0-9][A-Za-z0-9\*]{0,30}",
        )
    ),
]
ContractId = Annotated[
    str,
    Simple("ContractId"),
    Text(
        patterns=(
            r"[A-Za-z]{2}-[A-Za-z0-9]{3}-[A-Za-z0-9]{9}-[A-Za-z0-9]",
            r"[A-Za-z]{2}[A-Za-z0-9]{3}[A-Za-z0-9]{9}[A-Za-z0-9]",
            r"[A-Za-z]{2}-[A-Za-z0-9]{3}-[A-Za-z0-9]{9}",
            r"[A-Za-z]{2}[A-Za-z0-9]{3}[A-Za-z0-9]{9}",
        )
    ),
]
TariffId = Annotated[
    str,
    Simple("TariffId"),
    Text(
        patterns=(
            r"[A-Za-z]{2}\*[A-Za-z0-9]{3}\*[Tt][A-Za-z0-9][A-Za-z0-9\*]{0,9}",
            r"[A-Za-z]{2}[A-Za-z0-9]{3}[Tt][A-Za-z0-9][A-Za-z0-9\*]{0,9}",
        )
    ),
]
CdrId = Annotated[str, Simple("CdrId"), Text(min=1, max=36, patterns=(r"[0-9A-Z]{1,36}",))]
LiveAuthId = Annotated[str, Simple("LiveAuthId"), Text(min=1, max=15, patterns=(r"[A-Z0-9\-]*",))]
DirectId = Annotated[str, Simple("DirectId"), Text(min=1, max=255, patterns=(r"[A-Z0-9\-]*",))]
ContractPattern = Annotated[
    str,
    Simple("ContractPattern"),
    When((Text(patterns=(r"[A-Za-z]{2}[A-Za-z0-9]{3}[Cc][A-Za-z0-9]{0,9}%?",)),), until=V1_3),
    When((Text(patterns=(r"[A-Za-z]{2}[A-Za-z0-9]{3}[Cc][A-Za-z0-9]{0,8}%?",)),), since=V1_4),
]
EvsePattern = Annotated[
    str, Simple("EvsePattern"), Text(patterns=(r"[A-Z]{2}[A-Z0-9]{3}[E]([A-Z0-9]?[A-Z0-9\*]{0,30})%?",))
]

UtcDateTime = Annotated[
    datetime,
    Boxed("DateTimeType", "DateTime"),
    Text(length=20, collapse=True, patterns=(r"(\d\d\d\d)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z",)),
]
"""An aware instant; on the wire UTC with whole seconds and a literal `Z`."""

LocalDateTime = Annotated[
    datetime,
    Boxed("LocalDateTimeType", "LocalDateTime"),
    Text(length=25, collapse=True, patterns=(r"(\d\d\d\d)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([+\-]\d\d):(\d\d)",)),
]
"""An aware instant that keeps the offset of the charge point's wall clock."""

PlainDateTime = Annotated[datetime, Plain("dateTime")]
"""An aware instant written as a bare `xs:dateTime` (the `ttl` attribute of live status)."""

Day = Annotated[date, Text(length=10, collapse=True, patterns=(r"(\d\d\d\d)-(\d\d)-(\d\d)",))]
"""A calendar day in UTC."""

Duration = Annotated[timedelta, Text(length=9, patterns=(r"(\d\d\d):(\d\d):(\d\d)",))]
"""A length of time below 1000 hours, written as `hhh:mm:ss`."""

Kilowatts = Annotated[Decimal, Plain("float")]
KilowattHours = Annotated[Decimal, Plain("float")]
Amperes = Annotated[Decimal, Plain("float")]
Money = Annotated[Decimal, Plain("float")]
Amount = Annotated[Decimal, Plain("float")]
Percent = Annotated[int, Plain("int")]
Seconds = Annotated[int, Plain("int")]
Latitude = Annotated[Decimal, Places(6), Text(patterns=(r"-?[0-9]{1,2}\.[0-9]{6}",))]
Longitude = Annotated[Decimal, Places(6), Text(patterns=(r"-?[0-9]{1,3}\.[0-9]{6}",))]
"""Degrees of WGS 84, rounded to six decimal places on the wire."""

Language = Annotated[str, Text(length=3, patterns=("[A-Z]{3}",))]
"""A language of ISO 639-3, in capitals."""

AnyCurrency = Annotated[str, Text(collapse=True)]
"""A currency where the schema does not say how it is written; three capitals of ISO 4217 are meant."""

Currency = Annotated[str, Text(min=3, max=3, patterns=("[A-Z]*",))]
