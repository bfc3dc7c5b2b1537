"""Charge points: whose they are, which status holds when, and what is shown of those that are gone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from clearinghouse.domain.opening_hours import plain
from clearinghouse.ochp.charge_points import AuthMethod, ChargePointInfo, ChargePointStatus
from clearinghouse.ochp.connectors import ChargePointType, Connector, ConnectorFormat, ConnectorStandard
from clearinghouse.ochp.hours import Hours
from clearinghouse.ochp.identifiers import evse_key, parking_key
from clearinghouse.ochp.locations import Address, GeneralLocation, GeoPoint
from clearinghouse.ochp.results import ResultCode


@dataclass(frozen=True, kw_only=True)
class OwnedPoint:
    """A charge point under its canonical key, and the operator ID that it belongs to."""

    key: str
    operator_id: str
    point: ChargePointInfo

    @property
    def parking_keys(self) -> tuple[str, ...]:
        """The canonical keys of its parking spots, each once, in order."""
        keys = (parking_key(spot.parking_id) for spot in self.point.parking_spot)
        return tuple(dict.fromkeys(key for key in keys if key))


@dataclass(frozen=True, kw_only=True)
class RefusedPoint:
    """A charge point that is not stored, with the code and the reason that its sender is told."""

    point: ChargePointInfo
    code: ResultCode
    text: str


def judge(points: Iterable[ChargePointInfo], operator_ids: frozenset[str]) -> Iterator[OwnedPoint | RefusedPoint]:
    """Take the charge points of the sender's own IDs, as they come; of several with the same EVSE-ID the first."""
    taken: set[str] = set()
    for point in points:
        key = evse_key(point.evse_id)
        if key is None:
            yield _refusal(point, ResultCode.FORMAT, "is no EVSE-ID")
        elif key[:5] not in operator_ids:
            yield _refusal(point, ResultCode.INVALID_ID, f"belongs to {key[:5]}, which is not yours")
        elif key in taken:
            yield _refusal(point, ResultCode.FORMAT, "comes twice; the first was taken")
        else:
            taken.add(key)
            yield OwnedPoint(key=key, operator_id=key[:5], point=_readable(point))


MOST_PERIODS = 7
"""The regular hours that the schema has room for."""


def _readable(point: ChargePointInfo) -> ChargePointInfo:
    """The charge point with regular hours as every reader takes them."""
    opening, access = map(_plain, (point.opening_times, point.access_times))
    if opening is point.opening_times and access is point.access_times:
        return point
    return dataclasses.replace(point, opening_times=opening, access_times=access)


def _plain(hours: Hours | None) -> Hours | None:
    if hours is None:
        return None
    periods = plain(hours.regular_hours, MOST_PERIODS)
    return hours if periods == hours.regular_hours else dataclasses.replace(hours, regular_hours=periods)


def _refusal(point: ChargePointInfo, code: ResultCode, why: str) -> RefusedPoint:
    return RefusedPoint(point=point, code=code, text=f"{point.evse_id} {why}")


def closed(point: ChargePointInfo) -> ChargePointInfo:
    """How readers are told once that a charge point is gone: OCHP has no deletion, `Closed` stands for it."""
    return dataclasses.replace(point, status=ChargePointStatus.CLOSED, status_schedule=())


def withdrawn(point: ChargePointInfo) -> ChargePointInfo:
    """How a reader is told that a charge point is gone for it, where it may not see or cannot read what it is now.

    It says the EVSE-ID and that it is closed, and nothing else, in the words of every version.
    """
    return dataclasses.replace(NOTHING, evse_id=point.evse_id)


NOTHING = ChargePointInfo(
    evse_id="ZZ*ZZZ*E0",
    location_id="CLOSED",
    location_name="Closed",
    location_name_lang="ENG",
    charge_point_address=Address(address="--", city="-", zip_code="-", country="ZZZ"),
    charge_point_location=GeoPoint(lat=Decimal(0), lon=Decimal(0)),
    status=ChargePointStatus.CLOSED,
    location=GeneralLocation.UNKNOWN,
    auth_methods=(AuthMethod.OPERATOR,),
    connectors=(Connector(connector_standard=ConnectorStandard.IEC_62196_T2, connector_format=ConnectorFormat.SOCKET),),
    charge_point_type=ChargePointType.AC,
)
"""A charge point of which nothing is told but what the schemas ask for."""


def status_at(point: ChargePointInfo, at: datetime) -> ChargePointStatus | None:
    """The status that holds at an instant: a scheduled one beats the other while it lasts, the last begun wins."""
    holding = [each for each in point.status_schedule if each.start_date <= at and _lasts(each.end_date, at)]
    return max(holding, key=lambda each: each.start_date).status if holding else point.status


def _lasts(end: datetime | None, at: datetime) -> bool:
    return end is None or at < end
