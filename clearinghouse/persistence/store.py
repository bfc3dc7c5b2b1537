"""The store: everything on PostgreSQL, one transaction or one statement at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import Any, Generic, TypeVar, cast

import psycopg
from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from clearinghouse.domain.clock import Clock, system_clock
from clearinghouse.domain.errors import Malformed
from clearinghouse.persistence.api_keys import StoredApiKeys
from clearinghouse.persistence.cdr_evidence import StoredCdrEvidence
from clearinghouse.persistence.cdrs import StoredCdrs
from clearinghouse.persistence.charge_points import StoredChargePoints
from clearinghouse.persistence.charges import StoredCharges
from clearinghouse.persistence.connections import StoredConnections
from clearinghouse.persistence.conversions import StoredConversions
from clearinghouse.persistence.credentials import StoredCredentials
from clearinghouse.persistence.discrepancies import StoredDiscrepancies
from clearinghouse.persistence.downloads import StoredDownloads
from clearinghouse.persistence.endpoints import StoredEndpoints
from clearinghouse.persistence.engine import PATIENCE, Statements, make_engine, unreachable
from clearinghouse.persistence.errors import StoreUnreachable
from clearinghouse.persistence.holdings import StoredHoldings
from clearinghouse.persistence.keyring import KeyRing
from clearinghouse.persistence.live_statuses import StoredLiveStatuses
from clearinghouse.persistence.local_tokens import StoredLocalTokens
from clearinghouse.persistence.outbox import StoredOutbox
from clearinghouse.persistence.own_cdrs import StoredOwnCdrs
from clearinghouse.persistence.own_tokens import StoredOwnTokens
from clearinghouse.persistence.partners import StoredPartners
from clearinghouse.persistence.provider_tokens import StoredProviderTokens
from clearinghouse.persistence.received_cdrs import StoredReceivedCdrs
from clearinghouse.persistence.retention import StoredRetention
from clearinghouse.persistence.roaming_list import StoredRoamingLists
from clearinghouse.persistence.routes import StoredRoutes
from clearinghouse.persistence.sessions import StoredSessions
from clearinghouse.persistence.settlement import StoredSettlement
from clearinghouse.persistence.shared_tokens import StoredSharedTokens
from clearinghouse.persistence.simulated import StoredSimulatedEvses
from clearinghouse.persistence.singles import Kept, SingleConnections
from clearinghouse.persistence.station_events import StoredStationEvents
from clearinghouse.persistence.tariffs import StoredTariffs
from clearinghouse.persistence.uploads import StoredJournals, StoredUploads
from clearinghouse.services import cdrs_port, endpoints_port, partners_port, sessions_port
from clearinghouse.services.api_keys_port import ApiKeys
from clearinghouse.services.charge_point_port import ChargePoints
from clearinghouse.services.charges_port import Charges
from clearinghouse.services.conversion_port import ConversionLog
from clearinghouse.services.live_status_port import LiveStatuses
from clearinghouse.services.operator_port import Journals, LocalTokens, OwnCdrs, Uploads
from clearinghouse.services.ports import Books
from clearinghouse.services.provider_port import Downloads, ProviderTokens, ReceivedCdrs
from clearinghouse.services.records import Holdings
from clearinghouse.services.retention_port import Retention
from clearinghouse.services.roaming_list_port import RoamingLists
from clearinghouse.services.shared_tokens_port import SharedTokens
from clearinghouse.services.stations_port import SimulatedEvses
from clearinghouse.services.tariff_port import Tariffs

T = TypeVar("T")

CHECK_VIOLATION = "23514"
STREAMS = 32
"""Connections besides, for lists under way to slow readers."""


class Part(Generic[T]):
    """One of the books; most use cases open one or two of them, so each is made when it is asked for."""

    def __init__(self, make: Callable[[StoredBooks], T]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, books: StoredBooks, owner: type) -> T:
        """Make it, and put itself out of the way."""
        made: T = self._make(books)
        books.__dict__[self._name] = made
        return made


class StoredBooks:
    """Implements `Books` on one connection."""

    def __init__(self, db: Statements, keyring: KeyRing, clock: Clock) -> None:
        self.db = db
        self.keyring = keyring
        self.clock = clock

    partners = Part[partners_port.Partners](lambda on: StoredPartners(on.db, on.clock))
    credentials = Part[partners_port.Credentials](lambda on: StoredCredentials(on.db, on.clock))
    connections = Part[partners_port.Connections](lambda on: StoredConnections(on.db, on.clock))
    endpoints = Part[endpoints_port.Endpoints](lambda on: StoredEndpoints(on.db, on.keyring))
    routes = Part[endpoints_port.Routes](lambda on: StoredRoutes(on.db))
    sessions = Part[sessions_port.Sessions](lambda on: StoredSessions(on.db))
    station_events = Part[sessions_port.StationEvents](lambda on: StoredStationEvents(on.db))
    outbox = Part[sessions_port.Outbox](lambda on: StoredOutbox(on.db))
    discrepancies = Part[sessions_port.Discrepancies](lambda on: StoredDiscrepancies(on.db))
    own_tokens = Part[endpoints_port.OwnTokens](lambda on: StoredOwnTokens(on.db, on.keyring))
    charges = Part[Charges](lambda on: StoredCharges(on.db))
    conversions = Part[ConversionLog](lambda on: StoredConversions(on.db))
    cdrs = Part[cdrs_port.Cdrs](lambda on: StoredCdrs(on.db))
    cdr_evidence = Part[cdrs_port.CdrEvidence](lambda on: StoredCdrEvidence(on.db))
    settlement = Part[cdrs_port.Settlement](lambda on: StoredSettlement(on.db))
    charge_points = Part[ChargePoints](lambda on: StoredChargePoints(on.db, on.clock))
    live_statuses = Part[LiveStatuses](lambda on: StoredLiveStatuses(on.db, on.clock))
    tariffs = Part[Tariffs](lambda on: StoredTariffs(on.db, on.clock))
    roaming_lists = Part[RoamingLists](lambda on: StoredRoamingLists(on.db, on.clock))
    api_keys = Part[ApiKeys](lambda on: StoredApiKeys(on.db))
    simulated = Part[SimulatedEvses](lambda on: StoredSimulatedEvses(on.db))
    uploads = Part[Uploads](lambda on: StoredUploads(on.db))
    journals = Part[Journals](lambda on: StoredJournals(on.db))
    local_tokens = Part[LocalTokens](lambda on: StoredLocalTokens(on.db))
    own_cdrs = Part[OwnCdrs](lambda on: StoredOwnCdrs(on.db))
    received_cdrs = Part[ReceivedCdrs](lambda on: StoredReceivedCdrs(on.db))
    provider_tokens = Part[ProviderTokens](lambda on: StoredProviderTokens(on.db))
    downloads = Part[Downloads](lambda on: StoredDownloads(on.db))
    holdings = Part[Holdings](lambda on: StoredHoldings(on.db))
    retention = Part[Retention](lambda on: StoredRetention(on.db))
    shared_tokens = Part[SharedTokens](lambda on: StoredSharedTokens(on.db))


class Transaction:
    """Runs statements on a connection that its lender commits."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._streams: list[CursorResult[Any]] = []

    def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[Any]:
        """The result of the statement."""
        result = self._connection.execute(statement, parameters)
        if statement.get_execution_options().get("yield_per"):
            self._streams.append(result)
        return result

    def close(self) -> None:
        """Close what was not read to its end, while the transaction is there."""
        for each in self._streams:
            each.close()

    def lend(self, statement: object, /) -> AbstractContextManager[psycopg.Cursor[Any]]:
        """A cursor of the driver's, for a statement that is not run by `execute`."""
        connection: Any = self._connection.connection.driver_connection
        return cast("psycopg.Connection[Any]", connection).cursor()


class OneStatement(Transaction):
    """Runs a single statement, because a second one would not share a transaction with it.

    The same one may run again: `Sessions.open` does, in the rare case that it changed and found nothing.
    """

    def __init__(self, kept: Kept) -> None:
        super().__init__(kept.connection)
        self._cursor = kept.cursor
        self._only: object = None

    def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[Any]:
        """The result of the statement. Raises RuntimeError for a second one."""
        self._admit(statement)
        return super().execute(statement, parameters)

    def lend(self, statement: object, /) -> AbstractContextManager[psycopg.Cursor[Any]]:
        """The connection's own cursor of the driver's. Raises RuntimeError for a second statement."""
        self._admit(statement)
        return nullcontext(self._cursor)

    def _admit(self, statement: object) -> None:
        if self._only is not None and self._only is not statement:
            raise RuntimeError("a second statement in single(): use books()")
        self._only = statement


class PostgresStore:
    """Implements `Store`. Holds up to `pool_size` connections for transactions and as many for single statements."""

    def __init__(self, url: str, keyring: KeyRing, *, pool_size: int = 5, clock: Clock = system_clock) -> None:
        self._keyring = keyring
        self._clock = clock
        self._transactions = make_engine(url, max_overflow=STREAMS, pool_size=pool_size, pool_timeout=PATIENCE)
        self._singles = SingleConnections(url, pool_size)

    @contextmanager
    def books(self) -> Iterator[Books]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with (
            _explained(),
            self._transactions.begin() as connection,
            closing(Transaction(connection)) as transaction,
        ):
            yield StoredBooks(transaction, self._keyring, self._clock)

    @contextmanager
    def single(self) -> Iterator[Books]:
        """One statement that commits itself."""
        with _explained(), self._singles.lent() as kept:
            yield StoredBooks(OneStatement(kept), self._keyring, self._clock)

    def close(self) -> None:
        """Close every idle connection."""
        self._transactions.dispose()
        self._singles.close()


@contextmanager
def _explained() -> Iterator[None]:
    """Values that the schema refuses are the caller's fault; a lost database is not."""
    try:
        yield
    except (IntegrityError, psycopg.IntegrityError) as error:
        said = error.orig if isinstance(error, IntegrityError) else error
        if getattr(said, "sqlstate", None) != CHECK_VIOLATION:
            raise
        raise Malformed(f"the store refuses the value: {str(said).splitlines()[0]}") from None
    except PoolTimeout:
        raise StoreUnreachable(f"all connections to the database were in use for {PATIENCE} s") from None
    except OperationalError as error:
        if not error.connection_invalidated and getattr(error.orig, "sqlstate", None) is not None:
            raise
        raise unreachable(error) from error
