"""The provider's token list: uploaded whole, then by its differences; what is refused is kept."""

import dataclasses
from datetime import timedelta

import pytest

from clearinghouse.domain.errors import Conflict
from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tokens import (
    EmtId,
    Permission,
    RoamingAuthorisationInfo,
    SetRoamingAuthorisationListRequest,
    SetRoamingAuthorisationListResponse,
    TokenType,
    UpdateRoamingAuthorisationListRequest,
)
from clearinghouse.ochp.versions import V1_3, V1_4_1
from clearinghouse.services.token_upload import TokenUpload
from clearinghouse.services.upkeep import Upkeep
from tests.services.house_double import NOON, HouseDouble, TurnableClock, line_to

EXPIRY = NOON + timedelta(days=365)


def token(instance="04A2B3C4", contract_id="DEPROC000000018", **changes):
    emt_id = EmtId(instance=instance, token_type=TokenType.RFID)
    line = RoamingAuthorisationInfo(emt_id=emt_id, contract_id=contract_id, expiry_date=EXPIRY)
    return dataclasses.replace(line, **changes)


class Provider:
    def __init__(self, store, spoken=(V1_4_1,)):
        self.clock, self.house = TurnableClock(), HouseDouble()
        self.tokens = TokenUpload(store, line_to(self.house, spoken), self.clock)
        self.upkeep = Upkeep(store, self.clock, self.tokens.chores, self.tokens.wanted)

    def round(self):
        self.clock.pass_by(minutes=1)
        return self.upkeep.work()

    def told(self, kind):
        return [request.roaming_authorisation_info_array for request in self.house.of(kind)]


@pytest.fixture
def provider(store):
    return Provider(store)


def test_the_list_is_uploaded_whole_and_then_by_its_differences(provider):
    assert provider.round() == ()
    assert provider.tokens.take([token("01"), token("02")]) == 2
    assert provider.round() == (Chore.SET_ROAMING_LIST,)
    assert provider.told(SetRoamingAuthorisationListRequest) == [(token("01"), token("02"))]
    assert provider.round() == ()
    assert provider.tokens.take([token("01"), token("02", printed_number="P2"), token("03")]) == 2
    assert provider.round() == (Chore.UPDATE_ROAMING_LIST,)
    assert provider.told(UpdateRoamingAuthorisationListRequest) == [(token("02", printed_number="P2"), token("03"))]
    assert provider.round() == ()


def test_what_a_whole_list_lacks_expires_and_is_told(provider):
    provider.tokens.take([token("01"), token("02")])
    provider.round()
    assert provider.tokens.take([token("01")], whole=True) == 1
    provider.round()
    ((ended,),) = provider.told(UpdateRoamingAuthorisationListRequest)
    assert (ended.emt_id.instance, ended.expiry_date < provider.clock()) == ("02", True)
    with pytest.raises(Conflict, match="every token expire"):
        provider.tokens.take([], whole=True)


def test_refused_lines_are_kept_with_the_reason_and_not_sent_again(provider):
    provider.house.answers[op.SET_ROAMING_AUTHORISATION_LIST] = SetRoamingAuthorisationListResponse(
        result=Result.of(ResultCode.PARTLY, "not yours"), refused_roaming_authorisation_info=(token("02"),)
    )
    provider.tokens.take([token("01"), token("02")])
    provider.round()
    assert [(each.line.emt_id.instance, each.refusal) for each in provider.tokens.refused()] == [("02", "not yours")]
    assert provider.round() == ()
    provider.tokens.take([token("02", printed_number="new")])
    assert provider.round() == (Chore.UPDATE_ROAMING_LIST,)
    assert provider.tokens.refused() == []


def test_a_line_that_the_dialect_cannot_say_is_refused_here(store):
    provider = Provider(store, (V1_3,))
    provider.tokens.take([token("01"), token("02", permissions=(Permission.H2,))])
    provider.round()
    assert [len(each) for each in provider.told(SetRoamingAuthorisationListRequest)] == [1]
    assert [each.line.emt_id.instance for each in provider.tokens.refused()] == ["02"]


def test_an_upload_that_failed_is_repeated(provider):
    provider.tokens.take([token("01")])
    provider.house.down = True
    provider.round()
    provider.house.down = False
    assert provider.round() == (Chore.SET_ROAMING_LIST,)
    assert provider.round() == ()
