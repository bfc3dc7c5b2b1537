"""A few seconds of what `make soak` does for an hour, and what counts as flat."""

import pytest

from clearinghouse.http import certificates
from tests.benchmarks.mixed import Sizes
from tests.benchmarks.site import HOST, Ground
from tests.benchmarks.soak import Report, growth, soak, soak_house


def test_every_kind_of_call_is_answered_as_expected_for_a_while(postgres, tmp_path):
    certificates.make(tmp_path, "server", [HOST])
    report = soak(Ground(tmp_path, postgres), minutes=0.05)
    assert report.failures == []
    assert {"SelectEvse ok", "ControlEvse ok", "ReleaseEvse invalid-id", "no message"} <= set(report.calls)
    assert min(report.memory) > 10


def test_the_house_does_everything_at_once_for_a_while():
    few = Sizes(readers=2, tokens=300, evses=100, seconds=4.0, words=5, cdrs=50, look_ups=5)
    report = soak_house(few)
    assert report.failures == []
    assert set(report.calls) == {"words", "look-ups", "CDRs", "full downloads"}
    assert min(report.calls.values()) > 0


def test_warming_up_is_no_growth():
    assert growth([10, 50, 90, 100, 100, 100, 101, 100, 100]) == 0


def test_memory_that_goes_on_growing_is_not_flat():
    assert not Report(memory=[100.0 + each for each in range(30)]).is_good


def test_an_answer_that_is_not_as_expected_is_no_success():
    assert not Report(memory=[100.0] * 30, failures=["ok expected"]).is_good


def test_too_few_samples_are_no_success():
    with pytest.raises(ValueError, match="three samples"):
        growth([1, 1])
