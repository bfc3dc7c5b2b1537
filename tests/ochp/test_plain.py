"""Plain data: whatever is written is read back equal, through JSON too."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearinghouse.ochp import direct
from clearinghouse.ochp.marks import WIRES
from clearinghouse.ochp.plain import from_plain, to_plain

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))
VALUES = sorted((cls for cls in WIRES if dataclasses.is_dataclass(cls)), key=lambda cls: cls.__name__)


def values(cls: type) -> st.SearchStrategy[Any]:
    """Any value of a class of the language; instants are aware."""
    return st.builds(cls, **{item.name: _entries(hint) for item, hint in _hints(cls)})


def _hints(cls: type) -> list[tuple[dataclasses.Field[Any], Any]]:
    hints = typing.get_type_hints(cls)
    return [(item, hints[item.name]) for item in dataclasses.fields(cls)]


def _entries(hint: Any) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(_entries(each) for each in arguments))
    if origin in (tuple, Iterable):
        return st.lists(_entries(arguments[0]), max_size=3).map(tuple)
    if hint is datetime:
        return st.datetimes(timezones=st.one_of(st.just(UTC), OFFSETS))
    return values(hint) if dataclasses.is_dataclass(hint) else st.from_type(hint)


@pytest.mark.parametrize("cls", VALUES, ids=lambda cls: cls.__name__)
def test_every_value_comes_back_equal_from_json(cls: type) -> None:
    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(values(cls))
    def check(value: Any) -> None:
        assert from_plain(cls, json.loads(json.dumps(to_plain(value)))) == value

    check()


def test_decimals_are_not_rounded() -> None:
    reading = direct.ControlEvseRequest(direct_id="A", operation="change", max_power=Decimal("3.70"))
    plain = to_plain(reading)
    assert plain == {"direct_id": "A", "operation": "change", "max_power": "3.70"}
    assert str(from_plain(direct.ControlEvseRequest, plain).max_power) == "3.70"


def test_what_is_absent_is_left_out_and_what_is_false_is_not() -> None:
    request = direct.ControlEvseRequest(direct_id="A", operation=direct.DirectOperation.CHANGE, one_phase=False)
    assert to_plain(request) == {"direct_id": "A", "operation": "change", "one_phase": False}


BROKEN: list[tuple[Callable[[dict[str, Any]], object], type[Exception]]] = [
    (lambda plain: plain.pop("direct_id"), TypeError),
    (lambda plain: plain.update(unknown=1), TypeError),
    (lambda plain: plain.update(max_power="much"), ValueError),
    (lambda plain: plain.update(operation="explode"), ValueError),
    (lambda plain: plain.update(departure="yesterday"), ValueError),
]


@pytest.mark.parametrize(("break_it", "error"), BROKEN)
def test_plain_data_of_another_shape_is_refused(
    break_it: Callable[[dict[str, Any]], object], error: type[Exception]
) -> None:
    plain = {"direct_id": "A", "operation": "start", "departure": "2026-01-02T12:00:00+00:00"}
    break_it(plain)
    with pytest.raises(error):
        from_plain(direct.ControlEvseRequest, plain)


@pytest.mark.parametrize("plain", [None, [], "text", 1])
def test_what_is_no_object_is_refused(plain: Any) -> None:
    with pytest.raises(TypeError):
        from_plain(direct.ControlEvseRequest, plain)


def test_a_text_is_no_list() -> None:
    with pytest.raises(TypeError):
        from_plain(direct.GetEvseStatusRequest, {"requested_evse_id": "DE823E1"})
