"""Charge points at the house: operators upload them, providers and navigation services fetch them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from clearinghouse.domain.charge_points import OwnedPoint, RefusedPoint, judge, withdrawn
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.partners import ConnectionKind, Partner, connected_ids
from clearinghouse.domain.time_zones import known_zone
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.charge_points import (
    ChargePointInfo,
    GetChargePointListRequest,
    GetChargePointListResponse,
    GetChargePointListUpdatesRequest,
    GetChargePointListUpdatesResponse,
    SetChargePointListRequest,
    SetChargePointListResponse,
    UpdateChargePointListRequest,
    UpdateChargePointListResponse,
)
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.versions import Version
from clearinghouse.services.callers import UNCONNECTED, acting_as
from clearinghouse.services.calls_port import Caller, Handler
from clearinghouse.services.charge_point_port import Taken
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.ports import Store
from clearinghouse.services.streams import opened


@dataclass(frozen=True)
class ChargePointExchange:
    """SetChargePointList, UpdateChargePointList, GetChargePointList and GetChargePointListUpdates."""

    store: Store
    clock: Clock
    conversions: Conversions

    @property
    def handlers(self) -> Mapping[Operation, Handler]:
        """The operations served here."""
        return {
            op.SET_CHARGE_POINT_LIST: self.set,
            op.UPDATE_CHARGE_POINT_LIST: self.update,
            op.GET_CHARGE_POINT_LIST: self.get,
            op.GET_CHARGE_POINT_LIST_UPDATES: self.get_updates,
        }

    def set(self, request: SetChargePointListRequest, caller: Caller, version: Version) -> SetChargePointListResponse:
        """The caller's complete list: whatever else its operator IDs had is gone.

        Nothing is replaced where nothing of it can be stored.
        """
        result, refused = self._take(request.charge_point_info_array, caller, whole=True)
        return SetChargePointListResponse(result=result, refused_charge_point_info=refused)

    def update(
        self, request: UpdateChargePointListRequest, caller: Caller, version: Version
    ) -> UpdateChargePointListResponse:
        """The charge points are added, or replace those with the same EVSE-ID."""
        result, refused = self._take(request.charge_point_info_array, caller, whole=False)
        return UpdateChargePointListResponse(result=result, refused_charge_point_info=refused)

    def get(self, request: GetChargePointListRequest, caller: Caller, version: Version) -> GetChargePointListResponse:
        """Every charge point of the operators that the caller is connected to."""
        result, points = self._tell(caller, version, None)
        return GetChargePointListResponse(result=result, charge_point_info_array=points)

    def get_updates(
        self, request: GetChargePointListUpdatesRequest, caller: Caller, version: Version
    ) -> GetChargePointListUpdatesResponse:
        """The charge points that changed since then; those that went, or may no longer be seen, are `Closed`."""
        result, points = self._tell(caller, version, request.last_update)
        return GetChargePointListUpdatesResponse(result=result, charge_point_info_array=points)

    def _take(
        self, points: Iterable[ChargePointInfo], caller: Caller, *, whole: bool
    ) -> tuple[Result, tuple[ChargePointInfo, ...]]:
        """Store what is the caller's own, each point as it comes."""
        owners = acting_as(Role.OPERATOR, caller).operator_ids
        inspection = Inspection(owners)
        with self.store.books() as books:
            taken = books.charge_points.put(inspection.passed(points), owners, replace=whole)
        return inspection.verdict(taken), tuple(each.point for each in inspection.refused)

    def _tell(
        self, caller: Caller, version: Version, since: datetime | None
    ) -> tuple[Result, Iterable[ChargePointInfo]]:
        partner = acting_as(Role.PROVIDER, caller)
        ids, now = partner.provider_ids, self.clock()
        points = opened(self._points(partner, version, now, since))
        if not points:
            with self.store.books() as books:
                connections = books.connections.all(ids)
            if not connected_ids(connections, ids, Role.PROVIDER, ConnectionKind.POI, now):
                return UNCONNECTED, ()
        return Result.of(ResultCode.OK), points

    def _points(
        self, reader: Partner, version: Version, now: datetime, since: datetime | None
    ) -> Generator[ChargePointInfo]:
        with self.store.books() as books:
            stored, ids = books.charge_points, reader.provider_ids
            found = stored.visible(ids, now) if since is None else stored.changed(ids, now, since)
            instead = withdrawn if since else None
            yield from self.conversions.fit(found, version, reader, lambda point: point.evse_id, instead)


class Inspection:
    """Lets the charge points of these operator IDs pass; it remembers what the operator is to be told."""

    def __init__(self, operator_ids: frozenset[str]) -> None:
        self._operator_ids = operator_ids
        self._unknown_zones: dict[str, None] = {}
        self.refused: list[RefusedPoint] = []

    def passed(self, points: Iterable[ChargePointInfo]) -> Iterator[OwnedPoint]:
        """Those that may be stored."""
        for each in judge(points, self._operator_ids):
            if isinstance(each, RefusedPoint):
                self.refused.append(each)
                continue
            zone = each.point.time_zone
            if zone and not known_zone(zone):
                self._unknown_zones[zone] = None
            yield each

    def verdict(self, taken: Taken) -> Result:
        """Reasons first, then warnings: no such time zone, one location at several places."""
        texts = [each.text for each in self.refused]
        texts += [f"Stored, but {each[:50]!r} is no time zone" for each in self._unknown_zones]
        texts += [
            f"Stored, but the EVSEs of location {each} differ in address or place on the map"
            for each in taken.scattered
        ]
        if not self.refused:
            code = ResultCode.OK
        else:
            code = ResultCode.PARTLY if taken.count else self.refused[0].code
        return Result.of(code, "; ".join(texts))
