"""The table of tariffs, all versions of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from clearinghouse.persistence.tables import metadata

tariff = Table(
    "tariff",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False),
    Column("operator_id", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True)),
    Column("change", BigInteger, nullable=False),
    Index("tariff_current", "key", unique=True, postgresql_where=text("valid_until IS NULL")),
    Index("tariff_key", "key", "valid_from"),
    Index("tariff_operator_id", "operator_id", postgresql_where=text("valid_until IS NULL")),
    Index("tariff_change", "change"),
)
"""`key` is the canonical Tariff-ID; the version in force has no `valid_until`."""
