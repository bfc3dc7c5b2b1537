"""The commands about charge data, on a house with a database of its own."""

import json
import re

import pytest
from typer.testing import CliRunner

from clearinghouse.cli import app
from clearinghouse.domain.cdrs import key_of
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.versions import V1_3
from tests.cdr_builders import cdr, hours_later
from tests.services.cdr_house import CdrHouse, code


@pytest.fixture
def house(store):
    return CdrHouse(store)


@pytest.fixture
def run(database_url, tmp_path, monkeypatch):
    """Runs a command; its output, and its status if that is not zero."""
    settings = tmp_path / "house.toml"
    settings.write_text(
        f'role = "house"\npublic_url = "https://hub.example"\nplain_http = true\ndatabase_url = "{database_url}"\n'
    )
    monkeypatch.setenv("CLEARINGHOUSE_SETTINGS", str(settings))
    monkeypatch.setenv("CLEARINGHOUSE_ACTOR", "ada")
    monkeypatch.setenv("COLUMNS", "400")

    def runs(*words, status=0):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == status, result.output
        return result.output

    return runs


def cells(output):
    """The cells of a table, row by row."""
    return [re.split(r"\s{2,}", line.strip()) for line in output.strip().splitlines()]


def test_cdrs_are_listed_for_people_and_for_programs(house, run):
    house.add(cdr(), hours_later(cdr(cdr_id="DEOPS0002"), -30))
    house.confirm(declined=[cdr()])
    assert [row[0] for row in cells(run("cdr", "list"))] == ["CDR", "DEOPS0001", "DEOPS0002"]
    (found,) = json.loads(run("cdr", "list", "--status", "declined", "--since", "2027-01-10", "--json"))
    assert found["info"]["cdr_id"] == "DEOPS0001"
    assert found["amounts"] == {"EUR": "8.00"}
    assert found["findings"][0]["code"] == "tariff-price"
    assert run("cdr", "list", "--partner", "FROPX").strip() == "none"
    assert "is no party ID" in run("cdr", "list", "--partner", "nobody", status=1)


def test_a_cdr_is_shown_with_flags_and_history(house, run):
    house.add(hours_later(cdr(cdr_id="DEOPS0002"), 1), cdr())
    house.confirm(declined=[cdr()])
    shown = run("cdr", "show", "DEOPS0002")
    assert "CDR DEOPS0001 overlaps it at the same EVSE" in shown
    told = json.loads(run("cdr", "show", "DEOPS0001", "--json"))
    assert [(each["actor"], each["after"]) for each in told["history"]] == [
        ("stadtwerke", "accepted"),
        ("fahrstrom", "declined"),
    ]
    assert told["history"][0]["sent"]["cdr_id"] == "DEOPS0001"
    assert "no CDR DEOPS9" in run("cdr", "show", "DEOPS9", status=1)


@pytest.mark.parametrize(("verb", "status"), [("uphold", CdrStatus.APPROVED), ("dismiss", CdrStatus.REJECTED)])
def test_a_declined_cdr_is_clarified(house, run, verb, status):
    house.add(cdr(), version=V1_3)
    house.confirm(declined=[cdr()])
    (told,) = json.loads(run("cdr", verb, "DEOPS0001", "meter checked", "--json"))
    assert told["info"]["status"] == status
    assert house.record(key_of(cdr())).info.status is status
    assert [each.why for each in house.history(key_of(cdr()))][-1] == "meter checked"


def test_nothing_is_lost_where_nothing_was_relayed(house, run):
    assert json.loads(run("cdr", "lost", "--json")) == []


def test_checks_are_shown_and_set(house, run):
    assert "foreign-evse" in run("cdr", "checks")
    run("cdr", "set-check", "foreign-cdr-id", "flag", "--operator", "DEOPS", "--provider", "DEPRO")
    assert code(house.add(cdr(cdr_id="ZZ1"))) == "ok"
    pair = json.loads(run("cdr", "checks", "--operator", "DEOPS", "--provider", "DEPRO", "--json"))
    assert {each["code"]: each["severity"] for each in pair}["foreign-cdr-id"] == "flag"
    assert "'grave' is no severity" in run("cdr", "set-check", "country", "grave", status=1)
    assert "cannot be changed" in run("cdr", "set-check", "foreign-evse", "off", status=1)


def test_a_month_is_settled(house, run):
    house.add(cdr())
    house.confirm(approved=[cdr()])
    told = json.loads(run("settlement", "show", "--month", "2027-01", "--json"))
    assert told["lines"] == [
        {
            "month": "2027-01",
            "operator_id": "DEOPS",
            "provider_id": "DEPRO",
            "currency": "EUR",
            "cdrs": 1,
            "net": "8.00",
        }
    ]
    assert told["balances"][0]["debtor"] == "fahrstrom"
    shown = cells(run("settlement", "show", "--month", "2027-01"))
    assert ["2027-01", "DEOPS", "DEPRO", "EUR", "1", "8.00"] in shown
    assert ["2027-01", "fahrstrom", "stadtwerke", "EUR", "8.00"] in shown
    assert "is no month" in run("settlement", "show", "--month", "January", status=1)
