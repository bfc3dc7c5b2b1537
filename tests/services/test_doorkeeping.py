"""Who is let in: partners of the house by password, back ends by the day's tokens, and both at the relay."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import NotAuthenticated
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import GetServiceEndpointsRequest
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_3, V1_4
from clearinghouse.services.calls_port import Login, TokenPair
from clearinghouse.services.directory import LOOK_AGAIN, Directory
from clearinghouse.services.doorkeepers import DirectDoorkeeper, HouseDoorkeeper
from clearinghouse.services.endpoints_port import OwnToken
from tests.services.world import HOUSE_URL, World, hash_password, verify

DAY = datetime(2027, 3, 10, tzinfo=UTC)
MIDNIGHT = DAY + timedelta(days=1)
DAYS = (DAY, MIDNIGHT)


def record(role, partner, day, token=None, **stated):
    letter = "E" if role is Role.OPERATOR else "C"
    return Endpoint(
        partner=partner,
        role=role,
        url=f"https://{partner.lower()}.example/direct",
        version=V1_4,
        access_token=token or f"{partner} {day:%d}",
        day=day.date(),
        whitelist=(f"{partner}{letter}%",),
        uploaded_at=DAY,
        **stated,
    )


@pytest.fixture
def operators_store(make_store):
    """An operator that knows one provider; tokens of two days."""
    store = make_store()
    with store.books() as books:
        for day in DAYS:
            books.own_tokens.make(OwnToken(day=day.date(), token=f"own {day:%d}", made_at=DAY))
            books.endpoints.put([record(Role.PROVIDER, "DEPRO", day)])
    return store


@pytest.fixture
def door(operators_store, clock):
    return DirectDoorkeeper(Directory(operators_store, clock), clock)


def comes_in(door, receiver, sender, role=Role.OPERATOR):
    try:
        return door(TokenPair(receiver, sender), role).name
    except NotAuthenticated:
        return None


@pytest.mark.parametrize(
    ("at", "today", "tomorrow"),
    [
        (timedelta(hours=-12), True, False),
        (timedelta(minutes=-10, seconds=-1), True, False),
        (timedelta(minutes=-10), True, True),
        (timedelta(0), True, True),
        (timedelta(minutes=30), True, True),
        (timedelta(minutes=30, seconds=1), False, True),
    ],
)
def test_each_days_pair_is_good_in_its_window_alone(door, clock, at, today, tomorrow):
    clock.turn(MIDNIGHT + at)
    assert (comes_in(door, "own 10", "DEPRO 10") == "DEPRO") is today
    assert (comes_in(door, "own 11", "DEPRO 11") == "DEPRO") is tomorrow


def test_days_do_not_mix_even_where_both_are_valid(door, clock):
    clock.turn(MIDNIGHT)
    assert comes_in(door, "own 10", "DEPRO 10")
    assert not comes_in(door, "own 10", "DEPRO 11")
    assert not comes_in(door, "own 11", "DEPRO 10")


@pytest.mark.parametrize(
    ("receiver", "sender"),
    [("own 10", "never seen"), ("never seen", "DEPRO 10"), ("DEPRO 10", "own 10"), ("own 10", "own 10"), ("", "")],
)
def test_a_strangers_token_and_swapped_halves_stay_outside(door, receiver, sender):
    assert comes_in(door, receiver, sender) is None


def test_a_token_counts_in_its_role_only(operators_store, clock):
    """At a provider's system, another provider's token is no operator's."""
    door = DirectDoorkeeper(Directory(operators_store, clock), clock)
    assert comes_in(door, "own 10", "DEPRO 10", Role.OPERATOR) == "DEPRO"
    assert comes_in(door, "own 10", "DEPRO 10", Role.PROVIDER) is None


def test_only_a_pair_of_tokens_opens_a_back_end(door):
    for credentials in (None, Login("DEPRO", "DEPRO 10")):
        with pytest.raises(NotAuthenticated, match="could not be authenticated"):
            door(credentials, Role.OPERATOR)


def test_a_static_token_goes_with_every_day_until_it_ends(operators_store, clock):
    ends_at = MIDNIGHT + timedelta(hours=5)
    with operators_store.books() as books:
        static = record(Role.PROVIDER, "NLVET", MIDNIGHT + timedelta(days=5), "static", valid_until=ends_at)
        books.endpoints.put([static])
    door = DirectDoorkeeper(Directory(operators_store, clock), clock)
    assert comes_in(door, "own 10", "static")
    assert not comes_in(door, "own 11", "static")  # the receiver's token is not valid yet
    clock.turn(MIDNIGHT + timedelta(hours=4))
    assert comes_in(door, "own 11", "static")
    clock.turn(ends_at + timedelta(seconds=1))
    assert not comes_in(door, "own 11", "static")


def test_what_another_process_learns_is_known_here_within_a_second(door, operators_store):
    assert comes_in(door, "own 10", "DEPRO 10")
    with operators_store.books() as books:
        books.endpoints.put([record(Role.PROVIDER, "DENEW", DAY)])
    began = time.monotonic()
    while not comes_in(door, "own 10", "DENEW 10"):
        assert time.monotonic() - began < 1.0
        time.sleep(0.02)


def test_an_own_token_that_another_process_made_is_known_here_within_a_second(make_store, clock):
    store = make_store()
    with store.books() as books:
        books.endpoints.put([record(Role.PROVIDER, "DEPRO", DAY)])
    door = DirectDoorkeeper(Directory(store, clock), clock)
    assert not comes_in(door, "own 10", "DEPRO 10")
    with store.books() as books:
        books.own_tokens.make(OwnToken(day=DAY.date(), token="own 10", made_at=DAY))
    time.sleep(0.15)
    assert comes_in(door, "own 10", "DEPRO 10")


def test_wrong_tokens_do_not_make_the_records_be_read_again(door, operators_store, monkeypatch):
    comes_in(door, "own 10", "DEPRO 10")
    snapshot = door.directory.snapshot()
    for _ in range(3):
        time.sleep(0.11)
        assert not comes_in(door, "guess", "work")
    assert door.directory.snapshot() is snapshot


# -- The house --------------------------------------------------------------------------------------------------


@pytest.fixture
def house(world: World):
    world.administration.add_partner("pro", [], ["DEPRO"])
    return world


def logs_in(house, login):
    request = GetServiceEndpointsRequest()
    try:
        return house.doorkeeper(login, Role.HOUSE).name, request
    except NotAuthenticated:
        return None


def test_passwords_rotate_with_an_overlap(house):
    _, old = house.administration.issue_credential("pro")
    _, new = house.administration.issue_credential("pro", overlap=timedelta(hours=1))
    assert logs_in(house, Login("pro", old)) and logs_in(house, Login("pro", new))
    house.clock.wait(hours=1)
    time.sleep(LOOK_AGAIN)
    assert not logs_in(house, Login("pro", old))
    assert logs_in(house, Login("pro", new))


def test_a_revoked_password_and_a_disabled_partner_end_within_a_second(house):
    credential, password = house.administration.issue_credential("pro")
    _, other = house.administration.issue_credential("pro")
    assert logs_in(house, Login("pro", password))
    house.administration.revoke_credentials("pro", credential.id)
    time.sleep(LOOK_AGAIN)
    assert not logs_in(house, Login("pro", password))
    assert logs_in(house, Login("pro", other))
    house.administration.change_partner("pro", enabled=False)
    time.sleep(LOOK_AGAIN)
    assert not logs_in(house, Login("pro", other))


def test_who_is_believed_is_not_asked_for_again(house, monkeypatch):
    _, password = house.administration.issue_credential("pro")
    assert logs_in(house, Login("pro", password))
    house.doorkeeper = replace(house.doorkeeper, patience=math.inf)
    assert logs_in(house, Login("pro", password))
    monkeypatch.delattr(type(house.store), "single")
    assert logs_in(house, Login("pro", password))


def test_what_was_issued_or_enabled_opens_at_once(house):
    _, first = house.administration.issue_credential("pro")
    assert logs_in(house, Login("pro", first))
    _, second = house.administration.issue_credential("pro")
    assert logs_in(house, Login("pro", second))
    house.administration.change_partner("pro", enabled=False)
    house.doorkeeper = replace(house.doorkeeper, patience=math.inf)
    assert not logs_in(house, Login("pro", second))
    house.administration.change_partner("pro", enabled=True)
    assert logs_in(house, Login("pro", second))


@pytest.mark.parametrize("login", [Login("nobody", "x"), Login("pro", "wrong"), Login("pro", ""), None])
def test_unknown_names_and_wrong_passwords_get_the_same_answer(house, login):
    house.administration.issue_credential("pro")
    with pytest.raises(NotAuthenticated) as caught:
        house.doorkeeper(login, Role.HOUSE)
    assert str(caught.value) == "The security token could not be authenticated or authorized"


def test_an_unknown_name_costs_as_much_as_a_known_one(house, clock):
    """Even where a verdict is remembered: no two names share one."""
    asked = []

    def slowly(password_hash, password):
        asked.append((password_hash, password))
        return verify(password_hash, password)

    door = HouseDoorkeeper(house.store, house.directory, clock, slowly, "decoy")
    _, password = house.administration.issue_credential("pro")
    for name in ("pro", "nobody", "nobody else"):
        with pytest.raises(NotAuthenticated):
            door(Login(name, "wrong"), Role.HOUSE)
    assert [password_hash for password_hash, _ in asked] == [hash_password(password), "decoy", "decoy"]
    assert len(set(asked)) == 3


def test_a_disabled_partner_stays_outside(house):
    _, password = house.administration.issue_credential("pro")
    house.administration.change_partner("pro", enabled=False)
    assert not logs_in(house, Login("pro", password))
    house.administration.change_partner("pro", enabled=True)
    assert logs_in(house, Login("pro", password))


# -- The house's relay ------------------------------------------------------------------------------------------


@pytest.fixture
def published(world: World):
    """A house at which an operator and a provider have published."""
    world.operator()
    world.provider()
    world.connect()
    world.exchange_tokens()
    return world


def test_the_relay_lets_in_by_password_and_by_the_days_pair(published):
    ops, pro = published.partners
    by_password = published.doorkeeper(pro.login, Role.HOUSE)
    by_tokens = published.doorkeeper(TokenPair(ops.token(), pro.token()), Role.HOUSE)
    assert by_password.name == by_tokens.name == "pro"
    for wrong in (TokenPair(pro.token(), pro.token()), TokenPair("x", pro.token()), TokenPair(ops.token(), "x")):
        with pytest.raises(NotAuthenticated):
            published.doorkeeper(wrong, Role.HOUSE)


def test_tokens_open_the_relay_only_not_the_exchange(published):
    ops, pro = published.partners
    url = f"{HOUSE_URL}/direct/ochp/v1.4"
    pair = TokenPair(ops.token(), pro.token())
    answer = published.line.call(url, V1_4, op.GET_SERVICE_ENDPOINTS, GetServiceEndpointsRequest(), pair)
    assert answer.result.result_code.value == "not-authorized"
    assert answer.operator_endpoint_array == ()


def test_the_tokens_of_a_disabled_partner_open_nothing(published):
    ops, pro = published.partners
    pair = TokenPair(ops.token(), pro.token())
    published.administration.change_partner("pro", enabled=False)
    published.directory.forget()
    with pytest.raises(NotAuthenticated):
        published.doorkeeper(pair, Role.HOUSE)


def test_a_static_token_opens_the_relay_from_both_sides(world, clock):
    world.account("old", Role.OPERATOR, ["DEOLD"])
    static = record(
        Role.OPERATOR, "DEOLD", MIDNIGHT + timedelta(days=20), "static", valid_until=MIDNIGHT + timedelta(days=20)
    )
    with world.store.books() as books:
        books.endpoints.put([static, record(Role.PROVIDER, "DEPRO", DAY)])
    assert world.doorkeeper(TokenPair("static", "DEPRO 10"), Role.HOUSE).name == "DEPRO"
    assert world.doorkeeper(TokenPair("DEPRO 10", "static"), Role.HOUSE).name == "DEOLD"
    clock.turn(MIDNIGHT + timedelta(hours=1))
    with pytest.raises(NotAuthenticated):
        world.doorkeeper(TokenPair("static", "DEPRO 10"), Role.HOUSE)


def test_a_back_end_comes_to_the_relay_with_the_days_pair_where_it_was_offered_it(world):
    ops = world.operator(spoken=(V1_4,))
    veteran = world.provider("veteran", ["NLVET"], spoken=(V1_3,))
    world.connect("DEOPS", "NLVET")
    world.exchange_tokens()
    way = veteran.line.way("DE*OPS*E1", Role.OPERATOR)
    assert way.url == f"{HOUSE_URL}/direct/operator/ochp/v1.3"
    assert way.credentials == TokenPair(ops.token(), veteran.token())
    assert [each.evse_id for each in veteran.desk.status(["DE*OPS*E1"])] == ["DE*OPS*E1"]
