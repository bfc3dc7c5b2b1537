"""Live status against a naive model, with random words, times and connections; and writers against readers at once."""

import random
import threading
import time
from datetime import UTC, datetime, timedelta

from clearinghouse.domain.live_status import LiveStatus, Subject, Trust
from clearinghouse.ochp.charge_points import UpdateChargePointListRequest
from clearinghouse.ochp.live import (
    EvseStatus,
    GetStatusRequest,
    MajorStatus,
    MinorStatus,
    ParkingStatus,
    StatusType,
    UpdateStatusRequest,
)
from clearinghouse.ochp.locations import ParkingSpot
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.persistence.store import OneStatement
from clearinghouse.services.live_status import StatusExchange
from tests.services.fuzzing import SECONDS, seeds
from tests.services.points_house import NOON, PointsHouse, TurnableClock, point

AVAILABLE, NOT_AVAILABLE, UNKNOWN = MajorStatus.AVAILABLE, MajorStatus.NOT_AVAILABLE, MajorStatus.UNKNOWN
OPERATORS = ("DEABC", "NLXYZ")
BLOCKED = (NOT_AVAILABLE, MinorStatus.BLOCKED)
STEPS = 60


class StatusWorld:
    """Does everything twice: at the house, and in dictionaries that are easy to believe.

    `E0` of each operator has the parking spots `P0` and `P1`.
    """

    def __init__(self, store, chance):
        self.chance, self.clock = chance, TurnableClock()
        store._clock = self.clock
        self.house = PointsHouse(store, self.clock)
        self.exchange = StatusExchange(store, self.clock, Trust())
        self.cpo = self.house.operator("cpo", *OPERATORS)
        self.emp = self.house.provider("emp", "DEEMP")
        self.told, self.connected, self.ever, self.trail = {}, set(), set(), []
        spots = {each: tuple(ParkingSpot(parking_id=f"{each}P{n}") for n in range(2)) for each in OPERATORS}
        points = tuple(point(f"{each}E0", parking_spot=spots[each]) for each in OPERATORS)
        self.house.ask(self.cpo, UpdateChargePointListRequest(charge_point_info_array=points))

    def step(self):
        """Any of what can happen; some seconds pass before it, so that every second has one event at most."""
        self.clock.now = self.clock.now.replace(microsecond=0) + timedelta(seconds=self.chance.choice([1, 2, 30, 200]))
        self.chance.choice([self._tell, self._tell, self._tell, self._connect])()

    def _tell(self):
        entries = [self._entry() for _ in range(self.chance.randrange(1, 4))]
        evses = tuple(EvseStatus(evse_id=key, major=what, ttl=ttl) for key, what, ttl in entries if key[5] == "E")
        spots = tuple(
            ParkingStatus(parking_id=key, status=what, ttl=ttl) for key, what, ttl in entries if "P" in key[5:]
        )
        self.trail.append((self.clock.now, entries))
        self.exchange.update(UpdateStatusRequest(evse=evses, parking=spots), self.cpo, V1_4_1)
        for key, major, ttl in entries:
            usual = timedelta(minutes=5) if major is AVAILABLE else timedelta(hours=24)
            self.told[key] = (major, ttl or self.clock.now + usual)

    def _entry(self):
        now = self.clock.now.replace(microsecond=0)
        key = f"{self.chance.choice(OPERATORS)}{self.chance.choice(['E0', 'E0', 'E1', 'P0', 'P1'])}"
        ttl = self.chance.choice([None, now + timedelta(seconds=self.chance.choice([-5, 15, 90, 1000]))])
        return key, self.chance.choice([AVAILABLE, NOT_AVAILABLE, NOT_AVAILABLE, UNKNOWN]), ttl

    def _connect(self):
        operator, on = self.chance.choice(OPERATORS), self.chance.random() < 0.6
        self.trail.append((self.clock.now, operator, "on" if on else "off"))
        self.house.connect(operator, "DEEMP", "status", on=on)
        (self.connected.add if on else self.connected.discard)(operator)

    def truth(self, kind):
        """What the reader can know now, by key; what is unknown is left out."""
        now, parking = self.clock.now, kind is StatusType.PARKING
        there = {key: told for key, told in self.told.items() if key[:5] in self.connected}
        self.ever |= {(kind, key) for key in there if (key[5] == "P") is parking}
        live = {key: major for key, (major, until) in there.items() if until > now}
        shown = {key: (major, None) for key, major in live.items() if (key[5] == "P") is parking}
        if kind is StatusType.COMBINED:
            full = [each for each in OPERATORS if all(live.get(f"{each}P{n}") is NOT_AVAILABLE for n in range(2))]
            shown |= {f"{each}E0": BLOCKED for each in full if live.get(f"{each}E0") is AVAILABLE}
        return {key: status for key, status in shown.items() if status[0] is not UNKNOWN}

    def ask(self, kind, since):
        """What the reader is told, by key."""
        asked = GetStatusRequest(start_date_time=since, status_type=kind)
        answer = self.exchange.get(asked, self.emp, V1_4_1)
        told = [(each.evse_id, (each.major, each.minor)) for each in (*answer.evse, *answer.combined)]
        told += [(each.parking_id, (each.status, None)) for each in answer.parking]
        assert len(dict(told)) == len(told), "an entry came twice"
        return dict(told)


def check(world, copies):
    """Compare every kind of answer, full and since the last time, with what is true."""
    for kind in StatusType:
        truth = world.truth(kind)
        known = {key: status for key, status in world.ask(kind, None).items() if status[0] is not UNKNOWN}
        assert known == truth, (kind, "full")
        since, copy = copies[kind]
        told = world.ask(kind, since)
        for key, status in told.items():
            assert status == truth.get(key, (UNKNOWN, None)), (kind, key, "not as it is")
            assert (kind, key) in world.ever, (kind, key, "it never could see this")
        copy |= told
        copies[kind] = (world.clock.now.replace(microsecond=0), copy)
        assert {key: status for key, status in copy.items() if status[0] is not UNKNOWN} == truth, (kind, "newer")


def test_every_answer_is_what_a_naive_model_says(store, emptied):
    for seed in seeds():
        emptied()
        chance = random.Random(seed)
        world = StatusWorld(store, chance)
        copies = {kind: (NOON - timedelta(hours=1), {}) for kind in StatusType}
        for _ in range(STEPS):
            world.step()
            for kind in StatusType:
                world.truth(kind)
            world.clock.now += timedelta(milliseconds=500)
            if chance.random() < 0.5:
                try:
                    check(world, copies)
                except AssertionError as error:
                    story = "\n".join(map(str, world.trail))
                    raise AssertionError(f"at {world.clock.now}: {error}\n{story}") from error


class Writer(threading.Thread):
    """Tells one word after the other, in transactions that pause before they end, and remembers the last of each."""

    def __init__(self, store, number, stop):
        super().__init__()
        self.store, self.stop, self.chance = store, stop, random.Random(number)
        self.keys = [f"DEABCE{number}{n}" for n in range(20)]
        self.written, self.error = {}, None

    def run(self):
        try:
            while not self.stop.is_set():
                key, major = self.chance.choice(self.keys), self.chance.choice([AVAILABLE, NOT_AVAILABLE])
                word = LiveStatus(subject=Subject.EVSE, key=key, identifier=key, major=major)
                with self.store.books() as books:
                    books.live_statuses.put([word])
                    time.sleep(self.chance.random() * 0.02)
                self.written[key] = major
        except Exception as error:  # noqa: BLE001 - the test reports it
            self.error = error


def test_a_reader_misses_no_word_of_writers_at_work(store):
    house = PointsHouse(store, lambda: datetime.now(UTC))
    emp = house.provider("emp", "DEEMP")
    house.connect("DEABC", "DEEMP", "status")
    exchange, stop = StatusExchange(store, house.clock, Trust()), threading.Event()
    writers = [Writer(store, number, stop) for number in range(4)]
    for each in writers:
        each.start()
    copy, since = {}, house.clock()
    until, questions = since + timedelta(seconds=min(SECONDS, 3)), 0
    while not stop.is_set() or questions < 3:
        if house.clock() > until:
            stop.set()
            for each in writers:
                each.join()
        asked = house.clock()
        answer = exchange.get(GetStatusRequest(start_date_time=since), emp, V1_4_1)
        copy.update({each.evse_id: each.major for each in answer.evse})
        since, questions = asked, questions + 1
    assert [each.error for each in writers] == [None] * len(writers)
    assert copy == {key: major for each in writers for key, major in each.written.items()}


def test_a_word_costs_one_statement(store, points_house, monkeypatch):
    statements, admit = [], OneStatement._admit
    monkeypatch.setattr(OneStatement, "_admit", lambda *about: (statements.append(about[1]), admit(*about)))
    monkeypatch.setattr(store, "books", None)  # a transaction would take more than one
    exchange = StatusExchange(store, points_house.clock, Trust())
    told = UpdateStatusRequest(evse=(EvseStatus(evse_id="DEABCE1", major=AVAILABLE),))
    exchange.update(told, points_house.cpo, V1_4_1)
    assert len(statements) == 1
