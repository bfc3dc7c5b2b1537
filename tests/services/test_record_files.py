"""Files of records: what is written is read back equal, and what cannot be read is named by its line and field."""

import csv
import io
import itertools
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.ochp.tokens import RoamingAuthorisationInfo
from clearinghouse.ochp.versions import ORDER, V1_3
from clearinghouse.services.record_files import READERS, WRITERS, BadFile, BadRow, FileFormat, Row
from tests.cdr_builders import cdr
from tests.strategies import values

RECORDS = (RoamingAuthorisationInfo, ChargePointInfo, TariffInfo, CdrInfo)
SPOKEN = [(cls, version) for cls in RECORDS for version in ORDER if (cls, version) != (TariffInfo, V1_3)]


def written(form, records, cls=RoamingAuthorisationInfo):
    """The text of a file."""
    file = io.StringIO(newline="")
    WRITERS[form](cls, records, file)
    return file.getvalue()


def rows_of(form, text, cls=RoamingAuthorisationInfo):
    """The rows of a file."""
    return [*READERS[form](cls, io.StringIO(text, newline=""))]


@pytest.mark.parametrize("form", FileFormat)
@pytest.mark.parametrize(("cls", "version"), SPOKEN, ids=lambda each: getattr(each, "__name__", str(each)))
def test_what_is_exported_is_imported_equal(form, cls, version):
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(st.lists(values(cls, version), max_size=2))
    def come_back(records):
        assert [each.record for each in rows_of(form, written(form, records, cls), cls)] == records

    come_back()


@pytest.mark.parametrize("form", FileFormat)
@given(st.text(st.sampled_from('"=+-@,;\r\n\t []{}a\u2028\x85'), min_size=1, max_size=9))
@example("\ufeffx")
def test_any_text_stays_as_it_is(form, text):
    record = cdr(currency=text)
    assert [each.record for each in rows_of(form, written(form, [record], CdrInfo), CdrInfo)] == [record]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text):
    sheet = written(FileFormat.CSV, [cdr(currency=text)], CdrInfo)
    cells = next(itertools.islice(csv.reader(io.StringIO(sheet, newline="")), 1, None))
    assert not [each for each in cells if each.startswith(("=", "+", "-", "@", "\t", "\r"))]


HEADER = "EmtId.instance,EmtId.tokenType,contractId,expiryDate,permissions\n"
GOOD = "04A2B3C4,rfid,DEPROC000000018,2028-01-10T12:00:00Z,AC DC\n"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (",rfid,DEPROC000000018,2028-01-10T12:00:00Z,", "EmtId.instance: is missing"),
        ("01,rfid,DEPROC000000018,tomorrow,", "expiryDate: an instant, such as 2027-01-10T11:00:00Z, is expected"),
        ("01,rfid,DEPROC000000018,2028-01-10T12:00:00,", "expiryDate: an instant with its time zone"),
        ("01,rfid,DEPROC000000018,2028-01-10T12:00:00Z,AC steam", "permissions[1]: one of AC, DC, CNG"),
        ("01,rfid,DEPROC000000018", "3 cells, the header has 5"),
        (
            "01,card,no contract,,",
            "expiryDate: is missing; EmtId.tokenType: one of rfid, remote, 15118, other is expected, not 'card'; c",
        ),
        ('"""x",rfid,DEPROC000000018,2028-01-10T12:00:00Z,', "EmtId.instance: is no JSON"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_column(row, why):
    two_lines = '04A2B3C5,rfid,DEPROC000000018,2028-01-10T12:00:00Z,"AC\nDC"\n'
    rows = rows_of(FileFormat.CSV, HEADER + "\n" + two_lines + row + "\n" + GOOD)
    assert [each.line for each in rows] == [3, 5, 6]
    (bad,) = [each for each in rows if isinstance(each, BadRow)]
    assert bad.line == 5
    assert bad.why.startswith(why)


def test_a_bad_object_is_named_by_the_line_where_it_begins():
    text = written(FileFormat.JSON, [cdr()], CdrInfo)
    text = text.replace("\n]", ',\n{"cdr_id":\n "A1"}, 7\n,\n{"emt_id": 7}\n]')
    rows = rows_of(FileFormat.JSON, text, CdrInfo)
    assert [(each.line, isinstance(each, Row)) for each in rows] == [(2, True), (3, False), (4, False), (6, False)]
    assert "emt_id: an object is expected, not 7" in rows[-1].why


def test_a_line_that_is_no_json_leaves_the_others_alone():
    good = written(FileFormat.JSONL, [cdr()], CdrInfo)
    rows = rows_of(FileFormat.JSONL, good + "{oops\n\n" + good + "1" * 5000, CdrInfo)
    assert [(each.line, isinstance(each, Row)) for each in rows] == [(1, True), (2, False), (4, True), (5, False)]


def test_numbers_of_json_stay_exact():
    plain = json.loads(written(FileFormat.JSONL, [cdr()], CdrInfo))
    text = json.dumps(plain | {"total_cost": "PRICE"}).replace('"PRICE"', "0.10000000000000000001")
    (row,) = rows_of(FileFormat.JSONL, text, CdrInfo)
    assert str(row.record.total_cost) == "0.10000000000000000001"


@pytest.mark.parametrize(
    ("form", "text", "why"),
    [
        (FileFormat.CSV, "", "line 1: the header has no column EmtId.instance"),
        (FileFormat.CSV, "a,b\n", "line 1: there is no column 'a'; there are EmtId.instance"),
        (FileFormat.CSV, HEADER.replace("permissions", "contractId"), "line 1: the header has contractId twice"),
        (FileFormat.CSV, HEADER + GOOD + '01,"a"b\n', "line 3: "),
        (FileFormat.JSON, "{}", "line 1: a JSON array is expected"),
        (FileFormat.JSON, "[\n{}", "line 2: a comma and another entry are expected"),
        (FileFormat.JSON, "[\n{},\n]", "line 2: a comma and another entry"),
        (FileFormat.JSON, "[\n{}\n{}]", "line 3: a comma"),
        (FileFormat.JSON, "[]\nx", "something follows the array"),
        (FileFormat.JSON, "[\n{]", "line 2: Expecting property name"),
        (FileFormat.JSON, "[\n" + "[" * 100_000, "line 2: it is nested too deeply"),
        (FileFormat.JSON, "[\n\n" + "1" * 5000 + "]", "line 3: it is nested too deeply, or has a number"),
        (FileFormat.JSON, "", "line 1: a JSON array"),
        (FileFormat.JSON, "[", "line 1: Expecting value"),
    ],
)
def test_a_file_of_another_form_is_refused(form, text, why):
    with pytest.raises(BadFile) as caught:
        rows_of(form, text)
    assert why in str(caught.value)


def test_what_is_not_utf_8_is_named_by_its_column():
    raw = (HEADER + GOOD).encode().replace(b"04A2B3C4", b"M\xfcnchen")
    file = io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8", errors="surrogateescape", newline="")
    (row,) = READERS[FileFormat.CSV](RoamingAuthorisationInfo, file)
    assert (row.line, row.why) == (2, "EmtId.instance: a text in UTF-8 without control characters is expected")
