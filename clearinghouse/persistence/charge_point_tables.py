"""The table of charge points."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from clearinghouse.persistence.tables import metadata

charge_point = Table(
    "charge_point",
    metadata,
    Column("key", Text, primary_key=True),
    Column("operator_id", Text, nullable=False),
    Column("location_id", Text, nullable=False),
    Column("parking_keys", ARRAY(Text), nullable=False),
    Column("document", JSONB, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index("charge_point_location", "operator_id", "location_id"),
    Index("charge_point_change", "change"),
    Index("charge_point_gone", "change", postgresql_where=text("gone")),
    Index("charge_point_parking_keys", "parking_keys", postgresql_using="gin"),
)
"""`key` is the canonical EVSE-ID; `created` the number of the change that brought it, `change` that of the last.

A row that is `gone` stays for long, so that every reader is told once.
"""
