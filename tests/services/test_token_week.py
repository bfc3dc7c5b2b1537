"""The token cycle of house, operator and provider on real stores, for a week of simulated time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clearinghouse.domain import token_day
from clearinghouse.domain.errors import NotAuthenticated
from clearinghouse.domain.token_cycle import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_4, V1_4_1
from clearinghouse.services.token_cycle import TokenCycle, standings
from tests.services.world import HOUSE, dead

MONDAY = datetime(2027, 3, 22, 7, 0, tzinfo=UTC)  # the week in which clocks in Europe change
EVSE, CONTRACT = "DE*OPS*E1", "DEPROC12345678"
MOMENTS = {(0, 0), (0, 2), (0, 28), (0, 31), (0, 33), (11, 50), (12, 6), (23, 49), (23, 50), (23, 58)}
OUTAGES = (
    (datetime(2027, 3, 23, 11, 0, tzinfo=UTC), timedelta(hours=4)),
    (datetime(2027, 3, 24, 22, 0, tzinfo=UTC), timedelta(hours=5)),
    (datetime(2027, 3, 26, 0, 20, tzinfo=UTC), timedelta(hours=11)),
)


def instants():
    """Every minute that matters, and every twenty minutes else."""
    for minute in range(7 * 24 * 60):
        now = MONDAY + timedelta(minutes=minute)
        if now.minute % 20 == 0 or (now.hour, now.minute) in MOMENTS:
            yield now


def is_out(now):
    return any(begin <= now < begin + duration for begin, duration in OUTAGES)


class Traffic:
    """Calls in both directions at every instant, and all pairs of tokens that were ever used."""

    def __init__(self, ops, pro):
        self.ways = ((pro, ops, Role.OPERATOR, EVSE), (ops, pro, Role.PROVIDER, CONTRACT))
        self.used = {}
        self.passed = 0

    def flow(self):
        for sender, receiver, role, identifier in self.ways:
            pair = sender.line.way(identifier, role).credentials
            receiver.doorkeeper(pair, role)
            self.used[role, pair] = token_day.sending_day(sender.clock())
            self.passed += 1

    def check_the_past(self):
        """No pair passes outside its window, by the receiver's clock."""
        receivers = {role: receiver for _, receiver, role, _ in self.ways}
        for (role, pair), day in self.used.items():
            receiver = receivers[role]
            if token_day.is_valid(day, receiver.clock()):
                receiver.doorkeeper(pair, role)
            else:
                with pytest.raises(NotAuthenticated):
                    receiver.doorkeeper(pair, role)


def test_a_week_with_outages_two_schedulers_and_clocks_that_differ(world):
    """One partner's clock is early and the other's late, and both call."""
    clock = world.clock
    clock.turn(MONDAY)
    ops = world.operator(clock=lambda: clock() + timedelta(minutes=2), spoken=(V1_4_1,))
    pro = world.provider(clock=lambda: clock() - timedelta(minutes=2), spoken=(V1_4, V1_4_1))
    world.connect()
    second = TokenCycle(ops.store, ops.clock, ops.house_line)
    cycles = [ops.cycle, second, pro.cycle, world.cycle]
    for each in (ops, pro, ops, pro):
        each.refresh()
    traffic = Traffic(ops, pro)
    for now in instants():
        clock.turn(now)
        world.line.moods = {HOUSE: dead} if is_out(now) else {}
        for cycle in cycles:
            cycle.reconcile()
        for each in (ops, pro, world):
            each.directory.forget()
        traffic.flow()
        if (now.hour, now.minute) in MOMENTS:
            traffic.check_the_past()
    assert traffic.passed == 2 * len([*instants()])
    tokens = {pair for _, pair in traffic.used}
    assert len(tokens) == 16  # one for each of 8 calendar days, in each direction
    kept = {}
    clock.turn(now + timedelta(days=3))
    world.line.moods = {HOUSE: dead}
    for each in (ops, pro, world):
        each.cycle.reconcile()
        with each.store.books() as books:
            kept[each] = books.endpoints.days() | {own.day for own in books.own_tokens.all()}
    assert kept[world] == set()
    assert min(kept[ops] | kept[pro]) == token_day.sending_day(clock())


def test_two_schedulers_make_one_token_for_a_day(world):
    ops = world.operator()
    second = TokenCycle(ops.store, ops.clock, ops.house_line)
    ops.cycle.reconcile()
    with ops.store.books() as books:
        before = books.own_tokens.all()
    second.reconcile()
    with ops.store.books() as books:
        assert [each.token for each in books.own_tokens.all()] == [each.token for each in before]


def test_one_download_serves_all_days_that_are_due(world):
    pro = world.provider(spoken=(V1_4,))
    pro.cycle.reconcile()
    assert world.line.asked(op.GET_SERVICE_ENDPOINTS) == 1
    pro.cycle.reconcile()
    assert world.line.asked(op.GET_SERVICE_ENDPOINTS) == 1
    pro.cycle.refresh()
    assert world.line.asked(op.GET_SERVICE_ENDPOINTS) == 2


def test_what_the_house_no_longer_tells_is_forgotten(world):
    world.operator()
    pro = world.provider()
    world.connect()
    world.exchange_tokens()
    assert pro.directory.snapshot().endpoints
    world.administration.end_connection("DEOPS", "DEPRO")
    pro.refresh()
    assert pro.directory.snapshot().endpoints == ()


def test_a_house_that_is_down_is_reported_and_what_was_downloaded_stays(world):
    world.operator()
    pro = world.provider()
    world.connect()
    world.exchange_tokens()
    world.clock.wait(hours=2)
    with world.line.mood(HOUSE, dead):
        pro.cycle.reconcile()
    assert [(action.chore, failure) for action, failure in pro.reports if failure][:1] == [
        (Chore.FETCH, "no connection")
    ]
    pro.directory.forget()
    assert pro.directory.snapshot().endpoints


def test_an_error_of_our_own_stops_only_its_own_action(world):
    pro = world.provider()

    class Broken:
        def upload(self, day, token):
            raise ZeroDivisionError("a secret in the text")

        def fetch(self, now):
            return pro.house_line.fetch(now)

    reports = []
    cycle = TokenCycle(pro.store, pro.clock, Broken(), lambda action, failure: reports.append((action.chore, failure)))
    with pytest.raises(ZeroDivisionError):
        cycle.reconcile()
    assert (Chore.FETCH, None) in reports
    assert (Chore.UPLOAD, "failed by an error of its own: ZeroDivisionError") in reports
    assert "secret" not in str(reports)


def test_the_state_of_every_partners_tokens_is_told_without_them(world):
    ops, pro = world.operator(), world.provider()
    world.connect()
    world.exchange_tokens()
    lines = standings(pro.store, pro.clock, own=True)
    assert [(each.party, each.standing) for each in lines] == [
        ("this back end", "in use"),
        ("this back end", "ready"),
        ("DEOPS", "known"),
        ("DEOPS", "known"),
    ]
    assert ops.token() not in str(lines) and pro.token() not in str(lines)
    at_the_house = standings(world.store, world.clock, own=False)
    assert {(each.party, each.role, each.standing) for each in at_the_house} == {
        ("ops", "operator", "known"),
        ("pro", "provider", "known"),
    }
