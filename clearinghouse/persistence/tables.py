"""Every table, one schema for all roles: columns for what is asked for, the rest of a rich value as a document."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from clearinghouse.domain.charges import ChargeState
from clearinghouse.domain.partners import ConnectionKind, MeterUnit
from clearinghouse.domain.sessions import OPEN, State
from clearinghouse.ochp.direct import DirectMessage
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import Version
from clearinghouse.services.stations_port import StationEventKind

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "fk": "%(table_name)s_%(column_0_N_name)s_fk",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)

PARTY_ID = "~ '^[A-Z]{2}[A-Z0-9]{3}$'"


def _quoted(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def one_of(column: str, values: type[StrEnum] | type[Version] | Iterable[str]) -> CheckConstraint:
    """The column holds a member of an enumeration."""
    names = [each if isinstance(each, str) else each.value for each in values]
    return CheckConstraint(f"{column} IN ({_quoted(names)})", name=f"{column}_known")


def _number() -> Column[int]:
    return Column("number", BigInteger, Identity(always=True), primary_key=True)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _instant(name: str, *, optional: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=optional)


def _document() -> Column[object]:
    return Column("document", JSONB, nullable=False)


# Who

partner = Table(
    "partner",
    metadata,
    Column("name", Text, primary_key=True),
    Column("enabled", Boolean, nullable=False),
    _words("meter_unit"),
    CheckConstraint("name <> ''", name="name_given"),
    one_of("meter_unit", MeterUnit),
)

party = Table(
    "party",
    metadata,
    _words("id"),
    _words("role"),
    Column("partner", Text, ForeignKey(partner.c.name), nullable=False),
    PrimaryKeyConstraint("id", "role"),
    CheckConstraint(f"id {PARTY_ID}", name="id_form"),
    one_of("role", (Role.OPERATOR, Role.PROVIDER)),
    Index("party_partner", "partner"),
)

login = Table(
    "login",
    metadata,
    Column("username", Text, primary_key=True),
    Column("partner", Text, ForeignKey(partner.c.name), nullable=False),
    CheckConstraint("username <> ''", name="username_given"),
    UniqueConstraint("username", "partner"),
)
"""A user name belongs to one partner for good."""

credential = Table(
    "credential",
    metadata,
    _id(),
    _words("partner"),
    _words("username"),
    _words("password_hash"),
    _instant("created_at"),
    _instant("expires_at", optional=True),
    _instant("revoked_at", optional=True),
    ForeignKeyConstraint(["username", "partner"], [login.c.username, login.c.partner]),
    Index("credential_username", "username", postgresql_where=text("revoked_at IS NULL")),
    Index("credential_partner", "partner"),
)

change_number = Sequence("change_number", metadata=metadata)

change = Table(
    "change",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _instant("at"),
    Index("change_at", "at"),
)

connection = Table(
    "connection",
    metadata,
    _words("operator_id"),
    _words("provider_id"),
    _words("kind"),
    _instant("valid_from", optional=True),
    _instant("valid_until", optional=True),
    Column("approved_by_operator", Boolean, nullable=False),
    Column("approved_by_provider", Boolean, nullable=False),
    PrimaryKeyConstraint("operator_id", "provider_id", "kind"),
    CheckConstraint(f"operator_id {PARTY_ID}", name="operator_id_form"),
    CheckConstraint(f"provider_id {PARTY_ID}", name="provider_id_form"),
    CheckConstraint("valid_from < valid_until", name="period_forwards"),
    one_of("kind", ConnectionKind),
    Index("connection_provider_id", "provider_id"),
)

connection_period = Table(
    "connection_period",
    metadata,
    _number(),
    _words("operator_id"),
    _words("provider_id"),
    _words("kind"),
    _instant("valid_from", optional=True),
    _instant("valid_until", optional=True),
    Column("begun", BigInteger, nullable=False),
    Column("ended", BigInteger),
    ForeignKeyConstraint(
        ["operator_id", "provider_id", "kind"], ["connection.operator_id", "connection.provider_id", "connection.kind"]
    ),
    Index(
        "connection_period_current",
        "operator_id",
        "provider_id",
        "kind",
        unique=True,
        postgresql_where=text("ended IS NULL"),
    ),
    Index("connection_period_operator_id", "operator_id", "kind"),
    Index("connection_period_provider_id", "provider_id", "kind"),
)
"""What both sides approved: the period that they agreed on, and between which changes it was so."""

audit = Table(
    "audit",
    metadata,
    _number(),
    _instant("at"),
    _words("actor"),
    _words("subject"),
    _words("name"),
    Column("change", JSONB, nullable=False),
    Index("audit_subject_name", "subject", "name"),
)
"""Who changed what: `subject` is the kind of object, `name` which one, `change` what it became."""

api_key = Table(
    "api_key",
    metadata,
    _id(),
    _words("name"),
    Column("key_hash", Text, nullable=False, unique=True),
    _instant("created_at"),
    _instant("revoked_at", optional=True),
)

# Where they listen

endpoint = Table(
    "endpoint",
    metadata,
    _words("partner"),
    _words("role"),
    _words("url"),
    Column("day", Date, nullable=False),
    _words("version"),
    Column("token_cipher", LargeBinary, nullable=False),
    Column("token_fingerprint", LargeBinary, nullable=False),
    Column("whitelist", ARRAY(Text), nullable=False),
    Column("blacklist", ARRAY(Text), nullable=False),
    _instant("uploaded_at"),
    _instant("valid_until", optional=True),
    _instant("ends_at"),
    PrimaryKeyConstraint("partner", "role", "url", "day"),
    CheckConstraint("cardinality(whitelist) > 0", name="whitelist_given"),
    one_of("role", (Role.OPERATOR, Role.PROVIDER)),
    one_of("version", Version),
    Index("endpoint_token_fingerprint", "token_fingerprint"),
    Index("endpoint_ends_at", "ends_at"),
    Index("endpoint_day", "day"),
)

revision = Table(
    "revision",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""Counters that tell caches whether they are still good; the migrations make the rows."""

own_token = Table(
    "own_token",
    metadata,
    Column("day", Date, primary_key=True),
    Column("token_cipher", LargeBinary, nullable=False),
    _instant("made_at"),
    _instant("uploaded_at", optional=True),
    _instant("fetched_at", optional=True),
)

route = Table(
    "route",
    metadata,
    _words("direct_id"),
    _words("operator"),
    _words("provider"),
    Column("url", Text),
    _words("evse_id"),
    _words("contract_id"),
    _instant("created_at"),
    _instant("begun_at", optional=True),
    PrimaryKeyConstraint("direct_id", "operator", "provider"),
    Index("route_begun_at", "begun_at"),
    Index("route_unused", "created_at", postgresql_where=text("begun_at IS NULL")),
)

# What happens at an operator

IS_OPEN = f"state IN ({_quoted(sorted(OPEN))})"

session = Table(
    "session",
    metadata,
    Column("direct_id", Text, primary_key=True),
    _words("evse_key"),
    _words("state"),
    _instant("deadline", optional=True),
    _instant("selected_at"),
    _document(),
    one_of("state", State),
    Index("session_open_at_evse", "evse_key", unique=True, postgresql_where=text(IS_OPEN)),
    Index("session_deadline", "deadline", postgresql_where=text(IS_OPEN)),
    Index("session_selected_at", "selected_at"),
)

station_event = Table(
    "station_event",
    metadata,
    _number(),
    _words("evse_key"),
    _words("kind"),
    _document(),
    one_of("kind", StationEventKind),
    Index("station_event_evse_key", "evse_key", "number"),
)

IS_WAITING = "delivered_at IS NULL AND given_up_at IS NULL"
IS_DONE = "delivered_at IS NOT NULL OR given_up_at IS NOT NULL"

outbox = Table(
    "outbox",
    metadata,
    _number(),
    _words("direct_id"),
    _words("kind"),
    _document(),
    _instant("created_at"),
    _instant("next_attempt_at"),
    Column("attempts", Integer, nullable=False),
    _instant("lease_until", optional=True),
    _instant("delivered_at", optional=True),
    _instant("given_up_at", optional=True),
    Column("last_error", Text),
    one_of("kind", DirectMessage),
    CheckConstraint("attempts >= 0", name="attempts_counted"),
    CheckConstraint("delivered_at IS NULL OR given_up_at IS NULL", name="one_end"),
    CheckConstraint(f"lease_until IS NULL OR ({IS_WAITING})", name="lease_while_waiting"),
    Index("outbox_order", "direct_id", "number"),
    Index("outbox_waiting", "direct_id", "number", postgresql_where=text(IS_WAITING)),
    Index("outbox_due", "next_attempt_at", postgresql_where=text(IS_WAITING)),
    Index("outbox_done", "created_at", postgresql_where=text(IS_DONE)),
)

discrepancy = Table(
    "discrepancy",
    metadata,
    _number(),
    _words("evse_id"),
    _words("reporter"),
    _words("report"),
    _instant("at"),
)

simulated_evse = Table(
    "simulated_evse",
    metadata,
    Column("evse_key", Text, primary_key=True),
    Column("idle", Boolean, nullable=False),
    _instant("wakes_at", optional=True),
    Column("document", JSONB(none_as_null=True)),
    CheckConstraint("idle OR document IS NOT NULL", name="busy_with_document"),
    Index("simulated_evse_wakes_at", "wakes_at", postgresql_where=text("wakes_at IS NOT NULL")),
)
"""A row without a document is an EVSE that somebody locked before anything happened there."""

# What happens at a provider

charge = Table(
    "charge",
    metadata,
    Column("id", Text, primary_key=True),
    _words("evse_key"),
    _words("contract_key"),
    Column("direct_id", Text),
    _words("state"),
    _instant("created_at"),
    _document(),
    one_of("state", ChargeState),
    Index("charge_newest", "created_at", "id"),
    Index("charge_contract_key", "contract_key", "created_at", "id"),
    Index("charge_evse_key", "evse_key", "created_at", "id"),
    Index("charge_direct_id", "direct_id", "created_at"),
)

charge_event = Table(
    "charge_event",
    metadata,
    _number(),
    Column("charge_id", Text, ForeignKey(charge.c.id), nullable=False),
    _instant("at"),
    _words("kind"),
    Column("detail", JSONB, nullable=False),
    Index("charge_event_charge_id", "charge_id", "number"),
)

charge_message = Table(
    "charge_message",
    metadata,
    _words("direct_id"),
    _words("message"),
    _words("meter_time"),
    PrimaryKeyConstraint("direct_id", "message", "meter_time"),
)
"""What an operator told already: each (direct id, message, meter time) once."""
