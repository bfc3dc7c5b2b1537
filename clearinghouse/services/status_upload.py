"""The live status of the operator's EVSEs at the house: on change, and before what was told runs out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.status_upload import LEAD, to_tell
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.live import EvseStatus, UpdateStatusRequest
from clearinghouse.services.clearing_line import ClearingLine
from clearinghouse.services.ports import Store
from clearinghouse.services.stations_port import Stations


@dataclass(frozen=True)
class StatusUpload:
    """Tells the status of these EVSEs, each with its own time to live.

    Only of those is the status looked up that may be news: an EVSE that the house takes to be available for a while,
    and that nobody has taken, is as it was.
    """

    store: Store
    line: ClearingLine
    clock: Clock
    stations: Stations
    evse_keys: Sequence[str]

    @property
    def chores(self) -> Mapping[Chore, Callable[[], str]]:
        """What is to be kept up, and what does it."""
        return {Chore.UPDATE_STATUS: self.upload}

    def wanted(self) -> frozenset[Chore]:
        """Whether there is news."""
        return frozenset({Chore.UPDATE_STATUS}) if self.news() else frozenset()

    def news(self) -> list[EvseStatus]:
        """What the house does not know, in whole seconds."""
        now = self.clock()
        with self.store.single() as books:
            told = books.uploads.told(ending=now + LEAD)
        doubtful = self._untold | {evse_key(each) or each for each in told} | self.stations.taken()
        current = map(_in_seconds, self.stations.status(sorted(doubtful)))
        return to_tell(now, current, told)

    @cached_property
    def _untold(self) -> set[str]:
        """The keys of EVSEs of which the house was never told, as they are spelled now; they get fewer."""
        with self.store.single() as books:
            told = books.uploads.told_ids()
        evses = (evse for key in self.evse_keys if (evse := self.stations.evse(key)))
        return {each.key for each in evses if each.evse_id not in told}

    def upload(self) -> str:
        """Tell the news. Raises PartnerFailed."""
        news = self.news()
        if news:
            self.line.ask(op.UPDATE_STATUS, UpdateStatusRequest(evse=tuple(news)))
            with self.store.single() as books:
                books.uploads.tell(news)
            self._untold.difference_update(evse_key(each.evse_id) for each in news)
        return f"{len(news)} EVSEs"


def _in_seconds(status: EvseStatus) -> EvseStatus:
    ttl = status.ttl
    return status if ttl is None else dataclasses.replace(status, ttl=ttl.replace(microsecond=0))
