"""The operator's copy of the roaming list, and cards that are looked up in it."""

import hashlib
from datetime import timedelta

import pytest

from clearinghouse.domain.upkeep import Chore
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.results import Result, ResultCode
from clearinghouse.ochp.tokens import (
    EmtId,
    GetRoamingAuthorisationListRequest,
    GetRoamingAuthorisationListResponse,
    GetRoamingAuthorisationListUpdatesRequest,
    GetRoamingAuthorisationListUpdatesResponse,
    GetSingleRoamingAuthorisationResponse,
    Permission,
    Representation,
    RequestLiveRoamingAuthorisationRequest,
    RequestLiveRoamingAuthorisationResponse,
    RoamingAuthorisationInfo,
    TokenType,
)
from clearinghouse.ochp.versions import ORDER, V1_3
from clearinghouse.services.local_list import CardRefused, LocalList
from clearinghouse.services.upkeep import Upkeep
from clearinghouse.stations.inventory import SAMPLE, read_site
from tests.services.house_double import NOON, OK, HouseDouble, TurnableClock, line_to

AC, DC = "DEOPSE1001", "DEOPSE2003"
UID = "04A2B3C4D5E6F7"


def token(instance=UID, representation=Representation.PLAIN):
    return EmtId(instance=instance, token_type=TokenType.RFID, representation=representation)


def line(instance=UID, contract="DEEMPC000000018", expires=timedelta(days=365), **changes):
    representation = changes.pop("representation", Representation.PLAIN)
    return RoamingAuthorisationInfo(
        emt_id=token(instance, representation), contract_id=contract, expiry_date=NOON + expires, **changes
    )


class Operator:
    """An operator's copy of the list of a house."""

    def __init__(self, store, spoken=ORDER):
        self.clock, self.house = TurnableClock(), HouseDouble()
        self.list = LocalList(store, line_to(self.house, spoken), self.clock, read_site(SAMPLE).points)
        self.upkeep = Upkeep(store, self.clock, self.list.chores, self.list.wanted)
        self.whole()

    def whole(self, *lines):
        self.house.answers[op.GET_ROAMING_AUTHORISATION_LIST] = GetRoamingAuthorisationListResponse(
            result=OK, roaming_authorisation_info_array=lines
        )

    def changes(self, *lines):
        self.house.answers[op.GET_ROAMING_AUTHORISATION_LIST_UPDATES] = GetRoamingAuthorisationListUpdatesResponse(
            result=OK, roaming_authorisation_info=lines
        )


@pytest.fixture
def operator(store):
    return Operator(store)


def test_the_list_is_downloaded_whole_and_then_its_changes(operator):
    operator.whole(line(), line("0B", "DEEMPC000000026"))
    assert operator.upkeep.work() == (Chore.GET_ROAMING_LIST,)
    assert (operator.list.count(), operator.upkeep.work()) == (2, ())
    operator.clock.pass_by(minutes=5)
    operator.changes(line("0B", "DEEMPC000000026", -timedelta(days=1)), line("0C", "DEEMPC000000034"))
    assert operator.upkeep.work() == (Chore.GET_ROAMING_UPDATES,)
    (request,) = operator.house.of(GetRoamingAuthorisationListUpdatesRequest)
    assert request.last_update == NOON - timedelta(minutes=5), "with an overlap"
    assert (operator.list.count(), len(operator.list.find(token("0b")))) == (2, 1)


def test_a_whole_list_drops_what_it_lacks(operator):
    operator.whole(line(), line("0B"))
    operator.upkeep.work()
    operator.whole(line())
    operator.clock.pass_by(days=1)
    assert operator.upkeep.work() == (Chore.GET_ROAMING_LIST,)
    assert operator.list.find(token("0B")) == []


def test_after_a_gap_or_failures_the_list_is_downloaded_whole(operator):
    operator.upkeep.work()
    operator.house.down = True
    for _ in range(3):
        operator.clock.pass_by(minutes=15)
        assert operator.upkeep.work() == (Chore.GET_ROAMING_UPDATES,)
    operator.house.down = False
    operator.clock.pass_by(minutes=15)
    assert operator.upkeep.work() == (Chore.GET_ROAMING_LIST,)
    operator.clock.pass_by(hours=7)
    assert operator.upkeep.work() == (Chore.GET_ROAMING_LIST,)
    assert len(operator.house.of(GetRoamingAuthorisationListRequest)) == 3


def test_no_provider_connected_is_an_empty_list(operator):
    operator.house.answers[op.GET_ROAMING_AUTHORISATION_LIST] = GetRoamingAuthorisationListResponse(
        result=Result.of(ResultCode.ROAMING, "nobody roams with you")
    )
    operator.upkeep.work()
    assert operator.list.count() == 0
    assert operator.upkeep.work() == ()


def test_the_last_of_equal_tokens_wins_and_providers_do_not_overwrite_one_another(operator):
    operator.whole(
        line(contract="DEEMPC000000018"), line(UID.lower(), "DEEMPC000000026"), line(contract="NLXYZC000000018")
    )
    operator.upkeep.work()
    assert {each.contract_id for each in operator.list.find(token())} == {"DEEMPC000000026", "NLXYZC000000018"}


@pytest.mark.parametrize("representation", list(Representation))
def test_a_card_is_found_in_whatever_representation_the_list_has_it(operator, representation):
    hashes = {Representation.SHA_160: hashlib.sha1, Representation.SHA_256: hashlib.sha256}
    hashed = hashes[representation](UID.encode()).hexdigest() if representation in hashes else UID
    operator.whole(line(hashed, representation=representation))
    operator.upkeep.work()
    assert operator.list.authorise(token(UID.lower()), AC).line.contract_id == "DEEMPC000000018"


def test_an_expired_card_is_asked_for_at_the_house_and_refused(operator):
    operator.whole(line(expires=-timedelta(seconds=1)))
    operator.upkeep.work()
    with pytest.raises(CardRefused, match="nobody knows it"):
        operator.list.authorise(token(), AC)


def test_a_card_that_the_copy_lacks_is_asked_for_at_the_house(operator):
    operator.house.answers[op.GET_SINGLE_ROAMING_AUTHORISATION] = GetSingleRoamingAuthorisationResponse(
        result=OK, roaming_authorisation_info=line()
    )
    assert operator.list.authorise(token(), AC).line == line()


def test_an_operator_of_1_3_asks_with_the_evse_and_keeps_the_id(store):
    operator = Operator(store, (V1_3,))
    operator.house.answers[op.REQUEST_LIVE_ROAMING_AUTHORISATION] = RequestLiveRoamingAuthorisationResponse(
        result=OK, roaming_authorisation_info=line(), live_auth_id="LIVE-1"
    )
    assert operator.list.authorise(token(), AC).live_auth_id == "LIVE-1"
    (request,) = operator.house.of(RequestLiveRoamingAuthorisationRequest)
    assert request.evse_id == "DE*OPS*E1001"


def test_while_the_house_is_down_known_cards_charge_and_others_do_not(operator):
    operator.whole(line())
    operator.upkeep.work()
    operator.house.down = True
    assert operator.list.authorise(token(), AC)
    with pytest.raises(CardRefused, match="the house cannot be asked"):
        operator.list.authorise(token("0B"), AC)


def test_a_contract_that_permits_ac_alone_does_not_charge_with_dc(operator):
    operator.whole(line(permissions=(Permission.AC,)))
    operator.upkeep.work()
    assert operator.list.authorise(token(), AC)
    with pytest.raises(CardRefused, match="DC"):
        operator.list.authorise(token(), DC)
