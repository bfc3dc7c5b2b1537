"""Writers with transactions of any length against readers of deltas, with real clocks and threads.

A reader who always passes the time of its previous call ends with exactly what the writers wrote, and with what they
took back, too.
"""

import random
import threading
import time
from datetime import UTC, datetime

from clearinghouse.domain.retention import Remains
from clearinghouse.ochp.versions import V1_4_1
from tests.services.fuzzing import SECONDS, seeds
from tests.services.house_calls import CalledHouse
from tests.services.record_kinds import KINDS

ROUND = min(3.0, SECONDS)
"""Seconds of one round."""
OWNERS = ("DEAAA", "DEBBB", "DECCC")
READERS = ("steady", "busy", FICKLE := "fickle")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Writer(threading.Thread):
    """A partner that uploads again and again, at any pace, and knows what it has uploaded."""

    def __init__(self, house, kind, owner_id, seed, stop):
        super().__init__(name=f"{owner_id} writes {kind.name}")
        self.house, self.kind, self.owner_id, self.stop = house, kind, owner_id, stop
        self.chance = random.Random(seed)
        self.stored, self.error = {}, None

    def run(self):
        try:
            while not self.stop.is_set():
                self._upload()
        except Exception as error:  # noqa: BLE001 - the test reports it
            self.error = error

    def _upload(self):
        now = self.house.clock().replace(microsecond=0)
        records = [self.kind.make(self.chance, self.owner_id, now) for _ in range(self.chance.randrange(1, 6))]
        whole = self.chance.random() < 0.3
        self.kind.upload_slowly(
            self.house.store, self._at_any_pace(records), self.owner_id, now, self._pause, whole=whole
        )
        self.stored = self.kind.uploaded(self.stored, {self.owner_id}, records, now, whole=whole)

    def _at_any_pace(self, records):
        for record in records:
            self._pause()
            yield record

    def _pause(self):
        time.sleep(self.chance.random() * self.chance.choice([0, 0.005, 0.05]))


class Reader(threading.Thread):
    """A partner that asks for what changed since it asked last; the last time after the writers are done."""

    def __init__(self, house, kind, name, seed, stop):
        super().__init__(name=f"{name} reads {kind.name}")
        self.house, self.kind, self.partner, self.stop = house, kind, house.partners[name], stop
        self.chance = random.Random(seed)
        self.is_fickle = name == FICKLE
        self.copy, self.since, self.asked, self.error = {}, LONG_AGO, 0, None

    def run(self):
        try:
            while not self.stop.is_set():
                self.ask()
                time.sleep(self.chance.random() * 0.05)
        except Exception as error:  # noqa: BLE001 - the test reports it
            self.error = error

    def ask(self):
        asked = self.house.clock()
        if self.chance.random() < 0.1:
            _, records = self.kind.full(self.house.handlers, self.partner, V1_4_1)
            self.copy = {self.kind.key(each): each for each in records}
        else:
            _, records = self.kind.delta(self.house.handlers, self.partner, V1_4_1, self.since)
            self.copy |= {self.kind.key(each): each for each in records}
        self.since, self.asked = asked, self.asked + 1


class Switch(threading.Thread):
    """Switches the fickle reader's connections on and off."""

    def __init__(self, house, kinds, seed, stop):
        super().__init__(name="switch")
        self.house, self.kinds, self.stop, self.chance = house, kinds, stop, random.Random(seed)
        self.on, self.error = {}, None

    def run(self):
        try:
            while not self.stop.is_set():
                kind, owner = self.chance.choice(self.kinds), self.chance.choice(OWNERS)
                on = self.chance.random() < 0.5
                connect(self.house, kind, FICKLE, owner, approved_by_operator=on)
                self.on[kind, owner] = on
                time.sleep(self.chance.random() * 0.2)
        except Exception as error:  # noqa: BLE001 - the test reports it
            self.error = error

    def lets(self, writer, reader):
        """Whether the reader is connected to the writer in the end."""
        return not reader.is_fickle or self.on.get((writer.kind, writer.owner_id), True)


class Tidier(threading.Thread):
    """Deletes changes that no row refers to, again and again."""

    def __init__(self, house, stop):
        super().__init__(name="tidier")
        self.house, self.stop, self.error = house, stop, None

    def run(self):
        try:
            while not self.stop.wait(0.05):
                with self.house.store.single() as books:
                    books.retention.delete(Remains.CHANGES, self.house.clock(), 100)
        except Exception as error:  # noqa: BLE001 - the test reports it
            self.error = error


def connect(house, kind, reader, owner_id, **said):
    (own,) = house.partners[reader].ids_as(kind.reader)
    pair = (own, owner_id) if kind.reader == "operator" else (owner_id, own)
    house.connect(*pair, kind.connection, **said)


class RacingHouse(CalledHouse):
    """A house with a clock that runs."""

    def clock(self):
        return datetime.now(UTC)


def populated(url, keyring):
    """A house with owners, steady readers, and a fickle one; each reads whatever it may."""
    house = RacingHouse(url, keyring, None)
    for owner in OWNERS:
        house.partner(owner.lower(), [owner], [owner])
    for number, reader in enumerate(READERS):
        house.partner(reader, [f"NLO{number}X"], [f"NLP{number}X"])
        for kind in KINDS:
            for owner in OWNERS:
                connect(house, kind, reader, owner)
    return house


def race(house, seed):
    """One round: everybody at once, then each reader asks once more."""
    stop = threading.Event()
    writers = [Writer(house, kind, owner, f"{seed} {owner}", stop) for kind in KINDS for owner in OWNERS]
    readers = [Reader(house, kind, name, f"{seed} {name}", stop) for kind in KINDS for name in READERS]
    switch = Switch(house, KINDS, f"{seed} switch", stop)
    threads = [*writers, *readers, switch, Tidier(house, stop)]
    for thread in threads:
        thread.start()
    stop.wait(ROUND)
    stop.set()
    for thread in threads:
        thread.join()
    assert [(each.name, each.error) for each in threads if each.error] == []
    for reader in readers:
        reader.chance = random.Random("a delta")
        reader.ask()
        assert reader.asked > 1
    return writers, readers, switch


def test_a_reader_of_deltas_ends_with_what_the_writers_wrote(database_url, keyring, emptied):
    for seed in seeds():
        emptied()
        house = populated(database_url, keyring)
        try:
            writers, readers, switch = race(house, seed)
        finally:
            house.store.close()
        for reader in readers:
            owners = [each for each in writers if each.kind is reader.kind and switch.lets(each, reader)]
            told, written = at_the_end(reader, house.clock()), written_for(reader, owners, house.clock())
            if not reader.kind.takes_back:
                told = {key: told.get(key) for key in written}
            assert told == written, (seed, reader.name)
        assert all(writer.stored for writer in writers)


def at_the_end(reader, now):
    """What counts of the reader's copy in the end, by key: for a fickle reader, only what it may use."""
    return relevant(reader, reader.copy.values(), now)


def written_for(reader, owners, now):
    """What counts of what the owners wrote, as the reader sees it."""
    own_ids = reader.partner.ids_as(reader.kind.reader)
    seen = (reader.kind.seen_by(record, own_ids) for owner in owners for record in owner.stored.values())
    said = (reader.kind.said(record, V1_4_1, now) for record in seen if record is not None)
    return relevant(reader, said, now)


def relevant(reader, records, now):
    counts = reader.kind.counts if reader.is_fickle else reader.kind.listed
    return {reader.kind.key(each): each for each in records if counts(each, now)}
