"""Deltas are exact: whoever passes the time of the previous question ends with what the writers wrote."""

import random
import threading
import time
from datetime import UTC, datetime

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, select
from sqlalchemy.dialects.postgresql import insert

from clearinghouse.persistence.changes import settle, stamped
from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.tables import change

THINGS = Table(
    "thing", MetaData(), Column("name", Text, primary_key=True), Column("value", Text), Column("change", BigInteger)
)
NEW = insert(THINGS)
PUT = NEW.on_conflict_do_update(
    index_elements=["name"], set_={"value": NEW.excluded.value, "change": NEW.excluded.change}
)


def now():
    return datetime.now(UTC)


def test_a_reader_misses_nothing_while_writers_take_their_time(database_url):
    engine = make_engine(database_url, pool_size=8)
    THINGS.create(engine)
    stop = threading.Event()

    def write(seed):
        chance = random.Random(seed)
        while not stop.is_set():
            with engine.begin() as db, stamped(db, now) as number:
                for _ in range(chance.randrange(1, 4)):
                    row = {"name": f"{seed}-{chance.randrange(5)}", "value": str(chance.random()), "change": number}
                    db.execute(PUT, row)
                    time.sleep(chance.random() * 0.01)

    copy, since = {}, datetime.fromtimestamp(0, UTC)

    def read():
        nonlocal since
        asked = now()
        with engine.begin() as db:
            settle(db)
            changed = select(THINGS.c.name, THINGS.c.value).join(change, change.c.number == THINGS.c.change)
            copy.update({row.name: row.value for row in db.execute(changed.where(change.c.at >= since))})
        since = asked

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    until = time.monotonic() + 3
    while time.monotonic() < until:
        read()
    stop.set()
    for writer in writers:
        writer.join()
    read()
    with engine.begin() as db:
        written = {row.name: row.value for row in db.execute(select(THINGS.c.name, THINGS.c.value))}
    engine.dispose()
    assert len(written) == 20
    assert copy == written
