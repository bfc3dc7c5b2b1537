"""The store: everything that is kept, and its transactions. The persistence implements this."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from clearinghouse.services.api_keys_port import ApiKeys
from clearinghouse.services.cdrs_port import CdrEvidence, Cdrs, Settlement
from clearinghouse.services.charge_point_port import ChargePoints
from clearinghouse.services.charges_port import Charges
from clearinghouse.services.conversion_port import ConversionLog
from clearinghouse.services.endpoints_port import Endpoints, OwnTokens, Routes
from clearinghouse.services.live_status_port import LiveStatuses
from clearinghouse.services.operator_port import Journals, LocalTokens, OwnCdrs, Uploads
from clearinghouse.services.partners_port import Connections, Credentials, Partners
from clearinghouse.services.provider_port import Downloads, ProviderTokens, ReceivedCdrs
from clearinghouse.services.records import Holdings
from clearinghouse.services.retention_port import Retention
from clearinghouse.services.roaming_list_port import RoamingLists
from clearinghouse.services.sessions_port import Discrepancies, Outbox, Sessions, StationEvents
from clearinghouse.services.shared_tokens_port import SharedTokens
from clearinghouse.services.stations_port import SimulatedEvses
from clearinghouse.services.tariff_port import Tariffs


class Books(Protocol):
    """Everything stored, within one transaction."""

    partners: Partners
    credentials: Credentials
    connections: Connections
    conversions: ConversionLog
    endpoints: Endpoints
    roaming_lists: RoamingLists
    routes: Routes
    sessions: Sessions
    station_events: StationEvents
    outbox: Outbox
    discrepancies: Discrepancies
    own_tokens: OwnTokens
    charges: Charges
    cdrs: Cdrs
    cdr_evidence: CdrEvidence
    settlement: Settlement
    charge_points: ChargePoints
    live_statuses: LiveStatuses
    tariffs: Tariffs
    api_keys: ApiKeys
    simulated: SimulatedEvses
    uploads: Uploads
    journals: Journals
    local_tokens: LocalTokens
    own_cdrs: OwnCdrs
    received_cdrs: ReceivedCdrs
    provider_tokens: ProviderTokens
    downloads: Downloads
    holdings: Holdings
    retention: Retention
    shared_tokens: SharedTokens


class Store(Protocol):
    """Opens transactions."""

    def books(self) -> AbstractContextManager[Books]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Nothing inside the block waits on a network.
        """

    def single(self) -> AbstractContextManager[Books]:
        """Like `books`, for a block of exactly one statement: no BEGIN and COMMIT round trips."""
