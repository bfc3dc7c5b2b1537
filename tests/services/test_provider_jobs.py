"""What a provider does by itself: each exchange with the house can be switched off."""

import pytest
from pydantic import ValidationError

from clearinghouse.app.provider import provider
from clearinghouse.app.provider_clearing import provider_clearing_of
from clearinghouse.domain.evidence import Verdict
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_3
from clearinghouse.settings import Settings
from tests.services.house_double import HouseDouble, line_to


def settings_of(**changes):
    given = {
        "role": Role.PROVIDER,
        "public_url": "https://pro.example",
        "plain_http": True,
        "house_url": "https://hub.example",
        "house_username": "pro",
        "house_password": "secret",
        "party_ids": ("DEPRO",),
    }
    return Settings(**given | changes)


def jobs(store, **changes):
    settings = settings_of(**changes)
    return [each.name for each in provider_clearing_of(settings, store, line_to(HouseDouble(), (V1_3,))).jobs()]


def test_a_provider_exchanges_everything_unless_it_is_told_otherwise(store):
    assert jobs(store) == ["CDRs", "roaming list", "charge points and tariffs", "live status"]
    node = provider(settings_of(), store)
    assert [each.name for each in node.jobs] == ["tokens", "retention", *jobs(store)]


@pytest.mark.parametrize(
    ("switch", "job"),
    [("cdr_download", "CDRs"), ("token_upload", "roaming list"), ("status_download", "live status")],
)
def test_each_exchange_can_be_switched_off(store, switch, job):
    assert job not in jobs(store, **{switch: False})


def test_without_charge_points_a_1_3_provider_has_nothing_to_keep_up_there(store):
    assert "charge points and tariffs" not in jobs(store, charge_point_download=False)


def test_a_rule_that_nobody_knows_is_refused():
    assert settings_of(cdr_rules={"energy": "wait"}).cdr_rules == {"energy": Verdict.WAIT}
    with pytest.raises(ValidationError, match="there is no rule 'enrgy'"):
        settings_of(cdr_rules={"enrgy": "wait"})
