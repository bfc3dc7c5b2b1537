"""The provider's JSON API on CDRs, charge points, tariffs and tokens, on real use cases and a real database."""

import pytest

from clearinghouse.http.app import build
from clearinghouse.http.provider_api import provider_api
from clearinghouse.services.area_download import AreaDownload
from clearinghouse.services.calls_port import HttpAnswer
from clearinghouse.services.cdr_review import CdrReview
from clearinghouse.services.token_upload import TokenUpload
from clearinghouse.stations.inventory import SAMPLE, read_site
from clearinghouse.stations.tariff_file import SAMPLE_TARIFFS, read_tariffs
from tests.cdr_builders import cdr
from tests.http.asgi_call import call
from tests.http.memory_desks import MemoryProviderDesk, find_key
from tests.services.house_double import NOON, HouseDouble, TurnableClock, line_to

POINTS = [*read_site(SAMPLE).published][:2]


@pytest.fixture
def app(store):
    house, clock = HouseDouble(), TurnableClock()
    line = line_to(house)
    cdrs = CdrReview(store, line, clock, frozenset({"DEPRO"}))
    with store.books() as books:
        cdrs._received(books, cdr(contract_id="DE-OTH-C00000001"))
        books.downloads.apply_points(POINTS)
        books.downloads.apply_tariffs(read_tariffs(SAMPLE_TARIFFS).values(), NOON)
    api = provider_api(
        MemoryProviderDesk(),
        find_key,
        cdr_desk=cdrs,
        area_desk=AreaDownload(store, line, clock),
        token_desk=TokenUpload(store, line, clock),
    )
    return build(answer=lambda request: HttpAnswer(200, {}, b""), ready=lambda: None, api=api)


def test_a_cdr_is_shown_with_what_the_rules_found(app):
    (shown,) = call(app, "GET", "/api/v1/cdrs", params={"operator": "deops"}).json()["cdrs"]
    assert (shown["stage"], shown["info"]["cdrId"]) == ("declining", "DEOPS0001")
    assert shown["findings"][0] == {
        "rule": "own-contract",
        "verdict": "decline",
        "text": "contract DE-OTH-C00000001 belongs to another provider",
    }
    assert call(app, "GET", "/api/v1/cdrs", params={"stage": "waiting"}).json()["cdrs"] == []
    assert call(app, "GET", "/api/v1/cdrs/DEOPS0001").json() == shown
    assert call(app, "GET", "/api/v1/cdrs/DEOPS0009").status_code == 404


def test_a_person_decides_and_is_named(app):
    approved = call(app, "POST", "/api/v1/cdrs/DEOPS0001/approve", json={"why": "as agreed"}).json()
    assert approved["stage"] == "approving"
    last = approved["history"][-1]
    assert (last["actor"], last["what"], last["why"]) == ("api key app", "approve", "as agreed")
    assert call(app, "POST", "/api/v1/cdrs/DEOPS0001/decline").json()["stage"] == "declining"
    assert call(app, "POST", "/api/v1/cdrs/DEOPS0001/decline").status_code == 409
    assert call(app, "POST", "/api/v1/cdrs/DEOPS0001/approve", json={"because": "?"}).status_code == 422


def test_the_rules_are_told(app):
    rules = call(app, "GET", "/api/v1/cdrs/rules").json()["rules"]
    assert rules[0] == {
        "name": "own-contract",
        "says": "The contract belongs to this provider.",
        "verdict": "decline",
    }


def test_charge_points_and_tariffs_are_read_page_by_page(app):
    first = call(app, "GET", "/api/v1/charge-points", params={"limit": 1}).json()
    second = call(app, "GET", "/api/v1/charge-points", params={"limit": 1, "after": first["next"]}).json()
    keys = [each["key"] for page in (first, second) for each in page["chargePoints"]]
    assert keys == sorted(each.evse_id.replace("*", "") for each in POINTS)
    assert first["chargePoints"][0]["usable"] is False
    assert call(app, "GET", "/api/v1/charge-points", params={"usable": True}).json()["chargePoints"] == []
    evse_id = POINTS[0].evse_id
    assert call(app, "GET", f"/api/v1/charge-points/{evse_id}").json()["chargePoint"]["evse_id"] == evse_id
    assert call(app, "GET", "/api/v1/tariffs", params={"operator": "DEOPS"}).json()["tariffs"]


def test_refused_tokens_are_told(app):
    assert call(app, "GET", "/api/v1/tokens/refused").json() == {"tokens": []}
