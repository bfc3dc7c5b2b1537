"""Any message of any version: what is written is valid, reads back equal, and is equal as plain data too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from clearinghouse.ochp.bridges import fitted
from clearinghouse.ochp.plain import from_plain, to_plain
from clearinghouse.ochp.versions import NEWEST, ORDER, Version
from clearinghouse.soap.codec import Unsayable, decode, encode
from clearinghouse.soap.xsd import validator
from tests.strategies import message_classes, values

MESSAGES = [(version, cls) for version in ORDER for cls in message_classes(version)]
RELAXED = settings(max_examples=8, suppress_health_check=list(HealthCheck))


def name(part: Any) -> str:
    return part.value if isinstance(part, Version) else part.__name__


@pytest.mark.parametrize(("version", "cls"), MESSAGES, ids=name)
def test_any_message_is_valid_and_comes_back_equal(version: Version, cls: type) -> None:
    @RELAXED
    @given(values(cls, version))
    def check(value: Any) -> None:
        written = etree.fromstring(encode(value, version))
        validator(version).assertValid(written)
        again = decode(cls, written, version)
        assert again == value
        assert to_plain(again) == to_plain(value), "equal instants may still differ in their offset"
        assert from_plain(cls, json.loads(json.dumps(to_plain(value)))) == value

    check()


@pytest.mark.parametrize(("version", "cls"), MESSAGES, ids=name)
def test_what_fits_a_version_is_valid_in_it_wherever_it_comes_from(version: Version, cls: type) -> None:
    """A value that a version can say, even in part, is written for it, validly; a value that it cannot say is not."""
    origins = [each for each in ORDER if each is not version and cls in message_classes(each)]

    @RELAXED
    @given(st.one_of(*(values(cls, each) for each in origins)) if origins else st.nothing())
    def check(value: Any) -> None:
        fit, lost = fitted(value, version)
        if fit is None:
            assert lost
            with pytest.raises(Unsayable):
                encode(value, version)
            return
        validator(version).assertValid(etree.fromstring(encode(fit, version)))
        again, _ = fitted(fit, version)
        assert again == fit

    if origins:
        check()


def test_every_message_of_the_newest_version_is_among_those_tried() -> None:
    assert len([cls for version, cls in MESSAGES if version is NEWEST]) == 50
