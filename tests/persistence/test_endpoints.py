"""Endpoint records and own tokens, and the key ring that keeps their secrets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_3, V1_4_1
from clearinghouse.persistence.errors import WrongKey
from clearinghouse.persistence.keyring import KeyRing, new_key
from clearinghouse.persistence.rotation import reencrypt
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.persistence.tables import metadata
from clearinghouse.services.endpoints_port import OwnToken

DAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "the-token-of-the-day-8d1f"
RECORD = Endpoint(
    partner="Stadtwerke",
    role=Role.OPERATOR,
    url="https://cms.example/ochp",
    version=V1_4_1,
    access_token=SECRET,
    day=DAY,
    whitelist=("DESWBE%",),
    blacklist=("DESWBE0%",),
    uploaded_at=NOON,
)
OWN = OwnToken(day=DAY, token=SECRET + "-own", made_at=NOON)


def test_a_record_comes_back_with_its_token(store: PostgresStore) -> None:
    static = replace(RECORD, url="https://old.example", version=V1_3, valid_until=NOON + timedelta(days=90))
    with store.books() as books:
        books.endpoints.put([RECORD, static])
        assert books.endpoints.living(NOON) == [RECORD, static]


def test_the_same_partner_role_url_and_day_is_replaced(store: PostgresStore) -> None:
    newer = replace(RECORD, access_token="another", whitelist=("DESWXE%",))
    tomorrow = replace(RECORD, day=DAY + timedelta(days=1))
    with store.books() as books:
        books.endpoints.put([RECORD])
        books.endpoints.put([newer, tomorrow])
        assert books.endpoints.living(NOON) == [newer, tomorrow]


def test_a_record_lives_to_the_end_of_the_overlap_and_is_purged_after(store: PostgresStore) -> None:
    end = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    with store.books() as books:
        books.endpoints.put([RECORD])
        assert books.endpoints.living(end) == [RECORD]
        assert books.endpoints.purge(end) == 0
        assert books.endpoints.living(end + timedelta(seconds=1)) == []
        assert books.endpoints.purge(end + timedelta(seconds=1)) == 1


def test_a_day_is_replaced_as_a_whole_and_other_days_stay(store: PostgresStore) -> None:
    yesterday = replace(RECORD, day=DAY - timedelta(days=1), valid_until=NOON)
    other = replace(RECORD, partner="Nachbar")
    with store.books() as books:
        books.endpoints.put([RECORD, yesterday])
        books.endpoints.replace_day(DAY, [other])
        assert books.endpoints.living(NOON) == [other, yesterday]
        books.endpoints.replace_day(DAY, [])
        assert books.endpoints.living(NOON) == [yesterday]
        with pytest.raises(ValueError, match="another day"):
            books.endpoints.replace_day(DAY, [yesterday])


def test_holders_of_a_token_are_found_without_decrypting(store: PostgresStore) -> None:
    with store.books() as books:
        books.endpoints.put([RECORD, replace(RECORD, partner="Nachbar"), replace(RECORD, url="https://b")])
    with store.books() as books:
        assert books.endpoints.holders(SECRET) == {"Stadtwerke", "Nachbar"}
        assert books.endpoints.holders("unknown") == set()


def test_the_revision_grows_with_every_change_and_only_then(store: PostgresStore) -> None:
    seen = []
    with store.books() as books:
        for change in (
            lambda: None,
            lambda: books.endpoints.put([]),
            lambda: books.endpoints.purge(NOON),
            lambda: books.endpoints.put([RECORD]),
            lambda: books.endpoints.replace_day(DAY, [RECORD]),
            lambda: books.endpoints.purge(NOON + timedelta(days=5)),
        ):
            change()
            seen.append(books.endpoints.revision())
    assert seen == [0, 0, 0, 1, 2, 3]


def test_a_change_that_is_rolled_back_does_not_grow_the_revision(store: PostgresStore) -> None:
    def put_and_fail() -> None:
        with store.books() as books:
            books.endpoints.put([RECORD])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        put_and_fail()
    with store.single() as books:
        assert books.endpoints.revision() == 0


def test_the_day_has_one_own_token_however_often_it_is_made(store: PostgresStore) -> None:
    with store.books() as books:
        assert books.own_tokens.get(DAY) is None
        assert books.own_tokens.make(OWN) == OWN
        assert books.own_tokens.make(replace(OWN, token="late")) == OWN
        uploaded = replace(OWN, uploaded_at=NOON, fetched_at=NOON)
        books.own_tokens.save(uploaded)
        tomorrow = replace(OWN, day=DAY + timedelta(days=1))
        books.own_tokens.save(tomorrow)
        assert books.own_tokens.get(DAY) == uploaded
        assert books.own_tokens.all() == [uploaded, tomorrow]
        assert books.own_tokens.purge(tomorrow.day) == 1
        assert books.own_tokens.all() == [tomorrow]


def dump(store: PostgresStore) -> str:
    """Every row of every table as PostgreSQL prints it, bytes also as text."""
    lines = []
    with store._transactions.connect() as connection:
        for table in metadata.tables.values():
            for row in connection.execute(table.select()):
                lines += [repr(bytes(value)) if isinstance(value, bytes) else repr(value) for value in row]
            lines += connection.execute(text(f"SELECT t::text FROM {table.name} t")).scalars()
    return "\n".join(lines)


def test_no_table_holds_a_token_in_clear_text(store: PostgresStore) -> None:
    with store.books() as books:
        books.endpoints.put([RECORD])
        books.own_tokens.make(OWN)
    rows = dump(store)
    assert "https://cms.example/ochp" in rows
    assert SECRET not in rows
    assert SECRET.encode().hex() not in rows


def test_a_foreign_key_ring_opens_nothing_and_says_so(store: PostgresStore, database_url: str) -> None:
    with store.books() as books:
        books.endpoints.put([RECORD])
    stranger = PostgresStore(database_url, KeyRing([new_key()]))
    with pytest.raises(WrongKey, match="cannot be decrypted") as caught, stranger.books() as books:
        books.endpoints.living(NOON)
    assert SECRET not in str(caught.value)
    with stranger.books() as books:
        assert books.endpoints.holders(SECRET) == set()
    stranger.close()


def test_keys_rotate_without_a_gap(database_url: str) -> None:
    old, new = new_key(), new_key()
    rings = {name: KeyRing(keys) for name, keys in {"old": [old], "both": [new, old], "new": [new]}.items()}
    stores = {name: PostgresStore(database_url, ring) for name, ring in rings.items()}
    with stores["old"].books() as books:
        books.endpoints.put([RECORD])
        books.own_tokens.make(OWN)
    with stores["both"].books() as books:
        assert books.endpoints.living(NOON) == [RECORD]
        assert books.endpoints.holders(SECRET) == {"Stadtwerke"}
    assert reencrypt(database_url, rings["both"]) == 2
    assert reencrypt(database_url, rings["both"]) == 0
    with stores["new"].books() as books:
        assert books.endpoints.living(NOON) == [RECORD]
        assert books.endpoints.holders(SECRET) == {"Stadtwerke"}
        assert books.own_tokens.all() == [OWN]
    for each in stores.values():
        each.close()


@pytest.mark.parametrize("keys", [[], ["short"], ["x" * 44]])
def test_a_key_ring_refuses_what_is_no_key_without_repeating_it(keys: list[str]) -> None:
    with pytest.raises(WrongKey) as caught:
        KeyRing(keys)
    assert not any(key in str(caught.value) for key in keys)
