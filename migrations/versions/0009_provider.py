"""What a provider receives, uploads and downloads"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0009"
down_revision = "0008"

CHORES = (
    "upload all charge points",
    "upload changed charge points",
    "upload tariffs",
    "upload live status",
    "download the roaming list",
    "download changes of the roaming list",
    "upload CDRs",
    "ask for declined CDRs",
)
PROVIDER_CHORES = (
    "upload the roaming list",
    "upload changed tokens",
    "download charge points",
    "download changed charge points",
    "download tariffs",
    "download changed tariffs",
    "download live status",
    "download CDRs",
    "confirm CDRs",
)


def upgrade() -> None:
    """Create the tables of a provider's part in OCHP."""
    _know_chores((*CHORES, *PROVIDER_CHORES))
    _received_cdrs()
    _tokens()
    _downloads()


def _know_chores(chores: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("journal_chore_known"), "journal")
    names = ", ".join(f"'{each}'" for each in chores)
    op.create_check_constraint(op.f("journal_chore_known"), "journal", f"chore IN ({names})")


def _received_cdrs() -> None:
    op.create_table(
        "received_cdr",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("cdr_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("direct_id", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.CheckConstraint(
            "stage IN ('waiting', 'approving', 'declining', 'approved', 'declined', 'refused')",
            name=op.f("received_cdr_stage_known"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("received_cdr_pk")),
        sa.UniqueConstraint("evse_key", "cdr_id", name=op.f("received_cdr_evse_key_cdr_id_unique")),
    )
    queued = sa.text("stage IN ('approving', 'declining')")
    op.create_index("received_cdr_id", "received_cdr", ["cdr_id"], unique=False)
    op.create_index("received_cdr_session", "received_cdr", ["direct_id"], unique=False)
    op.create_index("received_cdr_time", "received_cdr", ["evse_key", "start_at"], unique=False)
    op.create_index("received_cdr_queue", "received_cdr", ["number"], unique=False, postgresql_where=queued)
    op.create_index("received_cdr_stage", "received_cdr", ["stage", "number"], unique=False)


def _tokens() -> None:
    op.create_table(
        "provider_token",
        sa.Column("token_type", sa.Text(), nullable=False),
        sa.Column("representation", sa.Text(), nullable=False),
        sa.Column("token_key", sa.Text(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("token_sub_type", sa.Text(), nullable=True),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("permissions", ARRAY(sa.Text()), nullable=False),
        sa.Column("printed_number", sa.Text(), nullable=True),
        sa.Column("expiry_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded", sa.Boolean(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "token_type IN ('rfid', 'remote', '15118', 'other')", name=op.f("provider_token_token_type_known")
        ),
        sa.CheckConstraint(
            "token_sub_type IN ('mifareCls', 'mifareDes', 'calypso')",
            name=op.f("provider_token_token_sub_type_known"),
        ),
        sa.CheckConstraint(
            "representation IN ('plain', 'sha-160', 'sha-256')", name=op.f("provider_token_representation_known")
        ),
        sa.PrimaryKeyConstraint("token_type", "representation", "token_key", name=op.f("provider_token_pk")),
    )
    changed = sa.text("NOT uploaded")
    op.create_index("provider_token_changed", "provider_token", ["token_key"], unique=False, postgresql_where=changed)


def _downloads() -> None:
    op.create_table(
        "known_point",
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("evse_key", name=op.f("known_point_pk")),
    )
    op.create_table(
        "known_tariff",
        sa.Column("tariff_key", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tariff_key", "valid_from", name=op.f("known_tariff_pk")),
    )
    op.create_table(
        "known_status",
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("ttl", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("evse_key", name=op.f("known_status_pk")),
    )


def downgrade() -> None:
    """Drop the tables of a provider's part in OCHP."""
    for table in ("known_status", "known_tariff", "known_point", "provider_token", "received_cdr"):
        op.drop_table(table)
    op.execute(sa.text("DELETE FROM journal WHERE chore = ANY(:chores)").bindparams(chores=list(PROVIDER_CHORES)))
    _know_chores(CHORES)
