"""Rotation of the key ring: every stored secret under the newest key."""

from __future__ import annotations

from sqlalchemy import Column, Connection, NullPool, Table, select, update

from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.keyring import KeyRing
from clearinghouse.persistence.tables import endpoint, own_token


def reencrypt(url: str, keyring: KeyRing) -> int:
    """Re-encrypt what an older key of the ring encrypted; returns how many secrets. Then the old keys may go."""
    with make_engine(url, poolclass=NullPool).begin() as connection:
        return sum(_reencrypt(connection, table, keyring) for table in (endpoint, own_token))


def _reencrypt(connection: Connection, table: Table, keyring: KeyRing) -> int:
    keys: list[Column[object]] = list(table.primary_key)
    rows = connection.execute(select(*keys, table.c.token_cipher).with_for_update()).all()
    old = [row for row in rows if not keyring.is_newest(row.token_cipher)]
    for row in old:
        secret = keyring.decrypt(row.token_cipher)
        values: dict[str, object] = {"token_cipher": keyring.encrypt(secret)}
        if "token_fingerprint" in table.c:
            values["token_fingerprint"] = keyring.fingerprint(secret)
        statement = update(table).where(*(key == getattr(row, key.name) for key in keys))
        connection.execute(statement.values(values))
    return len(old)
