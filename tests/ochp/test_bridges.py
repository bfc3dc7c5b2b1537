"""The bridge between 0.1's validUntil and 0.2's validDate."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearinghouse.ochp.bridges import day_of_validity, end_of_validity, endpoint_down, endpoint_up
from clearinghouse.ochp.direct import OperatorEndpoint


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("valid_until", "day"),
    [
        ("2026-01-03T00:00:00+00:00", date(2026, 1, 2)),
        ("2026-01-03T00:30:00+00:00", date(2026, 1, 2)),
        ("2026-01-03T00:30:01+00:00", date(2026, 1, 3)),
        ("2026-01-03T23:59:59+00:00", date(2026, 1, 3)),
        ("2028-03-01T00:30:00+00:00", date(2028, 2, 29)),
        ("2027-01-01T00:30:00+00:00", date(2026, 12, 31)),
        ("2099-12-31T23:59:59+00:00", date(2099, 12, 31)),
        ("9999-12-31T23:59:59+00:00", date.max),
        ("0001-01-01T00:00:00+00:00", date.min),
        ("2026-01-03T01:30:00+01:00", date(2026, 1, 2)),
        ("2026-01-03T00:15:00+01:00", date(2026, 1, 2)),
    ],
)
def test_the_end_of_a_token_tells_its_day(valid_until: str, day: date) -> None:
    assert day_of_validity(instant(valid_until)) == day


def test_the_day_of_a_token_tells_its_end() -> None:
    assert end_of_validity(date(2026, 1, 2)) == datetime(2026, 1, 3, 0, 30, tzinfo=UTC)
    assert end_of_validity(date(2028, 2, 28)) == datetime(2028, 2, 29, 0, 30, tzinfo=UTC)


@given(st.dates(max_value=date.max - timedelta(days=1)))
def test_a_day_comes_back_from_its_end(day: date) -> None:
    assert day_of_validity(end_of_validity(day)) == day


def operator_endpoint(**fields: Any) -> OperatorEndpoint:
    return OperatorEndpoint(url="https://cms.example/", access_token="a token", whitelist=("DE823E%",), **fields)


def test_an_endpoint_for_a_0_1_reader_gets_the_end_of_its_day() -> None:
    written = endpoint_down(operator_endpoint(valid_date=date(2026, 1, 2)))
    assert written.valid_until == datetime(2026, 1, 3, 0, 30, tzinfo=UTC)


def test_an_end_that_is_known_is_not_replaced() -> None:
    static = operator_endpoint(valid_date=date(2099, 12, 31), valid_until=instant("2099-12-31T23:59:59+00:00"))
    assert endpoint_down(static) is static


def test_an_endpoint_of_a_0_1_peer_gets_its_day_and_keeps_its_end() -> None:
    end = instant("2026-01-03T00:30:00+00:00")
    fields = {"url": "https://cms.example/", "valid_until": end}
    assert endpoint_up(fields) == {**fields, "valid_date": date(2026, 1, 2)}
    assert "valid_date" not in fields
