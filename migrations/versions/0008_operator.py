"""What an operator uploads, downloads and bills"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the tables of an operator's part in OCHP."""
    _uploads()
    _roaming_list()
    _cdrs()


def _uploads() -> None:
    op.create_table(
        "upload",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("upload_pk")),
    )
    op.create_table(
        "told_status",
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("major", sa.Text(), nullable=False),
        sa.Column("minor", sa.Text(), nullable=True),
        sa.Column("ttl", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("major IN ('available', 'not-available', 'unknown')", name=op.f("told_status_major_known")),
        sa.CheckConstraint(
            "minor IN ('available', 'reserved', 'charging', 'blocked', 'outoforder')",
            name=op.f("told_status_minor_known"),
        ),
        sa.PrimaryKeyConstraint("evse_id", name=op.f("told_status_pk")),
    )
    op.create_table(
        "journal",
        sa.Column("chore", sa.Text(), nullable=False),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "chore IN ('upload all charge points', 'upload changed charge points', 'upload tariffs', "
            "'upload live status', 'download the roaming list', 'download changes of the roaming list', "
            "'upload CDRs', 'ask for declined CDRs')",
            name=op.f("journal_chore_known"),
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("journal_failures_counted")),
        sa.PrimaryKeyConstraint("chore", name=op.f("journal_pk")),
    )


def _roaming_list() -> None:
    op.create_table(
        "local_token",
        sa.Column("token_type", sa.Text(), nullable=False),
        sa.Column("representation", sa.Text(), nullable=False),
        sa.Column("token_key", sa.Text(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("token_sub_type", sa.Text(), nullable=True),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("permissions", ARRAY(sa.Text()), nullable=False),
        sa.Column("printed_number", sa.Text(), nullable=True),
        sa.Column("expiry_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "token_type IN ('rfid', 'remote', '15118', 'other')", name=op.f("local_token_token_type_known")
        ),
        sa.CheckConstraint(
            "representation IN ('plain', 'sha-160', 'sha-256')", name=op.f("local_token_representation_known")
        ),
        sa.PrimaryKeyConstraint("token_type", "representation", "token_key", "provider", name=op.f("local_token_pk")),
    )
    op.create_index("local_token_expiry_date", "local_token", ["expiry_date"], unique=False)


def _cdrs() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("own_cdr_number")))
    op.create_table(
        "own_cdr",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cdr_id", sa.Text(), nullable=False),
        sa.Column("direct_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'implausible', 'declined', 'approved', 'rejected')",
            name=op.f("own_cdr_state_known"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("own_cdr_pk")),
        sa.UniqueConstraint("cdr_id", name=op.f("own_cdr_cdr_id_unique")),
        sa.UniqueConstraint("direct_id", name=op.f("own_cdr_direct_id_unique")),
    )
    queued = sa.text("state = 'queued'")
    op.create_index("own_cdr_queue", "own_cdr", ["number"], unique=False, postgresql_where=queued)
    op.create_index("own_cdr_state", "own_cdr", ["state", "number"], unique=False)


def downgrade() -> None:
    """Drop the tables of an operator's part in OCHP."""
    for table in ("own_cdr", "local_token", "journal", "told_status", "upload"):
        op.drop_table(table)
    op.execute(sa.schema.DropSequence(sa.Sequence("own_cdr_number")))
