"""Plain data of people: read back equal, or everything that is wrong with it named by its place."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.hours import Hours
from clearinghouse.ochp.plain import to_plain
from clearinghouse.ochp.reading import Unreadable, read
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.ochp.tokens import RoamingAuthorisationInfo
from clearinghouse.ochp.versions import ORDER, V1_3
from tests.cdr_builders import cdr
from tests.strategies import values

RECORDS = (RoamingAuthorisationInfo, ChargePointInfo, TariffInfo, CdrInfo)
ANY_RECORD = st.sampled_from([(cls, version) for cls in RECORDS for version in ORDER]).filter(
    lambda pair: pair != (TariffInfo, V1_3)
)


@settings(suppress_health_check=list(HealthCheck))
@given(ANY_RECORD.flatmap(lambda pair: values(*pair)))
def test_whatever_a_partner_may_say_is_read_as_it_was_written(record):
    assert read(type(record), json.loads(json.dumps(to_plain(record)))) == record


def edited(path, entry):
    """A valid CDR in plain data, but for one place."""
    plain = to_plain(cdr())
    *way, last = path
    place = plain
    for step in way:
        place = place[step]
    place[last] = entry
    return plain


@pytest.mark.parametrize(
    ("path", "entry", "told"),
    [
        (["cdr_id"], None, "cdr_id: is missing"),
        (["cdr_id"], "lower", "cdr_id: a text of the form [0-9A-Z]{1,36} is expected, not 'lower'"),
        (["emt_id", "instance"], "", "emt_id.instance: a text of 1 to 512 characters is expected"),
        (["contract_id"], "X", "contract_id: the form of DE-ABC-C00000001-2 is expected, not 'X'"),
        (["status"], "late", "status: one of new, accepted, rejected, declined, approved, revised is expected"),
        (["start_date_time"], "2027-01-10T09:00:00", "start_date_time: an instant with its time zone"),
        (["start_date_time"], 7, "start_date_time: an instant, such as"),
        (["charging_periods"], [], "charging_periods: at least 1 expected, not 0"),
        (["charging_periods"], "none", "charging_periods: a list is expected, not 'none'"),
        (["charging_periods", 0, "item_price"], "dear", "charging_periods[0].item_price: a decimal number is expected"),
        (["total_cost"], "1_000", "total_cost: a decimal number is expected, not '1_000'"),
        (["total_cost"], "NaN", "total_cost: a decimal number is expected"),
        (["total_cost"], "1e99", "total_cost: a decimal number of usual size is expected"),
        (["charging_periods", 0, "taxrate"], True, "charging_periods[0].taxrate: a whole number from"),
        (["ratings"], "strong", "ratings: an object is expected, not 'strong'"),
        (["ratings", "nominal_voltage"], 5000, "ratings.nominal_voltage: a whole number from 1 to 1000 is expected"),
        (["charge_point_address", "city"], "Aachen\0", "charge_point_address.city: a text in UTF-8 without control"),
        (["duration"], "-1", "duration: a number of seconds below 1000 hours is expected"),
        (["city"], "Aachen", "city: there is no such field"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(path, entry, told):
    with pytest.raises(Unreadable) as caught:
        read(CdrInfo, edited(path, entry))
    (complaint,) = caught.value.complaints
    assert str(complaint).startswith(told)


def test_everything_that_is_wrong_is_told_at_once():
    plain = edited(["cdr_id"], "lower") | {"currency": None, "surprise": 1}
    with pytest.raises(Unreadable) as caught:
        read(CdrInfo, plain)
    assert {each.path for each in caught.value.complaints} == {"cdr_id", "currency", "surprise"}


def test_the_number_of_a_card_is_not_repeated():
    with pytest.raises(Unreadable) as caught:
        read(CdrInfo, edited(["emt_id", "instance"], "04A1" * 200))
    assert "04A1" not in str(caught.value)


@pytest.mark.parametrize("hours", [{}, {"twentyfourseven": True, "regular_hours": [{}]}])
def test_hours_are_by_the_week_or_always(hours):
    with pytest.raises(Unreadable):
        read(Hours, hours)
    assert read(Hours, {"twentyfourseven": False}) == Hours(twentyfourseven=False)
