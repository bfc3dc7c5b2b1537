"""The provider's part in clearing, put together: what it uploads, downloads and pays, as the settings say."""

from __future__ import annotations

from dataclasses import dataclass

from clearinghouse.app.chores import Chores, Round, jobs_of, only
from clearinghouse.domain.evidence import Tolerances
from clearinghouse.domain.upkeep import Chore
from clearinghouse.jobs.timetable import Job
from clearinghouse.services.area_download import AreaDownload
from clearinghouse.services.cdr_review import CdrReview
from clearinghouse.services.clearing_line import ClearingLine
from clearinghouse.services.ports import Store
from clearinghouse.services.token_upload import TokenUpload
from clearinghouse.settings import Settings


@dataclass(frozen=True, kw_only=True)
class ProviderClearing:
    """The use cases of the provider's part in clearing."""

    settings: Settings
    store: Store
    cdrs: CdrReview
    tokens: TokenUpload
    area: AreaDownload

    def jobs(self) -> list[Job]:
        """What is kept up in the background, one job for what may wait for one another."""
        settings, status = self.settings, {Chore.GET_STATUS: self.area.chores[Chore.GET_STATUS]}
        rounds = [
            Round("CDRs", settings.work_every, self.cdrs.chores, self.cdrs.wanted, settings.cdr_download),
            Round("roaming list", settings.work_every, self.tokens.chores, self.tokens.wanted, settings.token_upload),
            Round("charge points and tariffs", settings.reconcile_every, self._area_chores(), self.area.wanted),
            Round("live status", settings.status_every, status, frozenset, settings.status_download),
        ]
        minutes = {
            Chore.GET_CDRS: settings.get_cdr_minutes,
            Chore.GET_STATUS: settings.get_status_minutes,
            Chore.GET_CHARGE_POINT_UPDATES: settings.get_update_minutes,
            Chore.GET_TARIFF_UPDATES: settings.get_update_minutes,
        }
        return jobs_of(rounds, settings, self.store, minutes)

    def _area_chores(self) -> Chores:
        points, tariffs = self.settings.charge_point_download, self.settings.tariff_download
        return only(
            self.area.chores,
            chosen={
                Chore.GET_CHARGE_POINTS: points,
                Chore.GET_CHARGE_POINT_UPDATES: points,
                Chore.GET_TARIFFS: tariffs,
                Chore.GET_TARIFF_UPDATES: tariffs,
                Chore.GET_STATUS: False,
            },
        )


def provider_clearing_of(settings: Settings, store: Store, line: ClearingLine) -> ProviderClearing:
    """The provider's part in clearing."""
    clock = settings.clock
    within = Tolerances(energy=settings.cdr_energy_tolerance, largest_total=settings.cdr_largest_total)
    return ProviderClearing(
        settings=settings,
        store=store,
        cdrs=CdrReview(store, line, clock, frozenset(settings.party_ids), settings.cdr_rules, within),
        tokens=TokenUpload(store, line, clock),
        area=AreaDownload(store, line, clock),
    )
