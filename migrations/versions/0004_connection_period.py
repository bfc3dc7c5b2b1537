"""The history of roaming connections"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Keep which periods both sides approved, beginning with those that hold now."""
    op.create_table(
        "connection_period",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id", "provider_id", "kind"],
            ["connection.operator_id", "connection.provider_id", "connection.kind"],
            name=op.f("connection_period_operator_id_provider_id_kind_fk"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("connection_period_pk")),
    )
    op.create_index("connection_period_operator_id", "connection_period", ["operator_id", "kind"], unique=False)
    op.create_index("connection_period_provider_id", "connection_period", ["provider_id", "kind"], unique=False)
    op.create_index(
        "connection_period_current",
        "connection_period",
        ["operator_id", "provider_id", "kind"],
        unique=True,
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.execute(
        "INSERT INTO connection_period (operator_id, provider_id, kind, valid_from, valid_until, begun) "
        "SELECT operator_id, provider_id, kind, valid_from, valid_until, change FROM connection "
        "WHERE approved_by_operator AND approved_by_provider"
    )
    op.drop_column("connection", "change")


def downgrade() -> None:
    """Forget the history."""
    op.add_column("connection", sa.Column("change", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("connection", "change", server_default=None)
    op.drop_table("connection_period")
