"""The life of an operator's CDR, walked completely."""

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from clearinghouse.domain.bare_points import bare_point
from clearinghouse.domain.billing import Stay, bill_of
from clearinghouse.domain.errors import Conflict
from clearinghouse.domain.own_cdrs import (
    OWN_CDR_MOVES,
    CdrMove,
    OwnCdr,
    OwnCdrState,
    given_up,
    moved,
    revised,
    taken,
)
from clearinghouse.ochp.cdrs import BillingItem, CdrInfo, CdrStatus
from clearinghouse.ochp.tokens import EmtId, TokenType

NOON = datetime(2027, 1, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def cdr(state=OwnCdrState.QUEUED, **changes):
    point = bare_point("DE*OPS*E1")
    stay = Stay(
        selected_at=NOON, started_at=NOON, ended_at=NOON + HOUR, energy=Decimal(10), rating=None, reserved=False
    )
    info = CdrInfo(
        cdr_id="DEOPS1",
        evse_id="DE*OPS*E1",
        emt_id=EmtId(instance="X-1", token_type=TokenType.REMOTE),
        contract_id="DEEMPC000000018",
        status=CdrStatus.NEW,
        start_date_time=NOON,
        end_date_time=NOON + HOUR,
        charge_point_address=point.charge_point_address,
        charge_point_type=point.charge_point_type,
        connector_type=point.connectors[0],
        charging_periods=bill_of(stay, None, "DEEMP", "EUR").periods,
        total_cost=Decimal(0),
        currency="EUR",
    )
    return OwnCdr(info=info, state=state, created_at=NOON, changed_at=NOON, **changes)


@pytest.mark.parametrize(("state", "move"), [*itertools.product(OwnCdrState, CdrMove)])
def test_every_move_leads_where_the_table_says_or_is_refused(state, move):
    if (state, move) in OWN_CDR_MOVES:
        assert moved(cdr(state), move, NOON).state is OWN_CDR_MOVES[state, move]
    else:
        with pytest.raises(Conflict, match="DEOPS1"):
            moved(cdr(state), move, NOON)


@pytest.mark.parametrize("state", [OwnCdrState.APPROVED, OwnCdrState.REJECTED])
def test_what_is_settled_stays_so(state):
    assert not [move for before, move in OWN_CDR_MOVES if before is state]


def test_new_prices_make_a_new_sum_and_a_revised_cdr():
    declined = cdr(OwnCdrState.DECLINED, taken_at=NOON)
    again = revised(declined, {BillingItem.ENERGY: Decimal("0.35")}, NOON + HOUR)
    assert (again.info.status, again.info.total_cost) == (CdrStatus.REVISED, Decimal("3.50"))
    assert (again.state, again.changed_at, again.taken_at) == (OwnCdrState.QUEUED, NOON + HOUR, NOON)


def test_what_the_house_never_took_is_corrected_and_sent_as_new():
    again = revised(cdr(OwnCdrState.IMPLAUSIBLE), {}, NOON)
    assert (again.info.status, again.state) == (CdrStatus.NEW, OwnCdrState.QUEUED)


def test_what_is_not_billed_gets_no_price():
    with pytest.raises(Conflict, match="parkingtime"):
        revised(cdr(OwnCdrState.IMPLAUSIBLE), {BillingItem.PARKING_TIME: Decimal(1)}, NOON)


def test_a_claim_is_given_up_at_the_house_where_it_is_known_there():
    known = given_up(cdr(OwnCdrState.DECLINED, taken_at=NOON), NOON)
    assert (known.info.status, known.state) == (CdrStatus.REJECTED, OwnCdrState.QUEUED)
    assert taken(known, NOON + HOUR).state is OwnCdrState.REJECTED
    unknown = given_up(cdr(OwnCdrState.IMPLAUSIBLE), NOON)
    assert (unknown.info.status, unknown.state) == (CdrStatus.NEW, OwnCdrState.REJECTED)


def test_the_first_time_that_the_house_took_it_is_kept():
    first = taken(cdr(), NOON)
    again = taken(dataclasses.replace(first, state=OwnCdrState.QUEUED), NOON + HOUR)
    assert (first.taken_at, again.taken_at) == (NOON, NOON)
