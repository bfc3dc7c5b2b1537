"""Imports of some days: what is of them, what is told of the rest, and which commands have days at all."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from typer.main import get_command

from clearinghouse.cli import export, import_
from clearinghouse.ochp.operations import Role
from clearinghouse.services.records import Noun
from tests.cli.record_samples import FOREIGN, GOOD, PAST, file_of, held, partner_of, records_of
from tests.services.points_house import point

DAY = datetime(2026, 1, 12, tzinfo=UTC)
ON_DAY = ("--since", "2026-01-12", "--until", "2026-01-12")
SECOND = timedelta(seconds=1)
LAST_INSTANT = DAY + timedelta(days=1) - timedelta(microseconds=1)
EAST, WEST = timezone(timedelta(hours=1)), timezone(timedelta(hours=-5))
ENDS = {
    "BEFORE": DAY - SECOND,
    "BEFORE2": (DAY - SECOND).astimezone(EAST),
    "FIRST": DAY.astimezone(WEST),
    "LAST": LAST_INSTANT.astimezone(EAST),
    "AFTER": (DAY + timedelta(days=1)).astimezone(WEST),
}
"""Ends of charges; the clock on the wall shows another day than UTC where it is not in UTC."""
PARTNER = {Role.HOUSE: ("--partner", "stadtwerke"), Role.OPERATOR: ()}


def ended(name, end):
    """A CDR of a charge, at an EVSE of its own, that ended then."""
    (period,) = PAST.charging_periods
    times = {"start_date_time": end - timedelta(hours=2), "end_date_time": end}
    periods = (dataclasses.replace(period, **times),)
    return dataclasses.replace(
        PAST, cdr_id=f"DEOPS{name}", evse_id=f"DE*OPS*E{name}", charging_periods=periods, **times
    )


CDRS = [ended(name, end) for name, end in ENDS.items()]


def stamped(evse_id, timestamp):
    return point(evse_id, timestamp=timestamp)


POINTS = [
    stamped("DEOPSE1", DAY - SECOND),
    stamped("DEOPSE2", DAY),
    stamped("DEOPSE3", LAST_INSTANT),
    stamped("DEOPSE4", DAY + timedelta(days=1)),
    stamped("DEOPSE5", None),
]


def names(records):
    return {each.cdr_id.removeprefix("DEOPS") for each in records}


@pytest.mark.parametrize("role", PARTNER)
@pytest.mark.parametrize(
    ("days", "chosen"),
    [
        (ON_DAY, {"FIRST", "LAST"}),
        (("--since", "2026-01-12"), {"FIRST", "LAST", "AFTER"}),
        (("--until", "2026-01-12"), {"BEFORE", "BEFORE2", "FIRST", "LAST"}),
        (("--since", "0001-01-01", "--until", "9999-12-31"), {*ENDS}),
    ],
)
def test_an_import_takes_the_cdrs_that_an_export_of_these_days_gives(house, store, run, tmp_path, role, days, chosen):
    path, back = file_of(tmp_path / "in.csv", Noun.CDRS, CDRS), tmp_path / "out.jsonl"
    run("import", "cdrs", path, *PARTNER[role], *days, role=role)
    assert names(held(store, Noun.CDRS, role)) == chosen
    run("import", "cdrs", path, *PARTNER[role], role=role)
    assert names(held(store, Noun.CDRS, role)) == {*ENDS}
    run("export", "cdrs", back, *days, role=role)
    assert names(records_of(back, Noun.CDRS)) == chosen


@pytest.mark.parametrize(
    ("days", "chosen"),
    [
        (ON_DAY, POINTS[1:3]),
        (("--since", "2026-01-12"), POINTS[1:4]),
        (("--until", "2026-01-12"), POINTS[:3]),
        ((), POINTS),
    ],
)
def test_charge_points_are_of_the_day_of_their_timestamp(house, store, run, tmp_path, days, chosen):
    path = file_of(tmp_path / "in.json", Noun.CHARGE_POINTS, POINTS)
    told = json.loads(run("import", "charge-points", path, *partner_of(Noun.CHARGE_POINTS), *days, "--json"))
    assert told == {"imported": len(chosen), "bad": [], "outside": len(POINTS) - len(chosen), "note": ""}
    assert held(store, Noun.CHARGE_POINTS) == chosen


def test_what_is_outside_the_days_is_counted_and_is_nothing_bad(house, store, run, tmp_path):
    path = file_of(tmp_path / "in.csv", Noun.CDRS, CDRS)
    assert run("import", "cdrs", path, *partner_of(Noun.CDRS), *ON_DAY) == ("2 imported, 0 bad, 3 outside the days\n")
    assert run("import", "cdrs", path, *partner_of(Noun.CDRS), "--since", "2026-02-01") == (
        "0 imported, 0 bad, 5 outside the days\n"
    )
    assert run("import", "cdrs", path, *partner_of(Noun.CDRS)) == "5 imported, 0 bad\n"


def test_the_rules_do_not_judge_what_is_outside_the_days(house, store, run, tmp_path):
    foreign = dataclasses.replace(CDRS[0], evse_id=FOREIGN[Noun.CDRS][0].evse_id)
    path = file_of(tmp_path / "in.csv", Noun.CDRS, [foreign, CDRS[2]])
    run("import", "cdrs", path, *partner_of(Noun.CDRS), status=1)
    assert "1 imported, 0 bad, 1 outside" in run("import", "cdrs", path, *partner_of(Noun.CDRS), *ON_DAY)
    assert names(held(store, Noun.CDRS)) == {"FIRST"}


def test_a_bad_row_is_named_whatever_its_day(house, store, run, tmp_path):
    foreign = dataclasses.replace(CDRS[3], evse_id=FOREIGN[Noun.CDRS][0].evse_id)
    path = file_of(tmp_path / "in.jsonl", Noun.CDRS, [CDRS[0], CDRS[1], CDRS[2], foreign])
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0].replace('"EUR"', "7") + "".join(lines[1:]))
    said = run("import", "cdrs", path, *partner_of(Noun.CDRS), *ON_DAY, status=1)
    assert f"{path}:1: currency: " in said
    assert f"{path}:4: {FOREIGN[Noun.CDRS][1]}\n" in said
    assert "0 imported, 2 bad, 1 outside the days\n" in said
    assert "nothing was imported; --skip-bad takes the rows that are good" in said
    assert held(store, Noun.CDRS) == []
    told = json.loads(run("import", "cdrs", path, *partner_of(Noun.CDRS), *ON_DAY, "--skip-bad", "--json", status=3))
    assert (told["imported"], [each["line"] for each in told["bad"]], told["outside"]) == (1, [1, 4], 1)
    assert names(held(store, Noun.CDRS)) == {"FIRST"}


@pytest.mark.parametrize("days", [ON_DAY, ON_DAY[:2], ON_DAY[2:]])
def test_a_whole_list_is_not_of_some_days(house, store, run, tmp_path, days):
    path = file_of(tmp_path / "in.csv", Noun.CHARGE_POINTS, POINTS)
    run("import", "charge-points", path, *partner_of(Noun.CHARGE_POINTS))
    said = run("import", "charge-points", path, *partner_of(Noun.CHARGE_POINTS), *days, "--replace", status=1)
    assert said == "clearinghouse: --replace would delete what --since and --until leave out: say it without them\n"
    assert held(store, Noun.CHARGE_POINTS) == POINTS


SHARED = {"file", "form", "partner", "settings", "json"}
DAYS = {"since", "until"}


@pytest.mark.parametrize(
    ("module", "noun", "own"),
    [
        (import_, Noun.TOKENS, {"skip_bad", "replace"}),
        (import_, Noun.CHARGE_POINTS, {"skip_bad", "replace"} | DAYS),
        (import_, Noun.TARIFFS, {"skip_bad"}),
        (import_, Noun.CDRS, {"skip_bad"} | DAYS),
        *((export, noun, DAYS) for noun in Noun),
    ],
)
def test_a_command_has_the_options_that_its_records_allow(module, noun, own):
    options = get_command(module.app).commands[noun].params
    assert {each.name for each in options} == SHARED | own
    assert all(each.help for each in options)
    about_day = {"charges that ended" in each.help for each in options if each.name in DAYS}
    assert about_day <= {noun is Noun.CDRS}


@pytest.mark.parametrize("noun", [Noun.TOKENS, Noun.TARIFFS])
def test_records_without_a_date_are_not_imported_by_day(house, run, tmp_path, noun):
    path = file_of(tmp_path / "in.csv", noun, GOOD[noun])
    assert "No such option: --since" in run("import", noun, path, *partner_of(noun), "--since", "2026-01-12", status=2)


@pytest.mark.parametrize("words", [("import", Noun.CDRS, "-", "--partner", "x"), ("export", Noun.CDRS)])
def test_days_that_end_before_they_begin_are_a_mistake(house, run, words):
    said = run(*words, "--since", "2026-01-12", "--until", "2026-01-11", status=2)
    assert "--until 2026-01-11 is before --since 2026-01-12" in said
