"""The commands of a provider about CDRs, on a database of its own."""

import json

import pytest
from typer.testing import CliRunner

from clearinghouse.cli import app
from clearinghouse.services.cdr_review import CdrReview
from tests.cdr_builders import EVSE, cdr
from tests.services.house_double import HouseDouble, TurnableClock, line_to


@pytest.fixture
def run(database_url, tmp_path, monkeypatch):
    """Runs a command; its output, and its status if that is not zero."""
    settings = tmp_path / "provider.toml"
    settings.write_text(
        'role = "provider"\npublic_url = "https://pro.example"\nplain_http = true\nhouse_url = "https://hub.example"\n'
        f'house_username = "pro"\nhouse_password = "secret"\nparty_ids = ["DEPRO"]\ndatabase_url = "{database_url}"\n'
        '[cdr_rules]\nknown-session = "decline"\n'
    )
    monkeypatch.setenv("CLEARINGHOUSE_SETTINGS", str(settings))
    monkeypatch.setenv("CLEARINGHOUSE_ACTOR", "ada")
    monkeypatch.setenv("COLUMNS", "400")

    def runs(*words, status=0):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == status, result.output
        return result.output

    return runs


@pytest.fixture
def received(store):
    review = CdrReview(store, line_to(HouseDouble()), TurnableClock(), frozenset({"DEPRO"}))
    with store.books() as books:
        review._received(books, cdr())


def test_the_noun_shows_a_provider_what_it_was_sent(received, run):
    assert "approving" in run("cdr", "list", "--stage", "approving", "--partner", "DEOPS")
    assert run("cdr", "list", "--stage", "waiting").strip() == "none"
    assert "--partner and --stage" in run("cdr", "list", "--flagged", status=1)
    shown = json.loads(run("cdr", "show", "DEOPS0001", "--evse", EVSE, "--json"))
    assert [each["actor"] for each in shown["history"]] == ["operator", "rules"]
    assert "known-tariff" in run("cdr", "show", "DEOPS0001")


def test_a_person_decides_at_the_command_line(received, run):
    assert "declining" in run("cdr", "decline", "DEOPS0001", "--why", "not ours")
    assert "approving" in run("cdr", "approve", "DEOPS0001")
    history = json.loads(run("cdr", "show", "DEOPS0001", "--json"))["history"]
    assert [(each["actor"], each["what"]) for each in history[2:]] == [("ada", "decline"), ("ada", "approve")]
    assert "there is no CDR 'X1'" in run("cdr", "approve", "X1", status=1)


def test_the_rules_are_shown_as_they_are_set(run):
    told = {each["name"]: each["verdict"] for each in json.loads(run("cdr", "rules", "--json"))}
    assert (told["known-session"], told["known-token"]) == ("decline", "wait")
