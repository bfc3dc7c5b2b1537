"""Leadership: one acts at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import NullPool, text

from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.errors import StoreUnreachable
from clearinghouse.persistence.leader import Leadership

END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def test_one_leads_and_the_next_follows_after_release(database_url: str) -> None:
    first, second = Leadership(database_url, "timetable"), Leadership(database_url, "timetable")
    assert first.try_acquire()
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()


def test_names_are_led_apart(database_url: str) -> None:
    leaders = [Leadership(database_url, name) for name in ("timetable", "outbox")]
    assert [each.try_acquire() for each in leaders] == [True, True]
    for each in leaders:
        each.release()


def test_of_many_that_try_at_once_one_wins(database_url: str) -> None:
    leaders = [Leadership(database_url, "timetable") for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(Leadership.try_acquire, leaders))
    assert won.count(True) == 1
    for each in leaders:
        each.release()


def test_a_leader_whose_connection_dies_leads_no_more_and_another_does(database_url: str) -> None:
    first, second = Leadership(database_url, "timetable"), Leadership(database_url, "timetable")
    assert first.try_acquire()
    with make_engine(database_url, poolclass=NullPool).connect() as connection:
        connection.execute(text(END_OTHERS)).all()
    assert second.try_acquire()
    assert not first.try_acquire()
    second.release()
    assert first.try_acquire()
    first.release()


def test_a_lost_database_is_told(database_url: str) -> None:
    with pytest.raises(StoreUnreachable):
        Leadership("postgresql://nobody@127.0.0.1:1/x", "timetable").try_acquire()
