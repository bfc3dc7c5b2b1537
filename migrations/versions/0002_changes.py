"""The times of changes, for exact deltas"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of changes; connections that exist changed before anything else."""
    op.execute(sa.schema.CreateSequence(sa.Sequence("change_number")))
    op.create_table(
        "change",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("change_pk")),
    )
    op.create_index("change_at", "change", ["at"], unique=False)
    op.execute("INSERT INTO change (number, at) VALUES (0, 'epoch')")
    op.add_column("connection", sa.Column("change", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("connection", "change", server_default=None)


def downgrade() -> None:
    """Forget when things changed."""
    op.drop_column("connection", "change")
    op.drop_table("change")
    op.execute(sa.schema.DropSequence(sa.Sequence("change_number")))
