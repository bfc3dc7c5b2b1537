"""Endpoints: where a partner's back end listens, for which identifiers, with which token, on which day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from clearinghouse.ochp.bridges import end_of_validity
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import Version


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One record of the endpoint exchange: unique per partner, role, URL and day.

    At the house `partner` is the uploader's name; at a partner's own system it is the party ID that the first
    whitelist pattern begins with, since the exchange tells no names. `valid_until` is set only for 0.1 tokens
    that outlive their day (static tokens).
    """

    partner: str
    role: Role
    url: str
    version: Version
    access_token: str = field(repr=False)
    day: date
    whitelist: tuple[str, ...]
    blacklist: tuple[str, ...] = ()
    uploaded_at: datetime
    valid_until: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """The instant after which the record is never used or shown."""
        return self.valid_until or end_of_validity(self.day)
