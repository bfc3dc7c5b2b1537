"""The line to the house tells of long lists while they pass, in both directions, and passes all of them."""

from datetime import timedelta

import pytest

from clearinghouse.ochp import operations as op
from clearinghouse.ochp.tokens import (
    EmtId,
    GetRoamingAuthorisationListRequest,
    GetRoamingAuthorisationListResponse,
    RoamingAuthorisationInfo,
    SetRoamingAuthorisationListRequest,
    TokenType,
)
from clearinghouse.services import clearing_line
from clearinghouse.services.calls_port import Login
from clearinghouse.services.clearing_line import ClearingLine
from tests.services.house_double import NOON, OK, HouseDouble

LINES = tuple(
    RoamingAuthorisationInfo(
        emt_id=EmtId(instance=f"{number:014X}", token_type=TokenType.RFID),
        contract_id="DEPROC12345678",
        expiry_date=NOON + timedelta(days=1),
    )
    for number in range(7)
)


@pytest.fixture
def house():
    return HouseDouble()


@pytest.fixture
def told():
    return []


@pytest.fixture
def line(house, told, monkeypatch):
    monkeypatch.setattr(clearing_line, "TOLD_EVERY", 3)
    return ClearingLine(
        line=house,
        login=Login("pro", "secret"),
        house_url="https://house.example",
        spoken=(clearing_line.Version("1.4.1"),),
        progress=lambda operation, records: told.append((operation, records)),
    )


@pytest.mark.parametrize(("count", "words"), [(2, []), (3, [3]), (7, [3, 6])])
def test_an_upload_is_told_of_while_it_is_written(line, house, told, count, words):
    request = SetRoamingAuthorisationListRequest(roaming_authorisation_info_array=LINES[:count])
    assert line.ask(op.SET_ROAMING_AUTHORISATION_LIST, request).result == OK
    assert house.heard == [request]
    assert told == [(op.SET_ROAMING_AUTHORISATION_LIST, each) for each in words]


@pytest.mark.parametrize(("count", "words"), [(2, []), (3, [3]), (7, [3, 6])])
def test_a_download_is_told_of_while_it_is_read(line, house, told, count, words):
    listed = GetRoamingAuthorisationListResponse(result=OK, roaming_authorisation_info_array=LINES[:count])
    house.answers[op.GET_ROAMING_AUTHORISATION_LIST] = listed
    answer = line.ask(op.GET_ROAMING_AUTHORISATION_LIST, GetRoamingAuthorisationListRequest())
    assert tuple(answer.roaming_authorisation_info_array) == LINES[:count]
    assert told == [(op.GET_ROAMING_AUTHORISATION_LIST, each) for each in words]
