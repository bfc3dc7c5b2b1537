"""Four hundred days of three parties whose clocks differ and who fail for hours, on a simulated clock.

The house, an operator and a provider keep the token cycle; calls between operator and provider are probed in both
directions. Two partners are *healthy* for a day once each had its chances, by the outages alone: an hour in which it
and the house were up after it could upload, then an hour in which it and the house were up after both could upload
and after 12:05. From then on each call with that day's tokens must pass, whoever sends it. Any other combination of
tokens that were ever given out may pass only within its window by the receiver's clock.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from clearinghouse.domain.acceptance import visible
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.token_cycle import BEAT, HOUSE_CHORES, Action, CycleState, DayState, due
from clearinghouse.domain.token_day import CLOCK_SKEW, accepts_from, sending_day, valid_from, valid_until
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_4_1

START = datetime(2027, 12, 1, 9, 0, tzinfo=UTC)
DAYS = 400
MINUTE = timedelta(minutes=1)
CHANCE = 60
"""Minutes that a party needs to be up together with the house."""

PARTIES = ("house", "operator", "provider")
IDS = {"operator": "DE823", "provider": "NLTNM"}
BERLIN = ZoneInfo("Europe/Berlin")
SKEWS = list(itertools.product((CLOCK_SKEW, -CLOCK_SKEW), repeat=len(PARTIES)))
STEPS = {"purge and make": 28, "upload": 31, "guard band": 11 * 60 + 50, "fetch": 12 * 60 + 4, "activate": 23 * 60 + 45}
HOURS = (1, 3, 8, 20)


@dataclass
class House:
    skew: timedelta
    records: dict[tuple[str, date], Endpoint] = field(default_factory=dict)

    def beat(self, true: datetime) -> None:
        state = CycleState(days=tuple(DayState(day=day) for day in {day for _, day in self.records}))
        for action in due(true + self.skew, state, HOUSE_CHORES):
            self.records = {key: each for key, each in self.records.items() if key[1] >= action.day}

    def shown_to(self, partner: str, true: datetime) -> list[Endpoint]:
        others = (each for (owner, _), each in self.records.items() if owner != partner)
        return [shown for each in others if (shown := visible(each, set(IDS.values()), true + self.skew))]


@dataclass
class Partner:
    name: str
    skew: timedelta
    zone: tzinfo
    house: House
    days: dict[date, DayState] = field(default_factory=dict)
    own: dict[str, date] = field(default_factory=dict)
    known: dict[str, Endpoint] = field(default_factory=dict)

    def now(self, true: datetime) -> datetime:
        return (true + self.skew).astimezone(self.zone)

    def token(self, day: date) -> str:
        return f"{self.name}-{day}"

    def beat(self, true: datetime, house_is_up: bool) -> None:
        for action in due(self.now(true), CycleState(days=tuple(self.days.values()))):
            getattr(self, action.chore)(action, true, house_is_up)

    def purge(self, action: Action, true: datetime, house_is_up: bool) -> None:
        self.days = {day: each for day, each in self.days.items() if day >= action.day}
        self.own = {token: day for token, day in self.own.items() if day >= action.day}
        self.known = {token: each for token, each in self.known.items() if each.day >= action.day}

    def make(self, action: Action, true: datetime, house_is_up: bool) -> None:
        self.own[self.token(action.day)] = action.day
        self.note(action.day, made=True)

    def upload(self, action: Action, true: datetime, house_is_up: bool) -> None:
        assert self.days[action.day].made
        self.note(action.day, upload_tried_at=self.now(true))
        if house_is_up:
            self.house.records[self.name, action.day] = self.endpoint(action.day, true)
            self.note(action.day, uploaded_at=self.now(true))

    def fetch(self, action: Action, true: datetime, house_is_up: bool) -> None:
        self.note(action.day, fetch_tried_at=self.now(true))
        if house_is_up:
            shown = [each for each in self.house.shown_to(self.name, true) if each.day == action.day]
            self.known |= {each.access_token: each for each in shown}
            self.note(action.day, fetched_at=self.now(true))

    def note(self, day: date, **facts: object) -> None:
        self.days[day] = replace(self.days.get(day, DayState(day=day)), **facts)

    def endpoint(self, day: date, true: datetime) -> Endpoint:
        return Endpoint(
            partner=self.name,
            role=Role(self.name),
            url=f"https://{self.name}.example/",
            version=V1_4_1,
            access_token=self.token(day),
            day=day,
            whitelist=(f"{IDS[self.name]}{'E' if self.name == 'operator' else 'C'}%",),
            uploaded_at=true,
        )

    def lets_in(self, own_token: str, peer_token: str, true: datetime) -> bool:
        own_day, peer = self.own.get(own_token), self.known.get(peer_token)
        return own_day is not None and peer is not None and accepts_from(peer, own_day, self.now(true))


Outages = dict[str, bytearray]
"""For each party one byte a minute: 1 while it is up."""


def draw_outages(dice: random.Random, days: int) -> Outages:
    """Each party fails at each step of the cycle for each length, on days of its own; then some more at random."""
    up = {party: bytearray(b"\1" * (days * 1440)) for party in PARTIES}
    midnight = 24 * 60 - (START.hour * 60 + START.minute)

    def fail(party: str, start: int, minutes: int) -> None:
        start, end = max(0, start), min(days * 1440, start + minutes)
        up[party][start:end] = bytes(max(0, end - start))

    planned = [(party, step, hours) for party in PARTIES for step in STEPS for hours in HOURS]
    dice.shuffle(planned)
    for number, (party, step, hours) in enumerate(planned):
        begin = midnight + number * 4 * 1440 + STEPS[step] - dice.randrange(0, hours * 30)
        fail(party, begin, hours * 60)
    for _ in range(days // 4):
        fail(dice.choice(PARTIES), dice.randrange(240 * 1440, max(days, 241) * 1440), dice.randrange(5, 30 * 60))
    return up


def chance(up: Outages, party: str, not_before: int, days: int) -> int:
    """The end of the first hour from this minute on in which the party and the house are up."""
    together = 0
    for minute in range(max(0, not_before), days * 1440):
        together = together + 1 if up[party][minute] and up["house"][minute] else 0
        if together == CHANCE:
            return minute + 1
    return days * 1440


def healthy_since(up: Outages, day: date, days: int) -> int:
    """The minute from which operator and provider must get along with the tokens of the day."""
    midnight_before = (datetime.combine(day - timedelta(days=1), datetime.min.time(), UTC) - START) // MINUTE
    partners = ("operator", "provider")
    slack = 2 * CLOCK_SKEW // MINUTE
    uploaded = max(chance(up, each, midnight_before + 31 + slack, days) for each in partners)
    fetch_from = max(uploaded, midnight_before + 12 * 60 + 5 + slack)
    return max(chance(up, each, fetch_from, days) for each in partners)


@dataclass
class Ledger:
    must_pass: int = 0
    refused_in_sickness: int = 0
    wrongly_refused: list[str] = field(default_factory=list)
    wrongly_passed: list[str] = field(default_factory=list)


def is_probed(minute: int) -> bool:
    """Every minute around midnight, every half hour at other times."""
    of_day = (minute + START.hour * 60 + START.minute) % 1440
    return of_day >= 23 * 60 + 45 or of_day <= 35 or of_day % 30 == 0


def simulate(
    seed: int, days: int, day_of: Callable[[datetime], date] = sending_day, partner: type[Partner] = Partner
) -> Ledger:
    """Live through the days minute by minute; `day_of` tells a sender whose tokens to use."""
    dice = random.Random(seed)
    skews = dict(zip(PARTIES, SKEWS[seed % len(SKEWS)], strict=True))
    house = House(skews["house"])
    operator = partner("operator", skews["operator"], BERLIN, house)
    provider = partner("provider", skews["provider"], UTC, house)
    up, ledger = draw_outages(dice, days), Ledger()
    first = START.date()
    since = {day: healthy_since(up, day, days) for n in range(-1, days + 2) if (day := first + timedelta(days=n))}
    beat = BEAT // MINUTE
    for minute in range(days * 1440):
        phase = minute % beat
        if phase > 2 and not is_probed(minute):
            continue
        true = START + minute * MINUTE
        if phase == 0 and up["house"][minute]:
            house.beat(true)
        for number, each in enumerate((operator, provider), start=1):
            if phase == number and up[each.name][minute]:
                each.beat(true, bool(up["house"][minute]))
        if is_probed(minute) and up["operator"][minute] and up["provider"][minute]:
            for sender, receiver in ((operator, provider), (provider, operator)):
                probe(sender, receiver, true, minute, since, ledger, day_of)
    return ledger


def probe(
    sender: Partner,
    receiver: Partner,
    true: datetime,
    minute: int,
    since: dict[date, int],
    ledger: Ledger,
    day_of: Callable[[datetime], date],
) -> None:
    day = day_of(sender.now(true))
    told = f"{true:%Y-%m-%d %H:%M} {sender.name} to {receiver.name}"
    may_send = receiver.token(day) in sender.known and sender.token(day) in sender.own
    passes = may_send and receiver.lets_in(receiver.token(day), sender.token(day), true)
    if minute >= since[sending_day(sender.now(true))]:
        ledger.must_pass += 1
        if not passes:
            ledger.wrongly_refused.append(told)
    elif not passes:
        ledger.refused_in_sickness += 1
    for own_day, peer_day in neighbours(sending_day(true)):
        if receiver.lets_in(receiver.token(own_day), sender.token(peer_day), true):
            in_window = valid_from(own_day) <= true + receiver.skew <= valid_until(own_day)
            if own_day != peer_day or not in_window:
                ledger.wrongly_passed.append(f"{told} with {own_day} and {peer_day}")


def neighbours(day: date) -> Iterator[tuple[date, date]]:
    around = [day + timedelta(days=n) for n in (-1, 0, 1)]
    return ((own, peer) for own in around for peer in around)


@pytest.fixture
def zone_of_the_host(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("zone_of_the_host", ["Europe/Berlin"], indirect=True)
def test_no_call_of_healthy_partners_is_refused_in_400_days(zone_of_the_host: None) -> None:
    assert time.localtime((START + timedelta(days=200)).timestamp()).tm_isdst == 1, "the host's zone changes its hour"
    assert START.date() < date(2028, 2, 29) < (START + timedelta(days=DAYS)).date()
    ledger = simulate(seed=1, days=DAYS)
    assert ledger.wrongly_refused == []
    assert ledger.wrongly_passed == []
    assert ledger.must_pass > 50_000
    assert ledger.refused_in_sickness > 100, "the outages were felt"


@pytest.mark.parametrize("seed", range(8), ids=lambda seed: str([int(each / MINUTE) for each in SKEWS[seed]]))
def test_no_call_of_healthy_partners_is_refused_whatever_the_clocks(seed: int) -> None:
    ledger = simulate(seed, days=40)
    assert (ledger.wrongly_refused, ledger.wrongly_passed) == ([], [])
    assert ledger.must_pass > 1_000


def test_the_simulation_notices_a_sender_that_switches_at_its_local_midnight() -> None:
    assert simulate(seed=1, days=10, day_of=lambda now: now.date()).wrongly_refused


def test_the_simulation_notices_a_receiver_without_overlap() -> None:
    class Strict(Partner):
        def lets_in(self, own_token: str, peer_token: str, true: datetime) -> bool:
            is_today = self.own.get(own_token) == sending_day(self.now(true))
            return is_today and super().lets_in(own_token, peer_token, true)

    assert simulate(seed=1, days=40, partner=Strict).wrongly_refused


def test_the_simulation_notices_a_receiver_that_mixes_days() -> None:
    class Lenient(Partner):
        def lets_in(self, own_token: str, peer_token: str, true: datetime) -> bool:
            return own_token in self.own and peer_token in self.known

    assert simulate(seed=1, days=5, partner=Lenient).wrongly_passed


def test_the_simulation_notices_partners_that_download_once_only() -> None:
    class Content(Partner):
        def fetch(self, action: Action, true: datetime, house_is_up: bool) -> None:
            fetched_at = self.days.get(action.day, DayState(day=action.day)).fetched_at
            if fetched_at is None:
                super().fetch(action, true, house_is_up)

    assert simulate(seed=1, days=60, partner=Content).wrongly_refused


def test_the_simulation_notices_a_purge_at_midnight() -> None:
    class Tidy(Partner):
        def beat(self, true: datetime, house_is_up: bool) -> None:
            super().beat(true, house_is_up)
            self.own = {token: day for token, day in self.own.items() if day >= sending_day(self.now(true))}

    assert simulate(seed=1, days=10, partner=Tidy).wrongly_refused
