"""The operator's part in clearing, put together: what it uploads, downloads and claims, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from clearinghouse.app.chores import Chores, Round, jobs_of, log, only
from clearinghouse.domain.informing import Bill
from clearinghouse.domain.sessions import Session
from clearinghouse.domain.upkeep import Chore
from clearinghouse.jobs.timetable import Job
from clearinghouse.services.cdr_making import CdrMaker
from clearinghouse.services.claim_upload import ClaimUpload
from clearinghouse.services.clearing_line import ClearingLine
from clearinghouse.services.local_list import LocalList
from clearinghouse.services.ports import Books, Store
from clearinghouse.services.site_upload import SiteUpload
from clearinghouse.services.stations_port import Stations
from clearinghouse.services.status_upload import StatusUpload
from clearinghouse.settings import Settings
from clearinghouse.stations.inventory import Inventory
from clearinghouse.stations.tariff_file import read_tariffs


@dataclass(frozen=True, kw_only=True)
class Clearing:
    """The use cases of the operator's part in clearing; `claim` is None where it uploads no CDRs."""

    settings: Settings
    store: Store
    line: ClearingLine
    site: SiteUpload
    status: StatusUpload
    local_list: LocalList
    claim: Callable[[Books, Session], object] | None

    def jobs(self, claimed: Callable[[Books, str, Bill], None]) -> list[Job]:
        """What is kept up in the background, one job for what may wait for one another.

        `claimed` is told of each session whose CDR the house has.
        """
        cdrs = ClaimUpload(self.store, self.line, self.settings.clock, claimed)
        settings, cards = self.settings, self.local_list
        rounds = [
            Round("charge points and tariffs", settings.reconcile_every, self._site_chores(), self.site.wanted),
            Round("live status", settings.status_every, self.status.chores, self.status.wanted, settings.status_upload),
            Round("roaming list", settings.reconcile_every, cards.chores, cards.wanted, settings.roaming_list_download),
            Round("CDRs", settings.work_every, cdrs.chores, cdrs.wanted, settings.cdr_upload),
        ]
        minutes = {
            Chore.GET_ROAMING_UPDATES: settings.roaming_list_minutes,
            Chore.CHECK_CDRS: settings.check_cdr_minutes,
        }
        return jobs_of(rounds, settings, self.store, minutes)

    def _site_chores(self) -> Chores:
        points = self.settings.charge_point_upload
        return only(
            self.site.chores,
            chosen={
                Chore.SET_CHARGE_POINTS: points,
                Chore.UPDATE_CHARGE_POINTS: points,
                Chore.UPDATE_TARIFFS: self.settings.tariff_upload,
            },
        )


def clearing_of(settings: Settings, store: Store, line: ClearingLine, site: Inventory, stations: Stations) -> Clearing:
    """The operator's part in clearing. Raises BadTariffs."""
    clock = settings.clock
    tariffs = read_tariffs(settings.tariff_file) if settings.tariff_file else {}
    points = site.points
    maker = CdrMaker(clock=clock, charge_points=points, tariffs=tariffs, currency=settings.currency)
    published = site.published
    if len(published) < len(points):
        log.warning("EVSEs without coordinates are not published", count=len(points) - len(published))
    return Clearing(
        settings=settings,
        store=store,
        line=line,
        site=SiteUpload(store, line, clock, published, tuple(tariffs.values())),
        status=StatusUpload(store, line, clock, stations, tuple(site.evses)),
        local_list=LocalList(store, line, clock, points),
        claim=maker.claim if settings.cdr_upload else None,
    )
