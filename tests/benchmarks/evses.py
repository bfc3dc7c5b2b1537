"""Realistic EVSEs by number, about 3 KB each: as messages, and as rows for COPY that an upload would have made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from clearinghouse.ochp.charge_points import (
    AuthMethod,
    ChargePointInfo,
    ChargePointStatus,
    SetChargePointListRequest,
    StatusSchedule,
    UpdateChargePointListRequest,
)
from clearinghouse.ochp.connectors import ChargePointType, Connector, ConnectorFormat, ConnectorStandard, Ratings
from clearinghouse.ochp.hours import ExceptionalPeriod, Hours, RegularHours
from clearinghouse.ochp.live import EvseStatus, MajorStatus, MinorStatus, UpdateStatusRequest
from clearinghouse.ochp.locations import (
    AdditionalGeoPoint,
    Address,
    EvseImage,
    GeneralLocation,
    GeoPoint,
    GeoPointKind,
    ImageClass,
    ParkingSpot,
    RelatedResource,
    ResourceClass,
    Restriction,
)
from clearinghouse.ochp.plain import to_plain
from tests.benchmarks.stencils import Message, filled, stencil

OPERATOR = "DEBEN"
"""Whose EVSEs are uploaded: the numbers below `FIRST_OF_OTHERS`."""
FIRST_OF_OTHERS = 10_000_000
OF_EACH = 6_000
"""So many EVSEs has each other operator."""
AT_ONE_PLACE = 4


def operator_of(number: int) -> str:
    """The operator whose EVSE it is."""
    return OPERATOR if number < FIRST_OF_OTHERS else f"DE{(number - FIRST_OF_OTHERS) // OF_EACH:03d}"


def operators(count: int) -> list[str]:
    """The other operators, if they have so many EVSEs together."""
    return [operator_of(number) for number in range(FIRST_OF_OTHERS, FIRST_OF_OTHERS + count, OF_EACH)]


def evse_id(number: int) -> str:
    """The EVSE-ID as transmitted."""
    party = operator_of(number)
    return f"{party[:2]}*{party[2:]}*E{number:08d}"


def _day(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2027, month, day, hour, tzinfo=UTC)


def point(number: str = "77777777", site: str = "66666666", party: str = "BEN") -> ChargePointInfo:
    """The EVSE as a value; its number and its site's have eight digits."""
    pages = f"https://charge-points.example/sites/{site}"
    return ChargePointInfo(
        evse_id=f"DE*{party}*E{number}",
        location_id=f"SITE{site}",
        timestamp=_day(1, 4, 6),
        location_name=f"Parkhaus am Überlinger Hauptbahnhof {site}",
        location_name_lang="DEU",
        images=tuple(
            EvseImage(
                uri=f"{pages}/images/{kind}-{number}.jpeg",
                thumb_uri=f"{pages}/thumbnails/{kind}-{number}.jpeg",
                image_class=kind,
                type="jpeg",
                width=1920,
                height=1080,
            )
            for kind in (ImageClass.OPERATOR_LOGO, ImageClass.STATION_PHOTO)
        ),
        related_resource=(RelatedResource(uri=pages, resource_class=ResourceClass.STATION_INFO),),
        charge_point_address=Address(
            house_number="12-14", address="Bahnhofstraße", city="Überlingen", zip_code="88662", country="DEU"
        ),
        charge_point_location=GeoPoint(lat=Decimal("47.769000"), lon=Decimal("9.160000")),
        related_location=(
            AdditionalGeoPoint(
                lat=Decimal("47.769500"), lon=Decimal("9.160500"), name="Einfahrt Nord", type=GeoPointKind.ENTRANCE
            ),
        ),
        time_zone="Europe/Berlin",
        opening_times=Hours(
            regular_hours=tuple(
                RegularHours(weekday=day, period_begin="06:00", period_end="22:30") for day in range(1, 5)
            ),
            exceptional_closings=(ExceptionalPeriod(period_begin=_day(12, 24), period_end=_day(12, 26)),),
        ),
        status=ChargePointStatus.OPERATIVE,
        status_schedule=(StatusSchedule(start_date=_day(3, 1), end_date=_day(3, 2), status=ChargePointStatus.PLANNED),),
        telephone_number="+49 7551 8880-100",
        location=GeneralLocation.PARKING_GARAGE,
        parking_spot=tuple(
            ParkingSpot(
                parking_id=f"DE*{party}*P{number}*{spot}",
                restriction=(Restriction.EV_ONLY, Restriction.PLUGGED),
                floor_level="U2",
                parking_spot_number=f"A{spot}",
            )
            for spot in (1, 2)
        ),
        restriction=(Restriction.CUSTOMERS,),
        auth_methods=(AuthMethod.PUBLIC, AuthMethod.RFID_MIFARE_DESFIRE, AuthMethod.OCHP_DIRECT),
        connectors=(
            Connector(
                connector_standard=ConnectorStandard.IEC_62196_T2,
                connector_format=ConnectorFormat.SOCKET,
                tariff_id=f"DE*{party}*T1",
            ),
            Connector(
                connector_standard=ConnectorStandard.DOMESTIC_F,
                connector_format=ConnectorFormat.SOCKET,
                tariff_id=f"DE*{party}*T2",
            ),
        ),
        charge_point_type=ChargePointType.AC,
        ratings=Ratings(maximum_power=Decimal(22), guaranteed_power=Decimal(11), nominal_voltage=400),
        user_interface_lang=("DEU", "ENG", "FRA"),
        max_reservation=60,
    )


# -- In messages

MARKS = {"77777777": b"%(evse)08d", "66666666": b"%(site)08d", "BEN*": b"%(party)b*", "8880-100": b"8880-%(extension)d"}
_sample = (point(),)
SET = Message.of(SetChargePointListRequest(charge_point_info_array=_sample), MARKS)
UPDATE = Message.of(UpdateChargePointListRequest(charge_point_info_array=_sample), MARKS)


def usual(number: int) -> dict[bytes, Any]:
    """An EVSE as it is."""
    return {
        b"evse": number,
        b"site": number // AT_ONE_PLACE,
        b"party": operator_of(number)[2:].encode(),
        b"extension": 100,
    }


def changed(number: int) -> dict[bytes, Any]:
    """An EVSE with another telephone number."""
    return {**usual(number), b"extension": 200}


WORDS = Message.of(
    UpdateStatusRequest(
        evse=(EvseStatus(evse_id="DE*BEN*E77777777", major=MajorStatus.NOT_AVAILABLE, minor=MinorStatus.CHARGING),)
    ),
    {"77777777": b"%08d"},
)
"""Live status of many EVSEs of `OPERATOR`; what differs is the number."""


# -- In the tables

STATUSES = """
    INSERT INTO live_status (key, subject, owner, identifier, major, until, first_at, received_at)
    SELECT 'DEBENE' || number, 'evse', 'DEBEN', 'DE*BEN*E' || number, 'available',
        now() + '1 day'::interval * (0.1 + random()), now() - '2 days'::interval,
        now() - '1 minute'::interval - '1 day'::interval * random()
    FROM (SELECT lpad(generate_series(0, :evses - 1)::text, 8, '0') AS number) AS numbers
"""
"""A word on every EVSE of `OPERATOR`, received within a day, but not in the last minute."""

COLUMNS = ("key", "operator_id", "location_id", "parking_keys", "document", "gone", "created", "change")
_PARKING = b"{DE%(party)bP%(evse)08d*1,DE%(party)bP%(evse)08d*2}"
_DOCUMENT = stencil(json.dumps(to_plain(point()), ensure_ascii=False).encode(), MARKS)
ROW = b"\t".join(
    (
        b"DE%(party)bE%(evse)08d",
        b"DE%(party)b",
        b"SITE%(site)08d",
        _PARKING,
        _DOCUMENT,
        b"f",
        b"{change}",
        b"{change}\n",
    )
)


def rows(numbers: Iterable[int], change: int) -> Iterator[bytes]:
    """The EVSEs' rows of `COLUMNS` in PostgreSQL's text format, some at a time."""
    return filled(ROW.replace(b"{change}", b"%d" % change), numbers, usual)
