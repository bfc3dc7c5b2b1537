"""The availability filter of OCHP's annex: which charge points can be used now, and which step removes the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from enum import StrEnum

from clearinghouse.domain.charge_points import status_at
from clearinghouse.domain.opening_hours import in_any, in_regular_hours
from clearinghouse.domain.time_zones import zone_of
from clearinghouse.ochp.charge_points import ChargePointInfo, ChargePointStatus
from clearinghouse.ochp.hours import Hours
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.live import MajorStatus


class Step(StrEnum):
    """The steps that remove a charge point; D brings some of those back that B removed, E is what is left."""

    OUT_OF_SERVICE = "A"
    OUTSIDE_HOURS = "B"
    CLOSED_TODAY = "C"
    NOT_AVAILABLE = "F"


def removed_by(point: ChargePointInfo, live: MajorStatus | None, at: datetime) -> Step | None:
    """The step that removes a charge point at an instant, None where it can be used.

    `live` is the major live status, None where there is none. A charge point without a status of its own is taken for
    operative where it has a live status. Without opening hours it is never outside of them. 1.3's access times have to
    be passed as the opening hours have.
    """
    status = status_at(point, at) or (ChargePointStatus.OPERATIVE if live else ChargePointStatus.UNKNOWN)
    if status is not ChargePointStatus.OPERATIVE:
        return Step.OUT_OF_SERVICE
    zone = zone_of(point)
    for hours in (point.opening_times, point.access_times):
        step = hours and _shut_by(hours, at, zone)
        if step:
            return step
    return None if live is MajorStatus.AVAILABLE else Step.NOT_AVAILABLE


def _shut_by(hours: Hours, at: datetime, zone: tzinfo) -> Step | None:
    """B, C and D: an exceptional opening helps who is outside of regular hours, not who is exceptionally closed."""
    if in_regular_hours(hours, at, zone):
        return Step.CLOSED_TODAY if in_any(hours.exceptional_closings, at) else None
    return None if in_any(hours.exceptional_openings, at) else Step.OUTSIDE_HOURS


def usable_now(
    points: Iterable[ChargePointInfo], live: Mapping[str, MajorStatus], at: datetime
) -> list[ChargePointInfo]:
    """The charge points that can be used; `live` holds the major live status by canonical EVSE-ID."""
    return [point for point in points if removed_by(point, live.get(evse_key(point.evse_id) or ""), at) is None]
