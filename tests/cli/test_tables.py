"""Tables of the command line keep every value whole where nobody looks at a terminal."""

from __future__ import annotations

import json

from clearinghouse.cli.context import rows

ADDRESS = "https://cms.example/" + "a" * 200


def test_a_long_value_is_not_cut_in_a_pipe(capsys):
    rows([ADDRESS], {"url": lambda each: each, "again": lambda each: each}, as_json=False)
    assert capsys.readouterr().out.split() == ["url", "again", ADDRESS, ADDRESS]


def test_an_empty_list_says_so_and_as_json_is_a_list(capsys):
    rows([], {"url": lambda each: each}, as_json=False)
    rows([], {"url": lambda each: each}, as_json=True)
    none, empty = capsys.readouterr().out.splitlines()
    assert none == "none"
    assert json.loads(empty) == []
