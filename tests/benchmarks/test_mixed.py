"""What is made of everything at once."""

from tests.benchmarks.mixed import QUICK, Outcome, _rows

MEMORY = {"peak_memory": 100.0, "grown": 10.0}


def outcome(**changes):
    calls = {"cpu": 1.0, "done": 10, "notes": {"99 % within": 20.0, "95 % within": 10.0}}
    told = {
        "look-ups": calls,
        "words": calls,
        "CDRs": calls,
        "full downloads": {"cpu": 1.0, "done": 4, "each": [3.0, 4.0], "records": [QUICK.tokens]},
    }
    return Outcome(**{"told": told, "visible": [0.1, 0.2], **changes})


def test_everything_in_time_is_met():
    rows = _rows(QUICK, outcome(), MEMORY, "")
    assert [row.is_met for row in rows] == [True, True, True]
    assert rows[0].median == 20.0


def test_an_error_is_a_miss_that_is_told():
    row, *_ = _rows(QUICK, outcome(errors=["words: HTTP 503"]), MEMORY, "")
    assert row.is_met is False
    assert "words: HTTP 503" in row.notes


def test_a_status_that_was_visible_late_is_a_miss():
    assert _rows(QUICK, outcome(visible=[0.1, 5.1]), MEMORY, "")[1].is_met is False


def test_a_list_that_was_not_whole_is_a_miss():
    told = outcome().told
    short = {**told["full downloads"], "records": [QUICK.tokens - 1, QUICK.tokens]}
    assert _rows(QUICK, outcome(told={**told, "full downloads": short}), MEMORY, "")[2].is_met is False


def test_what_nobody_answered_is_a_miss_in_every_row():
    rows = _rows(QUICK, outcome(told={}, visible=[], errors=["look-ups: hung up"]), MEMORY, "")
    assert [row.is_met for row in rows] == [False] * 3
    assert all("hung up" in row.notes for row in rows)


def test_what_was_measured_is_told_although_another_load_failed():
    told = {name: said for name, said in outcome().told.items() if name != "words"}
    rows = _rows(QUICK, outcome(told=told, errors=["words: hung up"]), MEMORY, "")
    assert [row.is_met for row in rows] == [False, True, True]
