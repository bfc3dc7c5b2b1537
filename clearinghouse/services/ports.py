"""What the use cases need of the world: a store, stations, lines to partners. The edges implement these."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, BinaryIO, Protocol

from clearinghouse.domain.charges import Charge, ChargeEvent
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.partners import Connection, Partner
from clearinghouse.domain.sessions import Limits, Reading, Session
from clearinghouse.ochp.direct import InformProviderMessage
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.ochp.tokens import EmtId
from clearinghouse.ochp.versions import Version
from clearinghouse.services.cdrs_port import CdrEvidence, Cdrs, Settlement
from clearinghouse.services.charge_point_port import ChargePoints
from clearinghouse.services.conversion_port import ConversionLog
from clearinghouse.services.live_status_port import LiveStatuses
from clearinghouse.services.operator_port import Journals, LocalTokens, OwnCdrs, Uploads
from clearinghouse.services.provider_port import Downloads, ProviderTokens, ReceivedCdrs
from clearinghouse.services.records import Holdings
from clearinghouse.services.retention_port import Retention
from clearinghouse.services.roaming_list_port import RoamingLists
from clearinghouse.services.shared_tokens_port import SharedTokens
from clearinghouse.services.tariff_port import Tariffs

# -- Lines to partners ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Login:
    """A WS-Security user name and password, in clear text."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class TokenPair:
    """The day's tokens of the two ends of a direct call: HTTP Basic `receiver:sender`."""

    receiver: str = field(repr=False)
    sender: str = field(repr=False)


class Line(Protocol):
    """Calls partners over SOAP and TLS."""

    def call(
        self,
        url: str,
        version: Version,
        operation: Operation,
        request: Any,
        credentials: Login | TokenPair,
    ) -> Any:
        """The partner's answer, an instance of `operation.response`, within the line's total time-out.

        Raises a subclass of PartnerFailed: unreachable (also: certificate not trusted, too many calls under way to
        this partner), timed out, nonsense, refused.
        """


# -- Stations ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Evse:
    """What the operator's own data say of an EVSE. Powers in kW, currents in A; `phases` is 0 for direct current."""

    evse_id: str
    key: str
    max_power: Decimal
    phases: int = 3
    voltage: Decimal = Decimal(230)
    direct: bool = True
    max_reservation: int | None = None
    time_zone: str = "UTC"


class StationEventKind(StrEnum):
    """What a station can report."""

    CHARGING = "charging"
    """The car is connected, the process authorised, energy flows."""
    METERED = "metered"
    STOPPED = "stopped"
    """The process is over: `reason` says why (`unplugged`, `fault`, `limit`, `full`, `asked`)."""
    CARD = "card"
    """A card (`token`) was presented at an idle EVSE and a charge started locally: `contract_id` says whose."""


@dataclass(frozen=True, kw_only=True)
class StationEvent:
    """One report of a station; `number` orders all events. `direct_id` names the session where the station knows it."""

    number: int = 0
    evse_key: str
    kind: StationEventKind
    at: datetime
    direct_id: str | None = None
    contract_id: str | None = None
    token: EmtId | None = field(default=None, repr=False)
    live_auth_id: str | None = None
    reading: Reading | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """What an idle EVSE of stations that live in the store becomes when it is kept until a time."""

    evse_key: str
    document: Mapping[str, Any]
    until: datetime


class Stations(Protocol):
    """The charging stations of an operator. Events go to `Books.station_events`, in the order they happened."""

    def evse(self, evse_key: str) -> Evse | None:
        """The EVSE's data, or None where the operator has no such EVSE."""

    def status(self, evse_keys: Sequence[str]) -> list[EvseStatus]:
        """The live status of the known ones among these EVSEs."""

    def taken(self) -> frozenset[str]:
        """The keys of the EVSEs that are not available, whether used or out of order; some more are no harm."""

    def reservation(self, evse_key: str, contract_id: str, direct_id: str, until: datetime) -> Reservation | None:
        """What keeps the EVSE, if it is idle, when it is stored with the session; None where a station has to be told.

        Where it is not stored, because the EVSE is not idle, `reserve` decides.
        """

    def reserve(self, evse_key: str, contract_id: str, direct_id: str, until: datetime) -> None:
        """Keep the EVSE for a contract. Raises EvseUnavailable where it is taken or out of order."""

    def cancel(self, evse_key: str, direct_id: str) -> None:
        """Drop the reservation of this session, if it is still there."""

    def start(self, evse_key: str, direct_id: str, limits: Limits) -> tuple[str, ...]:
        """Let the driver plug in and charge. Returns the names of limits that could not be applied.

        Raises EvseUnavailable where the EVSE went out of order.
        """

    def limit(self, evse_key: str, direct_id: str, limits: Limits) -> tuple[str, ...]:
        """Apply new limits to the running charge. Returns the names of limits that could not be applied."""

    def stop(self, evse_key: str, direct_id: str) -> None:
        """End the charge; the driver may unplug. Stopping what does not run is no error."""

    def adopt(self, evse_key: str, direct_id: str) -> bool:
        """Let the session be that of the charge begun with a card; its later events name it. Repeating is no error.

        False where the EVSE has no such charge, or it belongs to another session.
        """

    def reading(self, evse_key: str) -> Reading | None:
        """The newest measurement of the EVSE's meter; None where the operator has no such EVSE."""


# -- The store --------------------------------------------------------------------------------------------------


class Partners(Protocol):
    """Partners, their credentials and their IDs."""

    def add(self, partner: Partner, actor: str) -> None:
        """Create the partner. Raises Conflict where its name or one of its IDs is taken."""

    def change(self, partner: Partner, actor: str) -> None:
        """Replace the partner of this name. Raises UnknownId, Conflict."""

    def note_import(self, name: str, noun: str, count: int, actor: str) -> None:
        """Note for the audit that the house's own people uploaded records in the name of the partner."""

    def get(self, name: str) -> Partner:
        """The partner of this name. Raises UnknownId."""

    def all(self) -> list[Partner]:
        """Every partner, by name."""

    def by_username(self, username: str) -> list[tuple[Partner, str]]:
        """The partner with this user name and the hash of each of its valid passwords (several while rotating)."""


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A user name with one password of a partner; only the hash is kept."""

    id: int
    partner: str
    username: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class Credentials(Protocol):
    """Passwords of partners."""

    def issue(self, partner: str, username: str, password_hash: str, now: datetime, actor: str) -> Credential:
        """Add a password. Raises Conflict where the user name belongs to another partner."""

    def expire_others(self, keep: Credential, at: datetime, actor: str) -> int:
        """Let every other valid password of the same user name end at `at`; returns how many."""

    def revoke(self, partner: str, now: datetime, actor: str, credential_id: int | None = None) -> int:
        """End one or all passwords of a partner now; returns how many."""

    def of(self, partner: str) -> list[Credential]:
        """All passwords of a partner, oldest first."""


class Connections(Protocol):
    """Roaming connections, one per operator ID, provider ID and kind."""

    def put(self, connection: Connection, actor: str) -> None:
        """Create or replace the connection of these two parties and this kind."""

    def all(self, party_ids: Iterable[str] | None = None) -> list[Connection]:
        """All connections, or those in which one of these parties takes part."""


class Endpoints(Protocol):
    """Endpoint records of both roles; tokens are encrypted at rest."""

    def put(self, endpoints: Sequence[Endpoint]) -> None:
        """Store records; the same partner, role, URL and day is replaced."""

    def replace_day(self, day: date, endpoints: Sequence[Endpoint]) -> None:
        """Make these the only records of the day (a partner's own copy after a download)."""

    def living(self, now: datetime) -> list[Endpoint]:
        """Every record whose time has not ended, with its token."""

    def days(self) -> set[date]:
        """The days of all records kept, ended ones too."""

    def holders(self, token: str) -> set[str]:
        """The partners that ever used this token in a record still kept; nobody else stores records until the end.

        So a token stays unique, also where two partners upload it at once.
        """

    def purge(self, now: datetime) -> int:
        """Delete the records whose time has ended; returns how many."""

    def revision(self) -> int:
        """A number that grows with every change of the records: tells a cache whether it is still good."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """Where the house relays the calls about a direct session: set by its SelectEvse or InformProvider."""

    direct_id: str
    operator: str
    provider: str
    url: str | None = None
    """The operator's endpoint that selected the EVSE; None where the operator began the session."""
    evse_id: str
    contract_id: str
    created_at: datetime
    begun_at: datetime | None = None
    """When the house first heard that it may have begun to charge."""


class Routes(Protocol):
    """The house's memory of relayed sessions."""

    def put(self, route: Route) -> None:
        """Remember, or renew, where a session lives; when it began to charge stays."""

    def find(self, direct_id: str, partner: str) -> Route | None:
        """The newest route of this id in which the partner takes part."""

    def begun(self, direct_id: str, operator: str, provider: str, at: datetime) -> None:
        """Note that a session may have begun to charge, unless that was known before."""


class Sessions(Protocol):
    """Direct sessions of an operator."""

    def open(self, session: Session) -> Session | None:
        """Store a new session; where its EVSE is held by another open one, store nothing and return that one."""

    def open_reserved(self, session: Session, reservation: Reservation) -> tuple[Session | None, bool]:
        """Like `open`, and with a new session keep its EVSE if that is idle; tells whether it is kept.

        The reservation's members are put over the EVSE's document, others stay: the meter goes on counting.
        """

    def get(self, direct_id: str, *, lock: bool = False) -> Session | None:
        """The session, locked against other writers until the transaction ends if asked."""

    def save(self, session: Session) -> None:
        """Replace the session."""

    def open_at(self, evse_key: str, *, lock: bool = False) -> Session | None:
        """The open session that holds this EVSE."""

    def overdue(self, now: datetime, limit: int = 100) -> list[Session]:
        """Open sessions whose deadline has passed, oldest first, locked; ones that others hold are skipped."""

    def recent(self, limit: int = 100) -> list[Session]:
        """The newest sessions."""


class StationEvents(Protocol):
    """The inbox of what stations reported and the operator has not yet acted on."""

    def add(self, events: Sequence[StationEvent]) -> None:
        """Append; numbers are given in this order."""

    def pending(self, limit: int = 100, *, leave: Collection[str] = ()) -> list[StationEvent]:
        """The oldest events not yet done, locked so that one worker acts on them; none of the EVSEs to `leave`."""

    def done(self, number: int) -> None:
        """The event was acted on."""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A message that waits to be told to the provider. `number` orders those of a session."""

    number: int = 0
    direct_id: str
    message: InformProviderMessage
    created_at: datetime
    next_attempt_at: datetime
    attempts: int = 0
    delivered_at: datetime | None = None
    given_up_at: datetime | None = None
    last_error: str | None = None


class Outbox(Protocol):
    """Messages to providers: kept until confirmed, in order within a session."""

    def put(self, parcel: Parcel) -> None:
        """Append; an undelivered `info` of the same session is superseded and removed."""

    def claim(
        self, now: datetime, lease_until: datetime, limit: int = 20, *, leave: Collection[str] = ()
    ) -> list[Parcel]:
        """The next due parcel of each session that has none under way; others leave them alone until the lease ends.

        None is for a contract of the providers (party IDs) to `leave`.
        """

    def delivered(self, number: int, now: datetime) -> None:
        """The partner confirmed."""

    def failed(self, number: int, error: str, next_attempt_at: datetime | None, now: datetime) -> None:
        """Try again at that time, or give up where it is None."""

    def of(self, direct_id: str) -> list[Parcel]:
        """Everything said about a session, in order."""

    def waiting(self) -> int:
        """How many messages are not delivered and not given up."""


@dataclass(frozen=True, kw_only=True)
class Discrepancy:
    """What a provider reported about an EVSE."""

    evse_id: str
    reporter: str
    report: str
    at: datetime


class Discrepancies(Protocol):
    """Reports about EVSEs."""

    def add(self, discrepancy: Discrepancy) -> None:
        """Keep the report."""

    def recent(self, limit: int = 100) -> list[Discrepancy]:
        """The newest first."""


@dataclass(frozen=True, kw_only=True)
class OwnToken:
    """The token that this back end gives its partners for a day; one for all of its endpoints."""

    day: date
    token: str = field(repr=False)
    made_at: datetime
    uploaded_at: datetime | None = None
    fetched_at: datetime | None = None
    """When the partners' tokens of the same day were last downloaded."""


class OwnTokens(Protocol):
    """The tokens of the own back end, by day; encrypted at rest."""

    def get(self, day: date) -> OwnToken | None:
        """The token of the day."""

    def all(self) -> list[OwnToken]:
        """Every token kept, by day."""

    def make(self, token: OwnToken) -> OwnToken:
        """Store a token unless the day already has one; returns the one that holds."""

    def save(self, token: OwnToken) -> None:
        """Replace the token of the day."""

    def purge(self, before: date) -> int:
        """Delete the tokens of days before this one; returns how many."""


class Charges(Protocol):
    """Charges of a provider and their history."""

    def add(self, charge: Charge) -> None:
        """Store a new charge. Raises Conflict where there is one of this id."""

    def get(self, charge_id: str, *, lock: bool = False) -> Charge | None:
        """The charge of this id."""

    def by_direct_id(self, direct_id: str, *, lock: bool = False) -> Charge | None:
        """The newest charge with this direct id."""

    def save(self, charge: Charge) -> None:
        """Replace the charge."""

    def find(
        self, *, contract_id: str | None = None, evse_id: str | None = None, limit: int = 100, before: str | None = None
    ) -> list[Charge]:
        """The newest charges first; `before` continues after the charge of that id."""

    def note(self, charge_id: str, at: datetime, kind: str, detail: Mapping[str, object]) -> ChargeEvent:
        """Append to the history."""

    def history(self, charge_id: str | None = None, after: int = 0, limit: int = 1000) -> list[ChargeEvent]:
        """Events of one charge or of all, after that number, oldest first."""

    def newest_event(self) -> int:
        """The number of the last event, 0 where there is none."""

    def remember(self, direct_id: str, message: str, meter_time: str) -> bool:
        """Whether this message is new: (direct id, message, meter time) is stored once."""


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A bearer key of a JSON API; only its hash is kept."""

    id: int
    name: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    """Keys for the JSON APIs."""

    def issue(self, name: str, key_hash: str, now: datetime, actor: str) -> ApiKey:
        """Add a key."""

    def find(self, key_hash: str) -> ApiKey | None:
        """The key with this hash that is not revoked."""

    def revoke(self, key_id: int, now: datetime, actor: str) -> bool:
        """End a key; False where there is no such key."""

    def all(self) -> list[ApiKey]:
        """Every key, oldest first."""


class SimulatedEvses(Protocol):
    """The memory of the station simulator: one document per EVSE; an EVSE without one is idle and unplugged."""

    def get(self, evse_key: str, *, lock: bool = False) -> dict[str, Any] | None:
        """The EVSE's document; with `lock`, nobody else changes this EVSE until the transaction ends."""

    def put(self, evse_key: str, document: dict[str, Any], *, idle: bool, wakes_at: datetime | None) -> None:
        """Store the document, and when time alone will change it, if ever."""

    def due(self, now: datetime) -> dict[str, dict[str, Any]]:
        """The documents of the EVSEs whose time to wake has come, by key."""

    def documents(self, evse_keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The documents of these EVSEs, those that have one."""

    def busy(self) -> frozenset[str]:
        """The keys of the EVSEs that were stored as not idle."""


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


# -- Serving ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Peer:
    """The partner at the other end of a direct call: the living endpoint records that hold the sender's token."""

    endpoints: tuple[Endpoint, ...]

    @property
    def name(self) -> str:
        """The partner's name or party ID, for logs."""
        return self.endpoints[0].partner


Caller = Partner | Peer


class Handler(Protocol):
    """Serves one operation."""

    def __call__(self, request: Any, caller: Caller, version: Version) -> Any:
        """The answer, an instance of the operation's response class; may raise any ClearinghouseError."""


class Doorkeeper(Protocol):
    """Decides who is calling."""

    def __call__(self, credentials: Login | TokenPair | None, role: Role) -> Caller:
        """The caller; raises NotAuthenticated, with a text that tells an attacker nothing."""


@dataclass(frozen=True)
class HttpRequest:
    """An HTTP request whose body was read completely, into a file if it is long. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | BinaryIO = field(repr=False)
    base_url: str
    """Scheme, host and port as the caller used them."""


@dataclass(frozen=True)
class HttpAnswer:
    """What goes back. `facts` are for logs and metrics: operation, version, caller, outcome.

    A long body comes in pieces that are made while it is sent; whoever sends it closes it, sent or not.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | Generator[bytes] = field(repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)
