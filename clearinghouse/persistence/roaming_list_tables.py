"""The tables of the roaming list: plain columns, because there are millions of rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY

from clearinghouse.ochp.tokens import Representation, TokenSubType, TokenType
from clearinghouse.persistence.tables import PARTY_ID, metadata, one_of

KEY = ("instance_key", "token_type", "representation", "provider_id")
ENUMERATIONS = (TokenType, Representation, TokenSubType)
WORDS: dict[str | None, Any] = {None: None, **{each.value: each for kind in ENUMERATIONS for each in kind}}
"""What the texts in columns mean."""
TEXTS: dict[object, str | None] = {each: text for text, each in WORDS.items()}


def token_columns() -> list[Column[Any]]:
    """What is said of a token, and its hashes where it is not hashed itself."""
    return [
        *(Column(name, Text(collation="C"), nullable=False) for name in KEY),
        Column("sha_160", Text(collation="C")),
        Column("sha_256", Text(collation="C")),
        Column("instance", Text, nullable=False),
        Column("token_sub_type", Text),
        Column("contract_id", Text, nullable=False),
        Column("permissions", ARRAY(Text), nullable=False),
        Column("printed_number", Text),
        Column("expiry_date", DateTime(timezone=True), nullable=False),
    ]


roaming_authorisation = Table(
    "roaming_authorisation",
    metadata,
    *token_columns(),
    Column("change", BigInteger, nullable=False),
    Column("first_change", BigInteger, nullable=False),
    PrimaryKeyConstraint(*KEY),
    CheckConstraint(f"provider_id {PARTY_ID}", name="provider_id_form"),
    one_of("token_type", [each for each in TokenType if each is not TokenType.REMOTE]),
    one_of("representation", Representation),
    one_of("token_sub_type", TokenSubType),
    Index("roaming_authorisation_provider_id", "provider_id"),
    Index("roaming_authorisation_change", "change"),
    Index("roaming_authorisation_sha_160", "sha_160", postgresql_using="hash"),
    Index("roaming_authorisation_sha_256", "sha_256", postgresql_using="hash"),
)
"""The key begins with the instance, so that it serves single look-ups, too."""

live_authorisation = Table(
    "live_authorisation",
    metadata,
    Column("live_auth_id", Text, primary_key=True),
    *(
        Column(name, Text, nullable=False)
        for name in ("partner", "evse_id", "contract_id", "token_type", "representation", "instance")
    ),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("live_authorisation_at", "at"),
)
