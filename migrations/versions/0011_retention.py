"""Indexes by which rows that nobody needs any more are found"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

INDEXES = (
    ("route_unused", "route", "created_at", "begun_at IS NULL"),
    ("outbox_done", "outbox", "created_at", "delivered_at IS NOT NULL OR given_up_at IS NOT NULL"),
    ("charge_point_gone", "charge_point", "change", "gone"),
)


def upgrade() -> None:
    """Make them."""
    for name, table, column, condition in INDEXES:
        op.create_index(name, table, [column], postgresql_where=sa.text(condition))


def downgrade() -> None:
    """Drop them."""
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
