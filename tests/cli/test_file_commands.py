"""Files in and out of every role, by the real commands on databases of their own."""

import dataclasses
import io
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from clearinghouse.cli.files import Counted
from clearinghouse.domain.clock import system_clock
from clearinghouse.domain.own_cdrs import OwnCdrState
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.domain.received_cdrs import CdrStage, ReceivedCdr
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.charge_points import GetChargePointListUpdatesRequest
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.persistence.tables import audit
from clearinghouse.services.charge_points import ChargePointExchange
from clearinghouse.services.conversion import Conversions
from clearinghouse.services.record_files import FileFormat
from clearinghouse.services.records import Noun
from clearinghouse.stations.inventory import SAMPLE, read_site
from clearinghouse.stations.tariff_file import SAMPLE_TARIFFS, read_tariffs
from tests.cdr_builders import NOW, hours_later
from tests.cli.record_samples import FOREIGN, GOOD, PAST, as_stored, file_of, held, partner_of, records_of
from tests.services.cdr_house import PROVIDER, connection


@pytest.mark.parametrize("form", FileFormat)
@pytest.mark.parametrize("noun", Noun)
def test_the_house_takes_what_it_gives(house, store, run, tmp_path, noun, form):
    path, back = file_of(tmp_path / f"in.{form}", noun, GOOD[noun]), tmp_path / f"out.{form}"
    assert "2 imported, 0 bad" in run("import", noun, path, *partner_of(noun))
    assert run("export", noun, back) == "2 written\n"
    assert records_of(back, noun) == as_stored(noun, GOOD[noun]) == held(store, noun)
    assert "2 imported, 0 bad" in run("import", noun, back, *partner_of(noun))
    assert held(store, noun) == as_stored(noun, GOOD[noun])


@pytest.mark.parametrize("form", [FileFormat.CSV, FileFormat.JSON])
@pytest.mark.parametrize("noun", Noun)
def test_nothing_is_half_imported_unless_asked_for(house, store, run, tmp_path, noun, form):
    foreign, why = FOREIGN[noun]
    path = file_of(tmp_path / f"in.{form}", noun, [GOOD[noun][0], foreign, GOOD[noun][1]])
    lines = path.read_text().splitlines()
    said = run("import", noun, path, *partner_of(noun), status=1)
    assert f": {why}" in said
    assert "nothing was imported; --skip-bad" in said
    assert held(store, noun) == []
    told = json.loads(run("import", noun, path, *partner_of(noun), "--skip-bad", "--json", status=3))
    assert told["imported"] == 2
    (bad,) = told["bad"]
    assert bad["why"] == why
    assert "OTH" in lines[bad["line"] - 1]
    assert held(store, noun) == as_stored(noun, GOOD[noun])


@pytest.mark.parametrize("noun", Noun)
def test_a_file_with_a_bad_row_names_what_the_rules_refuse_too(house, store, run, tmp_path, noun):
    foreign, why = FOREIGN[noun]
    path = file_of(tmp_path / "in.jsonl", noun, [GOOD[noun][0], foreign])
    path.write_text("{}\n" + path.read_text())
    said = run("import", noun, path, *partner_of(noun), status=1)
    lines = [line for line in said.splitlines() if line.startswith(str(path))]
    assert [line.split(":")[1] for line in lines] == ["1", "3"]
    assert "is missing" in lines[0]
    assert lines[1].endswith(why)
    assert held(store, noun) == []


def test_what_the_house_gives_is_chosen_by_partner_and_day(house, store, run, tmp_path):
    later = hours_later(PAST, 24, cdr_id="DEOPS0002")
    run("import", "cdrs", file_of(tmp_path / "in.csv", Noun.CDRS, [PAST, later]), *partner_of(Noun.CDRS))
    day = f"{PAST.end_date_time:%Y-%m-%d}"
    chosen = {
        ("--since", day, "--until", day): ["DEOPS0001"],
        ("--since", f"{later.end_date_time:%Y-%m-%d}"): ["DEOPS0002"],
        ("--partner", "fahrstrom"): ["DEOPS0001", "DEOPS0002"],
        ("--partner", "DEOPS"): ["DEOPS0001", "DEOPS0002"],
        ("--partner", "rival"): [],
    }
    for options, ids in chosen.items():
        told = json.loads(run("export", "cdrs", tmp_path / "out.json", *options, "--json"))
        assert told["written"] == len(ids)
        assert [each.cdr_id for each in records_of(tmp_path / "out.json", Noun.CDRS)] == ids


@pytest.mark.parametrize("noun", [Noun.TOKENS, Noun.CHARGE_POINTS, Noun.TARIFFS])
def test_other_records_are_chosen_by_the_day_of_their_change(house, run, tmp_path, noun):
    run("import", noun, file_of(tmp_path / "in.csv", noun, GOOD[noun]), *partner_of(noun))
    today = datetime.now(UTC)
    yesterday, tomorrow = (f"{today + timedelta(days=days):%Y-%m-%d}" for days in (-1, 1))
    assert run("export", noun, tmp_path / "out.csv", "--since", yesterday, "--until", tomorrow) == "2 written\n"
    assert run("export", noun, tmp_path / "out.csv", "--until", yesterday) == "0 written\n"
    assert run("export", noun, tmp_path / "out.csv", "--since", tomorrow) == "0 written\n"
    assert run("export", noun, tmp_path / "out.csv", "--partner", "rival") == "0 written\n"


def test_a_decision_cannot_be_imported(house, store, run, tmp_path):
    run("import", "cdrs", file_of(tmp_path / "in.csv", Noun.CDRS, [PAST]), "--partner", "DEOPS")
    approved = dataclasses.replace(PAST, status=CdrStatus.APPROVED)
    said = run("import", "cdrs", file_of(tmp_path / "in.csv", Noun.CDRS, [approved]), "--partner", "DEOPS", status=1)
    assert "in.csv:2: an operator may not set its status to approved" in said
    assert held(store, Noun.CDRS) == as_stored(Noun.CDRS, [PAST])


@pytest.mark.parametrize("noun", [Noun.TOKENS, Noun.CHARGE_POINTS])
def test_what_a_whole_list_lacks_is_gone(house, store, run, tmp_path, noun):
    run("import", noun, file_of(tmp_path / "in.csv", noun, GOOD[noun]), *partner_of(noun))
    run("import", noun, file_of(tmp_path / "one.csv", noun, GOOD[noun][:1]), *partner_of(noun), "--replace")
    now = datetime.now(UTC)
    left = [each for each in held(store, noun) if getattr(each, "expiry_date", now + timedelta(1)) > now]
    assert left == [GOOD[noun][0]]


def test_an_import_reaches_readers_as_an_upload_does(house, store, run, tmp_path):
    with store.books() as books:
        books.connections.put(connection("DEOPS", "DEPRO", kind=ConnectionKind.POI), "test")
    exchange = ChargePointExchange(store, system_clock, Conversions(store, system_clock))
    before = datetime.now(UTC)
    run(
        "import",
        "charge-points",
        file_of(tmp_path / "in.json", Noun.CHARGE_POINTS, GOOD[Noun.CHARGE_POINTS]),
        "--partner",
        "DEOPS",
    )
    request = GetChargePointListUpdatesRequest(last_update=before)
    seen = exchange.get_updates(request, PROVIDER, V1_4_1).charge_point_info_array
    assert list(seen) == list(GOOD[Noun.CHARGE_POINTS])


def test_the_audit_tells_who_uploaded_for_a_partner(house, store, run, tmp_path, monkeypatch):
    monkeypatch.setenv("CLEARINGHOUSE_ACTOR", "eve")
    path = file_of(tmp_path / "in.csv", Noun.TARIFFS, [*GOOD[Noun.TARIFFS], FOREIGN[Noun.TARIFFS][0]])
    run("import", "tariffs", path, "--partner", "DEOPS", status=1)
    run("import", "tariffs", path, "--partner", "DEOPS", "--skip-bad", status=3)
    with store.books() as books:
        rows = books.partners._db.execute(select(audit).where(audit.c.actor == "eve")).all()
    assert [(row.subject, row.name, row.change) for row in rows] == [
        ("partner", "stadtwerke", {"imported": {"tariffs": 2}})
    ]


def test_a_warning_of_the_rules_is_passed_on(house, run, tmp_path):
    odd = dataclasses.replace(GOOD[Noun.CHARGE_POINTS][0], time_zone="Nowhere")
    said = run("import", "charge-points", file_of(tmp_path / "in.csv", Noun.CHARGE_POINTS, [odd]), "--partner", "DEOPS")
    assert "1 imported, 0 bad; Stored, but 'Nowhere' is no time zone" in said


def test_a_provider_keeps_its_tokens_in_files(run, store, tmp_path):
    path = file_of(tmp_path / "in.csv", Noun.TOKENS, GOOD[Noun.TOKENS])
    assert "2 imported, 0 bad; 2 new or changed" in run("import", "tokens", path, role=Role.PROVIDER)
    back = tmp_path / "out.jsonl"
    run("export", "tokens", back, role=Role.PROVIDER)
    assert records_of(back, Noun.TOKENS) == list(GOOD[Noun.TOKENS])
    assert "0 new or changed" in run("import", "tokens", back, role=Role.PROVIDER)
    file_of(path, Noun.TOKENS, [FOREIGN[Noun.TOKENS][0]])
    assert f"{path}:2: contracts of DEOTH" in run("import", "tokens", path, "--skip-bad", role=Role.PROVIDER, status=1)


def test_a_provider_gives_what_it_downloaded(run, store, tmp_path):
    with store.books() as books:
        books.downloads.apply_points(GOOD[Noun.CHARGE_POINTS])
        books.downloads.apply_tariffs(GOOD[Noun.TARIFFS], NOW)
        books.received_cdrs.put(ReceivedCdr(info=PAST, stage=CdrStage.WAITING, received_at=NOW, changed_at=NOW))
    for noun, records in (GOOD | {Noun.CDRS: (PAST,), Noun.TOKENS: ()}).items():
        for form in FileFormat:
            run("export", noun, tmp_path / f"out.{form}", role=Role.PROVIDER)
            assert records_of(tmp_path / f"out.{form}", noun) == list(records)
        if noun is not Noun.TOKENS:
            run("export", noun, tmp_path / "out.csv", "--partner", "DE*OPS", role=Role.PROVIDER)
            assert records_of(tmp_path / "out.csv", noun) == list(records)
            run("export", noun, tmp_path / "out.csv", "--partner", "DEOTH", role=Role.PROVIDER)
            assert records_of(tmp_path / "out.csv", noun) == []


def test_an_operator_gives_what_is_in_its_files_and_what_it_downloaded(run, store, tmp_path):
    with store.books() as books:
        books.local_tokens.replace(GOOD[Noun.TOKENS])
    there = {
        Noun.TOKENS: list(GOOD[Noun.TOKENS]),
        Noun.CHARGE_POINTS: [*read_site(SAMPLE).points.values()],
        Noun.TARIFFS: [*read_tariffs(SAMPLE_TARIFFS).values()],
    }
    for noun, records in there.items():
        run("export", noun, tmp_path / "out.csv", role=Role.OPERATOR)
        assert records_of(tmp_path / "out.csv", noun) == records
    run("export", "tariffs", tmp_path / "tariffs.json", role=Role.OPERATOR)
    assert read_tariffs(tmp_path / "tariffs.json") == read_tariffs(SAMPLE_TARIFFS)


@pytest.mark.parametrize("form", FileFormat)
def test_an_operator_queues_cdrs_for_the_house(run, store, tmp_path, form):
    path, back = file_of(tmp_path / f"in.{form}", Noun.CDRS, GOOD[Noun.CDRS]), tmp_path / f"out.{form}"
    assert "2 imported, 0 bad" in run("import", "cdrs", path, role=Role.OPERATOR)
    assert "2 imported, 0 bad" in run("import", "cdrs", path, role=Role.OPERATOR)
    run("export", "cdrs", back, role=Role.OPERATOR)
    assert records_of(back, Noun.CDRS) == list(GOOD[Noun.CDRS])
    with store.books() as books:
        assert books.own_cdrs.counts() == {OwnCdrState.QUEUED: 2}
    day = f"{PAST.end_date_time:%Y-%m-%d}"
    assert run("export", "cdrs", back, "--until", day, "--partner", "DEPRO", role=Role.OPERATOR) == "1 written\n"
    assert run("export", "cdrs", back, "--partner", "FRPRX", role=Role.OPERATOR) == "0 written\n"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"evse_id": "DEOTHE1"}, "the EVSE DEOTHE1 is not the operator's"),
        ({"status": CdrStatus.APPROVED}, "its status is approved; an operator uploads CDRs as new or revised"),
        ({"currency": "SEK"}, "there is a CDR DEOPS0001 with other content already"),
    ],
)
def test_an_operator_claims_what_is_its_own(run, store, tmp_path, changes, why):
    file = file_of(tmp_path / "in.csv", Noun.CDRS, [PAST, dataclasses.replace(PAST, **changes)])
    assert f"{file}:3: {why}" in run("import", "cdrs", file, role=Role.OPERATOR, status=1)
    assert held(store, Noun.CDRS, Role.OPERATOR) == []
    run("import", "cdrs", file, "--skip-bad", role=Role.OPERATOR, status=3)
    assert held(store, Noun.CDRS, Role.OPERATOR) == [PAST]


@pytest.mark.parametrize(
    ("role", "words", "why"),
    [
        (Role.PROVIDER, "import cdrs x.csv", "The provider downloads its cdrs from the house"),
        (Role.PROVIDER, "import charge-points x.csv", "there is nothing to import"),
        (Role.PROVIDER, "import tariffs x.csv", "there is nothing to import"),
        (Role.OPERATOR, "import tokens x.csv", "there is nothing to import"),
        (Role.OPERATOR, "import charge-points x.csv", "evse_file"),
        (Role.OPERATOR, "import tariffs x.csv", "tariff_file"),
        (Role.PROVIDER, "import tokens x.csv --partner DEPRO", "there is no --partner to say"),
        (Role.HOUSE, "import tokens x.csv", "Say whose these are: --partner NAME"),
        (Role.HOUSE, "import tokens in.csv --partner nobody", "There is no partner 'nobody'"),
        (
            Role.HOUSE,
            "import tokens in.csv --partner stadtwerke",
            "for partners with provider IDs; stadtwerke has none",
        ),
        (Role.HOUSE, "import tokens x.csv --partner fahrstrom", "x.csv: No such file"),
        (Role.HOUSE, "import tokens in.csv --replace --partner fahrstrom", "in.csv has no rows: nothing was replaced"),
        (Role.HOUSE, "import tokens x.txt --partner fahrstrom", "x.txt has no ending that tells its format"),
        (Role.HOUSE, "export tokens --format csv --json", "--json tells about a file"),
        (Role.HOUSE, "export tokens out.csv --partner nobody", "'NOBODY' is no party ID"),
        (Role.PROVIDER, "export tokens out.csv --partner DEOPS", "are all its own"),
        (Role.PROVIDER, "export tokens out.csv --since 2027-01-01", "does not keep the day of the last change"),
        (Role.OPERATOR, "export tariffs out.csv --partner DEPRO", "are those of a file"),
        (Role.HOUSE, "export tokens no/such/folder/out.csv", "No such file"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(house, run, tmp_path, monkeypatch, role, words, why):
    monkeypatch.chdir(tmp_path)
    file_of(tmp_path / "in.csv", Noun.TOKENS, [])
    said = run(*words.split(), role=role, status=1)
    assert why in said
    assert said.startswith("clearinghouse: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "out.csv").exists()


def test_pipes_are_read_and_written(house, run, tmp_path):
    sheet = file_of(tmp_path / "in.csv", Noun.TOKENS, GOOD[Noun.TOKENS]).read_text()
    assert "2 imported" in run("import", "tokens", "-", "--format", "csv", "--partner", "fahrstrom", given=sheet)
    assert run("export", "tokens", "-", "--format", "csv") == sheet + "2 written\n"
    said = run("import", "tokens", "-", "--format", "csv", "--partner", "DEPRO", given=sheet + "x\n", status=1)
    assert "standard input:4: 1 cells, the header has 8" in said


def test_a_file_that_cannot_be_read_on_is_named_with_the_line(house, run, tmp_path):
    path = tmp_path / "in.json"
    path.write_text("[\n{},\n{\n")
    assert f"clearinghouse: {path}, line 4: " in run("import", "tokens", path, "--partner", "DEPRO", status=1)


def test_an_export_that_fails_leaves_the_file_as_it_was(house, store, run, tmp_path):
    path = tmp_path / "out.json"
    path.write_text("precious")
    run("import", "tariffs", file_of(tmp_path / "in.csv", Noun.TARIFFS, GOOD[Noun.TARIFFS]), "--partner", "DEOPS")
    with store.books() as books:
        books.tariffs._db.execute(text("UPDATE tariff SET document = '{\"no\": 1}' WHERE key = 'DEOPST2'"))
    run("export", "tariffs", path, status=1)
    assert path.read_text() == "precious"
    assert not [*tmp_path.glob("*.unfinished"), *tmp_path.glob(".*")]


def test_progress_is_shown_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    passed = Counted(range(1234), "tokens read")
    assert list(passed) == list(range(1234))
    assert passed.count == 1234
    assert "tokens read 1,234" in terminal.getvalue()
