"""The table of live status."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Table, Text

from clearinghouse.domain.live_status import Subject
from clearinghouse.ochp.live import MajorStatus, MinorStatus
from clearinghouse.persistence.tables import metadata, one_of

live_status = Table(
    "live_status",
    metadata,
    Column("key", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("major", Text, nullable=False),
    Column("minor", Text),
    Column("until", DateTime(timezone=True)),
    Column("first_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    one_of("subject", Subject),
    one_of("major", MajorStatus),
    one_of("minor", MinorStatus),
    Index("live_status_owner", "owner"),
    Index("live_status_received_at", "received_at"),
    Index("live_status_until", "until"),
)
"""`key` is the canonical EVSE-ID or Parking-ID; `first_at` is when the first word on it was received."""
