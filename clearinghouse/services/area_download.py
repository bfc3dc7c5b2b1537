"""What a provider downloads about operators: charge points, tariffs and live status, whole and then by changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from clearinghouse.domain.availability import removed_by
from clearinghouse.domain.clock import Clock
from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.upkeep import OVERLAP, Chore, is_doubtful, latest_success
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.charge_points import (
    ChargePointInfo,
    GetChargePointListRequest,
    GetChargePointListUpdatesRequest,
)
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.live import EvseStatus, GetStatusRequest, MajorStatus
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tariffs import GetTariffUpdatesRequest, TariffInfo
from clearinghouse.services.clearing_line import ClearingLine
from clearinghouse.services.ports import Books, Store

NOBODY = frozenset({ResultCode.ROAMING})
"""The answer where no operator is connected: the lists are empty."""
PAGE = 500
WHOLE = {
    Chore.GET_CHARGE_POINTS: Chore.GET_CHARGE_POINT_UPDATES,
    Chore.GET_TARIFFS: Chore.GET_TARIFF_UPDATES,
}
"""The chores that make a copy anew, and those that bring it up to date."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A charge point, its live status where that is known, and whether it can be used now."""

    key: str
    point: ChargePointInfo
    status: EvseStatus | None
    usable: bool


@dataclass(frozen=True)
class AreaDownload:
    """Keeps the copies and reads them."""

    store: Store
    line: ClearingLine
    clock: Clock

    @property
    def chores(self) -> Mapping[Chore, Callable[[], str]]:
        """What is to be kept up, and what does it; 1.3 knows no tariffs."""
        tariffs = {Chore.GET_TARIFFS: self.tariffs, Chore.GET_TARIFF_UPDATES: self.changed_tariffs}
        return {
            Chore.GET_CHARGE_POINTS: self.charge_points,
            Chore.GET_CHARGE_POINT_UPDATES: self.changed_points,
            **(tariffs if self.line.speaks(op.GET_TARIFF_UPDATES) else {}),
            Chore.GET_STATUS: self.status,
        }

    def wanted(self) -> frozenset[Chore]:
        """The whole of what is in doubt."""
        with self.store.single() as books:
            journal = books.journals.all()
        now = self.clock()
        return frozenset(whole for whole, changes in WHOLE.items() if is_doubtful(now, journal, whole, changes))

    # -- Downloads: each raises PartnerFailed --------------------------------------------------------------------

    def charge_points(self) -> str:
        """Make the copy of the charge points anew."""
        answer = self.line.ask(op.GET_CHARGE_POINT_LIST, GetChargePointListRequest(), NOBODY)
        with self.store.books() as books:
            return f"{books.downloads.replace_points(answer.charge_point_info_array)} charge points"

    def changed_points(self) -> str:
        """Bring the copy of the charge points up to date."""
        since = self._since(Chore.GET_CHARGE_POINTS, Chore.GET_CHARGE_POINT_UPDATES)
        if since is None:
            return self.charge_points()
        request = GetChargePointListUpdatesRequest(last_update=since)
        answer = self.line.ask(op.GET_CHARGE_POINT_LIST_UPDATES, request, NOBODY)
        with self.store.books() as books:
            return f"{books.downloads.apply_points(answer.charge_point_info_array)} changes"

    def tariffs(self) -> str:
        """Fetch every tariff in force."""
        return self._tariffs(GetTariffUpdatesRequest())

    def changed_tariffs(self) -> str:
        """Fetch what changed of the tariffs."""
        return self._tariffs(
            GetTariffUpdatesRequest(last_update=self._since(Chore.GET_TARIFFS, Chore.GET_TARIFF_UPDATES))
        )

    def _tariffs(self, request: GetTariffUpdatesRequest) -> str:
        answer = self.line.ask(op.GET_TARIFF_UPDATES, request, NOBODY)
        with self.store.books() as books:
            return f"{books.downloads.apply_tariffs(answer.tariff_info_array, self.clock())} changes"

    def status(self) -> str:
        """Fetch the live status that is newer than the copy; the answer has no result."""
        request = GetStatusRequest(start_date_time=self._since(Chore.GET_STATUS))
        answer = self.line.call(op.GET_STATUS, request)
        with self.store.books() as books:
            return f"{books.downloads.apply_status(answer.evse + answer.combined)} EVSEs"

    def _since(self, *chores: Chore) -> datetime | None:
        """When the last call began, and a little more, since clocks differ."""
        with self.store.single() as books:
            last = latest_success(books.journals.all(), *chores)
        return None if last is None else last - OVERLAP

    # -- Reading -------------------------------------------------------------------------------------------------

    def places(
        self, *, operator_id: str | None = None, usable: bool = False, after: str = "", limit: int = 100
    ) -> list[Place]:
        """Charge points in the order of their keys, after one: all, or those that can be used now (OCHP, annex)."""
        found: list[Place] = []
        with self.store.books() as books:
            for each in self._places(books, operator_id, after):
                if each.usable or not usable:
                    found.append(each)
                if len(found) == limit:
                    break
        return found

    def _places(self, books: Books, operator_id: str | None, after: str) -> Iterator[Place]:
        now = self.clock()
        while page := books.downloads.points(operator_id=operator_id, after=after, limit=PAGE):
            live = books.downloads.status([key for key, _ in page], now)
            yield from (_place(key, point, live.get(key), now) for key, point in page)
            after = page[-1][0]

    def place(self, evse_id: str) -> Place:
        """A charge point. Raises UnknownId."""
        key = evse_key(evse_id) or evse_id
        now = self.clock()
        with self.store.books() as books:
            point = books.downloads.point(key)
            if point is None:
                raise UnknownId(f"no charge point {evse_id} is known")
            return _place(key, point, books.downloads.status([key], now).get(key), now)

    def known_tariffs(
        self, *, operator_id: str | None = None, after: str = "", limit: int = 100
    ) -> list[tuple[str, TariffInfo]]:
        """The tariffs in force with their keys, in the order of these, after one."""
        with self.store.single() as books:
            return [*books.downloads.tariffs(operator_id=operator_id, after=after, limit=limit)]


def _place(key: str, point: ChargePointInfo, status: EvseStatus | None, now: datetime) -> Place:
    major: MajorStatus | None = status.major if status else None
    return Place(key=key, point=point, status=status, usable=removed_by(point, major, now) is None)
