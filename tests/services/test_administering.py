"""What the hub's people do: refusals that say what is wrong, and an audit trail that says who did what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from clearinghouse.domain.api_keys import key_hash
from clearinghouse.domain.errors import ClearinghouseError, Conflict, Malformed, UnknownId
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.ochp.operations import Role
from clearinghouse.persistence.tables import audit
from clearinghouse.services.administration import Administration
from tests.services.world import DIRECT, NOON, hash_password

ALL = tuple(ConnectionKind)


@pytest.fixture
def store(make_store):
    return make_store()


@pytest.fixture
def hub(store, clock):
    """The administration, with an operator and a provider."""
    made = Administration(store, clock, "eve", hash_password)
    made.add_partner("ops", ["DE*OPS"], [])
    made.add_partner("pro", [], ["de-pro"])
    return made


def trail(store):
    with store._transactions.connect() as connection:
        return list(connection.execute(select(audit).order_by(audit.c.number)))


REFUSED = [
    (lambda hub: hub.add_partner("Ops Ltd", ["DEABC"], []), Malformed, "'Ops Ltd'"),
    (lambda hub: hub.add_partner("new", [], []), Malformed, "at least one operator ID or provider ID"),
    (lambda hub: hub.add_partner("new", ["DEABCD"], []), Malformed, "'DEABCD'"),
    (lambda hub: hub.add_partner("new", ["1EABC"], []), Malformed, "'1EABC'"),
    (lambda hub: hub.add_partner("ops", ["DEABC"], []), Conflict, "'ops'"),
    (lambda hub: hub.add_partner("new", ["DEOPS"], []), Conflict, "'DEOPS'"),
    (lambda hub: hub.change_partner("pro", operator_ids=["DEOPS"]), Conflict, "'DEOPS'"),
    (lambda hub: hub.change_partner("nobody"), UnknownId, "'nobody'"),
    (lambda hub: hub.issue_credential("nobody"), UnknownId, "'nobody'"),
    (lambda hub: hub.issue_credential("pro", "with blank"), Malformed, "'with blank'"),
    (lambda hub: hub.issue_credential("pro", ""), Malformed, "''"),
    (lambda hub: hub.issue_credential("pro", "ops-user"), Conflict, "'ops-user'"),
    (lambda hub: hub.issue_credential("pro", overlap=timedelta(hours=-1)), Malformed, "negative"),
    (lambda hub: hub.revoke_credentials("nobody"), UnknownId, "'nobody'"),
    (lambda hub: hub.revoke_credentials("pro", 4711), UnknownId, "4711"),
    (lambda hub: hub.credentials("nobody"), UnknownId, "'nobody'"),
    (lambda hub: hub.request_connection("DEXXX", "DEPRO", DIRECT), UnknownId, "DEXXX"),
    (lambda hub: hub.request_connection("DEPRO", "DEPRO", DIRECT), UnknownId, "operator ID DEPRO"),
    (lambda hub: hub.request_connection("DEOPS", "DEXXX", DIRECT), UnknownId, "provider ID DEXXX"),
    (lambda hub: hub.request_connection("DEOPS", "DEPRO", ()), Malformed, "at least one kind"),
    (lambda hub: hub.request_connection("DEOPS", "nonsense", DIRECT), Malformed, "'NONSENSE'"),
    (lambda hub: hub.request_connection("DEOPS", "DEPRO", DIRECT, NOON, NOON), Malformed, "before it begins"),
    (lambda hub: hub.approve_connection("DEOPS", "DEPRO", Role.OPERATOR, True), UnknownId, "no connection"),
    (lambda hub: hub.approve_connection("DEOPS", "DEPRO", Role.HOUSE, True), Malformed, "operator or provider"),
    (lambda hub: hub.end_connection("DEOPS", "DEPRO"), UnknownId, "no connection"),
    (lambda hub: hub.issue_key("  "), Malformed, "name"),
    (lambda hub: hub.revoke_key(4711), UnknownId, "4711"),
]


@pytest.mark.parametrize(("attempt", "error", "said"), REFUSED)
def test_every_refusal_is_one_sentence_that_names_what_is_wrong(hub, store, attempt, error, said):
    hub.issue_credential("ops", "ops-user")
    before = len(trail(store))
    with pytest.raises(error) as caught:
        attempt(hub)
    text = str(caught.value)
    assert said in text and "\n" not in text and 10 < len(text) < 200
    assert "DETAIL" not in text and "psycopg" not in text
    assert isinstance(caught.value, ClearinghouseError)
    assert len(trail(store)) == before, "nothing happened, and nothing is said to have happened"


def test_ids_are_kept_without_separators_in_upper_case(hub):
    assert [sorted(each.operator_ids | each.provider_ids) for each in hub.partners()] == [["DEOPS"], ["DEPRO"]]
    assert hub.request_connection("de*ops", "DE-PRO", DIRECT)[0].operator_id == "DEOPS"


def test_every_change_is_in_the_trail_with_who_and_what(hub, store):
    hub.change_partner("ops", enabled=False)
    credential, password = hub.issue_credential("pro")
    hub.issue_credential("pro", overlap=timedelta(hours=1))
    hub.revoke_credentials("pro", credential.id)
    hub.request_connection("DEOPS", "DEPRO", DIRECT)
    hub.approve_connection("DEOPS", "DEPRO", Role.OPERATOR, True)
    hub.end_connection("DEOPS", "DEPRO")
    key, secret = hub.issue_key("app")
    hub.revoke_key(key.id)
    rows = trail(store)
    assert {each.actor for each in rows} == {"eve"} and {each.at for each in rows} == {NOON}
    assert [(each.subject, each.name, *each.change) for each in rows] == [
        ("partner", "ops", "added"),
        ("partner", "pro", "added"),
        ("partner", "ops", "changed"),
        ("credential", "pro", "issued", "partner"),
        ("credential", "pro", "issued", "partner"),
        ("credential", "pro", "kept", "others_end"),
        ("credential", "pro", "partner", "revoked"),
        ("connection", "DEOPS DEPRO direct", "put"),
        ("connection", "DEOPS DEPRO direct", "put"),
        ("connection", "DEOPS DEPRO direct", "put"),
        ("api-key", "app", "issued"),
        ("api-key", "app", "revoked"),
    ]
    assert rows[2].change["changed"]["enabled"] is False
    told = str([each.change for each in rows])
    assert not any(secret in told for secret in (password, hash_password(password), secret, key_hash(secret)))


def test_both_sides_have_to_approve(hub):
    hub.request_connection("DEOPS", "DEPRO", DIRECT)
    assert not hub.connections()[0].is_active(NOON)
    hub.approve_connection("DEOPS", "DEPRO", Role.OPERATOR, True)
    assert not hub.connections()[0].is_active(NOON)
    hub.approve_connection("DEOPS", "DEPRO", Role.PROVIDER, True)
    assert hub.connections()[0].is_active(NOON)


def test_asking_for_a_connection_again_takes_no_approval_away(hub):
    for _ in range(2):
        hub.request_connection("DEOPS", "DEPRO", ALL)
        for side in (Role.OPERATOR, Role.PROVIDER):
            hub.approve_connection("DEOPS", "DEPRO", side, True)
        again = hub.request_connection("DEOPS", "DEPRO", DIRECT)
        assert again[0].is_active(NOON)
    longer = hub.request_connection("DEOPS", "DEPRO", DIRECT, valid_until=NOON + timedelta(days=1))
    assert not longer[0].is_active(NOON), "a new period has to be approved anew"
    assert sum(each.is_active(NOON) for each in hub.connections()) == len(ALL) - 1


def test_an_ended_connection_is_not_active_any_more(hub, clock):
    hub.request_connection("DEOPS", "DEPRO", ALL)
    for side in (Role.OPERATOR, Role.PROVIDER):
        hub.approve_connection("DEOPS", "DEPRO", side, True)
    hub.end_connection("DEOPS", "DEPRO", NOON + timedelta(hours=1))
    assert all(each.is_active(NOON) for each in hub.connections())
    assert not any(each.is_active(NOON + timedelta(hours=1)) for each in hub.connections())


def test_a_key_is_shown_once_and_found_by_its_hash(hub, store):
    key, secret = hub.issue_key("app")
    keys = hub.keys()
    assert [each.name for each in keys] == ["app"] and secret not in repr(keys)
    with store.single() as books:
        assert books.api_keys.find(key_hash(secret)) == key
    hub.revoke_key(key.id)
    with store.single() as books:
        assert books.api_keys.find(key_hash(secret)) is None
    with pytest.raises(UnknownId):
        hub.revoke_key(key.id)
