"""Long messages at the SOAP server: records are read while the message comes in, each judged by itself."""

import gzip
import io
import threading

import pytest

from clearinghouse.domain.errors import NotAuthenticated
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp import operations as ops
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tokens import SetRoamingAuthorisationListResponse, TokenType
from clearinghouse.ochp.versions import V1_3, V1_4_1
from clearinghouse.soap import entries
from clearinghouse.soap.faults import Refusal
from clearinghouse.soap.server import SoapServer
from tests.soap.posts import post

PARTNER = Partner(name="provider", provider_ids=frozenset({"DEPRO"}))
ENVELOPE = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header/><s:Body>{}</s:Body></s:Envelope>'
RECORD = (
    '<roamingAuthorisationInfoArray><EmtId representation="plain"><instance>{:014X}</instance>'
    "<tokenType>rfid</tokenType></EmtId><contractId>DEPROC12345678</contractId>"
    "<permissions><PermissionsType>AC</PermissionsType></permissions>"
    "<expiryDate><DateTime>2027-01-01T00:00:00Z</DateTime></expiryDate></roamingAuthorisationInfoArray>"
)
MANY = 6000
"""Records of two million bytes: more than are read at once."""


class Upload:
    """A server that takes a list, and what it took."""

    def __init__(self, result=ResultCode.OK):
        self.taken = []
        self.error = None
        self.result = result
        handlers = {ops.SET_ROAMING_AUTHORISATION_LIST: self.handle}
        self.server = SoapServer(
            Role.HOUSE, handlers, lambda credentials, role: PARTNER, max_body=1 << 24, max_upload=1 << 24
        )

    def handle(self, request, caller, version):
        try:
            for record in request.roaming_authorisation_info_array:
                self.taken.append(record)
        except Exception as error:
            self.error = error
            raise
        return SetRoamingAuthorisationListResponse(result=Result.of(self.result))

    def answer(self, document, *, in_file, **headers):
        body = document if isinstance(document, bytes) else document.encode()
        return self.server.answer(post(io.BytesIO(body) if in_file else body, **headers))

    @property
    def numbers(self):
        return [int(each.emt_id.instance, 16) for each in self.taken]


def message(*records, version=V1_4_1, name="SetRoamingAuthorisationListRequest"):
    return ENVELOPE.format(f'<{name} xmlns="{version.namespace}">{"".join(records)}</{name}>')


def many(count=MANY):
    return [RECORD.format(number) for number in range(count)]


@pytest.fixture(params=[False, True], ids=["memory", "file"])
def in_file(request):
    return request.param


@pytest.mark.parametrize("count", [1, 30, MANY, 40_000])
def test_every_record_arrives_in_its_order(count, in_file):
    upload = Upload()
    answer = upload.answer(message(*many(count)), in_file=in_file)
    assert b">ok<" in answer.body
    assert upload.numbers == list(range(count))
    assert upload.taken[0].emt_id.token_type is TokenType.RFID


def test_records_are_handed_on_before_the_message_is_read_to_its_end():
    file = io.BytesIO(message(*many(40_000)).encode())
    seen = []

    def handle(request, caller, version):
        next(iter(request.roaming_authorisation_info_array))
        seen.append(file.tell())
        return SetRoamingAuthorisationListResponse(result=Result.of(ResultCode.OK))

    handlers = {ops.SET_ROAMING_AUTHORISATION_LIST: handle}
    server = SoapServer(Role.HOUSE, handlers, lambda credentials, role: PARTNER, max_body=1 << 24, max_upload=1 << 24)
    assert server.answer(post(file)).status == 200
    assert seen[0] < len(file.getvalue()) / 2


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: ('<?xml version="1.0" encoding="ISO-8859-1"?>' + text).encode("cp1252"),
        lambda text: ('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode("cp1252"),
        lambda text: b"\r\n" + text.encode(),
    ],
    ids=["BOM", "UTF-16", "Latin-1", "no UTF-8 after all", "line first"],
)
def test_a_long_message_may_come_in_any_encoding(encode, in_file):
    upload = Upload()
    records = many()
    records[-1] = records[-1].replace("<expiryDate>", "<printedNumber>Zürich – 1</printedNumber><expiryDate>")
    answer = upload.answer(encode(message(*records)), in_file=in_file)
    assert b">ok<" in answer.body
    assert upload.taken[-1].printed_number == "Zürich – 1"


def test_a_long_message_may_be_compressed(in_file):
    upload = Upload()
    packed = gzip.compress(message(*many()).encode())
    assert b">ok<" in upload.answer(packed, in_file=in_file, content_encoding="gzip").body
    assert len(upload.taken) == MANY
    broken = upload.answer(packed[:-9], in_file=in_file, content_encoding="gzip")
    assert b"incomplete" in broken.body


def test_more_than_an_upload_may_hold_when_inflated_is_refused():
    upload = Upload()
    packed = gzip.compress(message(*many(60_000)).encode())
    assert len(packed) < 1 << 20
    answer = upload.answer(packed, in_file=True, content_encoding="gzip")
    assert (answer.status, b"larger than 16777216 bytes" in answer.body) == (413, True)
    assert upload.taken == []


@pytest.mark.parametrize("place", [0, 17, MANY - 1])
def test_a_record_that_cannot_be_read_is_named_and_harms_no_other(place, in_file):
    upload = Upload()
    records = many()
    records[place] = records[place].replace("2027-01-01T00:00:00Z", "soon")
    answer = upload.answer(message(*records), in_file=in_file)
    assert b">partly<" in answer.body
    assert f"1 could not be read: record {place + 1}: ".encode() in answer.body
    assert b"expiryDate" in answer.body
    assert upload.numbers == [number for number in range(MANY) if number != place]


def test_a_record_that_can_be_mended_is_taken(in_file):
    upload = Upload()
    records = many(2000)
    records[5] = records[5].replace("roamingAuthorisationInfoArray", "RoamingAuthorisationInfoArray")
    records[6] = records[6].replace("2027-01-01T00:00:00Z", "2027-01-01T00:00:00.123+00:00")
    records.insert(7, '<note xmlns="urn:elsewhere">anything</note>')
    assert b">ok<" in upload.answer(message(*records), in_file=in_file).body
    assert upload.numbers == list(range(2000))


def test_many_records_that_cannot_be_read_are_counted(in_file):
    upload = Upload()
    records = [each.replace("rfid", "stone") if number % 2 else each for number, each in enumerate(many(3000))]
    answer = upload.answer(message(*records), in_file=in_file)
    assert b"1500 could not be read: record 2: " in answer.body
    assert len(answer.body) < 10_000
    assert len(upload.taken) == 1500


def test_a_result_that_is_worse_stays_as_it_is():
    upload = Upload(ResultCode.INVALID_ID)
    answer = upload.answer(message(RECORD.format(1), RECORD.format(2).replace("rfid", "stone")), in_file=False)
    assert b">invalid-id<" in answer.body
    assert b"record 2" in answer.body


@pytest.mark.parametrize("records", [[], ["<roamingAuthorisationInfoArray/>"], ["<other>1</other>"]])
def test_a_message_without_any_record_that_can_be_read_is_malformed(records, in_file):
    upload = Upload()
    answer = upload.answer(message(*records), in_file=in_file)
    assert b">format<" in answer.body
    assert upload.taken == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-60],
        lambda text: text.replace("</s:Body>", "<second/></s:Body>"),
        lambda text: text.replace("</SetRoaming", "</expiryDate></SetRoaming"),
        lambda text: text + "<trailing/>",
    ],
    ids=["cut", "second entry", "not well-formed", "trailing"],
)
def test_a_message_that_breaks_off_is_a_fault_and_its_handler_is_told(spoil, in_file):
    upload = Upload()
    answer = upload.answer(spoil(message(*many())), in_file=in_file)
    assert answer.status == 500
    assert b"<soap:Fault>" in answer.body
    assert isinstance(upload.error, Refusal)


def test_an_envelope_in_an_envelope_is_read_where_it_is_short():
    upload = Upload()
    assert b">ok<" in upload.answer(ENVELOPE.format(message(*many(3))), in_file=False).body
    assert upload.numbers == [0, 1, 2]


def test_too_many_attributes_are_refused_in_the_middle_too(in_file):
    upload = Upload()
    records = many()
    attributes = " ".join(f'a{number}="1"' for number in range(70))
    records[4000] = records[4000].replace("<EmtId ", f"<EmtId {attributes} ")
    assert b"more than 64 attributes" in upload.answer(message(*records), in_file=in_file).body


def test_another_spelling_of_the_operation_is_known_too(in_file):
    upload = Upload()
    answer = upload.answer(message(*many(2000), name="setRoamingAuthorisationListRequest"), in_file=in_file)
    assert b">ok<" in answer.body
    assert len(upload.taken) == 2000


def test_the_oldest_version_streams_as_well(in_file):
    upload = Upload()
    record = RECORD.format(7).replace("<permissions><PermissionsType>AC</PermissionsType></permissions>", "")
    body = message(*([record] * MANY), version=V1_3).encode()
    request = post(io.BytesIO(body) if in_file else body)
    assert b">ok<" in upload.server.answer(request).body
    assert len(upload.taken) == MANY


def test_a_beginning_tells_who_is_welcome():
    def door(credentials, role):
        if credentials is None:
            raise NotAuthenticated
        return PARTNER

    server = SoapServer(Role.HOUSE, {}, door, max_body=10_000, max_upload=1 << 24)
    beginning = message(*many(100)).encode()[:20_000]
    refused = server.welcome(post(beginning, authorization=""))
    assert (refused.status, b"FailedAuthentication" in refused.body) == (500, True)
    assert server.welcome(post(beginning)) is None
    packed = gzip.compress(message(*many(3000)).encode())[:4000]
    assert server.welcome(post(packed, content_encoding="gzip")) is None
    endless = server.welcome(post(b"<s:Envelope " + b" " * 20_000))
    assert b"must begin within the first" in endless.body


def test_one_record_or_a_message_without_records_is_not_read_without_end(monkeypatch):
    monkeypatch.setattr("clearinghouse.soap.envelopes.MOST_HELD", 1 << 20)
    upload = Upload()
    assert b">ok<" in upload.answer(message(*many()), in_file=True).body
    huge = RECORD.format(1).replace("<expiryDate>", "<printedNumber>1</printedNumber>" * 60_000 + "<expiryDate>")
    answer = upload.answer(message(RECORD.format(0), huge), in_file=True)
    assert (answer.status, b"a record of it, is larger than 1048576 bytes" in answer.body) == (413, True)


def test_one_thread_parses_all_of_a_message(monkeypatch):
    """What a parser knows belongs to the thread that it began in; two of them spoil it, and the process with it."""
    monkeypatch.setattr("clearinghouse.soap.entries.BATCH", 3000)
    monkeypatch.setattr("clearinghouse.soap.documents.STEP", 1000)
    threads = {message: [] for message in range(3)}

    def noted(element):
        first = next(element.iter("{*}instance"), None)
        if first is not None:
            threads[int(first.text, 16) // 500].append(threading.get_ident())
        return bounded(element)

    bounded = entries.bounded
    monkeypatch.setattr(entries, "bounded", noted)
    uploads = [Upload() for _ in range(3)]
    running = [
        threading.Thread(target=each.answer, args=(message(*many(1500)[part : part + 500]),), kwargs={"in_file": True})
        for part, each in zip(range(0, 1500, 500), uploads, strict=True)
    ]
    for each in running:
        each.start()
    for each in running:
        each.join()
    assert [each.numbers for each in uploads] == [list(range(part, part + 500)) for part in (0, 500, 1000)]
    assert all(len(each) > 20 for each in threads.values())
    assert all(len(set(each)) == 1 for each in threads.values())
