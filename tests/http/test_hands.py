"""The threads that answer: errors reach who asked, and nothing that a client does costs a thread."""

import asyncio
import threading
from functools import partial

import pytest

from clearinghouse.http.hands import Hands


@pytest.fixture
def gate():
    return threading.Event()


@pytest.fixture
def hands(gate):
    def work(question):
        if question == "wait":
            gate.wait(10)
        if question == "fail":
            raise LookupError(question)
        return question, threading.current_thread().name

    made = Hands(2, "soap")
    yield lambda question: made(partial(work, question))
    gate.set()
    made.close()


def test_answers_come_from_the_threads_in_whatever_order(hands):
    async def ask():
        return await asyncio.gather(*(hands(number) for number in range(50)))

    answers = asyncio.run(ask())
    assert [number for number, _ in answers] == list(range(50))
    assert {name for _, name in answers} <= {"soap_0", "soap_1"}


def test_an_error_is_raised_where_the_question_was_asked(hands):
    async def ask():
        with pytest.raises(LookupError, match="fail"):
            await hands("fail")
        return await hands(1)

    assert asyncio.run(ask())[0] == 1


def test_a_question_of_a_client_that_went_away_is_dropped(hands, gate):
    async def ask():
        waiting = [hands("wait"), hands("wait")]
        dropped = hands("fail")
        dropped.cancel()
        gate.set()
        await asyncio.gather(*waiting)
        return await hands(1)

    assert asyncio.run(ask())[0] == 1


def test_an_answer_for_a_loop_that_has_ended_costs_no_thread(hands, gate):
    async def leave():
        hands("wait")
        hands("wait")
        await asyncio.sleep(0.05)

    async def ask():
        return await asyncio.gather(hands(1), hands(2))

    asyncio.run(leave())
    gate.set()
    assert [number for number, _ in asyncio.run(ask())] == [1, 2]


def test_closing_answers_what_was_asked_before(gate):
    answered = []
    hands = Hands(1, "soap")

    async def ask():
        for number in range(20):
            hands(partial(answered.append, number))
        hands.close()

    asyncio.run(ask())
    assert answered == list(range(20))
