"""A naive world: partners, connections and records as plain Python values, and what each partner may see of them."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from clearinghouse.domain.partners import Connection, ConnectionKind
from clearinghouse.domain.retention import Remains
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.plain import to_plain

MINUTE = timedelta(minutes=1)
A_WHILE = timedelta(seconds=10)
"""Longer than a busy machine needs between two looks at a clock."""
OPERATORS = {"alpha": ["DEALP", "NLALP"], "both": ["DEBOT"]}
PROVIDERS = {"gamma": ["DEGAM", "NLGAM"], "both": ["DEBOT"]}
PROVIDER_IDS = [each for ids in PROVIDERS.values() for each in ids]


class Roaming:
    """Partners, and the connections that come and go between them."""

    def __init__(self, house, connection_kinds, chance):
        self.house, self.chance = house, chance
        self.connection_kinds = connection_kinds
        self.trail = []
        self.connections = {}
        for name in {**OPERATORS, **PROVIDERS}:
            house.partner(name, OPERATORS.get(name, ()), PROVIDERS.get(name, ()))

    @property
    def now(self):
        return self.house.now

    # -- What happens

    def connect(self):
        """A connection is asked for, approved, withdrawn, limited or ended."""
        key = self._pair()
        operator_id, provider_id, kind = key
        first = Connection(operator_id=operator_id, provider_id=provider_id, kind=kind)
        before = self.connections[key][-1][1] if key in self.connections else first
        new = self.chance.choice(CHANGES)(self, before)
        if new.valid_from and new.valid_until and new.valid_from >= new.valid_until:
            return
        self.trail.append((self.now, new))
        with self.house.store.books() as books:
            books.connections.put(new, "test")
        self.connections.setdefault(key, []).append((self.now, new))

    def _pair(self):
        """Two parties and a kind, often such as were connected before."""
        if self.connections and self.chance.random() < 0.6:
            return self.chance.choice(list(self.connections))
        return (
            self.chance.choice([each for ids in OPERATORS.values() for each in ids]),
            self.chance.choice(PROVIDER_IDS),
            self.chance.choice([*self.connection_kinds] * 3 + [ConnectionKind.DIRECT]),
        )

    def wait(self):
        """Time passes; whoever is connected for a while only sees what there is to see then."""
        minutes = self.chance.choice([1, 1, 2, 5, 30, 1000])
        self.trail.append((self.now, f"{minutes} minutes pass"))
        for _ in range(min(minutes, 40)):
            self.house.now += MINUTE
            self._look()
        self.house.now += MINUTE * max(0, minutes - 40)

    def _look(self):
        """Notice what is only there for a while."""

    # -- What is true

    def acting_as(self, role):
        """The partners that have IDs in this role, by name."""
        return [each for _, each in sorted(self.house.partners.items()) if each.ids_as(role)]


class NaiveWorld(Roaming):
    """Does everything twice: at the house, and in dictionaries that are easy to believe."""

    def __init__(self, house, kinds, chance):
        super().__init__(house, [kind.connection for kind in kinds], chance)
        self.kinds = kinds
        self.records = {kind: {} for kind in kinds}
        self.changed = {kind: {} for kind in kinds}
        self.seen = {kind: defaultdict(lambda: defaultdict(set)) for kind in kinds}
        self._steps = 0

    # -- What happens

    def step(self):
        """Any operation."""
        self._steps += 1
        if any(kind.needs_time for kind in self.kinds):
            self.house.now += A_WHILE
        self.chance.choice([self.upload, self.upload, self.connect, self.connect, self.wait])()
        if self.chance.random() < 0.1:
            self.tidy()
        self._look()

    def tidy(self):
        """The house deletes the changes that no row refers to, which nobody notices."""
        with self.house.store.single() as books:
            books.retention.delete(Remains.CHANGES, self.now, 100)

    def upload(self):
        """A partner uploads a few records."""
        kind = self.chance.choice(self.kinds)
        partner = self.chance.choice(self.acting_as(kind.writer))
        owner_ids = partner.ids_as(kind.writer)
        owners = [self.chance.choice(sorted(owner_ids)) for _ in range(self.chance.randrange(1, 5))]
        records = [kind.make(self.chance, owner, self.now) for owner in owners]
        whole = self.chance.random() < 0.4
        self.trail.append((self.now, partner.name, "all" if whole else "some", kind.name, to_plain(records)))
        kind.upload(self.house.handlers, partner, records, whole=whole)
        before = self.records[kind]
        self.records[kind] = after = kind.uploaded(before, owner_ids, records, self.now, whole=whole)
        for key, record in after.items():
            if record != before.get(key):
                self.changed[kind][key] = (self.now, self._steps)

    def _look(self):
        """Remember what each reader can see now."""
        for kind in self.kinds:
            for partner in self.acting_as(kind.reader):
                for record in self.visible(kind, partner):
                    self.seen[kind][partner.name][kind.key(record)] |= kind.tells(record)

    # -- What is true

    def connected(self, kind, partner):
        """The parties that the partner is connected to now, each with the own IDs that are."""
        ids, found = partner.ids_as(kind.reader), defaultdict(set)
        for (operator_id, provider_id, what), history in self.connections.items():
            ours, theirs = (operator_id, provider_id) if kind.reader is Role.OPERATOR else (provider_id, operator_id)
            if what is kind.connection and ours in ids and history[-1][1].is_active(self.now):
                found[theirs].add(ours)
        return found

    def visible(self, kind, partner):
        """The records that the partner may see now, and what it may see of them."""
        owners = self.connected(kind, partner)
        there = [each for each in self.records[kind].values() if kind.owner(each) in owners]
        seen = (kind.seen_by(each, owners[kind.owner(each)]) for each in there)
        return [each for each in seen if each is not None]


def _approve(world, connection):
    return replace(connection, approved_by_operator=True, approved_by_provider=True)


def _half(world, connection):
    side = world.chance.choice(["approved_by_operator", "approved_by_provider"])
    return replace(connection, **{side: world.chance.random() < 0.5})


def _limit(world, connection):
    begin = world.now + MINUTE * world.chance.randrange(-3, 4)
    return replace(connection, valid_from=begin, valid_until=begin + MINUTE * world.chance.randrange(1, 30))


def _open(world, connection):
    return replace(_approve(world, connection), valid_from=None, valid_until=None)


def _end(world, connection):
    return replace(connection, valid_until=world.now)


CHANGES = (_approve, _half, _limit, _open, _end)
