"""Everything the three roles keep"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    for create in TABLES.values():
        create()
    op.execute("INSERT INTO revision (subject, number) VALUES ('endpoints', 0)")


def downgrade() -> None:
    """Drop every table, and with them everything that is kept."""
    for name in reversed(TABLES):
        op.drop_table(name)


def _api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("api_key_pk")),
        sa.UniqueConstraint("key_hash", name=op.f("api_key_key_hash_unique")),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("change", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("audit_pk")),
    )
    op.create_index("audit_subject_name", "audit", ["subject", "name"], unique=False)


def _charge() -> None:
    op.create_table(
        "charge",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("contract_key", sa.Text(), nullable=False),
        sa.Column("direct_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'selected', 'starting', 'charging', 'ended', 'released', 'finished', 'failed')",
            name=op.f("charge_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("charge_pk")),
    )
    op.create_index("charge_contract_key", "charge", ["contract_key", "created_at", "id"], unique=False)
    op.create_index("charge_direct_id", "charge", ["direct_id", "created_at"], unique=False)
    op.create_index("charge_evse_key", "charge", ["evse_key", "created_at", "id"], unique=False)
    op.create_index("charge_newest", "charge", ["created_at", "id"], unique=False)


def _charge_message() -> None:
    op.create_table(
        "charge_message",
        sa.Column("direct_id", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("meter_time", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("direct_id", "message", "meter_time", name=op.f("charge_message_pk")),
    )


def _connection() -> None:
    op.create_table(
        "connection",
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_operator", sa.Boolean(), nullable=False),
        sa.Column("approved_by_provider", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('auth', 'cdr', 'tariff', 'poi', 'status', 'direct')", name=op.f("connection_kind_known")
        ),
        sa.CheckConstraint("operator_id ~ '^[A-Z]{2}[A-Z0-9]{3}$'", name=op.f("connection_operator_id_form")),
        sa.CheckConstraint("provider_id ~ '^[A-Z]{2}[A-Z0-9]{3}$'", name=op.f("connection_provider_id_form")),
        sa.CheckConstraint("valid_from < valid_until", name=op.f("connection_period_forwards")),
        sa.PrimaryKeyConstraint("operator_id", "provider_id", "kind", name=op.f("connection_pk")),
    )
    op.create_index("connection_provider_id", "connection", ["provider_id"], unique=False)


def _discrepancy() -> None:
    op.create_table(
        "discrepancy",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("reporter", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("discrepancy_pk")),
    )


def _endpoint() -> None:
    op.create_table(
        "endpoint",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("token_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("token_fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("whitelist", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("blacklist", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role IN ('operator', 'provider')", name=op.f("endpoint_role_known")),
        sa.CheckConstraint("version IN ('1.3', '1.4', '1.4.1')", name=op.f("endpoint_version_known")),
        sa.CheckConstraint("cardinality(whitelist) > 0", name=op.f("endpoint_whitelist_given")),
        sa.PrimaryKeyConstraint("partner", "role", "url", "day", name=op.f("endpoint_pk")),
    )
    op.create_index("endpoint_day", "endpoint", ["day"], unique=False)
    op.create_index("endpoint_ends_at", "endpoint", ["ends_at"], unique=False)
    op.create_index("endpoint_token_fingerprint", "endpoint", ["token_fingerprint"], unique=False)


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("direct_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('start', 'change', 'info', 'end', 'finish')", name=op.f("outbox_kind_known")),
        sa.CheckConstraint("attempts >= 0", name=op.f("outbox_attempts_counted")),
        sa.CheckConstraint("delivered_at IS NULL OR given_up_at IS NULL", name=op.f("outbox_one_end")),
        sa.CheckConstraint(
            "lease_until IS NULL OR (delivered_at IS NULL AND given_up_at IS NULL)",
            name=op.f("outbox_lease_while_waiting"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("outbox_pk")),
    )
    op.create_index(
        "outbox_due",
        "outbox",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL AND given_up_at IS NULL"),
    )
    op.create_index("outbox_order", "outbox", ["direct_id", "number"], unique=False)
    op.create_index(
        "outbox_waiting",
        "outbox",
        ["direct_id", "number"],
        unique=False,
        postgresql_where=sa.text("delivered_at IS NULL AND given_up_at IS NULL"),
    )


def _own_token() -> None:
    op.create_table(
        "own_token",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("token_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("own_token_pk")),
    )


def _partner() -> None:
    op.create_table(
        "partner",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("meter_unit", sa.Text(), nullable=False),
        sa.CheckConstraint("meter_unit IN ('kWh', 'Wh')", name=op.f("partner_meter_unit_known")),
        sa.CheckConstraint("name <> ''", name=op.f("partner_name_given")),
        sa.PrimaryKeyConstraint("name", name=op.f("partner_pk")),
    )


def _revision() -> None:
    op.create_table(
        "revision",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("revision_pk")),
    )


def _route() -> None:
    op.create_table(
        "route",
        sa.Column("direct_id", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("direct_id", "operator", "provider", name=op.f("route_pk")),
    )


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("direct_id", sa.Text(), nullable=False),
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("selected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "state IN ('selected', 'starting', 'charging', 'ended', 'closed', 'expired')",
            name=op.f("session_state_known"),
        ),
        sa.PrimaryKeyConstraint("direct_id", name=op.f("session_pk")),
    )
    op.create_index(
        "session_deadline",
        "session",
        ["deadline"],
        unique=False,
        postgresql_where=sa.text("state IN ('charging', 'ended', 'selected', 'starting')"),
    )
    op.create_index(
        "session_open_at_evse",
        "session",
        ["evse_key"],
        unique=True,
        postgresql_where=sa.text("state IN ('charging', 'ended', 'selected', 'starting')"),
    )
    op.create_index("session_selected_at", "session", ["selected_at"], unique=False)


def _simulated_evse() -> None:
    op.create_table(
        "simulated_evse",
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("idle", sa.Boolean(), nullable=False),
        sa.Column("wakes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("idle OR document IS NOT NULL", name=op.f("simulated_evse_busy_with_document")),
        sa.PrimaryKeyConstraint("evse_key", name=op.f("simulated_evse_pk")),
    )
    op.create_index(
        "simulated_evse_wakes_at",
        "simulated_evse",
        ["wakes_at"],
        unique=False,
        postgresql_where=sa.text("wakes_at IS NOT NULL"),
    )


def _station_event() -> None:
    op.create_table(
        "station_event",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("kind IN ('charging', 'metered', 'stopped', 'card')", name=op.f("station_event_kind_known")),
        sa.PrimaryKeyConstraint("number", name=op.f("station_event_pk")),
    )
    op.create_index("station_event_evse_key", "station_event", ["evse_key", "number"], unique=False)


def _charge_event() -> None:
    op.create_table(
        "charge_event",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("charge_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["charge_id"], ["charge.id"], name=op.f("charge_event_charge_id_fk")),
        sa.PrimaryKeyConstraint("number", name=op.f("charge_event_pk")),
    )
    op.create_index("charge_event_charge_id", "charge_event", ["charge_id", "number"], unique=False)


def _login() -> None:
    op.create_table(
        "login",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.CheckConstraint("username <> ''", name=op.f("login_username_given")),
        sa.ForeignKeyConstraint(["partner"], ["partner.name"], name=op.f("login_partner_fk")),
        sa.PrimaryKeyConstraint("username", name=op.f("login_pk")),
        sa.UniqueConstraint("username", "partner", name=op.f("login_username_partner_unique")),
    )


def _party() -> None:
    op.create_table(
        "party",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.CheckConstraint("id ~ '^[A-Z]{2}[A-Z0-9]{3}$'", name=op.f("party_id_form")),
        sa.CheckConstraint("role IN ('operator', 'provider')", name=op.f("party_role_known")),
        sa.ForeignKeyConstraint(["partner"], ["partner.name"], name=op.f("party_partner_fk")),
        sa.PrimaryKeyConstraint("id", "role", name=op.f("party_pk")),
    )
    op.create_index("party_partner", "party", ["partner"], unique=False)


def _credential() -> None:
    op.create_table(
        "credential",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["username", "partner"], ["login.username", "login.partner"], name=op.f("credential_username_partner_fk")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("credential_pk")),
    )
    op.create_index("credential_partner", "credential", ["partner"], unique=False)
    op.create_index(
        "credential_username", "credential", ["username"], unique=False, postgresql_where=sa.text("revoked_at IS NULL")
    )


TABLES = {
    "api_key": _api_key,
    "audit": _audit,
    "charge": _charge,
    "charge_message": _charge_message,
    "connection": _connection,
    "discrepancy": _discrepancy,
    "endpoint": _endpoint,
    "outbox": _outbox,
    "own_token": _own_token,
    "partner": _partner,
    "revision": _revision,
    "route": _route,
    "session": _session,
    "simulated_evse": _simulated_evse,
    "station_event": _station_event,
    "charge_event": _charge_event,
    "login": _login,
    "party": _party,
    "credential": _credential,
}
"""In an order in which each finds those that it refers to."""
