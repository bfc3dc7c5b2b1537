"""The load generator and what is made of its figures."""

import socket
import threading
import time

import pytest

from tests.benchmarks.load import Line, Load, is_complete, waits_of
from tests.benchmarks.measuring import Child, Row, Turn, compared, judged, noting, or_why_not, time_ratio

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n<resultCode>ok</resultCode>"


class PlainLine(Line):
    """A line without TLS to somebody who answers after a while, and hangs up after so many answers."""

    def __init__(self, seconds, answer=ANSWER, answers=10_000):
        self._said = seconds, answer, answers
        self._threads = []
        super().__init__(("nowhere", 0), None)

    def _connected(self):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._threads.append(threading.Thread(target=self._serve, args=(theirs, *self._said)))
        self._threads[-1].start()
        return ours

    def _serve(self, line, seconds, answer, answers):
        with line:
            for _ in range(answers):
                if not line.recv(1000):
                    return
                time.sleep(seconds)
                line.sendall(answer)

    def close(self):
        self.socket.close()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def lines():
    made = []

    def make(count, *said):
        made.extend(PlainLine(*said) for _ in range(count))
        return made

    yield make
    for line in made:
        line.close()


@pytest.mark.parametrize(
    ("received", "whole"),
    [
        (ANSWER, True),
        (ANSWER[:-1], False),
        (b"HTTP/1.1 200 OK\r\nContent-Le", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", False),
    ],
)
def test_an_answer_is_complete_at_its_length_or_with_its_last_chunk(received, whole):
    assert is_complete(received) is whole


def test_a_full_load_has_a_request_on_every_line(lines):
    load = Load(lines(3, 0.01), iter([b"request"] * 30), 30.0, None)
    load.run()
    assert (len(load.waits), load.unsent) == (30, 0)
    assert min(load.waits) >= 0.01


def test_a_steady_load_sends_so_many_a_second(lines):
    load = Load(lines(2, 0.0), iter([b"request"] * 1000), 0.5, 40)
    load.run()
    assert len(load.waits) == 20


def test_what_a_slow_server_leaves_unsent_has_waited_since_it_was_due(lines):
    load = Load(lines(1, 0.2), iter([b"request"] * 1000), 0.5, 100)
    load.run()
    assert len(load.waits) == 50
    assert load.unsent >= 45
    assert sorted(load.waits)[25] >= 0.1


def test_a_wrong_answer_ends_the_load(lines):
    load = Load(lines(1, 0.0, ANSWER.replace(b"ok<", b"no<")), iter([b"request"]), 1.0, None)
    with pytest.raises(RuntimeError, match="not ok"):
        load.run()


def test_a_line_that_was_closed_after_its_answer_is_opened_again(lines):
    load = Load(lines(2, 0.0, ANSWER, 1), iter([b"request"] * 20), 30.0, None)
    load.run()
    assert len(load.waits) == 20


def test_a_line_that_was_closed_before_its_first_answer_is_opened_again_too(lines):
    (line,) = lines(1, 0.0, ANSWER, 0)
    line._said = 0.0, ANSWER, 1
    load = Load([line], iter([b"request"] * 3), 30.0, None)
    load.run()
    assert len(load.waits) == 3


def test_a_server_that_hangs_up_instead_of_answering_ends_the_load(lines):
    load = Load(lines(1, 0.0, ANSWER[:-1], 1), iter([b"request"]), 1.0, None)
    with pytest.raises(RuntimeError, match="hung up"):
        load.run()
    (silent,) = lines(1, 0.0, ANSWER, 0)[1:]
    with pytest.raises(RuntimeError, match="hung up"):
        Load([silent], iter([b"request"]), 1.0, None).run()


def test_waits_are_told_in_milliseconds():
    waits = [each / 1000 for each in range(1, 101)]
    assert waits_of(waits) == {"half within": 51, "95 % within": 96, "99 % within": 100}
    assert waits_of([0.5]) == {"half within": 500, "95 % within": 500, "99 % within": 500}


# -- Rows


def row(**said):
    return Row(what="it", unit="s", median=1.0, low=1.0, high=1.0, **said)


def test_a_row_is_met_where_every_demand_is():
    met = judged(row(notes="quiet"), {"≤ 2 s": True, "≤ +64 MB": True}, aim="1 s")
    assert (met.goal, met.is_met, met.notes) == ("≤ 2 s, ≤ +64 MB", True, "aim: 1 s; quiet")
    missed = judged(row(), {"≤ 2 s": True, "≤ +64 MB": False})
    assert (missed.is_met, missed.notes) == (False, "missed: ≤ +64 MB")


def test_what_cannot_be_measured_is_a_miss_that_says_why():
    def fail():
        raise RuntimeError("HTTP 413:\n too large")

    (missed,) = or_why_not("an upload", "≤ 2 s", fail)
    assert (missed.median, missed.is_met, missed.notes) == (None, False, "not measured: HTTP 413: too large")


def test_rows_take_on_ratios_and_notes():
    turns = [Turn(done=1, seconds=seconds, cpu=0, peak_memory=0) for seconds in (1.0, 2.0, 4.0)]
    assert time_ratio(turns, [turns[0]] * 3) == 2
    assert noting(compared(row(ratios={"a": 1.0}), "b", 2.0), "new").ratios == {"a": 1.0, "b": 2.0}
    assert noting(row(notes="old"), "new").notes == "old; new"


def test_a_client_that_fails_says_why_and_goes_on():
    with Child("tests.benchmarks.client") as client:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="KeyError: 'nonsense'"):
                client.ask(order="calls", call="nonsense", host="localhost", port=1, ca=None, connections=0, seconds=0)
