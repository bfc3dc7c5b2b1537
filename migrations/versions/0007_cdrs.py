"""Charge data: CDRs, their amounts and history"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables of charge data."""
    op.create_table(
        "cdr",
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("cdr_id", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("direct_id", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "status IN ('accepted', 'revised', 'declined', 'approved', 'rejected')", name=op.f("cdr_status_known")
        ),
        sa.CheckConstraint("version IN ('1.3', '1.4', '1.4.1')", name=op.f("cdr_version_known")),
        sa.CheckConstraint("revision >= 0", name=op.f("cdr_revision_counted")),
        sa.PrimaryKeyConstraint("evse_key", "cdr_id", name=op.f("cdr_pk")),
    )
    op.create_index("cdr_at_evse", "cdr", ["evse_key", "started_at"], unique=False)
    op.create_index("cdr_cdr_id", "cdr", ["cdr_id"], unique=False)
    op.create_index(
        "cdr_direct_id", "cdr", ["direct_id"], unique=False, postgresql_where=sa.text("direct_id IS NOT NULL")
    )
    op.create_index("cdr_newest", "cdr", ["ended_at"], unique=False)
    op.create_index("cdr_of_operator", "cdr", ["operator_id", "status", "changed_at"], unique=False)
    op.create_index("cdr_queue", "cdr", ["provider_id", "status", "changed_at"], unique=False)
    op.create_index("cdr_settled", "cdr", ["month"], unique=False, postgresql_where=sa.text("status = 'approved'"))
    op.create_index("cdr_with_token", "cdr", ["token", "started_at"], unique=False)
    op.create_table(
        "cdr_shown",
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("cdr_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("evse_key", "cdr_id", name=op.f("cdr_shown_pk")),
    )
    op.create_table(
        "cdr_strictness",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.CheckConstraint("(operator_id = '*') = (provider_id = '*')", name=op.f("cdr_strictness_pair_or_everybody")),
        sa.CheckConstraint("severity IN ('refuse', 'flag', 'note', 'off')", name=op.f("cdr_strictness_severity_known")),
        sa.PrimaryKeyConstraint("code", "operator_id", "provider_id", name=op.f("cdr_strictness_pk")),
    )
    op.create_table(
        "cdr_amount",
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("cdr_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evse_key", "cdr_id"], ["cdr.evse_key", "cdr.cdr_id"], name=op.f("cdr_amount_evse_key_cdr_id_fk")
        ),
        sa.PrimaryKeyConstraint("evse_key", "cdr_id", "currency", name=op.f("cdr_amount_pk")),
    )
    op.create_table(
        "cdr_history",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("evse_key", sa.Text(), nullable=False),
        sa.Column("cdr_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("sent", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "after IN ('accepted', 'revised', 'declined', 'approved', 'rejected')", name=op.f("cdr_history_after_known")
        ),
        sa.CheckConstraint(
            "before IN ('accepted', 'revised', 'declined', 'approved', 'rejected')",
            name=op.f("cdr_history_before_known"),
        ),
        sa.CheckConstraint(
            "move IN ('submit', 'resubmit', 'revise', 'give up', 'approve', 'decline', 'uphold', 'dismiss')",
            name=op.f("cdr_history_move_known"),
        ),
        sa.CheckConstraint("version IN ('1.3', '1.4', '1.4.1')", name=op.f("cdr_history_version_known")),
        sa.ForeignKeyConstraint(
            ["evse_key", "cdr_id"], ["cdr.evse_key", "cdr.cdr_id"], name=op.f("cdr_history_evse_key_cdr_id_fk")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("cdr_history_pk")),
    )
    op.create_index("cdr_history_of_cdr", "cdr_history", ["evse_key", "cdr_id", "number"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("cdr_history")
    op.drop_table("cdr_amount")
    op.drop_table("cdr_strictness")
    op.drop_table("cdr_shown")
    op.drop_table("cdr")
