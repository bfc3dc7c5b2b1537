"""The tables of an operator's part in OCHP: what it uploaded, its copy of the roaming list, its CDRs."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from clearinghouse.domain.own_cdrs import OwnCdrState
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp.live import MajorStatus, MinorStatus
from clearinghouse.ochp.tokens import Representation, TokenType
from clearinghouse.persistence.tables import metadata, one_of
from clearinghouse.persistence.token_rows import line_columns

upload = Table(
    "upload",
    metadata,
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("refusal", Text),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("kind", "key"),
)

told_status = Table(
    "told_status",
    metadata,
    Column("evse_id", Text, primary_key=True),
    Column("major", Text, nullable=False),
    Column("minor", Text),
    Column("ttl", DateTime(timezone=True)),
    one_of("major", MajorStatus),
    one_of("minor", MinorStatus),
)

journal = Table(
    "journal",
    metadata,
    Column("chore", Text, primary_key=True),
    Column("succeeded_at", DateTime(timezone=True)),
    Column("tried_at", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False),
    Column("error", Text),
    one_of("chore", Chore),
    CheckConstraint("failures >= 0", name="failures_counted"),
)

local_token = Table(
    "local_token",
    metadata,
    *line_columns(),
    Column("provider", Text, nullable=False),
    PrimaryKeyConstraint("token_type", "representation", "token_key", "provider"),
    one_of("token_type", TokenType),
    one_of("representation", Representation),
    Index("local_token_expiry_date", "expiry_date"),
)
"""A token may be claimed by several providers; each has one line for it."""

own_cdr_number = Sequence("own_cdr_number", metadata=metadata)

own_cdr = Table(
    "own_cdr",
    metadata,
    Column("number", BigInteger, Identity(always=True), primary_key=True),
    Column("cdr_id", Text, nullable=False, unique=True),
    Column("direct_id", Text, unique=True),
    Column("state", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    one_of("state", OwnCdrState),
    Index("own_cdr_queue", "number", postgresql_where=text("state = 'queued'")),
    Index("own_cdr_state", "state", "number"),
)
