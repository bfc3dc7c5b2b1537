"""What is made ahead: in order, while its reader works, and not after the reader has left."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clearinghouse.services.streams import ahead


@pytest.fixture
def helper():
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("count", [0, 1, 7])
def test_what_is_made_ahead_comes_in_its_order(count, helper):
    assert list(ahead(iter(range(count)), helper)) == list(range(count))


def test_the_next_is_made_while_one_is_worked_on(helper):
    made = [threading.Event() for _ in range(3)]

    def items():
        for each in made:
            each.set()
            yield each

    for number, _ in enumerate(ahead(items(), helper)):
        assert made[min(number + 1, 2)].wait(10)


def test_an_error_comes_when_its_item_is_due(helper):
    def items():
        yield 1
        raise ValueError("broken")

    coming = ahead(items(), helper)
    assert next(coming) == 1
    with pytest.raises(ValueError, match="broken"):
        next(coming)


def test_who_leaves_leaves_nothing_running(helper):
    closed, running = threading.Event(), threading.Event()

    def items():
        try:
            yield 1
            running.set()
            time.sleep(0.1)
            yield 2
        finally:
            closed.set()

    coming = ahead(items(), helper)
    next(coming)
    assert running.wait(10)
    coming.close()
    assert closed.is_set()
