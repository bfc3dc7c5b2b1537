"""What the operator's own people and back end see: sessions, what was told about them, what was reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.sessions import Session
from clearinghouse.ochp.identifiers import evse_key
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.services.ports import Store
from clearinghouse.services.sessions_port import Discrepancy, Parcel
from clearinghouse.services.stations_port import Stations


@dataclass(frozen=True)
class OperatorView:
    """Reads only."""

    store: Store
    stations: Stations

    def sessions(self, limit: int) -> list[Session]:
        """The newest sessions."""
        with self.store.single() as books:
            return books.sessions.recent(limit)

    def session(self, direct_id: str) -> Session:
        """The session. Raises UnknownId."""
        with self.store.single() as books:
            session = books.sessions.get(direct_id)
        if session is None:
            raise UnknownId("There is no session of this direct id.")
        return session

    def told(self, direct_id: str) -> list[Parcel]:
        """What was, or waits to be, told to the provider about a session, in order."""
        with self.store.single() as books:
            return books.outbox.of(direct_id)

    def status(self, evse_ids: Sequence[str]) -> list[EvseStatus]:
        """The live status of the known ones among these EVSEs."""
        return self.stations.status([key for each in evse_ids if (key := evse_key(each))])

    def discrepancies(self, limit: int) -> list[Discrepancy]:
        """The newest reports of providers."""
        with self.store.single() as books:
            return books.discrepancies.recent(limit)
