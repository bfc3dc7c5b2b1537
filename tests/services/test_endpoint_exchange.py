"""The endpoint exchange at the house: what is stored of an upload, and what each partner sees of it."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from clearinghouse.domain.errors import PartnerRefused
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.bridges import end_of_validity
from clearinghouse.ochp.direct import (
    AddServiceEndpointsRequest,
    GetServiceEndpointsRequest,
    OperatorEndpoint,
    ProviderEndpoint,
)
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1
from clearinghouse.services.calls_port import Login
from tests.services.world import HOUSE_URL, NOON, World

TODAY = NOON.date()
TOMORROW = TODAY + timedelta(days=1)


def operator_record(**stated):
    version = stated.pop("version", V1_4)
    values = {
        "url": "https://ops.example/direct",
        "namespace_url": version.namespace,
        "access_token": "token-of-ops",
        "valid_date": TODAY,
        "whitelist": ("DEOPSE%",),
    } | stated
    if version is V1_3 and "valid_until" not in stated:
        values["valid_until"] = end_of_validity(values["valid_date"])
    return OperatorEndpoint(**values)


def provider_record(**stated):
    return ProviderEndpoint(
        **{
            "url": "https://pro.example/direct",
            "namespace_url": V1_4.namespace,
            "access_token": "token-of-pro",
            "valid_date": TODAY,
            "whitelist": ("DEPROC%",),
        }
        | stated
    )


@pytest.fixture
def ops(world: World) -> Login:
    return world.account("ops", Role.OPERATOR, ["DEOPS"])


@pytest.fixture
def pro(world: World) -> Login:
    return world.account("pro", Role.PROVIDER, ["DEPRO"])


def add(world, login, *records, version=V1_4):
    request = AddServiceEndpointsRequest(
        operator_endpoint_array=tuple(each for each in records if isinstance(each, OperatorEndpoint)),
        provider_endpoint_array=tuple(each for each in records if isinstance(each, ProviderEndpoint)),
    )
    url = f"{HOUSE_URL}/direct/ochp/{version.path}"
    return world.line.call(url, version, op.ADD_SERVICE_ENDPOINTS, request, login).result


def fetched(world, login, version=V1_4):
    url = f"{HOUSE_URL}/direct/ochp/{version.path}"
    return world.line.call(url, version, op.GET_SERVICE_ENDPOINTS, GetServiceEndpointsRequest(), login)


def seen(world, login, version=V1_4):
    answer = fetched(world, login, version)
    return [*answer.provider_endpoint_array, *answer.operator_endpoint_array]


def stored(world):
    with world.store.books() as books:
        return books.endpoints.living(world.clock())


@pytest.mark.parametrize("written", ORDER)
@pytest.mark.parametrize("read", ORDER)
def test_each_dialect_reads_what_each_dialect_uploaded(world, ops, pro, written, read):
    world.connect()
    assert (
        add(world, ops, operator_record(version=V1_3 if written is V1_3 else written), version=written).result_code
        == "ok"
    )
    (record,) = seen(world, pro, read)
    assert (record.access_token, record.valid_date) == ("token-of-ops", TODAY)
    assert record.whitelist == ("DEOPSE%",)
    assert record.valid_until == (end_of_validity(TODAY) if read is V1_3 else None)


def test_an_empty_upload_is_no_error(world, ops):
    assert add(world, ops).result_code == "ok"


@pytest.mark.parametrize(
    ("bad", "code", "said"),
    [
        ({"whitelist": ("DEXXXE%",)}, "invalid-id", "DEXXXE%"),
        ({"valid_date": TODAY - timedelta(days=2)}, "format", "time is over"),
        ({"url": f"{HOUSE_URL}/direct/ochp/v1.4"}, "format", "clearing house's own"),
    ],
)
def test_a_refused_record_is_named_and_the_good_ones_are_stored(world, ops, bad, code, said):
    wrong = operator_record(**{"url": "https://wrong.example/direct"} | bad)
    alone = add(world, ops, wrong)
    assert (alone.result_code.value, said in alone.result_description) == (code, True)
    result = add(world, ops, operator_record(), wrong)
    assert result.result_code is ResultCode.PARTLY
    assert said in result.result_description and "token-of-ops" not in result.result_description
    assert [each.url for each in stored(world)] == ["https://ops.example/direct"]


def test_every_refused_record_is_named_as_far_as_a_description_goes(world, ops):
    wrong = [operator_record(url=f"https://wrong-{n}.example/direct", whitelist=("DEXXXE%",)) for n in range(20)]
    text = add(world, ops, *wrong).result_description
    named = [n for n in range(20) if f"wrong-{n}.example" in text]
    assert named == list(range(len(named))) and len(named) >= 4
    assert text.endswith(f"; and {20 - len(named)} more are refused.") and len(text) <= 1000


def test_the_same_url_and_day_replaces_and_another_does_not(world, ops):
    add(world, ops, operator_record())
    add(world, ops, operator_record(access_token="second-token", whitelist=("DEOPSE1%",)))
    (record,) = stored(world)
    assert (record.access_token, record.whitelist) == ("second-token", ("DEOPSE1%",))
    add(world, ops, operator_record(valid_date=TOMORROW), operator_record(url="https://other.example/direct"))
    assert len(stored(world)) == 3


def test_a_token_belongs_to_one_partner(world, ops, pro):
    add(world, ops, operator_record(access_token="shared-token"))
    result = add(world, pro, provider_record(access_token="shared-token"))
    assert result.result_code is ResultCode.FORMAT
    assert "not unique" in result.result_description and "shared-token" not in result.result_description
    assert add(world, ops, operator_record(access_token="shared-token", valid_date=TOMORROW)).result_code == "ok"


def test_of_two_partners_that_upload_one_token_at_once_one_is_refused(world, ops, pro):
    begin = threading.Barrier(2)
    results = {}

    def upload(login, record):
        begin.wait()
        results[login.username] = add(world, login, record).result_code

    for number in range(5):
        records = operator_record(access_token=f"token-{number}"), provider_record(access_token=f"token-{number}")
        threads = [threading.Thread(target=upload, args=each) for each in zip((ops, pro), records, strict=True)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(results.values()) == ["format", "ok"]


def test_only_connected_partners_see_an_endpoint_and_nobody_its_own(world, ops, pro):
    stranger = world.account("stranger", Role.PROVIDER, ["DESTR"])
    world.account("third", Role.OPERATOR, ["DETHI"])
    world.connect()
    world.connect("DETHI", "DESTR")
    add(world, ops, operator_record())
    add(world, pro, provider_record())
    assert [each.url for each in seen(world, pro)] == ["https://ops.example/direct"]
    assert [each.url for each in seen(world, ops)] == ["https://pro.example/direct"]
    assert seen(world, stranger) == []


def test_a_connection_of_the_own_two_sides_shows_nothing(world):
    both = world.account("both", Role.OPERATOR, ["DEOPS"])
    world.administration.change_partner("both", provider_ids=["DEPRO"])
    world.connect()
    add(world, both, operator_record(), provider_record())
    assert seen(world, both) == []


def test_patterns_of_parties_that_are_not_connected_are_left_out(world, pro):
    ops = world.account("ops", Role.OPERATOR, ["DEOPS", "DESEC"])
    world.connect("DESEC")
    add(world, ops, operator_record(whitelist=("DEOPSE%", "DESECE%"), blacklist=("DEOPSE9%", "DESECE9%")))
    (record,) = seen(world, pro)
    assert (record.whitelist, record.blacklist) == (("DESECE%",), ("DESECE9%",))


def test_a_connection_counts_only_in_its_period_and_while_both_approve(world, ops, pro):
    world.connect(valid_from=NOON + timedelta(hours=1), valid_until=NOON + timedelta(hours=2))
    add(world, ops, operator_record())
    assert fetched(world, pro).result.result_code is ResultCode.ROAMING
    world.clock.wait(hours=1)
    assert len(seen(world, pro)) == 1
    world.administration.approve_connection("DEOPS", "DEPRO", Role.OPERATOR, False)
    assert seen(world, pro) == []
    world.administration.approve_connection("DEOPS", "DEPRO", Role.OPERATOR, True)
    world.clock.wait(hours=1)
    assert seen(world, pro) == []


def test_an_endpoint_is_shown_until_half_past_midnight_after_its_day(world, ops, pro):
    world.connect()
    add(world, ops, operator_record())
    end = datetime.combine(TOMORROW, datetime.min.time(), UTC) + timedelta(minutes=30)
    world.clock.turn(end)
    assert len(seen(world, pro)) == 1
    world.clock.wait(seconds=1)
    assert seen(world, pro) == []


@pytest.mark.parametrize("version", ORDER)
def test_who_roams_with_nobody_is_told_so_where_its_dialect_can_say_it(world, ops, pro, version):
    add(world, ops, operator_record())
    answer = fetched(world, pro, version)
    assert answer.result.result_code.value == ("ok" if version is V1_3 else "roaming")
    assert "No roaming connection" in answer.result.result_description
    assert answer.operator_endpoint_array == ()


def test_the_records_of_a_disabled_partner_are_shown_to_nobody(world, ops, pro):
    world.connect()
    add(world, ops, operator_record())
    world.administration.change_partner("ops", enabled=False)
    assert seen(world, pro) == []
    world.administration.change_partner("ops", enabled=True)
    assert len(seen(world, pro)) == 1


def test_a_late_upload_is_stored_with_a_warning(world, ops):
    assert "after 11:55" in add(world, ops, operator_record(valid_date=TOMORROW)).result_description
    world.clock.turn(datetime.combine(TODAY, datetime.min.time(), UTC) + timedelta(hours=11, minutes=54))
    assert "11:55" not in add(world, ops, operator_record(valid_date=TOMORROW)).result_description
    assert "11:55" not in add(world, ops, operator_record()).result_description


# -- Static tokens of 0.1 ---------------------------------------------------------------------------------------

LAST_DAY = TODAY + timedelta(days=30)


def add_static(world, ops):
    return add(world, ops, operator_record(version=V1_3, valid_date=LAST_DAY), version=V1_3)


def test_a_static_token_is_told_to_0_2_day_by_day(world, ops, pro):
    world.connect()
    assert add_static(world, ops).result_code == "ok"
    assert [each.valid_date for each in seen(world, pro, V1_4)] == [TODAY, TOMORROW]
    world.clock.turn(datetime.combine(LAST_DAY, datetime.min.time(), UTC) + timedelta(hours=12))
    assert [each.valid_date for each in seen(world, pro, V1_4)] == [LAST_DAY]
    world.clock.wait(days=1)
    assert seen(world, pro, V1_4) == []


def test_a_static_token_is_told_to_0_1_as_it_is_until_its_end_is_near(world, ops, pro):
    world.connect()
    add_static(world, ops)
    assert [each.valid_until for each in seen(world, pro, V1_3)] == [end_of_validity(LAST_DAY)]
    world.clock.turn(datetime.combine(LAST_DAY, datetime.min.time(), UTC) - timedelta(hours=12))
    days = [LAST_DAY - timedelta(days=1), LAST_DAY]
    assert [each.valid_until for each in seen(world, pro, V1_3)] == [end_of_validity(day) for day in days]


# -- Dialects that a reader's contract cannot name --------------------------------------------------------------


@pytest.mark.parametrize(("reader", "speaker"), [(V1_3, V1_4), (V1_3, V1_4_1), (V1_4, V1_4_1), (V1_4_1, V1_4)])
def test_what_a_reader_cannot_name_is_offered_through_the_relay(world, ops, pro, reader, speaker):
    world.connect()
    add(world, ops, operator_record(version=speaker), version=speaker)
    (record,) = seen(world, pro, reader)
    assert record.url == f"{HOUSE_URL}/direct/operator/ochp/{reader.path}"
    assert (record.namespace_url, record.access_token) == (reader.namespace, "token-of-ops")


def test_the_relay_is_not_offered_beside_a_dialect_that_can_be_named(world, ops, pro):
    world.connect()
    add(world, ops, operator_record(version=V1_4_1), version=V1_4_1)
    add(world, ops, operator_record(version=V1_3, url="https://ops.example/old"), version=V1_3)
    assert [each.url for each in seen(world, pro, V1_4)] == ["https://ops.example/old"]


def test_the_relay_stands_for_all_endpoints_of_a_partner(world, ops, pro):
    world.connect()
    north = operator_record(
        url="https://north.example/direct", access_token="north", whitelist=("DEOPSEN%",), blacklist=("DEOPSEN9%",)
    )
    rest = operator_record(
        url="https://rest.example/direct",
        access_token="rest",
        whitelist=("DEOPSE%",),
        blacklist=("DEOPSEN%", "DEOPSE0%"),
    )
    add(world, ops, north, rest)
    (record,) = seen(world, pro, V1_3)
    assert (record.access_token, set(record.whitelist)) == ("north", {"DEOPSEN%", "DEOPSE%"})
    assert record.blacklist == ("DEOPSE0%",)  # what one excepts and the other covers is no exception of both


def test_relays_for_several_partners_do_not_displace_one_another(world, pro):
    for name, party in (("one", "DEONE"), ("two", "DETWO")):
        login = world.account(name, Role.OPERATOR, [party])
        world.connect(party)
        add(world, login, operator_record(url=f"https://{name}.example", access_token=name, whitelist=(f"{party}E%",)))
    veteran = world.provider("veteran", ["NLVET"], spoken=(V1_3,))
    world.connect("DEONE", "NLVET")
    world.connect("DETWO", "NLVET")
    veteran.refresh()
    assert {each.partner for each in veteran.directory.snapshot().endpoints} == {"DEONE", "DETWO"}


# -- What a back end makes of the answers -----------------------------------------------------------------------


def test_a_back_end_of_0_1_uses_a_static_token_from_its_upload_to_its_end(world, ops):
    veteran = world.provider("veteran", ["NLVET"], spoken=(V1_3,))
    world.connect("DEOPS", "NLVET")
    add_static(world, ops)
    for _ in range(32):
        veteran.refresh()
        way = veteran.line.way("DE*OPS*E1", Role.OPERATOR) if world.clock().date() <= LAST_DAY else None
        assert way is None or way.credentials.receiver == "token-of-ops"
        world.clock.wait(days=1)
    assert veteran.directory.resolve("DE*OPS*E1", Role.OPERATOR, ORDER) is None


def test_a_house_that_refuses_is_heard_with_its_reason(world):
    pro = world.provider(whitelist=("DEXXXC%",))
    pro.cycle.reconcile()
    failure = next(failure for action, failure in pro.reports if failure)
    assert "DEXXXC%" in failure and "invalid-id" in failure
    with pytest.raises(PartnerRefused):
        pro.house_line.upload(date(2027, 3, 10), "some token")


def test_the_relays_address_is_left_out_beside_an_address_of_the_partners_own(world):
    world.operator(spoken=(V1_4,))
    pro = world.provider(spoken=(V1_4, V1_4_1))
    world.connect()
    world.exchange_tokens()
    urls = {each.url for each in pro.directory.snapshot().endpoints}
    assert urls == {"https://ops.example/direct/operator/ochp/v1.4"}
