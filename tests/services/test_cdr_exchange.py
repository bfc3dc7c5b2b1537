"""CDRs at the house, from upload to decision, through SOAP in all three versions."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.cdr_life import Move
from clearinghouse.domain.cdrs import key_of
from clearinghouse.ochp.cdrs import CdrReference, CdrStatus
from clearinghouse.ochp.identifiers import iso_check_digit
from clearinghouse.ochp.tokens import EmtId, TokenType
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1
from clearinghouse.services import cdr_upload
from tests.cdr_builders import CONTRACT, cdr, cheaper, hours_later, period
from tests.services.cdr_house import (
    BOTH,
    LONELY,
    OPERATOR,
    OTHER_OPERATOR,
    OTHER_PROVIDER,
    PROVIDER,
    CdrHouse,
    code,
    why,
)

KEY = key_of(cdr())
NEWER = (V1_4, V1_4_1)
REVISED, REJECTED = CdrStatus.REVISED, CdrStatus.REJECTED
GONE = CdrReference(cdr_id="DEOPS9999", evse_id="DE*OPS*E1*1")


@pytest.fixture
def house(store):
    return CdrHouse(store)


def ids(answer):
    return [each.cdr_id for each in answer.cdr_info_array]


def statuses(answer):
    return [each.status for each in answer.cdr_info_array]


def declined(house):
    """A CDR that the provider has downloaded and declined."""
    house.add(cdr())
    house.confirm(declined=house.get().cdr_info_array)
    return house


# -- The way of a CDR -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ORDER)
@pytest.mark.parametrize("reader", ORDER)
def test_a_cdr_travels_from_operator_to_provider_and_is_approved(house, version, reader):
    assert code(house.add(cdr(), version=version)) == "ok"
    answer = house.get(version=reader)
    assert (code(answer), ids(answer), statuses(answer)) == ("ok", ["DEOPS0001"], ["accepted"])
    assert code(house.confirm(approved=answer.cdr_info_array, version=reader)) == "ok"
    assert house.get(version=reader).cdr_info_array == ()
    assert house.record(KEY).info.status == "approved"


@pytest.mark.parametrize("version", NEWER)
def test_a_declined_cdr_is_shown_to_its_operator_revised_and_approved(house, version):
    declined(house)
    assert house.get().cdr_info_array == ()
    assert ids(house.check(version=version)) == ["DEOPS0001"]
    assert code(house.add(cheaper(cdr(), status=REVISED), version=version)) == "ok"
    assert house.check(version=version).cdr_info_array == ()
    answer = house.get(version=version)
    assert statuses(answer) == ["revised"]
    assert answer.cdr_info_array[0].charging_periods[0].item_price == Decimal("0.35")
    assert code(house.confirm(approved=answer.cdr_info_array)) == "ok"
    assert house.record(KEY).info.status == "approved"


def test_a_declined_cdr_may_be_given_up_and_keeps_its_content(house):
    declined(house)
    assert code(house.add(cheaper(cdr(), status=REJECTED))) == "ok"
    record = house.record(KEY)
    assert record.info == cdr(status=REJECTED)
    assert house.get().cdr_info_array == house.check().cdr_info_array == ()
    assert code(house.add(cdr(status=REJECTED))) == "ok"
    assert code(house.add(cheaper(cdr(), status=REVISED))) == "format"


def test_an_accepted_cdr_may_be_revised_even_after_its_download(house):
    house.add(cdr())
    first = house.get().cdr_info_array
    assert code(house.add(cheaper(cdr(), status=REVISED))) == "ok"
    refused = house.confirm(approved=first)
    assert code(refused) == "invalid-id"
    assert "revised since you fetched it" in why(refused)
    assert house.record(KEY).info.status == "revised"
    assert code(house.confirm(approved=house.get().cdr_info_array)) == "ok"


def test_a_revision_may_be_revised_and_only_the_newest_can_be_confirmed(house):
    house.add(cdr())
    house.add(cheaper(cdr(), status=REVISED))
    seen = house.get().cdr_info_array
    again = cdr(status=REVISED, meter_id="M1")
    assert code(house.add(again)) == "ok"
    assert code(house.confirm(declined=seen)) == "invalid-id"
    assert house.get().cdr_info_array == (again,)
    assert code(house.confirm(declined=seen)) == "ok"
    assert house.record(KEY).revision == 2


@pytest.mark.parametrize("version", NEWER)
def test_the_revision_of_an_unknown_cdr_is_a_new_one(house, version):
    assert code(house.add(cdr(status=REVISED), version=version)) == "ok"
    assert statuses(house.get()) == ["accepted"]
    assert code(house.confirm(approved=[cdr()])) == "ok"


def test_nobody_gives_up_what_the_house_does_not_have(house):
    answer = house.add(cdr(status=REJECTED))
    assert code(answer) == "invalid-id"
    assert answer.implausible_cdrs_array == ("DEOPS0001",)
    assert house.record(KEY) is None


def test_in_1_3_a_corrected_upload_of_a_declined_cdr_is_a_revision(house):
    house.add(cdr(), version=V1_3)
    house.confirm(declined=house.get(version=V1_3).cdr_info_array, version=V1_3)
    assert house.get(version=V1_3).cdr_info_array == ()
    assert code(house.add(cheaper(cdr()), version=V1_3)) == "ok"
    assert statuses(house.get(version=V1_3)) == ["accepted"]
    assert statuses(house.get()) == ["revised"]


@pytest.mark.parametrize("version", NEWER)
def test_since_1_4_a_correction_must_be_called_revised(house, version):
    declined(house)
    answer = house.add(cheaper(cdr()), version=version)
    assert code(answer) == "format"
    assert "correct it by a revision" in why(answer)
    assert house.record(KEY).info.status == "declined"


@pytest.mark.parametrize("version", ORDER)
@pytest.mark.parametrize("status", [CdrStatus.ACCEPTED, CdrStatus.APPROVED, CdrStatus.DECLINED])
def test_no_operator_sets_the_status_of_a_provider(house, version, status):
    answer = house.add(cdr(status=status), version=version)
    assert code(answer) == "format"
    assert f"may not set its status to {status}" in why(answer)
    assert house.record(KEY) is None


def test_a_1_3_operator_rejects_nothing(house):
    declined(house)
    assert code(house.add(cdr(status=REJECTED), version=V1_3)) == "format"
    assert house.record(KEY).info.status == "declined"


# -- Repeats and contradictions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ORDER)
def test_an_identical_repeat_is_accepted_silently(house, version):
    house.add(cdr(), version=version)
    house.now += timedelta(hours=1)
    answer = house.add(cdr(evse_id="deopse1*1", contract_id="deproc00000001"), version=version)
    assert (code(answer), answer.implausible_cdrs_array) == ("ok", ())
    assert len(house.history(KEY)) == 1


def test_a_repeat_after_approval_changes_nothing(house):
    house.add(cdr())
    house.confirm(approved=house.get().cdr_info_array)
    assert code(house.add(cdr())) == "ok"
    assert code(house.add(cdr(status=REVISED))) == "ok"
    assert house.record(KEY).info.status == "approved"
    assert code(house.add(cheaper(cdr(), status=REVISED))) == "format"


@pytest.mark.parametrize("version", ORDER)
def test_other_content_under_the_same_id_comes_back_in_the_form_of_the_version(house, version):
    house.add(cdr(), version=version)
    answer = house.add(cheaper(cdr()), version=version)
    assert code(answer) == "format"
    returned = cheaper(cdr()) if version is V1_3 else "DEOPS0001"
    assert answer.implausible_cdrs_array == (returned,)
    assert house.record(KEY).info.charging_periods == cdr().charging_periods


def test_the_first_of_two_contradictions_in_one_upload_counts(house):
    answer = house.add(cdr(), cheaper(cdr()), cdr())
    assert code(answer) == "partly"
    assert answer.implausible_cdrs_array == ("DEOPS0001",)
    assert "given twice" in why(answer)
    assert house.record(KEY).info.charging_periods == cdr().charging_periods


def test_ids_of_1_3_are_unique_within_an_evse_only(house):
    elsewhere = hours_later(cdr(evse_id="DE*OPS*E2"), 3)
    assert code(house.add(cdr(), elsewhere, version=V1_3)) == "ok"
    assert sorted(each.evse_id for each in house.get().cdr_info_array) == ["DE*OPS*E1*1", "DE*OPS*E2"]
    assert code(house.confirm(approved=[elsewhere])) == "ok"
    assert house.record(KEY).info.status == "accepted"


@pytest.mark.parametrize("together", [True, False])
def test_since_1_4_an_id_belongs_to_one_evse(house, together):
    elsewhere = hours_later(cdr(evse_id="DE*OPS*E2"), 3, status=REVISED)
    answers = [house.add(cdr(), elsewhere)] if together else [house.add(cdr()), house.add(elsewhere)]
    assert code(answers[-1]) == ("partly" if together else "invalid-id")
    assert "its id is that of the CDR at DEOPSE1*1" in why(answers[-1])


# -- Confirming -------------------------------------------------------------------------------------------------


def test_a_cdr_waits_until_it_is_confirmed(house):
    house.add(cdr())
    assert ids(house.get()) == ids(house.get()) == ["DEOPS0001"]


def test_decisions_are_made_one_by_one(house):
    second, third = hours_later(cdr(cdr_id="DEOPS0002"), -2), hours_later(cdr(cdr_id="DEOPS0003"), -4)
    house.add(cdr(), second, third)
    answer = house.confirm(approved=[cdr(), GONE, third], declined=[second, third])
    assert code(answer) == "partly"
    assert "DEOPS9999 at DEOPSE1*1: it is unknown" in why(answer)
    assert "DEOPS0003 at DEOPSE1*1: it is both approved and declined" in why(answer)
    found = [house.record(key_of(each)).info.status for each in (cdr(), second, third)]
    assert found == ["approved", "declined", "accepted"]


@pytest.mark.parametrize("version", ORDER)
def test_the_same_decision_may_be_repeated_and_another_may_not(house, version):
    house.add(cdr())
    assert code(house.confirm(approved=[cdr()], version=version)) == "ok"
    assert code(house.confirm(approved=[cdr(), cdr()], version=version)) == "ok"
    answer = house.confirm(declined=[cdr()], version=version)
    assert (code(answer), why(answer)) == ("invalid-id", "CDR DEOPS0001 at DEOPSE1*1: it is approved")
    assert len(house.history(KEY)) == 2


@pytest.mark.parametrize("version", ORDER)
def test_nothing_to_confirm_is_no_error(house, version):
    assert code(house.confirm(version=version)) == "ok"


def test_an_unknown_cdr_cannot_be_confirmed(house):
    assert code(house.confirm(approved=[GONE])) == "invalid-id"


def test_of_a_cdr_that_1_3_repeats_only_its_ids_count(house):
    house.add(cdr())
    token = EmtId(instance="OTHER", token_type=TokenType.RFID)
    lie = cheaper(cdr(status=CdrStatus.APPROVED, emt_id=token, contract_id="FR-PRX-C00000009", currency="CHF"))
    assert code(house.confirm(declined=[lie], version=V1_3)) == "ok"
    assert house.record(KEY).info == cdr(status=CdrStatus.DECLINED)


def test_a_cdr_of_another_provider_cannot_be_confirmed(house):
    house.add(cdr())
    answer = house.confirm(approved=[cdr()], by=OTHER_PROVIDER)
    assert (code(answer), why(answer)) == ("invalid-id", "CDR DEOPS0001 at DEOPSE1*1: it is unknown")
    assert house.record(KEY).info.status == "accepted"


# -- Asking -----------------------------------------------------------------------------------------------------


def each_in_a_state(house):
    """One CDR in each state; their ids say which."""
    names = ("ACCEPTED", "REVISED", "DECLINED", "APPROVED", "REJECTED")
    made = {name: hours_later(cdr(cdr_id=f"DEOPS{name}"), -2 * at) for at, name in enumerate(names)}
    house.add(*made.values())
    house.confirm(approved=[made["APPROVED"]], declined=[made["DECLINED"], made["REJECTED"]])
    house.add(
        dataclasses.replace(made["REVISED"], status=REVISED, meter_id="M1"),
        dataclasses.replace(made["REJECTED"], status=REJECTED),
    )
    return house


@pytest.mark.parametrize("version", NEWER)
def test_providers_and_operators_may_ask_for_every_status(house, version):
    each_in_a_state(house)
    assert ids(house.get(CdrStatus.NEW, version=version)) == []
    for status in set(CdrStatus) - {CdrStatus.NEW}:
        expected = [f"DEOPS{status.upper()}"]
        assert ids(house.get(status, version=version)) == expected
        assert ids(house.check(status, version=version)) == expected
    assert sorted(ids(house.get(version=version))) == ["DEOPSACCEPTED", "DEOPSREVISED"]
    assert ids(house.check(version=version)) == ["DEOPSDECLINED"]


def test_a_1_3_provider_gets_what_waits_for_it_as_accepted(house):
    each_in_a_state(house)
    answer = house.get(version=V1_3)
    assert sorted(ids(answer)) == ["DEOPSACCEPTED", "DEOPSREVISED"]
    assert statuses(answer) == ["accepted", "accepted"]


@pytest.mark.parametrize("version", ORDER)
def test_without_any_connection_the_answer_says_so_where_it_can(house, version):
    answer = house.get(by=LONELY, version=version)
    assert (code(answer), answer.cdr_info_array) == ("ok" if version is V1_3 else "roaming", ())
    if version is not V1_3:
        assert code(house.check(by=LONELY, version=version)) == "roaming"


def test_with_connections_but_without_cdrs_all_is_well(house):
    assert code(house.get(by=OTHER_PROVIDER)) == code(house.check(by=OTHER_OPERATOR)) == "ok"


@pytest.mark.parametrize("version", ORDER)
def test_only_the_role_that_an_operation_is_for_may_call_it(house, version):
    assert code(house.add(cdr(), by=PROVIDER, version=version)) == "not-authorized"
    assert code(house.get(by=OPERATOR, version=version)) == "not-authorized"
    assert code(house.confirm(by=OPERATOR, version=version)) == "not-authorized"
    if version is not V1_3:
        assert code(house.check(by=PROVIDER, version=version)) == "not-authorized"


def test_a_partner_in_both_roles_sees_each_side_alone(house):
    house.add(cdr(contract_id="NL-BTH-C00000001"))
    house.add(cdr(evse_id="NL*BTH*E1", cdr_id="NLBTH1"), by=BOTH)
    assert ids(house.get(by=BOTH)) == ["DEOPS0001"]
    assert ids(house.check(CdrStatus.ACCEPTED, by=BOTH)) == ["NLBTH1"]


# -- Judging ----------------------------------------------------------------------------------------------------


def test_good_cdrs_are_stored_although_others_are_not(house):
    bad = hours_later(cdr(cdr_id="DEOPS0002", total_cost=Decimal(99)), -3)
    answer = house.add(cdr(), bad)
    assert (code(answer), answer.implausible_cdrs_array) == ("partly", ("DEOPS0002",))
    assert why(answer) == "CDR DEOPS0002 at DE*OPS*E1*1: its total is 99, but its periods add up to 8"
    assert ids(house.get()) == ["DEOPS0001"]


def test_an_implausible_cdr_may_be_corrected_under_its_id(house):
    assert code(house.add(cdr(total_cost=Decimal(99)))) == "format"
    assert code(house.add(cdr(total_cost=Decimal(8)))) == "ok"


def test_nobody_uploads_for_the_evse_of_another(house):
    house.add(cdr())
    for status in (CdrStatus.NEW, REVISED, REJECTED):
        for foreign in (cdr(status=status), cdr(status=status, meter_id="M1")):
            assert code(house.add(foreign, by=OTHER_OPERATOR)) == "invalid-id"
    assert house.record(KEY).info == cdr(status=CdrStatus.ACCEPTED)
    assert house.check(CdrStatus.ACCEPTED, by=OTHER_OPERATOR).cdr_info_array == ()


def test_a_charge_under_a_connection_that_ended_is_still_billed(house):
    with house.store.books() as books:
        (agreed,) = [each for each in books.connections.all(["DEOPS"]) if each.provider_id == "DEPRO"]
        books.connections.put(dataclasses.replace(agreed, valid_until=house.now), "ada")
    house.now += timedelta(days=1)
    during, since = cdr(), hours_later(cdr(cdr_id="DEOPS0002"), 20)
    answer = house.add(during, since)
    assert answer.implausible_cdrs_array == ("DEOPS0002",)
    assert "no roaming connection for CDRs with DEPRO" in why(answer)
    assert ids(house.get()) == ["DEOPS0001"]
    assert code(house.confirm(approved=[during])) == "ok"


def test_flags_and_notes_do_not_stop_a_cdr_and_are_kept(house):
    strange = cdr(charging_periods=(period(billing_value=Decimal(1200), period_cost=None),))
    assert code(house.add(strange)) == "ok"
    record = house.record(KEY)
    assert record.flags == ("energy-power", "energy-limit")
    assert {each.code: each.severity for each in record.findings}["tariff-price"] == "note"
    assert ids(house.get()) == ["DEOPS0001"]


def test_overlaps_are_found_with_what_is_stored_and_within_an_upload(house):
    house.add(cdr())
    second = hours_later(cdr(cdr_id="DEOPS0002"), 1)
    third = hours_later(cdr(cdr_id="DEOPS0003", evse_id="DE*OPS*E2"), 2)
    fourth = cdr(cdr_id="FROPX0001", evse_id="FR*OPX*E1")
    house.add(third, second)
    house.add(fourth, by=OTHER_OPERATOR)
    assert house.record(KEY).flags == ()
    assert house.record(key_of(second)).flags == ("evse-overlap", "token-overlap")
    assert house.record(key_of(third)).flags == ("token-overlap",)
    assert house.record(key_of(fourth)).flags == ("token-overlap",)


def test_a_cdr_that_was_given_up_is_in_nobodys_way(house):
    declined(house)
    house.add(cdr(status=REJECTED), cdr(cdr_id="DEOPS0002"))
    assert house.record(key_of(cdr(cdr_id="DEOPS0002"))).flags == ()
    house.add(cdr(cdr_id="DEOPS0003", evse_id="DE*OPS*E2"))
    assert house.record(key_of(cdr(cdr_id="DEOPS0003", evse_id="DE*OPS*E2"))).flags == ("token-overlap",)


def test_the_same_charge_under_another_id_is_flagged(house):
    house.add(cdr())
    house.add(cdr(cdr_id="DEOPS0002"))
    assert house.record(key_of(cdr(cdr_id="DEOPS0002"))).flags == ("duplicate",)


def test_a_large_upload_is_judged_as_a_whole(house, monkeypatch):
    monkeypatch.setattr(cdr_upload, "BATCH", 2)
    many = [hours_later(cdr(cdr_id=f"DEOPS{number:04}"), -2 * number) for number in range(7)]
    twin = dataclasses.replace(many[0], cdr_id="DEOPSTWIN")
    answer = house.add(*many, twin, dataclasses.replace(many[3], total_cost=Decimal(99)))
    assert answer.implausible_cdrs_array == ("DEOPS0003",)
    assert len(house.get().cdr_info_array) == 8
    assert house.record(key_of(twin)).flags == ("duplicate",)


# -- History ----------------------------------------------------------------------------------------------------


def test_every_change_is_kept_with_who_when_from_to_and_what_was_sent(house):
    house.add(cdr(), version=V1_3)
    house.confirm(declined=house.get().cdr_info_array)
    corrected = cheaper(cdr(), status=REVISED)
    house.now += timedelta(minutes=1)
    house.add(corrected, version=V1_4)
    house.confirm(approved=house.get().cdr_info_array)
    lines = house.history(KEY)
    told = [(each.actor, each.move, each.before, each.after, each.revision, each.version) for each in lines]
    assert told == [
        ("stadtwerke", Move.RESUBMIT, None, "accepted", 0, V1_3),
        ("fahrstrom", Move.DECLINE, "accepted", "declined", 0, None),
        ("stadtwerke", Move.REVISE, "declined", "revised", 1, V1_4),
        ("fahrstrom", Move.APPROVE, "revised", "approved", 1, None),
    ]
    assert [each.sent for each in lines] == [cdr(), None, corrected, None]
    assert [each.at for each in lines] == [lines[0].at, lines[0].at, house.now, house.now]
    assert house.record(KEY).version is V1_4


# -- Wrong check digits -----------------------------------------------------------------------------------------


def test_a_wrong_check_digit_is_shown_and_counted_and_no_reason_to_refuse(house):
    digit = iso_check_digit(CONTRACT)
    wrong = "0" if digit != "0" else "1"
    right = cdr(cdr_id="DEOPS1", contract_id=f"{CONTRACT}-{digit}")
    first, second = (
        hours_later(cdr(cdr_id=f"DEOPS{number}", contract_id=f"{CONTRACT}-{wrong}"), number) for number in (3, 6)
    )
    assert code(house.add(right, first, second)) == "ok"
    assert len(house.get().cdr_info_array) == 3
    told = {each.cdr_id: "check-digit" in said(house.record(key_of(each))) for each in (right, first, second)}
    assert told == {"DEOPS1": False, "DEOPS3": True, "DEOPS6": True}
    ((partner, checks),) = house.found
    assert (partner, checks["check-digit"]) == ("stadtwerke", 2)


def said(record):
    return [finding.code for finding in record.findings]
