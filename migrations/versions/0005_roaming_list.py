"""The roaming list"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables of tokens, and of live requests about them."""
    op.create_table(
        "roaming_authorisation",
        sa.Column("instance_key", sa.Text(collation="C"), nullable=False),
        sa.Column("token_type", sa.Text(collation="C"), nullable=False),
        sa.Column("representation", sa.Text(collation="C"), nullable=False),
        sa.Column("provider_id", sa.Text(collation="C"), nullable=False),
        sa.Column("sha_160", sa.Text(collation="C"), nullable=True),
        sa.Column("sha_256", sa.Text(collation="C"), nullable=True),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("token_sub_type", sa.Text(), nullable=True),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("printed_number", sa.Text(), nullable=True),
        sa.Column("expiry_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("first_change", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "provider_id ~ '^[A-Z]{2}[A-Z0-9]{3}$'", name=op.f("roaming_authorisation_provider_id_form")
        ),
        sa.CheckConstraint(
            "token_type IN ('rfid', '15118', 'other')", name=op.f("roaming_authorisation_token_type_known")
        ),
        sa.CheckConstraint(
            "representation IN ('plain', 'sha-160', 'sha-256')",
            name=op.f("roaming_authorisation_representation_known"),
        ),
        sa.CheckConstraint(
            "token_sub_type IN ('mifareCls', 'mifareDes', 'calypso')",
            name=op.f("roaming_authorisation_token_sub_type_known"),
        ),
        sa.PrimaryKeyConstraint(
            "instance_key", "token_type", "representation", "provider_id", name=op.f("roaming_authorisation_pk")
        ),
    )
    for name in ("provider_id", "change"):
        op.create_index(f"roaming_authorisation_{name}", "roaming_authorisation", [name], unique=False)
    for name in ("sha_160", "sha_256"):
        op.create_index(
            f"roaming_authorisation_{name}", "roaming_authorisation", [name], unique=False, postgresql_using="hash"
        )
    op.create_table(
        "live_authorisation",
        sa.Column("live_auth_id", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("evse_id", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("token_type", sa.Text(), nullable=False),
        sa.Column("representation", sa.Text(), nullable=False),
        sa.Column("instance", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("live_auth_id", name=op.f("live_authorisation_pk")),
    )
    op.create_index("live_authorisation_at", "live_authorisation", ["at"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("live_authorisation")
    op.drop_table("roaming_authorisation")
