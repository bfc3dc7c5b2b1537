"""Uploaded endpoints: what the house stores, what it refuses and says, and what it shows to whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from clearinghouse.domain.acceptance import Refusal, days_shown, judge, judge_endpoint, visible
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.bridges import day_of_validity
from clearinghouse.ochp.direct import AddServiceEndpointsRequest, OperatorEndpoint, ProviderEndpoint
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1, Version

NOW = datetime(2026, 1, 2, 9, tzinfo=UTC)
TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)
HOUSE = "https://house.example/direct"
TOKEN = "s3cret-token-of-the-day"
PARTNER = Partner(
    name="TNM", operator_ids=frozenset({"DE823", "NLTNM"}), provider_ids=frozenset({"NLTNM", "BETNM"}), enabled=True
)
OPERATOR = OperatorEndpoint(
    url="https://cms.example/direct",
    namespace_url=V1_4_1.namespace,
    access_token=TOKEN,
    valid_date=TOMORROW,
    whitelist=("DE823E%", "NLTNME1"),
)
PROVIDER = ProviderEndpoint(
    url="https://mdm.example/direct",
    namespace_url=V1_4.namespace,
    access_token=TOKEN,
    valid_date=TOMORROW,
    whitelist=("NLTNMC%", "betnmc1%"),
)


def judged(
    record: OperatorEndpoint | ProviderEndpoint = OPERATOR,
    *,
    role: Role = Role.OPERATOR,
    version: Version = V1_4_1,
    holders: set[str] | None = None,
    now: datetime = NOW,
    **changes: object,
) -> Endpoint | Refusal:
    return judge_endpoint(replace(record, **changes), role, version, PARTNER, now, holders or set(), HOUSE)


def refused(**changes: object) -> Refusal:
    verdict = judged(**changes)
    assert isinstance(verdict, Refusal)
    assert TOKEN not in verdict.text
    assert verdict.text.endswith(".")
    return verdict


def accepted(*arguments: object, **changes: object) -> Endpoint:
    verdict = judged(*arguments, **changes)
    assert isinstance(verdict, Endpoint), verdict
    return verdict


def test_a_good_endpoint_is_kept_as_it_is() -> None:
    assert accepted() == Endpoint(
        partner="TNM",
        role=Role.OPERATOR,
        url=OPERATOR.url,
        version=V1_4_1,
        access_token=TOKEN,
        day=TOMORROW,
        whitelist=OPERATOR.whitelist,
        uploaded_at=NOW,
    )
    assert accepted(PROVIDER, role=Role.PROVIDER).version is V1_4


def test_a_refusal_names_the_record_and_says_what_to_do() -> None:
    text = refused(whitelist=("NLABCE%",)).text
    assert text == (
        "operator endpoint https://cms.example/direct for 2026-01-03 refused: NLABCE% is not of your operator IDs; "
        "use patterns of your own IDs only (DE823, NLTNM)."
    )


@pytest.mark.parametrize(
    ("changes", "code", "why"),
    [
        ({"url": "http://cms.example/"}, "format", "https"),
        ({"url": "https:///direct"}, "format", "https"),
        ({"url": "https://cms.example:70000/"}, "format", "https"),
        ({"url": "https://[::1/"}, "format", "https"),
        ({"url": "https://cms.example/a\nb"}, "format", "https"),
        ({"url": "https://user:pass@cms.example/"}, "format", "credentials"),
        ({"url": "https://HOUSE.example:443/other"}, "format", "clearing house's own"),
        ({"namespace_url": "http://ochp.eu/1.2"}, "format", "namespaceUrl"),
        ({"namespace_url": None}, "format", "namespaceUrl"),
        ({"access_token": ""}, "format", "empty"),
        ({"access_token": "  "}, "format", "empty"),
        ({"access_token": "a\tb"}, "format", "control"),
        ({"holders": {"Other"}}, "format", "not unique"),
        ({"holders": {"Other", "TNM"}}, "format", "not unique"),
        ({"valid_date": TODAY - timedelta(days=1)}, "format", "over"),
        ({"valid_date": date.min}, "format", "over"),
        ({"valid_date": TODAY + timedelta(days=8)}, "format", "too far"),
        ({"valid_date": date.max}, "format", "too far"),
        ({"whitelist": ()}, "invalid-id", "empty"),
        ({"whitelist": ("DE823E%", "DE%")}, "invalid-id", "DE% is no pattern of EVSE-IDs"),
        ({"whitelist": ("DE823E%",), "blacklist": ("%",)}, "invalid-id", "% is no pattern"),
        ({"whitelist": ("DE823E%", "BETNME%")}, "invalid-id", "BETNME% is not of your operator IDs"),
        ({"record": PROVIDER, "role": Role.PROVIDER, "whitelist": ("DE823C%",)}, "invalid-id", "provider IDs"),
    ],
)
def test_a_bad_endpoint_is_refused(changes: dict[str, object], code: str, why: str) -> None:
    refusal = refused(**changes)
    assert refusal.code == ResultCode(code)
    assert why in refusal.text


def test_credentials_in_a_url_are_not_repeated() -> None:
    text = refused(url="https://user:hidden@cms.example/").text
    assert "hidden" not in text
    assert "cms.example" in text


def test_many_bad_patterns_are_counted_not_listed() -> None:
    text = refused(whitelist=tuple(f"NL{number:03}E%" for number in range(500))).text
    assert "NL000E%, NL001E%, NL002E% and 497 more" in text


def test_a_long_bad_pattern_is_cut() -> None:
    assert len(refused(whitelist=("X" * 100_000,)).text) < 400


def test_a_partner_may_use_its_own_token_again() -> None:
    assert accepted(holders={"TNM"}).access_token == TOKEN


def test_today_is_over_at_half_past_midnight_of_the_next_day() -> None:
    end = datetime(2026, 1, 3, 0, 30, tzinfo=UTC)
    assert accepted(now=end, valid_date=TODAY).day == TODAY
    assert "over" in refused(now=end + timedelta(seconds=1), valid_date=TODAY).text


def test_the_same_host_on_another_port_is_another_system() -> None:
    assert accepted(url="https://house.example:8443/direct").url == "https://house.example:8443/direct"


def test_without_a_namespace_a_0_1_endpoint_speaks_1_3() -> None:
    assert accepted(version=V1_3, namespace_url=None, valid_until=until("2026-01-04T00:30:00")).version is V1_3


def test_a_slash_after_the_namespace_does_no_harm() -> None:
    assert accepted(namespace_url="http://ochp.eu/1.4/").version is V1_4


def until(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("valid_until", "day", "static"),
    [
        ("2026-01-03T00:30:00", TODAY, False),
        ("2026-01-03T00:30:01", TOMORROW, False),
        ("2026-01-03T23:59:59", TOMORROW, False),
        ("2026-01-04T00:30:00", TOMORROW, False),
        ("2026-01-04T00:30:01", date(2026, 1, 4), True),
        ("2030-01-01T00:00:00", date(2029, 12, 31), True),
        ("9999-12-31T23:59:59", date.max, True),
    ],
)
def test_a_0_1_token_is_for_a_day_or_static(valid_until: str, day: date, static: bool) -> None:
    end = until(valid_until)
    endpoint = accepted(version=V1_3, valid_until=end, valid_date=day_of_validity(end))
    assert endpoint.day == day
    assert endpoint.valid_until == (end if static else None)
    assert endpoint.ends_at >= NOW


@pytest.mark.parametrize("valid_until", ["2026-01-02T08:59:59", "2026-01-02T00:30:00", "2020-06-01T12:00:00"])
def test_a_0_1_token_that_ended_is_refused(valid_until: str) -> None:
    end = until(valid_until)
    assert "over" in refused(version=V1_3, valid_until=end, valid_date=day_of_validity(end)).text


def test_a_clock_ahead_at_midnight_makes_no_static_token() -> None:
    """The partner's clock shows the 3rd already, so its tomorrow is the 4th."""
    end = until("2026-01-05T00:30:00")
    late = datetime(2026, 1, 2, 23, 59, tzinfo=UTC)
    endpoint = accepted(version=V1_3, valid_until=end, valid_date=day_of_validity(end), now=late)
    assert (endpoint.day, endpoint.valid_until) == (date(2026, 1, 4), None)


def test_a_record_in_the_wrong_array_counts_by_its_patterns() -> None:
    astray = ProviderEndpoint(**{**vars(OPERATOR), "whitelist": ("DE823E%",)})
    assert accepted(astray, role=Role.PROVIDER).role is Role.OPERATOR


def test_a_record_of_mixed_patterns_is_refused() -> None:
    assert "NLTNMC% is no pattern of EVSE-IDs" in refused(whitelist=("DE823E%", "NLTNMC%")).text


def test_a_request_is_judged_record_by_record() -> None:
    request = AddServiceEndpointsRequest(
        provider_endpoint_array=(PROVIDER, replace(PROVIDER, whitelist=("DE%",))),
        operator_endpoint_array=(
            OPERATOR,
            replace(OPERATOR, valid_date=TODAY),
            replace(OPERATOR, url="https://bad@x/"),
        ),
    )
    stored, turned_down = judge(request, V1_4_1, PARTNER, NOW, lambda _: set(), HOUSE)
    assert [(each.role, each.day) for each in stored] == [
        (Role.PROVIDER, TOMORROW),
        (Role.OPERATOR, TOMORROW),
        (Role.OPERATOR, TODAY),
    ]
    assert [each.code for each in turned_down] == [ResultCode.INVALID_ID, ResultCode.FORMAT]


def test_of_an_endpoint_given_twice_the_first_holds() -> None:
    request = AddServiceEndpointsRequest(operator_endpoint_array=(OPERATOR, replace(OPERATOR, whitelist=("DE823E1%",))))
    stored, turned_down = judge(request, V1_4_1, PARTNER, NOW, lambda _: set(), HOUSE)
    assert [each.whitelist for each in stored] == [OPERATOR.whitelist]
    assert "given twice" in turned_down[0].text


def test_each_token_is_looked_up() -> None:
    request = AddServiceEndpointsRequest(
        operator_endpoint_array=(OPERATOR, replace(OPERATOR, url="https://two.example/", access_token="taken"))
    )
    stored, turned_down = judge(
        request, V1_4_1, PARTNER, NOW, lambda token: {"Other"} if token == "taken" else set(), HOUSE
    )
    assert len(stored) == 1
    assert "two.example" in turned_down[0].text


def test_an_empty_request_is_no_error() -> None:
    assert judge(AddServiceEndpointsRequest(), V1_4_1, PARTNER, NOW, lambda _: set(), HOUSE) == ((), ())


def stored(**changes: object) -> Endpoint:
    return replace(accepted(), **{"blacklist": ("DE823E9%", "NLTNME12"), **changes})


def test_a_viewer_sees_the_patterns_of_its_connected_parties_only() -> None:
    seen = visible(stored(), {"DE823"}, NOW)
    assert seen is not None
    assert (seen.whitelist, seen.blacklist) == (("DE823E%",), ("DE823E9%",))
    assert visible(stored(), {"DE823", "NLTNM"}, NOW) == stored()


def test_a_stranger_sees_nothing() -> None:
    assert visible(stored(), {"FRXYZ"}, NOW) is None
    assert visible(stored(), set(), NOW) is None


def test_lower_case_patterns_belong_to_the_same_party() -> None:
    seen = visible(stored(role=Role.PROVIDER, whitelist=("betnmc%",)), {"BETNM"}, NOW)
    assert seen is not None


def test_nothing_is_shown_past_its_end() -> None:
    end = datetime(2026, 1, 4, 0, 30, tzinfo=UTC)
    assert visible(stored(), {"DE823"}, end) is not None
    assert visible(stored(), {"DE823"}, end + timedelta(seconds=1)) is None
    static = stored(valid_until=NOW + timedelta(days=30), day=date(2026, 2, 1))
    assert visible(static, {"DE823"}, NOW + timedelta(days=30)) is not None
    assert visible(static, {"DE823"}, NOW + timedelta(days=30, seconds=1)) is None


def test_a_static_token_is_shown_for_today_and_tomorrow_to_readers_of_days() -> None:
    static = stored(valid_until=until("2030-01-01T00:00:00"), day=date(2029, 12, 31))
    assert days_shown(static, NOW) == (TODAY, TOMORROW)
    assert days_shown(static, until("2029-12-31T12:00:00")) == (date(2029, 12, 31),)
    assert days_shown(stored(), NOW) == (TOMORROW,)
