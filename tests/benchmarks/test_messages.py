"""The messages of the benchmarks are what they seem: valid, of the length that was said, with no two records alike."""

import itertools

import pytest
from lxml import etree

from clearinghouse.ochp.tokens import SetRoamingAuthorisationListRequest
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.services.calls_port import Login
from clearinghouse.soap.codec import decode
from clearinghouse.soap.faults import ENVELOPE
from clearinghouse.soap.xsd import validator
from tests.benchmarks import evses, tokens
from tests.benchmarks.bulk import MESSAGES, Counter
from tests.benchmarks.floors import parsed
from tests.benchmarks.stencils import AT_ONCE

LOGIN = Login("cpo & sons", "50 % < 100 %")


def body(message):
    return etree.fromstring(message).find(f"{{{ENVELOPE}}}Body")[0]


@pytest.mark.parametrize("name", MESSAGES)
def test_every_stream_is_a_valid_message_of_the_length_that_was_said(name):
    form, values = MESSAGES[name]
    count = 2 * AT_ONCE + 7
    streamed = b"".join(form.stream(LOGIN, range(count), values))
    assert len(streamed) == form.length(LOGIN, count, values)
    entry = body(streamed)
    assert len(entry) == count
    validator(V1_4_1).assertValid(entry)


def test_a_token_in_a_message_is_the_token_of_its_number():
    streamed = b"".join(tokens.SET.stream(LOGIN, [5, 9_999_999], tokens.usual))
    read = decode(SetRoamingAuthorisationListRequest, body(streamed), V1_4_1)
    assert read.roaming_authorisation_info_array == (tokens.line(5), tokens.line(9_999_999))


def test_one_of_a_hundred_tokens_is_changed():
    changed = [number for number in range(300) if tokens.changed_in_a_hundred(number) != tokens.usual(number)]
    assert changed == [0, 100, 200]


def test_no_two_tokens_are_alike():
    numbers = itertools.chain(range(5000), range(tokens.FIRST_OF_OTHERS, tokens.FIRST_OF_OTHERS + 5000))
    assert len({tokens.instance(number) for number in numbers}) == 10_000


def test_an_evse_is_as_large_as_real_ones_are():
    assert 2000 <= len(evses.SET.record % evses.usual(1)) <= 4000


@pytest.mark.parametrize("size", [1, 7, 31, 10_000])
def test_records_are_counted_wherever_the_pieces_end(size):
    streamed = b"".join(tokens.SET.stream(LOGIN, range(23), tokens.usual))
    count = Counter(tokens.SET.tag)
    for start in range(0, len(streamed), size):
        count(streamed[start : start + size])
    assert (count.records, count.received, count.is_whole) == (23, len(streamed), True)


def test_an_answer_that_breaks_off_is_not_whole():
    streamed = b"".join(tokens.SET.stream(LOGIN, range(23), tokens.usual))
    count = Counter(tokens.SET.tag)
    count(streamed[:-20])
    assert not count.is_whole


def test_compressed_texts_that_follow_one_another_are_counted():
    import gzip

    pieces = list(tokens.SET.stream(LOGIN, range(500), tokens.usual))
    count = Counter(tokens.SET.tag, compressed=True)
    packed = b"".join(map(gzip.compress, pieces))
    for start in range(0, len(packed), 100):
        count(packed[start : start + 100])
    assert (count.records, count.received, count.is_whole) == (500, len(packed), True)


def test_the_floor_parses_every_record():
    assert parsed(tokens.SET.stream(LOGIN, range(1000), tokens.usual), tokens.TAG) == 1000
