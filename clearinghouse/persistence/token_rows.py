"""Lines of a roaming list as rows of plain columns, and back."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from sqlalchemy import Column, DateTime, Row, Text
from sqlalchemy.dialects.postgresql import ARRAY

from clearinghouse.domain.roaming_list import token_key
from clearinghouse.ochp.tokens import (
    EmtId,
    Permission,
    Representation,
    RoamingAuthorisationInfo,
    TokenSubType,
    TokenType,
)


def line_columns() -> list[Column[Any]]:
    """What is said of a token, and the key under which all its spellings are equal."""
    return [
        Column("token_type", Text, nullable=False),
        Column("representation", Text, nullable=False),
        Column("token_key", Text, nullable=False),
        Column("instance", Text, nullable=False),
        Column("token_sub_type", Text),
        Column("contract_id", Text, nullable=False),
        Column("permissions", ARRAY(Text), nullable=False),
        Column("printed_number", Text),
        Column("expiry_date", DateTime(timezone=True), nullable=False),
    ]


def row_of(line: RoamingAuthorisationInfo) -> dict[str, Any]:
    """The columns of a line; `token_key` is equal for all spellings of a token."""
    key = token_key(line.emt_id)
    return {
        "token_type": key.token_type.value,
        "representation": key.representation.value,
        "token_key": key.instance,
        "instance": line.emt_id.instance,
        "token_sub_type": None if line.emt_id.token_sub_type is None else line.emt_id.token_sub_type.value,
        "contract_id": line.contract_id,
        "permissions": [each.value for each in line.permissions],
        "printed_number": line.printed_number,
        "expiry_date": line.expiry_date,
    }


def line_of(row: Row[Any]) -> RoamingAuthorisationInfo:
    """The line of a row."""
    return RoamingAuthorisationInfo(
        emt_id=EmtId(
            instance=row.instance,
            token_type=TokenType(row.token_type),
            token_sub_type=None if row.token_sub_type is None else TokenSubType(row.token_sub_type),
            representation=Representation(row.representation),
        ),
        contract_id=row.contract_id,
        permissions=tuple(Permission(each) for each in row.permissions),
        printed_number=row.printed_number,
        expiry_date=row.expiry_date.astimezone(UTC),
    )


def spellings_of(token: EmtId) -> list[tuple[str, str]]:
    """The representations and keys under which a list may have a token."""
    key = token_key(token)
    hashes = [(representation.value, instance) for representation, instance in key.hashes.items()]
    return [(key.representation.value, key.instance), *hashes]
