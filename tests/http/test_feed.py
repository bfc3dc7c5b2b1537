"""The feed behind the live events, without a server."""

import asyncio
from dataclasses import dataclass

from clearinghouse.http.events import BACKLOG, EventFeed, Listener


@dataclass
class Happening:
    number: int


class Store:
    """Events one to `last`; away while `broken`."""

    def __init__(self, last=0):
        self.last, self.broken, self.asked = last, False, 0

    def after(self, number, limit):
        self.asked += 1
        if self.broken:
            raise ConnectionError
        return [Happening(each) for each in range(number + 1, self.last + 1)][:limit]

    def newest(self):
        return self.last


async def take(listening, count):
    return [(await anext(listening)).number for _ in range(count)]


def run(store, scenario):
    async def running():
        feed = EventFeed(store.after, store.newest, interval=0.01)
        async with asyncio.timeout(10), feed.running():
            await scenario(feed)

    asyncio.run(running())


def test_a_long_absence_is_made_good_page_by_page():
    store = Store(1700)

    async def scenario(feed):
        listening = feed.listen(100)
        assert await take(listening, 1600) == list(range(101, 1701))
        store.last = 1703
        assert await take(listening, 3) == [1701, 1702, 1703]
        await listening.aclose()

    run(store, scenario)


def test_a_store_that_is_away_for_a_while_costs_no_event():
    store = Store(3)

    async def scenario(feed):
        listening = feed.listen(2)
        assert await take(listening, 1) == [3]
        store.broken = True
        await asyncio.sleep(0.05)
        store.last, store.broken = 5, False
        assert await take(listening, 2) == [4, 5]
        await listening.aclose()

    run(store, scenario)


def test_nobody_asks_the_store_while_nobody_listens():
    store = Store(3)

    async def scenario(feed):
        await asyncio.sleep(0.05)
        assert store.asked == 0
        listening = feed.listen(0)
        await take(listening, 3)
        await listening.aclose()
        await asyncio.sleep(0.05)
        asked = store.asked
        await asyncio.sleep(0.1)
        assert store.asked == asked

    run(store, scenario)


def test_many_listeners_ask_no_more_than_one():
    store = Store()

    async def scenario(feed):
        listening = [feed.listen(None) for _ in range(50)]
        first = [asyncio.ensure_future(anext(each)) for each in listening]
        await asyncio.sleep(0.1)
        asked = store.asked
        await asyncio.sleep(0.2)
        assert 0 < store.asked - asked <= 25
        store.last = 1
        assert {each.number for each in await asyncio.gather(*first)} == {1}
        for each in listening:
            await each.aclose()

    run(store, scenario)


def test_a_reader_who_does_not_read_is_cut_off():
    listener = Listener()
    listener.put([Happening(number) for number in range(BACKLOG)])
    assert not listener.cut
    listener.put([Happening(BACKLOG)])
    assert listener.cut
    assert len(listener.waiting) == BACKLOG
