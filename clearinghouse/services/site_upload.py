"""The operator's charge points and tariffs at the house: whole once a day, and what changed as it changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.charge_points import (
    ChargePointInfo,
    SetChargePointListRequest,
    UpdateChargePointListRequest,
)
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.plain import to_plain
from clearinghouse.ochp.tariffs import TariffInfo, UpdateTariffsRequest
from clearinghouse.services.clearing_line import ClearingLine
from clearinghouse.services.operator_port import Uploaded
from clearinghouse.services.ports import Store

POINTS = "charge point"
TARIFFS = "tariff"


@dataclass(frozen=True)
class SiteUpload:
    """`points` and `tariffs` are what the operator publishes; they change when its process starts anew."""

    store: Store
    line: ClearingLine
    clock: Clock
    points: Collection[ChargePointInfo] = ()
    tariffs: Sequence[TariffInfo] = ()

    @property
    def chores(self) -> Mapping[Chore, Callable[[], str]]:
        """What is to be kept up, and what does it."""
        points = {Chore.SET_CHARGE_POINTS: self.set_points, Chore.UPDATE_CHARGE_POINTS: self.update_points}
        tariffs = {Chore.UPDATE_TARIFFS: self.update_tariffs}
        return {
            **(points if self.points else {}),
            **(tariffs if self.tariffs and self.line.speaks(op.UPDATE_TARIFFS) else {}),
        }

    def wanted(self) -> frozenset[Chore]:
        """What differs from what was uploaded; points that vanished need the whole list."""
        with self.store.books() as books:
            points, tariffs = books.uploads.of(POINTS), books.uploads.of(TARIFFS)
        differences = {
            Chore.SET_CHARGE_POINTS: bool(points.keys() - self._points.keys()),
            Chore.UPDATE_CHARGE_POINTS: bool(changed(self._points, points)),
            Chore.UPDATE_TARIFFS: bool(changed(self._tariffs, tariffs)),
        }
        return frozenset(chore for chore, differs in differences.items() if differs)

    def set_points(self) -> str:
        """Upload every charge point. Raises PartnerFailed."""
        return self._upload_points(op.SET_CHARGE_POINT_LIST, [*self._points], whole=True)

    def update_points(self) -> str:
        """Upload the charge points that changed. Raises PartnerFailed."""
        with self.store.single() as books:
            keys = changed(self._points, books.uploads.of(POINTS))
        return self._upload_points(op.UPDATE_CHARGE_POINT_LIST, keys, whole=False)

    def update_tariffs(self) -> str:
        """Upload the tariffs that changed, each whole (OCHP 1.4, UpdateTariffs). Raises PartnerFailed."""
        with self.store.single() as books:
            keys = changed(self._tariffs, books.uploads.of(TARIFFS))
        by_id = {each.tariff_id: each for each in self.tariffs}
        said = self.line.sayable(op.UPDATE_TARIFFS, (by_id[key] for key in keys), lambda each: each.tariff_id)
        refused: dict[str, str] = {}
        if said:
            answer = self.line.ask(op.UPDATE_TARIFFS, UpdateTariffsRequest(tariff_info_array=tuple(said)))
            why = answer.result.result_description
            refused = {each.tariff_id: why for each in answer.refused_tariff_info}
        self._note(TARIFFS, [Uploaded(key=key, digest=self._tariffs[key], refusal=refused.get(key)) for key in keys])
        return summary(len(keys), refused)

    @cached_property
    def _points(self) -> dict[str, str]:
        return {point_key(each): digest(each) for each in self.points}

    @cached_property
    def _tariffs(self) -> dict[str, str]:
        return {each.tariff_id: digest(each) for each in self.tariffs}

    def _upload_points(self, operation: Operation, keys: Sequence[str], *, whole: bool) -> str:
        chosen = frozenset(keys)
        points = (each for each in self.points if point_key(each) in chosen)
        said = self.line.sayable(operation, points, lambda each: each.evse_id)
        request = SetChargePointListRequest if whole else UpdateChargePointListRequest
        refused: dict[str, str] = {}
        if said:
            answer = self.line.ask(operation, request(charge_point_info_array=tuple(said)))
            why = answer.result.result_description
            refused = {point_key(each): why for each in answer.refused_charge_point_info}
        uploaded = [Uploaded(key=key, digest=self._points[key], refusal=refused.get(key)) for key in keys]
        self._note(POINTS, uploaded, whole=whole)
        return summary(len(keys), refused)

    def _note(self, kind: str, uploaded: Sequence[Uploaded], *, whole: bool = False) -> None:
        with self.store.books() as books:
            if whole:
                books.uploads.drop(kind, books.uploads.of(kind).keys() - {each.key for each in uploaded})
            books.uploads.put(kind, uploaded, self.clock())


def changed(wanted: Mapping[str, str], uploaded: Mapping[str, Uploaded]) -> list[str]:
    """The keys whose digest is not the one that was uploaded; what was refused is tried again when it changes."""
    return [key for key, value in wanted.items() if key not in uploaded or uploaded[key].digest != value]


def digest(value: Any) -> str:
    """A short text that differs where values differ."""
    plain = json.dumps(to_plain(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def point_key(point: ChargePointInfo) -> str:
    """The charge point's EVSE key."""
    return evse_key(point.evse_id) or point.evse_id


def summary(count: int, refused: Mapping[str, str]) -> str:
    """What was uploaded, for the log."""
    if not refused:
        return f"{count} uploaded"
    return f"{count - len(refused)} uploaded, {len(refused)} refused: {'; '.join(sorted(set(refused.values())))}"
