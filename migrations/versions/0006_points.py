"""Charge points, tariffs and live status"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables of charge points, tariffs and live status."""
    op.create_table(
        "charge_point",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Text(), nullable=False),
        sa.Column("parking_keys", ARRAY(sa.Text()), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("charge_point_pk")),
    )
    op.create_index("charge_point_location", "charge_point", ["operator_id", "location_id"], unique=False)
    op.create_index("charge_point_change", "charge_point", ["change"], unique=False)
    op.create_index("charge_point_parking_keys", "charge_point", ["parking_keys"], unique=False, postgresql_using="gin")
    op.create_table(
        "live_status",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("major", sa.Text(), nullable=False),
        sa.Column("minor", sa.Text(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("subject IN ('evse', 'parking')", name=op.f("live_status_subject_known")),
        sa.CheckConstraint("major IN ('available', 'not-available', 'unknown')", name=op.f("live_status_major_known")),
        sa.CheckConstraint(
            "minor IN ('available', 'reserved', 'charging', 'blocked', 'outoforder')",
            name=op.f("live_status_minor_known"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("live_status_pk")),
    )
    for column in ("owner", "received_at", "until"):
        op.create_index(f"live_status_{column}", "live_status", [column], unique=False)
    op.create_table(
        "tariff",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("operator_id", sa.Text(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("tariff_pk")),
    )
    in_force = sa.text("valid_until IS NULL")
    op.create_index("tariff_current", "tariff", ["key"], unique=True, postgresql_where=in_force)
    op.create_index("tariff_key", "tariff", ["key", "valid_from"], unique=False)
    op.create_index("tariff_operator_id", "tariff", ["operator_id"], unique=False, postgresql_where=in_force)
    op.create_index("tariff_change", "tariff", ["change"], unique=False)


def downgrade() -> None:
    """Forget them."""
    op.drop_table("tariff")
    op.drop_table("live_status")
    op.drop_table("charge_point")
