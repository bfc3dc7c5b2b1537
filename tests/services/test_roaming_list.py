"""The roaming list, through the house: who uploads what, who sees what, and in whose words."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from clearinghouse.domain.roaming_list import HASHES, KEPT_AFTER_EXPIRY
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tokens import (
    EmtId,
    GetRoamingAuthorisationListRequest,
    GetRoamingAuthorisationListUpdatesRequest,
    GetSingleRoamingAuthorisationRequest,
    Permission,
    Representation,
    RequestLiveRoamingAuthorisationRequest,
    RoamingAuthorisationInfo,
    SetRoamingAuthorisationListRequest,
    TokenType,
    UpdateRoamingAuthorisationListRequest,
)
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1
from tests.services.house_calls import CalledHouse

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = START + timedelta(days=365)
DAY = timedelta(days=1)
UID = "04A1B2C3D4E580"
PLAIN, SHA_160, SHA_256 = Representation


def line(instance=UID, contract="DE-PRO-C00000001", representation=PLAIN, kind=TokenType.RFID, **said):
    token = EmtId(instance=instance, token_type=kind, representation=representation)
    return RoamingAuthorisationInfo(**{"emt_id": token, "contract_id": contract, "expiry_date": LATER, **said})


@pytest.fixture
def house(database_url, keyring):
    made = CalledHouse(database_url, keyring, START)
    made.partner("operator", operator_ids=["DEOPS"])
    made.partner("stranger", operator_ids=["NLOPS"])
    made.partner("provider", provider_ids=["DEPRO", "NLPRO"])
    made.partner("rival", provider_ids=["DERIV"])
    made.connect("DEOPS", "DEPRO")
    yield made
    made.store.close()


def upload(house, *lines, name="provider", version=V1_4_1, whole=True):
    message = SetRoamingAuthorisationListRequest if whole else UpdateRoamingAuthorisationListRequest
    return house.call(name, message(roaming_authorisation_info_array=lines), version)


def update(house, *lines, **said):
    return upload(house, *lines, whole=False, **said)


def full(house, name="operator", version=V1_4_1):
    return house.call(name, GetRoamingAuthorisationListRequest(), version).roaming_authorisation_info_array


def delta(house, since, name="operator", version=V1_4_1):
    request = GetRoamingAuthorisationListUpdatesRequest(last_update=since)
    return house.call(name, request, version).roaming_authorisation_info


def single(house, token, name="operator", version=V1_4_1):
    return house.call(name, GetSingleRoamingAuthorisationRequest(emt_id=token), version)


def code(answer):
    return answer.result.result_code


def said_of(answer):
    return answer.result.result_description


# -- Uploads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", ORDER)
@pytest.mark.parametrize("reader", ORDER)
def test_a_list_travels_between_any_two_versions(house, writer, reader):
    lines = {line(), line("A1", representation=PLAIN), line("AB" * 20, representation=SHA_160, printed_number="7")}
    assert code(upload(house, *lines, version=writer)) == ResultCode.OK
    assert set(full(house, version=reader)) == lines


def test_a_complete_list_takes_back_what_it_does_not_name(house):
    upload(house, line("A1"), line("A2"))
    house.now += DAY
    upload(house, line("A2"), line("A3"))
    assert set(delta(house, house.now)) == {line("A1", expiry_date=house.now), line("A3")}
    house.now += 31 * DAY
    assert set(full(house)) == {line("A2"), line("A3")}


def test_an_update_leaves_the_rest_alone(house):
    upload(house, line("A1"), line("A2"))
    house.now += DAY
    update(house, line("A2", printed_number="new"), line("A3"))
    assert set(delta(house, house.now)) == {line("A2", printed_number="new"), line("A3")}
    assert set(full(house)) == {line("A1"), line("A2", printed_number="new"), line("A3")}


def test_only_what_differs_is_a_change(house):
    upload(house, line("A1"), line("A2"))
    house.now += DAY
    upload(house, line("A1"), line("A2"))
    assert delta(house, house.now) == ()


def test_what_expired_already_is_not_taken_back_again(house):
    upload(house, line("A1", expiry_date=START - DAY), line("A2"))
    house.now += DAY
    upload(house, line("A2"))
    assert delta(house, house.now) == ()


def test_a_delta_shows_an_expired_token_however_long_ago(house):
    update(house, line("A1", expiry_date=START - 100 * DAY))
    assert full(house) == ()
    assert delta(house, START) == (line("A1", expiry_date=START - 100 * DAY),)


def test_of_two_lines_for_one_token_the_last_counts(house):
    answer = upload(house, line("a1", "DE-PRO-C00000001"), line("A1", "DE-PRO-C00000002"))
    assert code(answer) == ResultCode.OK
    assert full(house) == (line("A1", "DE-PRO-C00000002"),)


def test_the_spelling_is_kept_as_it_came(house):
    upload(house, line("04a1b2", "de-pro-c00000001-x"))
    assert full(house) == (line("04a1b2", "de-pro-c00000001-x"),)


REFUSED = {
    "somebody else's contract": (line(contract="DE-RIV-C00000001"), ResultCode.INVALID_ID, "contracts of DERIV"),
    "a remote token": (line(kind=TokenType.REMOTE), ResultCode.FORMAT, "type remote"),
    "no hash of its kind": (line("A1", representation=SHA_160), ResultCode.FORMAT, "not the hexadecimal sha-160 hash"),
    "no hexadecimal digits": (line("XY" * 32, representation=SHA_256), ResultCode.FORMAT, "sha-256 hash"),
    "nothing but blanks": (line("  "), ResultCode.FORMAT, "blank"),
}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("bad", "expected", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_line_that_breaks_a_rule_is_refused_and_the_others_are_taken(house, bad, expected, reason, whole):
    alone = upload(house, bad, whole=whole)
    assert (code(alone), alone.refused_roaming_authorisation_info) == (expected, (bad,))
    mixed = upload(house, line("A1"), bad, whole=whole)
    assert (code(mixed), mixed.refused_roaming_authorisation_info) == (ResultCode.PARTLY, (bad,))
    assert reason in said_of(mixed)
    assert full(house) == (line("A1"),)


def test_a_complete_list_of_which_nothing_is_taken_leaves_everything(house):
    upload(house, line("A1"))
    upload(house, line(contract="DE-RIV-C00000001"))
    assert full(house) == (line("A1"),)


def test_an_empty_complete_list_is_malformed_and_leaves_everything(house):
    upload(house, line("A1"))
    body = '<SetRoamingAuthorisationListRequest xmlns="http://ochp.eu/1.4.1"/>'
    assert b"format" in house.post("provider", body, V1_4_1).body
    assert full(house) == (line("A1"),)


def test_each_reason_is_said_once(house):
    answer = upload(house, *(line(f"A{n}", f"DE-RIV-C0000000{n}") for n in range(9)))
    assert said_of(answer) == "9 refused: contracts of DERIV are not the caller's"


def test_only_the_right_role_may_call(house):
    assert code(upload(house, line(), name="operator")) == ResultCode.NOT_AUTHORIZED
    asked = house.call("provider", GetRoamingAuthorisationListRequest(), V1_4)
    assert code(asked) == ResultCode.NOT_AUTHORIZED


# -- Who sees it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "expected"), [(V1_3, "ok"), (V1_4, "roaming"), (V1_4_1, "roaming")])
def test_without_any_connection_there_is_nothing_to_see(house, version, expected):
    upload(house, line())
    for request in (
        GetRoamingAuthorisationListRequest(),
        GetRoamingAuthorisationListUpdatesRequest(last_update=START - DAY),
    ):
        assert code(house.call("stranger", request, version)) == expected
    assert full(house, "stranger", version) == ()


def test_a_connection_that_was_only_asked_for_shows_nothing_not_even_as_expired(house):
    upload(house, line())
    house.now += DAY
    house.connect("NLOPS", "DEPRO", approved_by_provider=False)
    assert delta(house, START, "stranger") == ()


def test_a_new_connection_makes_the_whole_list_changed(house):
    upload(house, line("A1"), line("A2", expiry_date=START - DAY))
    house.now += DAY
    house.connect("NLOPS", "DEPRO")
    assert set(delta(house, house.now, "stranger")) == {line("A1"), line("A2", expiry_date=START - DAY)}


def test_a_connection_that_begins_by_time_makes_the_whole_list_changed(house):
    upload(house, line())
    house.connect("NLOPS", "DEPRO", valid_from=START + DAY)
    asked = house.now
    assert delta(house, asked - DAY, "stranger") == ()
    house.now += DAY
    assert delta(house, asked, "stranger") == (line(),)


ENDINGS = {
    "withdrawn": {"approved_by_operator": False},
    "ended": {"valid_until": START + DAY},
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_the_end_of_a_connection_takes_everything_back_that_was_seen_and_shows_nothing_newer(house, ending):
    upload(house, line("A1", printed_number="1"), line("A2", expiry_date=START + timedelta(hours=1)))
    house.now += DAY
    house.connect("DEOPS", "DEPRO", **ending)
    house.now += timedelta(hours=1)
    update(house, line("A3"), line("A1", "DE-PRO-C00000009", printed_number="2"))
    house.now += timedelta(hours=1)
    assert set(delta(house, START)) == {
        line("A1", "DEPRO000000000", expiry_date=START + DAY),
        line("A2", expiry_date=START + timedelta(hours=1)),
    }
    assert delta(house, house.now) == ()
    assert full(house) == ()


def test_a_connection_by_time_ends_by_time(house):
    house.connect("NLOPS", "DEPRO", valid_until=START + DAY)
    upload(house, line())
    assert full(house, "stranger") == (line(),)
    house.now += DAY
    assert full(house, "stranger") == ()
    assert delta(house, START, "stranger") == (line(expiry_date=START + DAY),)


# -- One token --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", Representation)
@pytest.mark.parametrize("stored", Representation)
def test_a_token_is_found_in_any_representation_that_can_be_told_from_the_other(house, stored, asked):
    spelled = {PLAIN: UID, **{kind: hashed(UID) for kind, hashed in HASHES.items()}}
    upload(house, line(spelled[stored], representation=stored))
    answer = single(house, line(spelled[asked].lower(), representation=asked).emt_id)
    if asked is stored or PLAIN in (asked, stored):
        assert answer.roaming_authorisation_info == line(spelled[stored], representation=stored)
        assert code(answer) == ResultCode.OK
    else:
        assert code(answer) == ResultCode.INVALID_ID


def test_the_hashes_are_those_of_the_upper_case_text():
    assert HASHES[SHA_160]("ABC") == "3C01BDBB26F358BAB27F267924AA2C9A03FCFDB8"
    assert HASHES[SHA_256]("ABC") == "B5D4045C3F466FA91FE2CC6ABE79232A1A57CDF104F7A26E716E0A1E2789DF78"


def test_a_token_of_another_type_is_another_token(house):
    upload(house, line("ABC", kind=TokenType.OTHER))
    assert code(single(house, line("ABC").emt_id)) == ResultCode.INVALID_ID


def test_a_certificate_is_found_in_any_spelling_of_its_contract(house):
    upload(house, line("DE-PRO-C00000001-X", kind=TokenType.ISO_15118))
    answer = single(house, line("deproc00000001", kind=TokenType.ISO_15118).emt_id)
    assert code(answer) == ResultCode.OK


def test_an_expired_token_is_told_as_expired_and_not_shown(house):
    upload(house, line(expiry_date=START))
    answer = single(house, line().emt_id)
    assert (code(answer), answer.roaming_authorisation_info) == (ResultCode.INVALID_ID, None)
    assert "expired at 2026-06-01T12:00:00Z" in said_of(answer)


def test_of_two_claims_to_a_token_the_one_that_holds_wins_then_the_newer(house):
    house.connect("DEOPS", "DERIV")
    rivals = line(contract="DE-RIV-C00000001")
    upload(house, rivals, name="rival")
    house.now += DAY
    upload(house, line())
    assert single(house, line().emt_id).roaming_authorisation_info == line()
    house.now += DAY
    upload(house, replace(rivals, printed_number="1"), name="rival")
    assert single(house, line().emt_id).roaming_authorisation_info == replace(rivals, printed_number="1")
    house.now += DAY
    update(house, replace(rivals, expiry_date=START), name="rival")
    assert single(house, line().emt_id).roaming_authorisation_info == line()


def test_a_token_of_an_unconnected_provider_is_unknown(house):
    upload(house, line(contract="DE-RIV-C00000001"), name="rival")
    assert code(single(house, line().emt_id)) == ResultCode.INVALID_ID
    assert code(single(house, line().emt_id, "stranger")) == ResultCode.ROAMING


def live(house, evse="DE*OPS*E1", name="operator", instance=UID):
    token = line(instance).emt_id
    return house.call(name, RequestLiveRoamingAuthorisationRequest(emt_id=token, evse_id=evse), V1_3)


def test_a_live_request_is_answered_with_an_id_that_the_house_remembers(house):
    upload(house, line())
    answer = live(house)
    assert answer.roaming_authorisation_info == line()
    assert re.fullmatch(r"[A-Z0-9\-]{1,15}", answer.live_auth_id)
    with house.store.books() as books:
        kept = books.cdr_evidence.answered([answer.live_auth_id, "UNKNOWN"], "operator")
        assert books.cdr_evidence.answered([answer.live_auth_id], "stranger") == {}
    assert [*kept] == [answer.live_auth_id]
    assert kept[answer.live_auth_id].evse_id == "DE*OPS*E1"
    assert kept[answer.live_auth_id].token.instance == UID


def test_what_expired_long_ago_and_old_live_requests_are_forgotten(house):
    upload(house, line("A1", expiry_date=START + DAY), line("A2"))
    live_auth_id = live(house, instance="A2").live_auth_id
    house.now += KEPT_AFTER_EXPIRY
    assert house.roaming_list.forget() == 0
    house.now += timedelta(seconds=1)
    assert house.roaming_list.forget() == 1
    house.now += DAY
    assert house.roaming_list.forget() == 1
    assert delta(house, START) == (line("A2"),)
    with house.store.books() as books:
        assert books.cdr_evidence.answered([live_auth_id], "operator") == {}


@pytest.mark.parametrize(
    "asked", [{"evse": "NL*OPS*E1"}, {"instance": "FF"}, {"evse": "NL*OPS*E1", "name": "stranger"}]
)
def test_a_live_request_for_a_strange_evse_or_token_has_no_id(house, asked):
    upload(house, line())
    answer = live(house, **asked)
    assert code(answer) == ResultCode.INVALID_ID
    assert (answer.roaming_authorisation_info, answer.live_auth_id) == (None, None)


# -- Between versions -------------------------------------------------------------------------------------------


UNSAID = (
    "<UpdateRoamingAuthorisationListRequest xmlns='{0}'><roamingAuthorisationInfoArray><EmtId><instance>{1}</instance>"
    "<tokenType>rfid</tokenType></EmtId><contractId>DE-PRO-C00000001</contractId>{2}<expiryDate><DateTime>"
    "2027-06-01T12:00:00Z</DateTime></expiryDate></roamingAuthorisationInfoArray></UpdateRoamingAuthorisationListRequest>"
)
CURRENT = "<permissions><PermissionsType>AC</PermissionsType></permissions>"


@pytest.mark.parametrize("reader", ORDER)
@pytest.mark.parametrize(
    ("writer", "instance", "meant"),
    [
        (V1_3, "AB" * 20, SHA_160),
        (V1_3, UID, PLAIN),
        (V1_4, "AB" * 20, PLAIN),
        (V1_4, UID, PLAIN),
        (V1_4_1, "AB" * 20, PLAIN),
        (V1_4_1, UID, PLAIN),
    ],
)
def test_a_token_that_does_not_say_how_it_is_written_means_what_its_version_has(house, writer, instance, meant, reader):
    body = UNSAID.format(writer.namespace, instance, CURRENT if writer is V1_4_1 else "")
    assert b">ok<" in house.post("provider", body, writer).body
    assert [each.emt_id for each in full(house, version=reader)] == [line(instance, representation=meant).emt_id]


@pytest.mark.parametrize("version", ORDER)
def test_the_representation_is_always_said(house, version):
    upload(house, line())
    body = f'<GetRoamingAuthorisationListRequest xmlns="{version.namespace}"/>'
    assert b'representation="plain"' in house.post("operator", body, version).body


def test_a_token_of_a_type_that_the_reader_lacks_is_left_out_and_logged(house):
    upload(house, line(), line("XYZ", kind=TokenType.OTHER))
    for version in (V1_3, V1_4):
        assert full(house, version=version) == (line(),)
    assert set(full(house, version=V1_4_1)) == {line(), line("XYZ", kind=TokenType.OTHER)}
    logged = {
        (each.partner, each.version, each.subject, each.name, each.field, each.left_out) for each in house.conversions()
    }
    assert logged == {
        ("operator", version, "RoamingAuthorisationInfo", "DE-PRO-C00000001", "EmtId/tokenType", True)
        for version in (V1_3, V1_4)
    }


@pytest.mark.parametrize("version", [V1_3, V1_4])
@pytest.mark.parametrize("permissions", [("AC",), ("DC", "H2"), ("AC", "DC", "Fuel")])
def test_permissions_are_dropped_for_older_readers_and_what_that_loses_is_logged(house, version, permissions):
    upload(house, line(permissions=tuple(map(Permission, permissions))))
    assert full(house, version=version) == (line(),)
    assert [(each.field, each.left_out) for each in house.conversions()] == [("permissions", False)]


@pytest.mark.parametrize("version", [V1_3, V1_4])
def test_a_token_without_current_is_not_delivered_to_older_readers(house, version):
    upload(house, line(permissions=(Permission.FUEL,)))
    assert full(house, version=version) == ()
    assert any(each.left_out for each in house.conversions())
    if version is V1_4:
        assert code(single(house, line().emt_id, version=version)) == ResultCode.INVALID_ID


@pytest.mark.parametrize("version", [V1_3, V1_4])
def test_a_token_that_loses_its_current_is_taken_back_from_older_readers(house, version):
    upload(house, line())
    house.now += DAY
    upload(house, line(permissions=(Permission.FUEL,)))
    assert delta(house, house.now, version=version) == (line(expiry_date=house.now),)


@pytest.mark.parametrize("version", [V1_3, V1_4])
def test_writers_without_permissions_permit_current(house, version):
    upload(house, line(), version=version)
    assert full(house)[0].permissions == (Permission.AC, Permission.DC)


def test_the_same_answer_again_counts_in_the_log_and_does_not_lengthen_it(house):
    upload(house, line("XYZ", kind=TokenType.OTHER))
    for _ in range(3):
        full(house, version=V1_4)
    assert [each.times for each in house.conversions()] == [3]
