"""The conversion log"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the log of what could not be said to readers of another version."""
    key = ("partner", "version", "subject", "name", "field", "reason")
    op.create_table(
        "conversion",
        *(sa.Column(name, sa.Text(), nullable=False) for name in key),
        sa.Column("left_out", sa.Boolean(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version IN ('1.3', '1.4', '1.4.1')", name=op.f("conversion_version_known")),
        sa.CheckConstraint("times > 0", name=op.f("conversion_times_counted")),
        sa.PrimaryKeyConstraint(*key, "left_out", name=op.f("conversion_pk")),
    )
    op.create_index("conversion_newest", "conversion", ["partner", "last_at"], unique=False)
    op.create_index("conversion_last_at", "conversion", ["last_at"], unique=False)


def downgrade() -> None:
    """Drop the log."""
    op.drop_table("conversion")
