"""The day of a 0.2 token and the end of a 0.1 token say the same, on every day that can be written."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from clearinghouse.ochp.bridges import day_of_validity, end_of_validity, losses
from clearinghouse.ochp.direct import OperatorEndpoint
from clearinghouse.ochp.versions import V1_3


@given(st.dates())
@example(date.min)
@example(date.max)
def test_the_end_of_a_day_is_of_that_day(day):
    assert day_of_validity(end_of_validity(day)) == day


@pytest.mark.parametrize(
    ("end", "day"),
    [
        (datetime(2026, 3, 2, 0, 30, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 2, 0, 30, 1, tzinfo=UTC), date(2026, 3, 2)),
        (datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC), date(2026, 3, 1)),
    ],
)
def test_an_end_within_the_overlap_is_of_the_day_before(end, day):
    assert day_of_validity(end) == day


def test_the_day_is_not_lost_on_a_0_1_reader_who_is_told_its_end():
    endpoint = OperatorEndpoint(
        url="https://cms.example", access_token="t", valid_date=date(2026, 3, 1), whitelist=("DEABCE%",)
    )
    assert losses(endpoint, V1_3) == []
