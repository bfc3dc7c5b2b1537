"""The life of a CDR: every state with every move, against the rules as the specification tells them."""

import pytest

from clearinghouse.domain.cdr_life import (
    FINAL,
    MOVES,
    STATES,
    UPLOADS,
    WAITING,
    Move,
    after,
    is_repeat,
    upload_move,
)
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4

RULES = """
                unknown   accepted  revised   declined  approved  rejected
    submit      accepted  -         -         -         -         -
    resubmit    accepted  -         -         revised   -         -
    revise      accepted  revised   revised   revised   -         -
    give up     -         -         -         rejected  -         -
    approve     -         approved  approved  -         -         -
    decline     -         declined  declined  -         -         -
    uphold      -         -         -         approved  -         -
    dismiss     -         -         -         rejected  -         -
"""
REPEATS = """
                unknown   accepted  revised   declined  approved  rejected
    submit      -         yes       yes       yes       yes       yes
    resubmit    -         yes       yes       yes       yes       yes
    revise      -         yes       yes       -         yes       -
    give up     -         -         -         -         -         yes
    approve     -         -         -         -         yes       -
    decline     -         -         -         yes       -         -
    uphold      -         -         -         -         -         -
    dismiss     -         -         -         -         -         -
"""


def cells(table):
    """Every cell of a table as (state, move, text)."""
    head, *lines = table.strip("\n").splitlines()
    states = [None if word == "unknown" else CdrStatus(word) for word in head.split()]
    for line in lines:
        yield from (
            (state, Move(line[4:16].strip()), text) for state, text in zip(states, line[16:].split(), strict=True)
        )


EVERY = [*cells(RULES)]


def test_the_rules_speak_of_every_pair():
    pairs = [(state, move) for state, move, _ in EVERY]
    assert len(pairs) == len(set(pairs)) == len(STATES) * len(Move)
    assert {*pairs} == {(state, move) for state in STATES for move in Move}
    assert {*STATES} == {None, *CdrStatus} - {CdrStatus.NEW}
    assert {*MOVES} <= {*pairs}


@pytest.mark.parametrize(("state", "move", "expected"), EVERY)
def test_a_move_leads_where_the_rules_say(state, move, expected):
    assert (after(state, move) or "-") == expected


@pytest.mark.parametrize(("state", "move", "expected"), [*cells(REPEATS)])
def test_what_changes_nothing_is_a_repeat(state, move, expected):
    assert ("yes" if is_repeat(state, move) else "-") == expected


@pytest.mark.parametrize("state", sorted(FINAL))
def test_nothing_leads_out_of_a_final_state(state):
    assert not any(after(state, move) for move in Move)


def test_the_provider_decides_exactly_where_it_is_asked_to():
    assert {state for state in STATES if after(state, Move.APPROVE)} == WAITING
    assert {state for state in STATES if after(state, Move.DECLINE)} == WAITING


@pytest.mark.parametrize("version", ORDER)
@pytest.mark.parametrize("status", CdrStatus)
def test_partners_set_no_status_but_those_of_an_operator(version, status):
    allowed = {CdrStatus.NEW} if version is V1_3 else {CdrStatus.NEW, CdrStatus.REVISED, CdrStatus.REJECTED}
    assert (upload_move(version, status) is not None) == (status in allowed)


def test_a_new_upload_of_1_3_may_answer_a_refusal_and_one_of_1_4_may_not():
    assert after(CdrStatus.DECLINED, upload_move(V1_3, CdrStatus.NEW)) is CdrStatus.REVISED
    assert after(CdrStatus.DECLINED, upload_move(V1_4, CdrStatus.NEW)) is None


def test_every_upload_has_a_place_in_the_life():
    assert set(UPLOADS.values()) <= {move for _, move in MOVES}
