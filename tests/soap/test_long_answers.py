"""Lists that partners send: fetched whole into a file, then read record by record."""

import gzip

import pytest

from clearinghouse.domain.errors import PartnerAnsweredNonsense, PartnerRefused
from clearinghouse.ochp.live import GetStatusRequest
from clearinghouse.ochp.operations import GET_ROAMING_AUTHORISATION_LIST, GET_STATUS
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tokens import GetRoamingAuthorisationListRequest
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.services.calls_port import Login
from clearinghouse.soap.client import IN_MEMORY, SoapLine
from tests.soap.partners import Authority, http, partner
from tests.soap.test_records import ENVELOPE, RECORD

LOGIN = Login("partner", "secret")
MANY = 12_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"), "trusted")


def listed(count, result="<result><resultCode><resultCode>ok</resultCode></resultCode></result>"):
    name, namespace = "GetRoamingAuthorisationListResponse", V1_4_1.namespace
    records = "".join(RECORD.format(number) for number in range(count))
    return ENVELOPE.format(f'<{name} xmlns="{namespace}">{result}{records}</{name}>').encode()


def asked(authority, answer):
    line = SoapLine(timeout=10.0, ca_bundle=authority.bundle, allow_private=True, max_answer=1 << 24)
    with partner(authority.server(), lambda connection, _: connection.sendall(answer)) as url:
        request = GetRoamingAuthorisationListRequest()
        return line.call(url, V1_4_1, GET_ROAMING_AUTHORISATION_LIST, request, LOGIN)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("count", [0, 3, MANY])
def test_a_list_of_any_length_is_read_in_its_order(authority, count, packed):
    document = listed(count)
    assert (len(document) > IN_MEMORY) == (count == MANY)
    answer = http(gzip.compress(document), headers="Content-Encoding: gzip\r\n") if packed else http(document)
    got = asked(authority, answer)
    assert got.result.result_code is ResultCode.OK
    assert [int(each.emt_id.instance, 16) for each in got.roaming_authorisation_info_array] == list(range(count))


def test_a_long_list_with_an_odd_result_is_read_as_a_short_one_is(authority):
    odd = "<Result><resultCode>OK</resultCode></Result>"
    short, long = (asked(authority, http(listed(count, odd))) for count in (3, MANY))
    assert short.result == long.result
    assert len(list(long.roaming_authorisation_info_array)) == MANY


def test_a_long_list_that_breaks_off_is_nonsense_when_it_does(authority):
    got = asked(authority, http(listed(MANY)[:-30]))
    with pytest.raises(PartnerAnsweredNonsense, match="breaks off"):
        list(got.roaming_authorisation_info_array)


def test_a_long_list_with_a_record_that_cannot_be_read_is_nonsense(authority):
    spoiled = listed(MANY).replace(RECORD.format(MANY - 1).encode(), RECORD.format(1).replace("rfid", "stone").encode())
    got = asked(authority, http(spoiled))
    with pytest.raises(PartnerAnsweredNonsense, match="tokenType"):
        list(got.roaming_authorisation_info_array)


def test_a_long_fault_is_a_refusal(authority):
    fault = f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{'no ' * IN_MEMORY}</faultstring></s:Fault>"
    with pytest.raises(PartnerRefused, match="no no no"):
        asked(authority, http(ENVELOPE.format(fault).encode()))


@pytest.mark.parametrize(("compressed", "asked_for"), [(True, b"gzip"), (False, b"identity")])
def test_lists_are_asked_for_compressed_and_short_answers_are_not(authority, compressed, asked_for):
    heard = []

    def behave(connection, request):
        heard.append(request)
        connection.sendall(http(listed(1)))

    line = SoapLine(timeout=10.0, ca_bundle=authority.bundle, allow_private=True, compressed=compressed)
    with partner(authority.server(), behave) as url:
        line.call(url, V1_4_1, GET_ROAMING_AUTHORISATION_LIST, GetRoamingAuthorisationListRequest(), LOGIN)
    (said,) = (line for line in heard[0].split(b"\r\n") if line.lower().startswith(b"accept-encoding"))
    assert said.partition(b": ")[2] == asked_for


def test_a_long_answer_with_several_lists_is_read_whole(authority):
    said = "".join(f'<evse major="available"><evseId>DE*OPS*E{number}</evseId></evse>' for number in range(40_000))
    document = ENVELOPE.format(f'<GetStatusResponse xmlns="{V1_4_1.namespace}">{said}</GetStatusResponse>').encode()
    assert len(document) > IN_MEMORY
    line = SoapLine(timeout=10.0, ca_bundle=authority.bundle, allow_private=True, max_answer=1 << 24)
    with partner(authority.server(), lambda connection, _: connection.sendall(http(document))) as url:
        answer = line.call(url, V1_4_1, GET_STATUS, GetStatusRequest(), LOGIN)
    assert [each.evse_id for each in answer.evse] == [f"DE*OPS*E{number}" for number in range(40_000)]
