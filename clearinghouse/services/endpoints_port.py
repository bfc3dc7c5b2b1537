"""What use cases need of the store for reaching partners: endpoints, the own tokens, where sessions live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from clearinghouse.domain.endpoints import Endpoint


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
