"""The table of the conversion log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, Index, PrimaryKeyConstraint, Table, Text

from clearinghouse.ochp.versions import Version
from clearinghouse.persistence.tables import metadata, one_of

conversion = Table(
    "conversion",
    metadata,
    *(Column(name, Text, nullable=False) for name in ("partner", "version", "subject", "name", "field", "reason")),
    Column("left_out", Boolean, nullable=False),
    Column("times", BigInteger, nullable=False),
    Column("first_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("partner", "version", "subject", "name", "field", "reason", "left_out"),
    one_of("version", Version),
    CheckConstraint("times > 0", name="times_counted"),
    Index("conversion_newest", "partner", "last_at"),
    Index("conversion_last_at", "last_at"),
)
