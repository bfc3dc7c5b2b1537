"""Workers on one core each, and the threads that may leave it."""

import os
import threading

import pytest

from clearinghouse import cores
from clearinghouse.soap import records

pytestmark = pytest.mark.skipif(not cores.ALL, reason="threads choose no cores here")
FIRST = {min(cores.ALL, default=0)}


@pytest.fixture
def elsewhere():
    """A thread whose choice of cores changes nothing for others: what it is given to do returns its cores."""

    def run(*work):
        seen = []

        def do():
            for each in work:
                each()
            seen.append(os.sched_getaffinity(0))

        thread = threading.Thread(target=do)
        thread.start()
        thread.join()
        return seen[0]

    return run


@pytest.mark.parametrize(
    ("given", "workers", "number", "kept"), [(2, 2, 3, 1), (2, 4, 0, 0), (2, 1, 0, None), (1, 4, 0, None)]
)
def test_a_worker_keeps_to_a_core_where_there_are_enough_workers(monkeypatch, given, workers, number, kept):
    chosen = []
    monkeypatch.setattr(cores, "ALL", frozenset(range(10, 10 + given)))
    monkeypatch.setattr(cores.os, "sched_setaffinity", lambda who, which: chosen.append((who, which)))
    cores.keep_to_one(workers, number)
    assert chosen == ([] if kept is None else [(0, {10 + kept})])


def test_a_thread_that_needs_no_interpreter_gets_all_cores_back(elsewhere):
    assert elsewhere(lambda: os.sched_setaffinity(0, FIRST)) == FIRST
    assert elsewhere(lambda: os.sched_setaffinity(0, FIRST), cores.use_all) == cores.ALL
    assert os.sched_getaffinity(0) == cores.ALL


def test_what_parses_long_messages_is_such_a_thread(elsewhere, monkeypatch):
    monkeypatch.setattr(records, "_PARSERS", [])

    def parsed():
        def items():
            yield os.sched_getaffinity(0)

        assert list(records._ahead(items())) == [cores.ALL]

    assert elsewhere(lambda: os.sched_setaffinity(0, FIRST), parsed) == FIRST
    (helper,) = records._PARSERS
    helper.shutdown()


def test_a_thread_that_stands_back_does_so_alone(elsewhere):
    found = []

    def look():
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert elsewhere(lambda: os.sched_setaffinity(0, FIRST), cores.stand_back, look) == cores.ALL
    look()
    assert found == [cores.LEISURE, before]


def test_a_system_that_forbids_it_is_obeyed(monkeypatch):
    monkeypatch.setattr(cores, "ALL", frozenset({100_000}))
    cores.use_all()
