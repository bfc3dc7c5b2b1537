"""The tables of a provider's part in OCHP: CDRs it received, its token list, what it downloaded."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from clearinghouse.domain.received_cdrs import CdrStage
from clearinghouse.ochp.tokens import Representation, TokenSubType, TokenType
from clearinghouse.persistence.tables import metadata, one_of
from clearinghouse.persistence.token_rows import line_columns

received_cdr = Table(
    "received_cdr",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("evse_key", Text, nullable=False),
    Column("cdr_id", Text, nullable=False),
    Column("operator_id", Text, nullable=False),
    Column("direct_id", Text),
    Column("stage", Text, nullable=False),
    Column("start_at", DateTime(timezone=True), nullable=False),
    Column("end_at", DateTime(timezone=True), nullable=False),
    Column("document", JSONB, nullable=False),
    one_of("stage", CdrStage),
    UniqueConstraint("evse_key", "cdr_id"),
    Index("received_cdr_id", "cdr_id"),
    Index("received_cdr_session", "direct_id"),
    Index("received_cdr_time", "evse_key", "start_at"),
    Index("received_cdr_queue", "number", postgresql_where=text("stage IN ('approving', 'declining')")),
    Index("received_cdr_stage", "stage", "number"),
)

provider_token = Table(
    "provider_token",
    metadata,
    *line_columns(),
    Column("uploaded", Boolean, nullable=False),
    Column("refusal", Text),
    PrimaryKeyConstraint("token_type", "representation", "token_key"),
    one_of("token_type", TokenType),
    one_of("token_sub_type", TokenSubType),
    one_of("representation", Representation),
    Index("provider_token_changed", "token_key", postgresql_where=text("NOT uploaded")),
)
"""The provider's own tokens; those that changed since they were uploaded are not `uploaded`."""

known_point = Table(
    "known_point",
    metadata,
    Column("evse_key", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
)

known_tariff = Table(
    "known_tariff",
    metadata,
    Column("tariff_key", Text, nullable=False),
    Column("valid_from", DateTime(timezone=True), nullable=False),
    Column("valid_until", DateTime(timezone=True)),
    Column("document", JSONB, nullable=False),
    PrimaryKeyConstraint("tariff_key", "valid_from"),
)

known_status = Table(
    "known_status",
    metadata,
    Column("evse_key", Text, primary_key=True),
    Column("ttl", DateTime(timezone=True)),
    Column("document", JSONB, nullable=False),
)
