"""Every command: help with an example, one line for what is unknown, JSON that parses, one line per row in a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from clearinghouse.cli import NOUNS, app
from clearinghouse.ochp.versions import V1_4
from clearinghouse.persistence.keyring import KeyRing, new_key
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.services.conversion_port import Shortfall

ROOT: Any = typer.main.get_command(app)
PROGRAM = [sys.executable, "-m", "clearinghouse"]


def commands(group: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that name it."""
    if not hasattr(group, "list_commands"):
        yield path, group
        return
    context = group.make_context("clearinghouse", [], resilient_parsing=True)
    for name in group.list_commands(context):
        yield from commands(group.get_command(context, name), (*path, name))


EVERY = dict(commands())


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> dict[str, str]:
    """The environment of somebody who administers a house."""
    settings = tmp_path / "house.toml"
    settings.write_text('role = "house"\nhome = "."\npublic_url = "https://localhost:8443"\nplain_http = true\n')
    return {"CLEARINGHOUSE_SETTINGS": str(settings), "CLEARINGHOUSE_DATABASE_URL": database_url}


def run(*words: str, env: dict[str, str] | None = None) -> Any:
    return CliRunner().invoke(app, words, env=env)


def test_every_noun_has_commands() -> None:
    assert {path[0] for path in EVERY} == {*NOUNS, "serve"}
    assert len(EVERY) > 25


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_tells_what_a_command_does_and_shows_an_example(path: tuple[str, ...]) -> None:
    said = run(*path, "--help")
    assert said.exit_code == 0
    assert f"Example: clearinghouse {' '.join(path)}" in " ".join(said.output.split())
    assert EVERY[path].help


@pytest.mark.parametrize("path", [(), *((noun,) for noun in NOUNS)], ids=" ".join)
def test_an_unknown_word_or_option_is_refused_with_status_2(path: tuple[str, ...]) -> None:
    word = run(*path, "no-such-word")
    assert word.exit_code == 2
    assert "no-such-word" in word.stderr
    option = run(*path, "--no-such-option")
    assert option.exit_code == 2
    assert "--no-such-option" in option.stderr


UNKNOWN = {
    ("partner", "disable", "nobody"): "nobody",
    ("partner", "add", "x", "--operator-id", "too-long"): "TOOLONG",
    ("credential", "issue", "nobody"): "nobody",
    ("credential", "list", "nobody"): "nobody",
    ("connection", "request", "DEXXX", "DEYYY"): "DEXXX",
    ("connection", "approve", "DEXXX", "DEYYY"): "--as",
    ("connection", "approve", "DEXXX", "DEYYY", "--as", "operator"): "DEXXX",
    ("api-key", "revoke", "99"): "99",
    ("token", "fetch"): "house",
    ("wsdl", "write", "--folder", "/proc/nowhere"): "/proc/nowhere",
    ("certs", "show", "/no/such.pem"): "/no/such.pem",
}


@pytest.mark.parametrize("words", UNKNOWN, ids=" ".join)
def test_what_is_not_there_is_told_in_one_line_with_status_1(words: tuple[str, ...], house: dict[str, str]) -> None:
    said = run(*words, env=house)
    assert said.exit_code == 1, said.output
    assert said.stderr.startswith("clearinghouse: ")
    assert said.stderr.count("\n") == 1
    assert UNKNOWN[words] in said.stderr


@pytest.mark.parametrize("path", [path for path in EVERY if "settings" in {each.name for each in EVERY[path].params}])
def test_a_settings_file_that_is_not_there_is_told_in_one_line(path: tuple[str, ...]) -> None:
    needed = ["1" for each in EVERY[path].params if each.required]
    said = run(*path, *needed, "--settings", "/no/such.toml")
    assert (said.exit_code, said.stderr) == (1, "clearinghouse: no such file: /no/such.toml\n")


def test_json_is_json(house: dict[str, str]) -> None:
    def told(*words: str) -> Any:
        said = run(*words, "--json", env=house)
        assert said.exit_code == 0, said.stderr
        return json.loads(said.stdout)

    assert told("partner", "add", "stromkreis", "--operator-id", "DEOPS")[0]["operator_ids"] == ["DEOPS"]
    assert told("partner", "add", "fahrstrom", "--provider-id", "DEPRO")[0]["enabled"] is True
    assert told("partner", "change", "stromkreis", "--meter-unit", "Wh")[0]["meter_unit"] == "Wh"
    assert [each["name"] for each in told("partner", "list")] == ["fahrstrom", "stromkreis"]
    issued = told("credential", "issue", "stromkreis")
    assert issued["username"] == "stromkreis"
    assert len(issued["password"]) > 20
    assert told("credential", "rotate", "stromkreis")["password"] != issued["password"]
    assert len(told("credential", "list", "stromkreis")) == 2
    assert "password" not in str(told("credential", "list", "stromkreis"))
    assert len(told("connection", "request", "DEOPS", "DEPRO")) > 1
    assert told("connection", "approve", "DEOPS", "DEPRO", "--as", "operator")[0]["approved_by_operator"] is True
    assert told("connection", "withdraw", "DEOPS", "DEPRO", "--as", "operator")[0]["approved_by_operator"] is False
    assert len(told("connection", "end", "DEOPS", "DEPRO")) > 1
    assert told("connection", "list")
    key = told("api-key", "issue", "app")
    assert key["key"] not in str(told("api-key", "list"))
    assert told("endpoint", "list") == []
    assert told("cdr", "list") == told("cdr", "lost") == []
    assert told("cdr", "set-check", "country", "refuse")[0]["severity"] == "refuse"
    assert {each["code"]: each["severity"] for each in told("cdr", "checks")}["country"] == "refuse"
    assert told("settlement", "show") == {"lines": [], "balances": []}
    assert told("session", "list") == []
    assert told("cdr", "claims") == []
    assert told("cdr", "declined") == []
    assert told("session", "told", "DEOPS-1") == []
    assert {each["standing"] for each in told("token", "status")} == {"missing"}
    assert told("partner", "disable", "stromkreis")[0]["enabled"] is False
    assert told("partner", "enable", "stromkreis")[0]["enabled"] is True


SHOWING = [
    path
    for path, command in EVERY.items()
    if any("--json" in each.opts for each in command.params) and not any(each.required for each in command.params)
]


@pytest.mark.parametrize("path", SHOWING, ids=" ".join)
def test_what_can_be_shown_without_an_argument_is_json_even_where_there_is_nothing(
    path: tuple[str, ...], house: dict[str, str]
) -> None:
    said = run(*path, "--json", env=house)
    assert said.exit_code == 0, said.stderr
    json.loads(said.stdout)


def test_a_row_in_a_pipe_is_one_line_however_long(house: dict[str, str]) -> None:
    ids = [word for number in range(30) for word in ("--operator-id", f"DEO{number:02d}")]
    assert run("partner", "add", "manyfold", *ids, env=house).exit_code == 0
    piped = subprocess.run(
        [*PROGRAM, "partner", "list"],
        capture_output=True,
        text=True,
        env={**os.environ, **house, "COLUMNS": "80"},
        check=True,
    )
    heading, row = piped.stdout.splitlines()
    assert heading.startswith("name")
    assert row.startswith("manyfold")
    assert "DEO00, DEO01" in row
    assert "DEO28, DEO29" in row
    assert len(row) < 400, "no trailing blanks up to the width of the console"


def test_a_certificate_is_shown_as_json(tmp_path: Path) -> None:
    made = run("certs", "make", "--folder", str(tmp_path), "--name", "server", "--host", "localhost")
    assert made.exit_code == 0
    shown = run("certs", "show", str(tmp_path / "server.pem"), "--json")
    assert len(json.loads(shown.stdout)) == 2
    again = run("certs", "make", "--folder", str(tmp_path), "--name", "server", "--host", "localhost")
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)
    assert "--force" in again.stderr


def test_the_program_says_its_version() -> None:
    assert subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout == "0.1.0\n"


def test_the_conversion_log_is_listed_by_partner(house: dict[str, str], database_url: str) -> None:
    lost = {"version": V1_4, "subject": "CDRInfo", "name": "DEOPS1", "field": "meteringInfo", "reason": "no such field"}
    store = PostgresStore(database_url, KeyRing([new_key()]))
    with store.single() as books:
        counted = {Shortfall(partner=partner, left_out=False, **lost): 2 for partner in ("acme", "other")}
        books.conversions.note(counted, datetime(2026, 6, 1, tzinfo=UTC))
    store.close()
    said = json.loads(run("conversion", "list", "--partner", "acme", "--json", env=house).stdout)
    assert [(each["partner"], each["version"], each["times"]) for each in said] == [("acme", "1.4", 2)]
    assert "meteringInfo" in run("conversion", "list", env=house).stdout
