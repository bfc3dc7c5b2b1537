"""Live status of EVSEs and parking spots: told by operators, asked for by everybody else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from clearinghouse.ochp.marks import Attribute, Choice, Since, When, message, named_type
from clearinghouse.ochp.results import Result
from clearinghouse.ochp.scalars import EvseId, ParkingId, PlainDateTime, UtcDateTime
from clearinghouse.ochp.versions import V1_4


class MajorStatus(StrEnum):
    """Whether a new charge can start."""

    AVAILABLE = "available"
    NOT_AVAILABLE = "not-available"
    UNKNOWN = "unknown"


class MinorStatus(StrEnum):
    """Why."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    CHARGING = "charging"
    BLOCKED = "blocked"
    OUT_OF_ORDER = "outoforder"


@named_type("EvseStatusType")
@dataclass(frozen=True, kw_only=True)
class EvseStatus:
    """The live status of one EVSE, believed until `ttl`."""

    evse_id: EvseId
    major: Annotated[MajorStatus, Attribute()]
    minor: Annotated[MinorStatus | None, Attribute()] = None
    ttl: Annotated[PlainDateTime | None, Attribute()] = None


@named_type("ParkingStatusType")
@dataclass(frozen=True, kw_only=True)
class ParkingStatus:
    """The live status of one parking spot, believed until `ttl`."""

    parking_id: ParkingId
    status: Annotated[MajorStatus, Attribute()]
    ttl: Annotated[PlainDateTime | None, Attribute()] = None


class StatusType(StrEnum):
    """Whose status is asked for; `combined` is that of EVSEs with their parking spots in mind."""

    EVSE = "evse"
    PARKING = "parking"
    COMBINED = "combined"


@message()
@dataclass(frozen=True, kw_only=True)
class UpdateStatusRequest:
    """An operator tells the live status of its EVSEs and parking spots; `ttl` is for those without their own."""

    evse: tuple[EvseStatus, ...] = ()
    parking: Annotated[tuple[ParkingStatus, ...], Since(V1_4)] = ()
    ttl: UtcDateTime | None = None


@message()
@dataclass(frozen=True, kw_only=True)
class UpdateStatusResponse:
    """What the clearing house made of the status."""

    result: Result


@message()
@dataclass(frozen=True, kw_only=True)
class GetStatusRequest:
    """A partner asks for the live status, or for what is newer than it has; of EVSEs unless it says otherwise."""

    start_date_time: UtcDateTime | None = None
    status_type: Annotated[StatusType | None, Since(V1_4)] = None


ONE_OF_THREE = When((Choice(),), since=V1_4)


@message()
@dataclass(frozen=True, kw_only=True)
class GetStatusResponse:
    """Live status: one of the three lists, and `evse` alone in 1.3. It has no result: errors are faults."""

    combined: Annotated[Iterable[EvseStatus], Since(V1_4), ONE_OF_THREE] = ()
    evse: Annotated[Iterable[EvseStatus], ONE_OF_THREE] = ()
    parking: Annotated[Iterable[ParkingStatus], Since(V1_4), ONE_OF_THREE] = ()
