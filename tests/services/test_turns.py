"""Turns: no more threads work at a time than there are, and none is held by who waits."""

import threading
import time

from clearinghouse.app.house import aside
from clearinghouse.services.turns import Turns


def at_once(turns, threads, work):
    """The most threads that worked at a time; each works twice, and ends."""
    lock, now, most = threading.Lock(), [0], [0]

    def run():
        for _ in range(2):
            turns.take()
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            work()
            with lock:
                now[0] -= 1
        turns.give_up()

    running = [threading.Thread(target=run) for _ in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join(10)
    assert not any(each.is_alive() for each in running)
    return most[0]


def test_no_more_threads_work_at_a_time_than_there_are_turns():
    assert at_once(Turns(2), 6, lambda: time.sleep(0.02)) == 2


def test_who_waits_leaves_the_turn_to_others_and_takes_one_again_for_the_next_piece():
    turns, all_wait = Turns(1), threading.Barrier(5)

    def wait():
        turns.give_up()
        all_wait.wait(5)

    assert at_once(turns, 5, wait) == 5
    assert at_once(turns, 3, lambda: time.sleep(0.02)) == 1


def test_who_waits_is_counted_until_there_is_other_work():
    turns = Turns(1)
    turns.take()
    assert turns.away == 0
    turns.give_up()
    turns.give_up()
    assert turns.away == 1
    blocked = threading.Thread(target=lambda: (turns.take(), turns.give_up()))
    blocked.start()
    blocked.join(10)
    assert turns.away == 2
    turns.take()
    assert turns.away == 1


def test_a_thread_without_a_turn_has_none_to_give_up():
    turns = Turns(1)
    turns.give_up()
    assert at_once(turns, 3, lambda: time.sleep(0.02)) == 1


def test_an_upload_that_waits_behind_another_of_its_partner_keeps_nobody_waiting():
    turns, others_work = Turns(1), threading.Event()

    def other():
        turns.take()
        others_work.set()
        turns.give_up()

    turns.take()
    waiting = threading.Thread(target=other)
    waiting.start()
    assert not others_work.wait(0.05)
    assert aside(lambda request, caller, version: others_work.wait(5), turns)(None, None, None)
    waiting.join()
