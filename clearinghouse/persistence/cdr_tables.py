"""The tables of charge data."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from clearinghouse.domain.cdr_life import STATES, Move
from clearinghouse.domain.plausibility import Severity
from clearinghouse.ochp.versions import Version
from clearinghouse.persistence.tables import metadata, one_of

EVERYBODY = "*"
"""Stands for every party in a severity that holds for the whole house."""


def _words(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


def _instants(*names: str) -> list[Column[object]]:
    return [Column(name, DateTime(timezone=True), nullable=False) for name in names]


KNOWN = [state for state in STATES if state is not None]

cdr = Table(
    "cdr",
    metadata,
    *_words("evse_key", "cdr_id", "operator_id", "provider_id", "token", "status", "version", "month"),
    Column("revision", Integer, nullable=False),
    Column("direct_id", Text),
    *_instants("started_at", "ended_at", "uploaded_at", "changed_at"),
    Column("flags", ARRAY(Text), nullable=False),
    Column("findings", JSONB, nullable=False),
    Column("document", JSONB, nullable=False),
    PrimaryKeyConstraint("evse_key", "cdr_id"),
    one_of("status", KNOWN),
    one_of("version", Version),
    CheckConstraint("revision >= 0", name="revision_counted"),
    Index("cdr_queue", "provider_id", "status", "changed_at"),
    Index("cdr_of_operator", "operator_id", "status", "changed_at"),
    Index("cdr_at_evse", "evse_key", "started_at"),
    Index("cdr_with_token", "token", "started_at"),
    Index("cdr_cdr_id", "cdr_id"),
    Index("cdr_direct_id", "direct_id", postgresql_where=text("direct_id IS NOT NULL")),
    Index("cdr_settled", "month", postgresql_where=text("status = 'approved'")),
    Index("cdr_newest", "ended_at"),
)
"""`month` is that of the charge's end by the clock on the wall; `document` the CDR as its operator sent it last."""

cdr_amount = Table(
    "cdr_amount",
    metadata,
    *_words("evse_key", "cdr_id", "currency"),
    Column("amount", Numeric, nullable=False),
    PrimaryKeyConstraint("evse_key", "cdr_id", "currency"),
    ForeignKeyConstraint(["evse_key", "cdr_id"], [cdr.c.evse_key, cdr.c.cdr_id]),
)
"""What is owed for a CDR, rounded: one row, but for CDRs of 1.3 in several currencies."""

cdr_shown = Table(
    "cdr_shown",
    metadata,
    *_words("evse_key", "cdr_id"),
    Column("revision", Integer, nullable=False),
    PrimaryKeyConstraint("evse_key", "cdr_id"),
)
"""The newest revision that the provider has downloaded; apart from the CDR, so that downloads block no uploads."""

cdr_history = Table(
    "cdr_history",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    *_words("evse_key", "cdr_id"),
    *_instants("at"),
    *_words("actor", "move"),
    Column("before", Text),
    *_words("after"),
    Column("revision", Integer, nullable=False),
    Column("why", Text),
    Column("version", Text),
    Column("sent", JSONB(none_as_null=True)),
    ForeignKeyConstraint(["evse_key", "cdr_id"], [cdr.c.evse_key, cdr.c.cdr_id]),
    one_of("move", Move),
    one_of("before", KNOWN),
    one_of("after", KNOWN),
    one_of("version", Version),
    Index("cdr_history_of_cdr", "evse_key", "cdr_id", "number"),
)
"""What happened to each CDR; `sent` is the CDR as the operator sent it with this change, if it did."""

cdr_strictness = Table(
    "cdr_strictness",
    metadata,
    *_words("code", "operator_id", "provider_id", "severity"),
    PrimaryKeyConstraint("code", "operator_id", "provider_id"),
    one_of("severity", Severity),
    CheckConstraint(
        f"(operator_id = '{EVERYBODY}') = (provider_id = '{EVERYBODY}')",
        name="pair_or_everybody",
    ),
)
"""Severities of plausibility checks that differ from those of the program."""
