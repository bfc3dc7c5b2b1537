"""Nobody ever sees a record that is hidden from it, and nobody misses one: every answer against a naive model."""

import random
from datetime import UTC, datetime

from tests.services.fuzzing import seeds
from tests.services.house_calls import CalledHouse
from tests.services.naive_world import MINUTE, NaiveWorld
from tests.services.record_kinds import KINDS

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
STEPS = 60


class Reader:
    """A partner's back end: it keeps a copy, and asks for what changed since it asked last, sooner or later."""

    def __init__(self, kind, partner, chance):
        self.kind, self.partner = kind, partner
        self.version = chance.choice(kind.versions)
        self.laziness = chance.choice([0, 0.7, 0.9])
        self.copy, self.asked = {}, START - MINUTE

    def __str__(self):
        return f"{self.partner.name} reads {self.kind.name} in {self.version.value}"

    def check(self, world, chance):
        """Compare what this reader is told with what is true."""
        if chance.random() < 0.3:
            self._check_full(world)
        if chance.random() < 0.5:
            since = chance.choice([START - MINUTE, world.now, START + (world.now - START) * chance.random()])
            self._check_delta(world, since)
        if chance.random() >= self.laziness:
            self._keep_up(world)
        if chance.random() < 0.3:
            self._check_single(world, chance)

    def _check_single(self, world, chance):
        changed = world.changed[self.kind]
        visible = [(each, changed[self.kind.key(each)]) for each in world.visible(self.kind, self.partner)]
        self.kind.check_single(chance, world.house.handlers, self.partner, self.version, visible, world.now)

    def _truth(self, world):
        """What the reader can see and its version can say, by key."""
        said = (
            (each, self.kind.said(each, self.version, world.now)) for each in world.visible(self.kind, self.partner)
        )
        return {self.kind.key(each): record for each, record in said if record is not None}

    def _check_full(self, world):
        code, records = self.kind.full(world.house.handlers, self.partner, self.version)
        assert code == self.kind.verdict(connected=bool(world.connected(self.kind, self.partner)))
        listed = [each for each in self._truth(world).values() if self.kind.listed(each, world.now)]
        assert sorted(records, key=repr) == sorted(listed, key=repr)

    def _ask(self, world, since):
        """A delta in which every record is one that the reader sees, or takes back one that it could see before."""
        _, records = self.kind.delta(world.house.handlers, self.partner, self.version, since)
        told = {self.kind.key(each): each for each in records}
        assert len(told) == len(records), "a record came twice"
        truth, seen = self._truth(world), world.seen[self.kind][self.partner.name]
        for key, record in told.items():
            if record != truth.get(key):
                assert key not in truth, ("not as it is", record, truth[key])
                assert not self.kind.counts(record, world.now), ("nobody may see this", record)
                assert key in seen, ("it never could see this", record)
                assert self.kind.tells(record) <= seen[key], ("it never could see this of it", record, seen[key])
        return told

    def _check_delta(self, world, since):
        told = self._ask(world, since)
        for key, record in self._truth(world).items():
            if world.changed[self.kind][key][0] >= since:
                assert told.get(key) == record, ("missing", record, since)

    def _keep_up(self, world):
        self.copy |= self._ask(world, self.asked)
        self.asked = world.now
        usable = {key: each for key, each in self.copy.items() if self.kind.counts(each, world.now)}
        truth = {key: each for key, each in self._truth(world).items() if self.kind.counts(each, world.now)}
        if not self.kind.takes_back:
            usable = {key: usable.get(key) for key in truth}
        assert usable == truth


def test_every_answer_is_what_a_naive_model_says(database_url, keyring, emptied):
    for seed in seeds():
        emptied()
        house = CalledHouse(database_url, keyring, START)
        try:
            chance = random.Random(seed)
            play(house, chance.sample(KINDS, chance.randrange(1, len(KINDS) + 1)), chance)
        finally:
            house.store.close()


def play(house, kinds, chance):
    """One round: after each step, every reader compares."""
    world = NaiveWorld(house, kinds, chance)
    readers = [
        Reader(kind, partner, chance) for kind in kinds for partner in world.acting_as(kind.reader) for _ in range(2)
    ]
    for _ in range(STEPS):
        world.step()
        for reader in readers:
            try:
                reader.check(world, chance)
            except AssertionError as error:
                story = "\n".join(str(each) for each in world.trail)
                raise AssertionError(f"{reader}, at {world.now}: {error}\n{story}") from error
