"""Partners, their credentials and connections, and the trail of who changed them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from clearinghouse.domain.errors import Conflict, Malformed, UnknownId
from clearinghouse.domain.partners import Connection, ConnectionKind, MeterUnit, Partner
from clearinghouse.persistence.keyring import KeyRing
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.persistence.tables import audit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CPO = Partner(name="Stadtwerke", operator_ids=frozenset({"DESWB", "DESWX"}))
EMP = Partner(name="Fahrstrom", provider_ids=frozenset({"DEFAS"}), meter_unit=MeterUnit.WH)


def test_a_partner_comes_back_as_it_was_added(store: PostgresStore) -> None:
    with store.books() as books:
        books.partners.add(CPO, "ada")
        books.partners.add(EMP, "ada")
    with store.books() as books:
        assert books.partners.get("Stadtwerke") == CPO
        assert books.partners.all() == [EMP, CPO]


def test_a_changed_partner_loses_the_ids_it_gave_up(store: PostgresStore) -> None:
    smaller = replace(CPO, operator_ids=frozenset({"DESWB"}), enabled=False)
    with store.books() as books:
        books.partners.add(CPO, "ada")
        books.partners.change(smaller, "ada")
        books.partners.add(replace(EMP, operator_ids=frozenset({"DESWX"})), "ada")
        assert books.partners.get("Stadtwerke") == smaller


def test_one_id_may_serve_in_both_roles_of_different_partners(store: PostgresStore) -> None:
    with store.books() as books:
        books.partners.add(CPO, "ada")
        books.partners.add(replace(EMP, provider_ids=frozenset({"DESWB"})), "ada")
        assert len(books.partners.all()) == 2


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (replace(EMP, name="Stadtwerke"), "a partner named 'Stadtwerke' exists already"),
        (replace(CPO, name="Other"), "the operator ID 'DESWB' is another partner's"),
    ],
)
def test_a_taken_name_or_id_is_a_conflict_and_changes_nothing(store: PostgresStore, second: Partner, what: str) -> None:
    with store.books() as books:
        books.partners.add(CPO, "ada")
    with pytest.raises(Conflict, match=what), store.books() as books:
        books.partners.add(second, "ada")
    with store.books() as books:
        assert books.partners.all() == [CPO]


def test_a_partner_that_is_not_there_is_unknown(store: PostgresStore) -> None:
    with store.books() as books:
        with pytest.raises(UnknownId, match="'Nobody'"):
            books.partners.get("Nobody")
        with pytest.raises(UnknownId, match="'Fahrstrom'"):
            books.partners.change(EMP, "ada")


def test_a_malformed_party_id_is_refused_in_words(store: PostgresStore) -> None:
    with pytest.raises(Malformed, match="party_id_form"), store.books() as books:
        books.partners.add(replace(CPO, operator_ids=frozenset({"de*swb"})), "ada")


def test_both_passwords_hold_while_rotating_and_the_old_one_ends(database_url: str, keyring: KeyRing) -> None:
    now = [NOW]
    store = PostgresStore(database_url, keyring, clock=lambda: now[0])
    with store.books() as books:
        books.partners.add(CPO, "ada")
        books.credentials.issue("Stadtwerke", "swb", "hash-1", NOW, "ada")
        second = books.credentials.issue("Stadtwerke", "swb", "hash-2", NOW, "ada")
        assert books.credentials.expire_others(second, NOW + timedelta(days=7), "ada") == 1
        assert books.credentials.expire_others(second, NOW + timedelta(days=9), "ada") == 1
    with store.single() as books:
        assert books.partners.by_username("swb") == [(CPO, "hash-2"), (CPO, "hash-1")]
    now[0] += timedelta(days=7)
    with store.single() as books:
        assert books.partners.by_username("swb") == [(CPO, "hash-2")]
    store.close()


def test_revoked_passwords_end_at_once_and_stay_listed(store: PostgresStore) -> None:
    with store.books() as books:
        books.partners.add(CPO, "ada")
        first = books.credentials.issue("Stadtwerke", "swb", "hash-1", NOW, "ada")
        books.credentials.issue("Stadtwerke", "swb", "hash-2", NOW, "ada")
        assert books.credentials.revoke("Stadtwerke", NOW, "ada", first.id) == 1
        assert [each for _, each in books.partners.by_username("swb")] == ["hash-2"]
        assert books.credentials.revoke("Stadtwerke", NOW, "ada") == 1
        assert books.partners.by_username("swb") == []
        assert [each.revoked_at for each in books.credentials.of("Stadtwerke")] == [NOW, NOW]
        assert books.credentials.of("Stadtwerke")[0] == replace(first, revoked_at=NOW)


def test_a_user_name_stays_with_its_partner(store: PostgresStore) -> None:
    with store.books() as books:
        books.partners.add(CPO, "ada")
        books.partners.add(EMP, "ada")
        books.credentials.issue("Stadtwerke", "shared", "hash-1", NOW, "ada")
        books.credentials.revoke("Stadtwerke", NOW, "ada")
        with pytest.raises(Conflict, match="'shared' belongs to another partner"):
            books.credentials.issue("Fahrstrom", "shared", "hash-2", NOW, "ada")
        with pytest.raises(UnknownId, match="'Nobody'"):
            books.credentials.issue("Nobody", "free", "hash-3", NOW, "ada")


def test_a_connection_is_one_per_pair_and_kind(store: PostgresStore) -> None:
    asked = Connection(operator_id="DESWB", provider_id="DEFAS", kind=ConnectionKind.DIRECT, approved_by_operator=True)
    agreed = replace(asked, approved_by_provider=True, valid_from=NOW, valid_until=NOW + timedelta(days=1))
    other = replace(asked, kind=ConnectionKind.CDR)
    foreign = replace(asked, operator_id="FRABC", provider_id="FRXYZ")
    with store.books() as books:
        for each in (asked, agreed, other, foreign):
            books.connections.put(each, "ada")
        assert books.connections.all() == [other, agreed, foreign]
        assert books.connections.all({"DEFAS"}) == [other, agreed]
        assert books.connections.all({"DESWB", "FRXYZ"}) == [other, agreed, foreign]
        assert books.connections.all([]) == []


def test_a_connection_that_ends_before_it_begins_is_refused(store: PostgresStore) -> None:
    backwards = Connection(
        operator_id="DESWB", provider_id="DEFAS", kind=ConnectionKind.CDR, valid_from=NOW, valid_until=NOW
    )
    with pytest.raises(Malformed, match="connection_period_forwards"), store.books() as books:
        books.connections.put(backwards, "ada")


def test_every_administrative_change_names_its_actor_and_no_password(store: PostgresStore) -> None:
    with store.books() as books:
        books.partners.add(CPO, "ada")
        books.partners.change(replace(CPO, enabled=False), "bob")
        kept = books.credentials.issue("Stadtwerke", "swb", "hash-1", NOW, "carl")
        books.credentials.issue("Stadtwerke", "swb", "hash-2", NOW, "carl")
        books.credentials.expire_others(kept, NOW + timedelta(days=9000), "dora")
        books.credentials.revoke("Stadtwerke", NOW, "emil", kept.id)
        books.connections.put(Connection(operator_id="DESWB", provider_id="DEFAS", kind=ConnectionKind.CDR), "fritz")
    with store._transactions.connect() as connection:
        trail = connection.execute(select(audit).order_by(audit.c.number)).all()
    assert [(row.actor, row.subject, row.name) for row in trail] == [
        ("ada", "partner", "Stadtwerke"),
        ("bob", "partner", "Stadtwerke"),
        ("carl", "credential", "swb"),
        ("carl", "credential", "swb"),
        ("dora", "credential", "swb"),
        ("emil", "credential", "swb"),
        ("fritz", "connection", "DESWB DEFAS cdr"),
    ]
    assert trail[1].change["changed"]["enabled"] is False
    assert "hash-" not in str(trail)


def test_a_failed_change_leaves_no_trail(store: PostgresStore) -> None:
    def add_one_and_fail() -> None:
        with store.books() as books:
            books.partners.add(CPO, "ada")
            books.partners.change(EMP, "ada")

    with pytest.raises(UnknownId):
        add_one_and_fail()
    with store._transactions.connect() as connection:
        assert connection.execute(select(audit)).all() == []
