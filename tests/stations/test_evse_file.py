"""The EVSE file: what it may say, and what a wrong one is told."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from clearinghouse.services.stations_port import Evse
from clearinghouse.stations.inventory import SAMPLE, BadInventory, read_inventory

HEADER = "evse_id,max_power_kw,phases,voltage,direct,max_reservation_minutes,time_zone"


def written(tmp_path: Path, *lines: str, name: str = "evses.csv", header: str = HEADER) -> Path:
    path = tmp_path / name
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BadInventory) as caught:
        read_inventory(path)
    return str(caught.value).replace(str(path), "FILE")


def test_a_line_becomes_an_evse_under_its_key(tmp_path):
    path = written(tmp_path, "de*ops*E1*2,22.5,3,230,no,30,Europe/Berlin")
    assert read_inventory(path) == {
        "DEOPSE1*2": Evse(
            evse_id="de*ops*E1*2",
            key="DEOPSE1*2",
            max_power=Decimal("22.5"),
            phases=3,
            voltage=Decimal(230),
            direct=False,
            max_reservation=30,
            time_zone="Europe/Berlin",
        )
    }


def test_empty_cells_and_absent_columns_take_the_defaults(tmp_path):
    path = written(tmp_path, "DE*OPS*E1,11,,,,,", "", "DE*OPS*E2,11,,,,,")
    short = written(tmp_path, "DE*OPS*E1,11", "DE*OPS*E2,11", name="short.csv", header="evse_id,max_power_kw")
    assert read_inventory(path) == read_inventory(short)
    assert read_inventory(short)["DEOPSE1"] == Evse(evse_id="DE*OPS*E1", key="DEOPSE1", max_power=Decimal(11))


def test_json_says_the_same_as_csv(tmp_path):
    table = written(tmp_path, "DE*OPS*E1,3.7,1,230,yes,30,Europe/Berlin", "DE*OPS*E2,50,0,400,no,,")
    entries = [
        {
            "evse_id": "DE*OPS*E1",
            "max_power_kw": 3.7,
            "phases": 1,
            "voltage": 230,
            "direct": True,
            "max_reservation_minutes": 30,
            "time_zone": "Europe/Berlin",
        },
        {"evse_id": "DE*OPS*E2", "max_power_kw": "50", "phases": 0, "voltage": 400, "direct": "no", "connector": None},
    ]
    path = tmp_path / "evses.json"
    path.write_text(json.dumps(entries))
    assert read_inventory(path) == read_inventory(table)


def test_a_file_saved_by_a_spreadsheet_with_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "evses.csv"
    path.write_bytes(b"\xef\xbb\xbfevse_id,max_power_kw\r\nDE*OPS*E1,11\r\n")
    assert list(read_inventory(path)) == ["DEOPSE1"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("DE*OPS*X1,22,3,230,yes,30,UTC", "evse_id: 'DE*OPS*X1' is no EVSE-ID, such as DE*ABC*E1001"),
        ("DE*OPSE1,22,3,230,yes,30,UTC", "evse_id: 'DE*OPSE1' is no EVSE-ID, such as DE*ABC*E1001"),
        (",22,3,230,yes,30,UTC", "evse_id: is missing"),
        ("DE*OPS*E1,,3,230,yes,30,UTC", "max_power_kw: is missing"),
        ("DE*OPS*E1,fast,3,230,yes,30,UTC", "max_power_kw: 'fast' is no number greater than 0"),
        ("DE*OPS*E1,-1,3,230,yes,30,UTC", "max_power_kw: '-1' is no number greater than 0"),
        ("DE*OPS*E1,NaN,3,230,yes,30,UTC", "max_power_kw: 'NaN' is no number greater than 0"),
        ("DE*OPS*E1,22,4,230,yes,30,UTC", "phases: '4' is not 1, 2 or 3, nor 0 for direct current"),
        ("DE*OPS*E1,22,3,0,yes,30,UTC", "voltage: '0' is no number greater than 0"),
        ("DE*OPS*E1,22,3,230,perhaps,30,UTC", "direct: 'perhaps' is neither yes nor no"),
        (
            "DE*OPS*E1,22,3,230,yes,0.5,UTC",
            "max_reservation_minutes: '0.5' is no whole number of minutes greater than 0",
        ),
        (
            "DE*OPS*E1,22,3,230,yes,30,Europe/Atlantis",
            "time_zone: 'Europe/Atlantis' is no IANA time zone, such as Europe/Berlin",
        ),
    ],
)
def test_a_bad_cell_is_named_by_file_line_and_column(tmp_path, line, problem):
    path = written(tmp_path, "DE*OPS*E9,22,3,230,yes,30,UTC", line)
    assert refusal(path) == f"FILE, line 3, {problem}"


def test_several_bad_cells_are_named_at_once_and_ten_at_most(tmp_path):
    assert refusal(written(tmp_path, "X,22,9,230,yes,30,UTC", "Y,22,3,230,yes,30,UTC")).splitlines() == [
        "FILE, line 2, evse_id: 'X' is no EVSE-ID, such as DE*ABC*E1001",
        "FILE, line 2, phases: '9' is not 1, 2 or 3, nor 0 for direct current",
        "FILE, line 3, evse_id: 'Y' is no EVSE-ID, such as DE*ABC*E1001",
    ]
    assert len(refusal(written(tmp_path, *["X,22,9,230,yes,30,UTC"] * 50)).splitlines()) == 10


def test_two_spellings_of_one_evse_are_refused(tmp_path):
    path = written(tmp_path, "DE*OPS*E1,22,3,230,yes,30,UTC", "deopse1,22,3,230,yes,30,UTC")
    assert refusal(path) == "FILE, line 3, evse_id: deopse1 is there already, in line 2"


def test_the_line_is_right_after_a_quoted_cell_that_spans_lines(tmp_path):
    path = written(tmp_path, 'DE*OPS*E1,22,"two\nlines"', "nonsense,22,", header="evse_id,max_power_kw,name")
    assert refusal(path).startswith("FILE, line 4, evse_id: 'nonsense'")


@pytest.mark.parametrize(
    ("header", "line", "problem"),
    [
        ("evse_id,power", "DE*OPS*E1,22", "FILE, line 1: there is no column 'power'; the columns are evse_id, "),
        ("evse_id,evse_id,max_power_kw", "a,b,1", "FILE, line 1: the column 'evse_id' is there twice"),
        ("evse_id,phases", "DE*OPS*E1,3", "FILE, line 1: the column 'max_power_kw' is missing"),
        ("evse_id,max_power_kw", "DE*OPS*E1,22,3", "FILE, line 2: has 3 columns, the header has 2"),
        ("evse_id,max_power_kw", 'DE*OPS*E1,"2"2', "FILE, line 2: is no CSV: "),
    ],
)
def test_a_file_of_another_shape_is_told_so(tmp_path, header, line, problem):
    assert refusal(written(tmp_path, line, header=header)).startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"evse_id": "DE*OPS*E1"},]', "FILE, line 1, character "),
        ('{"evse_id": "DE*OPS*E1"}', "FILE: is no JSON array of objects"),
        ('["DE*OPS*E1"]', "FILE, entry 1: is no object"),
        ('[{"evse_id": "DE*OPS*E1", "power": 1}]', "FILE, entry 1: there is no column 'power'"),
        ('[{"evse_id": "DE*OPS*E1", "max_power_kw": [1]}]', "FILE, entry 1, max_power_kw: is neither a text nor a"),
        ('[{"evse_id": "DE*OPS*E1"}]', "FILE, entry 1, max_power_kw: is missing"),
        ('[{"evse_id": "DE*OPS*E1", "max_power_kw": NaN}]', "FILE, entry 1, max_power_kw: is neither a text nor a"),
    ],
)
def test_bad_json_is_told_where_it_is_bad(tmp_path, text, problem):
    path = tmp_path / "evses.json"
    path.write_text(text)
    assert refusal(path).startswith(problem)


def test_a_file_that_is_not_there_or_not_text_is_told_so(tmp_path):
    assert refusal(tmp_path / "absent.csv") == "FILE: No such file or directory"
    path = tmp_path / "latin.csv"
    path.write_bytes(b"evse_id,max_power_kw,name\nDE*OPS*E1,22,Caf\xe9\n")
    assert refusal(path).startswith("FILE: is not UTF-8")


def test_the_sample_has_ac_and_dc_and_one_evse_without_direct():
    evses = read_inventory(SAMPLE)
    assert len(evses) == 12
    assert {str(evse.max_power) for evse in evses.values()} == {"3.7", "11", "22", "50", "150"}
    assert [key for key, evse in evses.items() if not evse.direct] == ["DEOPSE3001"]
    assert {evse.phases for evse in evses.values()} == {0, 1, 3}


def test_a_hundred_thousand_evses_load(tmp_path):
    path = written(tmp_path, *(f"DE*OPS*E{number},22,3,230,yes,30,Europe/Berlin" for number in range(100_000)))
    assert len(read_inventory(path)) == 100_000
