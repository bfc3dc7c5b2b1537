"""Relayed sessions: when they may have begun to charge"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the time; of the sessions so far nothing is known, so that each may have charged."""
    op.add_column("route", sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE route SET begun_at = created_at")
    op.create_index("route_begun_at", "route", ["begun_at"])


def downgrade() -> None:
    """Forget it."""
    op.drop_index("route_begun_at", table_name="route")
    op.drop_column("route", "begun_at")
