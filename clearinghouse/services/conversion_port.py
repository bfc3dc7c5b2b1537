"""What use cases need of the conversion log: where records for a reader of another version lost something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clearinghouse.ochp.versions import Version


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """What a record for a reader lost: `field` is a path of elements, empty for the whole record.

    `subject` is the record's type in the schema, `name` what its owner calls it.
    """

    partner: str
    version: Version
    subject: str
    name: str
    field: str
    reason: str
    left_out: bool
    """Whether the reader got nothing of the record."""


@dataclass(frozen=True, kw_only=True)
class Conversion(Shortfall):
    """A line of the log: a shortfall, how often it came, and when first and last."""

    times: int
    first_at: datetime
    last_at: datetime


class ConversionLog(Protocol):
    """The shortfalls of all answers; those that come again are counted."""

    def note(self, counted: Mapping[Shortfall, int], now: datetime) -> None:
        """Add these shortfalls, or count them, in one statement."""

    def recent(self, partner: str | None = None, limit: int = 1000) -> list[Conversion]:
        """The lines of one reader or of all, the newest first."""

    def forget(self, before: datetime, most: int) -> int:
        """Delete lines that did not come again since, and of every reader all but the newest `most`; how many."""
