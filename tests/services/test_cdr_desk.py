"""What the house's people see of charge data: searches, histories, lost sessions, settlements, checks."""

import itertools
from collections import defaultdict
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearinghouse.domain.cdr_life import Move
from clearinghouse.domain.cdrs import CdrKey, key_of
from clearinghouse.domain.errors import Conflict, Malformed, UnknownId
from clearinghouse.domain.plausibility import Severity
from clearinghouse.ochp.cdrs import CdrStatus
from clearinghouse.ochp.tokens import EmtId, Representation, TokenType
from clearinghouse.ochp.versions import V1_3
from clearinghouse.services.cdr_desk import CdrDesk
from clearinghouse.services.endpoints_port import Route
from tests.cdr_builders import cdr, hours_later, period
from tests.services.cdr_house import BOTH, OTHER_OPERATOR, OTHER_PROVIDER, CdrHouse, code, connection, why

KEY = key_of(cdr())
LOST_AFTER = timedelta(hours=72)
NUMBERS = itertools.count(1)


@pytest.fixture
def house(store):
    return CdrHouse(store)


@pytest.fixture
def desk(house):
    return CdrDesk(house.store, lambda: house.now, "ada", LOST_AFTER)


def ids(records):
    return [each.info.cdr_id for each in records]


# -- Looking ----------------------------------------------------------------------------------------------------


def test_people_find_cdrs_by_partner_status_day_and_flag(house, desk):
    late = hours_later(cdr(cdr_id="DEOPS0002", contract_id="FR-PRX-C00000001"), -36)
    odd = hours_later(
        cdr(cdr_id="DEOPS0003", charging_periods=(period(billing_value=Decimal(1200), period_cost=None),)), -72
    )
    house.add(cdr(), late, odd)
    house.confirm(approved=[cdr()])
    assert ids(desk.find()) == ["DEOPS0001", "DEOPS0002", "DEOPS0003"]
    assert ids(desk.find(limit=1)) == ["DEOPS0001"]
    assert ids(desk.find(partner="rival")) == ids(desk.find(partner="FR*PRX")) == ["DEOPS0002"]
    assert ids(desk.find(partner="stadtwerke")) == ["DEOPS0001", "DEOPS0002", "DEOPS0003"]
    assert ids(desk.find(partner="autohof")) == []
    assert ids(desk.find(statuses=[CdrStatus.APPROVED, CdrStatus.DECLINED])) == ["DEOPS0001"]
    assert ids(desk.find(flagged=True)) == ["DEOPS0003"]
    assert ids(desk.find(first_day=date(2027, 1, 8), last_day=date(2027, 1, 8))) == ["DEOPS0002"]
    assert ids(desk.find(first_day=date(2027, 1, 10))) == ["DEOPS0001"]
    assert ids(desk.find(last_day=date(2027, 1, 7))) == ["DEOPS0003"]
    with pytest.raises(Malformed, match="is no party ID"):
        desk.find(partner="nobody")


def test_a_cdr_is_shown_with_its_history(house, desk):
    house.add(cdr())
    house.confirm(declined=[cdr()])
    shown = desk.show("DEOPS0001")
    assert shown.record.info == cdr(status=CdrStatus.DECLINED)
    assert [(each.actor, each.after) for each in shown.history] == [
        ("stadtwerke", "accepted"),
        ("fahrstrom", "declined"),
    ]
    with pytest.raises(UnknownId, match="no CDR DEOPS9"):
        desk.show("DEOPS9")


def test_an_id_at_several_evses_needs_the_evse(house, desk):
    house.add(cdr(), hours_later(cdr(evse_id="DE*OPS*E2"), 2), version=V1_3)
    with pytest.raises(Conflict, match="say which EVSE"):
        desk.show("DEOPS0001")
    assert desk.show("DEOPS0001", "deopse2").record.info.evse_id == "DE*OPS*E2"


# -- Clarifying -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("upheld", "status"), [(True, "approved"), (False, "rejected")])
def test_people_clarify_a_declined_cdr_and_say_why(house, desk, upheld, status):
    house.add(cdr(), version=V1_3)
    house.confirm(declined=[cdr()], version=V1_3)
    assert desk.clarify("DEOPS0001", upheld=upheld, why="meter checked").info.status == status
    last = house.history(KEY)[-1]
    assert (last.actor, last.why, last.before, last.after) == ("house: ada", "meter checked", "declined", status)
    assert last.move is (Move.UPHOLD if upheld else Move.DISMISS)


def test_people_decide_nothing_else(house, desk):
    house.add(cdr())
    with pytest.raises(Conflict, match="is accepted"):
        desk.clarify("DEOPS0001", upheld=True, why="impatience")
    with pytest.raises(Malformed, match="Say why"):
        desk.clarify("DEOPS0001", upheld=True, why=" ")


# -- Checks -----------------------------------------------------------------------------------------------------


def test_the_house_sets_how_strict_it_is_with_everybody_or_a_pair(house, desk):
    other_id = cdr(cdr_id="ZZ1")
    assert code(house.add(other_id)) == "invalid-id"
    desk.set_check("foreign-cdr-id", Severity.FLAG, "DE*OPS", "DEPRO")
    assert code(house.add(other_id)) == "ok"
    assert house.record(key_of(other_id)).flags == ("foreign-cdr-id",)
    for_rival = hours_later(cdr(cdr_id="ZZ2", contract_id="FR-PRX-C00000001"), 1)
    assert "must begin with an operator ID" in why(house.add(for_rival))
    found = {each.code: each.severity for each in desk.checks("DEOPS", "DEPRO")}
    assert (found["foreign-cdr-id"], found["country"]) == ("flag", "flag")
    assert {each.code: each.severity for each in desk.checks()}["foreign-cdr-id"] == "refuse"
    desk.set_check("foreign-cdr-id", Severity.OFF)
    assert code(house.add(for_rival)) == "ok"


@pytest.mark.parametrize(
    ("given_", "error"),
    [
        (("no-such-check", Severity.OFF), UnknownId),
        (("foreign-evse", Severity.OFF), Malformed),
        (("country", Severity.OFF, "DEOPS"), Malformed),
        (("country", Severity.OFF, "DEOPS", "?"), Malformed),
    ],
)
def test_settings_that_make_no_sense_are_refused(desk, given_, error):
    with pytest.raises(error):
        desk.set_check(*given_)


# -- Direct sessions --------------------------------------------------------------------------------------------


def relay(house, direct_id, operator="stadtwerke", provider="fahrstrom", age=timedelta(hours=80), charged=True):
    route = Route(
        direct_id=direct_id,
        operator=operator,
        provider=provider,
        evse_id="DE*OPS*E1*1",
        contract_id="DE-PRO-C00000001",
        created_at=house.now - age,
        begun_at=house.now - age if charged else None,
    )
    with house.store.books() as books:
        books.routes.put(route)


def direct(direct_id, **changes):
    token = EmtId(instance=direct_id, token_type=TokenType.REMOTE, representation=Representation.PLAIN)
    return cdr(emt_id=token, **changes)


def test_relayed_sessions_that_charged_and_have_no_cdr_are_listed_after_a_while(house, desk):
    relay(house, "DEOPS-1", age=timedelta(hours=90))
    relay(house, "DEOPS-2")
    relay(house, "DEOPS-3")
    relay(house, "DEOPS-YOUNG", age=timedelta(hours=71))
    relay(house, "DEOPS-3", operator="autohof")
    relay(house, "DEOPS-RELEASED", charged=False)
    house.add(direct("DEOPS-2"))
    house.add(hours_later(direct("DEOPS-3", cdr_id="DEOPS0002"), 2))
    found = [(each.direct_id, each.operator) for each in desk.lost()]
    assert found == [("DEOPS-1", "stadtwerke"), ("DEOPS-3", "autohof")]
    assert [each.direct_id for each in desk.lost(limit=1)] == ["DEOPS-1"]


def test_a_cdr_of_a_relayed_session_is_matched_and_others_are_flagged(house):
    relay(house, "DEOPS-1")
    relay(house, "FROPX-1", operator="autohof")
    house.add(direct("DEOPS-1"))
    house.add(hours_later(direct("DEOPS-9", cdr_id="DEOPS0009"), 2))
    house.add(hours_later(direct("FROPX-1", cdr_id="DEOPS0008"), 4))
    house.add(hours_later(direct("DEOPS-1", cdr_id="DEOPS0007", evse_id="DE*OPS*E2"), 6))
    flags = {
        cdr_id: house.record(CdrKey(evse, cdr_id)).flags
        for evse, cdr_id in (
            ("DEOPSE1*1", "DEOPS0001"),
            ("DEOPSE1*1", "DEOPS0009"),
            ("DEOPSE1*1", "DEOPS0008"),
            ("DEOPSE2", "DEOPS0007"),
        )
    }
    assert flags["DEOPS0001"] == ()
    assert flags["DEOPS0009"] == flags["DEOPS0008"] == flags["DEOPS0007"] == ("direct-session",)


# -- Settling ---------------------------------------------------------------------------------------------------


def costing(amount, cdr_id, number, **changes):
    """A CDR with this total, at a time of its own."""
    one = period(billing_value=Decimal(1), item_price=Decimal(amount), period_cost=None)
    return hours_later(cdr(cdr_id=cdr_id, charging_periods=(one,), **changes), -2 * number)


def test_a_month_is_settled_from_approved_cdrs_and_set_off_between_partners(house, desk):
    with house.store.books() as books:
        books.connections.put(connection("NLBTH", "FRPRX"), "ada")
    house.add(
        costing("10.005", "DEOPS1", 0, contract_id="NL-BTH-C00000001"),
        costing("5", "DEOPS2", 1),
        costing("7.25", "DEOPS3", 2),
        costing("1", "DEOPSOPEN", 3),
    )
    house.add(costing("3.10", "NLBTH1", 0, evse_id="NL*BTH*E1", currency="CHF"), by=BOTH)
    house.add(costing("2.00", "FROPX1", 0, evse_id="FR*OPX*E1"), by=OTHER_OPERATOR)
    waiting = house.get().cdr_info_array
    house.confirm(approved=[each for each in waiting if each.cdr_id != "DEOPSOPEN"])
    house.confirm(approved=house.get(by=BOTH).cdr_info_array, by=BOTH)
    house.confirm(approved=house.get(by=OTHER_PROVIDER).cdr_info_array, by=OTHER_PROVIDER)
    found = desk.settlement("2027-01")
    assert [(each.operator_id, each.provider_id, each.currency, each.cdrs, str(each.net)) for each in found.lines] == [
        ("DEOPS", "DEPRO", "EUR", 2, "12.25"),
        ("DEOPS", "NLBTH", "EUR", 1, "10.01"),
        ("FROPX", "DEPRO", "EUR", 1, "2.00"),
        ("NLBTH", "DEPRO", "CHF", 1, "3.10"),
    ]
    paid = [(each.debtor, each.creditor, each.currency, str(each.amount)) for each in found.balances]
    assert sorted(paid) == [
        ("both", "stadtwerke", "EUR", "10.01"),
        ("fahrstrom", "autohof", "EUR", "2.00"),
        ("fahrstrom", "both", "CHF", "3.10"),
        ("fahrstrom", "stadtwerke", "EUR", "12.25"),
    ]
    assert desk.settlement("2026-12").lines == ()
    assert desk.settlement() == found


def test_the_clock_on_the_wall_decides_which_month_a_charge_is_in(house, desk):
    tokyo = timezone(timedelta(hours=9))
    new_year = datetime(2027, 1, 1, 0, 30, tzinfo=tokyo)
    one = cdr(
        start_date_time=new_year - timedelta(hours=1),
        end_date_time=new_year,
        charging_periods=(period(start_date_time=new_year - timedelta(hours=1), end_date_time=new_year),),
    )
    house.add(one)
    house.confirm(approved=[one])
    assert desk.settlement("2026-12").lines == ()
    assert [each.cdrs for each in desk.settlement("2027-01").lines] == [1]


def test_a_revision_replaces_the_amount(house, desk):
    house.add(cdr())
    house.add(cdr(status=CdrStatus.REVISED, total_cost=Decimal("8.01")))
    house.get()
    house.confirm(approved=[cdr()])
    assert [str(each.net) for each in desk.settlement("2027-01").lines] == ["8.01"]


def test_each_currency_of_a_1_3_cdr_is_settled_by_itself(house, desk):
    mixed = cdr(
        charging_periods=(period(currency="EUR"), period(currency="JPY", item_price=Decimal("2.525"), period_cost=None))
    )
    house.add(mixed, version=V1_3)
    house.confirm(approved=[mixed], version=V1_3)
    found = {each.currency: str(each.net) for each in desk.settlement("2027-01").lines}
    assert found == {"EUR": "8.00", "JPY": "51"}


@pytest.mark.parametrize("month", ["2027", "2027-13", "2027-1", "27-01", "2027-01-01", "x"])
def test_a_month_is_written_as_year_and_month(desk, month):
    with pytest.raises(Malformed, match="is no month"):
        desk.settlement(month)


charges = st.lists(
    st.tuples(
        st.sampled_from(["EUR", "CHF", "JPY", "KWD"]),
        st.sampled_from(["DE-PRO-C00000001", "FR-PRX-C00000001"]),
        st.decimals(0, 10**6, places=5),
        st.decimals(0, 100, places=4),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
UNITS = {"EUR": Decimal("0.01"), "CHF": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(charges)
def test_the_settlement_is_what_a_naive_model_says_to_the_cent(house, desk, rows):
    """The house is the same for all examples, so that errors would pile up."""
    model = house.__dict__.setdefault("model", defaultdict(Decimal))
    for currency, contract, price, value, approved in rows:
        number = next(NUMBERS)
        one = period(billing_value=value, item_price=price, period_cost=None)
        given_ = hours_later(
            cdr(cdr_id=f"DEOPS{number}", contract_id=contract, currency=currency, charging_periods=(one,)),
            -(number % 200),
        )
        assert code(house.add(given_)) == "ok"
        if approved:
            by = OTHER_PROVIDER if contract.startswith("FR") else None
            assert code(house.confirm(approved=[given_], **({"by": by} if by else {}))) == "ok"
            key = (given_.end_date_time.strftime("%Y-%m"), contract[:2] + contract[3:6], currency)
            model[key] += (value * price).quantize(UNITS[currency], ROUND_HALF_UP)
    months = {month for month, _, _ in model}
    lines = [each for month in months for each in desk.settlement(month).lines]
    assert {(each.month, each.provider_id, each.currency): each.net for each in lines} == dict(model)
