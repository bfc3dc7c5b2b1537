import uuid
from decimal import Decimal

import pytest
from fastapi.openapi.models import OpenAPI

from clearinghouse.http.app import build
from clearinghouse.http.provider_api import provider_api
from clearinghouse.services.calls_port import HttpAnswer
from tests.http.asgi_call import call
from tests.http.memory_desks import CONTRACT, EVSE, MemoryProviderDesk, find_key

WISH = {"evseId": EVSE, "contractId": CONTRACT}


@pytest.fixture
def desk():
    return MemoryProviderDesk()


@pytest.fixture
def app(desk):
    api = provider_api(desk, find_key)
    return build(answer=lambda request: HttpAnswer(200, {}, b""), ready=lambda: None, api=api)


def problem(response, status):
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["status"] == status
    return response.json()


def test_a_charge_is_started_within_limits_and_found_again(app):
    limits = {"maxPower": 11.05, "minEnergy": 0.1, "departure": "2026-03-01T18:00:00+01:00", "onePhase": True}
    made = call(app, "POST", "/api/v1/charges", json=WISH | {"limits": limits})
    assert made.status_code == 201
    shown = call(app, "GET", made.headers["location"]).json()
    assert shown["limits"] == {
        "maxPower": 11.05,
        "maxCurrent": None,
        "onePhase": True,
        "maxEnergy": None,
        "minEnergy": 0.1,
        "departure": "2026-03-01T17:00:00Z",
    }
    assert (shown["state"], shown["history"][0]["kind"]) == ("starting", "selected")


def test_limits_arrive_as_the_exact_decimals_that_were_written(app, desk):
    body = (
        b'{"evseId":"DE*ABC*E1","contractId":"DEABCC12345678","limits":{"maxEnergy":0.1,"maxPower":123456789012.345}}'
    )
    call(app, "POST", "/api/v1/charges", content=body, headers={"content-type": "application/json"})
    (charge,) = desk.charges.values()
    assert (charge.limits.max_energy, charge.limits.max_power) == (Decimal("0.1"), Decimal("123456789012.345"))


def test_a_reserved_charge_is_started_changed_stopped_and_released(app):
    path = call(app, "POST", "/api/v1/charges", json=WISH | {"start": False}).headers["location"]
    states = [call(app, "POST", f"{path}/start", json={"limits": {"maxPower": 22}}).json()]
    states.append(call(app, "POST", f"{path}/change", json={"limits": {"maxCurrent": 16}}).json())
    states += [call(app, "POST", f"{path}/{verb}").json() for verb in ("stop", "release")]
    assert [state["state"] for state in states] == ["starting", "starting", "ended", "released"]
    assert (states[-1]["limits"]["maxPower"], states[-1]["limits"]["maxCurrent"]) == (22.0, 16.0)


def test_the_same_idempotency_key_makes_one_charge(app, desk):
    headers = {"idempotency-key": "tap-1"}
    first, second = (call(app, "POST", "/api/v1/charges", json=WISH, headers=headers) for _ in range(2))
    other = call(app, "POST", "/api/v1/charges", json=WISH | {"evseId": "DE*ABC*E9"}, headers=headers)
    assert first.headers["location"] == second.headers["location"]
    assert (len(desk.charges), problem(other, 409)["title"]) == (
        1,
        "Something of this name or number exists already",
    )


def test_pages_of_charges_follow_one_another(app):
    for _ in range(5):
        call(app, "POST", "/api/v1/charges", json=WISH)
    seen, more = [], {}
    for _ in range(3):
        page = call(app, "GET", "/api/v1/charges", params={"limit": 2} | more).json()
        seen += [charge["id"] for charge in page["charges"]]
        more = {"before": page["next"]}
    assert page["next"] is None
    assert len(set(seen)) == len(seen) == 5


def test_status_discrepancies_and_operators(app, desk):
    status = call(app, "GET", "/api/v1/evses/status", params={"evseId": [EVSE, "DE*ABC*E2"]}).json()
    assert [each["evseId"] for each in status["evses"]] == [EVSE, "DE*ABC*E2"]
    assert status["evses"][0]["ttl"] == "2026-03-01T12:00:00Z"
    assert call(app, "POST", "/api/v1/discrepancies", json={"evseId": EVSE, "report": "dark"}).status_code == 204
    assert desk.reports == [(EVSE, "dark")]
    operators = call(app, "GET", "/api/v1/operators")
    assert operators.json()["operators"][0]["whitelist"] == ["DEABCE%"]
    assert "secret-token" not in operators.text


@pytest.mark.parametrize(
    ("evse_id", "status", "kind", "result"),
    [
        ("DE*ABC*E404", 404, "not-found", None),
        ("DE*ABC*E409", 409, "evse-unavailable", None),
        ("DE*ABC*E502", 409, "refused-by-partner", ("not-supported", "no direct charging here")),
        ("DE*ABC*E503", 409, "refused-by-partner", ("server", "evse-unavailable: reserved")),
        ("DE*ABC*E504", 504, "partner-timed-out", None),
    ],
)
def test_a_partners_refusal_is_named(app, evse_id, status, kind, result):
    told = problem(call(app, "POST", "/api/v1/charges", json=WISH | {"evseId": evse_id}), status)
    assert told["type"] == f"urn:clearinghouse:problem:{kind}"
    assert told.get("result") == (dict(zip(("code", "description"), result, strict=True)) if result else None)


def test_a_fault_of_ours_tells_nothing(app):
    response = call(app, "POST", "/api/v1/charges", json=WISH | {"evseId": "DE*ABC*E500"})
    problem(response, 500)
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"evseId": "nonsense"}, "#/evseId"),
        ({"contractId": "DE-ABC"}, "#/contractId"),
        ({"limits": {"maxPower": "11"}}, "#/limits/maxPower"),
        ({"limits": {"maxPower": -1}}, "#/limits/maxPower"),
        ({"limits": {"maxPower": True}}, "#/limits/maxPower"),
        ({"limits": {"departure": "2026-03-01T18:00:00"}}, "#/limits/departure"),
        ({"limits": {"max_volume/x": 1}}, "#/limits/max_volume~1x"),
        ({"reserveUntil": "soon"}, "#/reserveUntil"),
    ],
)
def test_a_wrong_field_is_named_by_its_exact_path(app, wrong, pointer):
    told = problem(call(app, "POST", "/api/v1/charges", json=WISH | wrong), 422)
    assert [each["pointer"] for each in told["errors"]] == [pointer]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999", b"1e-999999999"])
def test_a_number_that_is_none_is_refused(app, number):
    body = b'{"evseId":"DE*ABC*E1","contractId":"DEABCC12345678","limits":{"maxPower":' + number + b"}}"
    response = call(app, "POST", "/api/v1/charges", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (201, 422)
    assert response.status_code == 422 or response.json()["limits"]["maxPower"] == 0


@pytest.mark.parametrize("text", ["", "a\x00b", "\x1b[2J", "x" * 2001])
def test_a_report_that_no_message_could_carry_is_refused(app, desk, text):
    refused = call(app, "POST", "/api/v1/discrepancies", json={"evseId": EVSE, "report": text})
    assert problem(refused, 422)["errors"][0]["pointer"] == "#/report"
    assert desk.reports == []


@pytest.mark.parametrize(
    "path", ["/charges/a%00b", "/charges?before=%00", "/charges?contractId=%00", "/charges?limit=0"]
)
def test_what_no_store_could_hold_is_refused(app, path):
    assert problem(call(app, "GET", f"/api/v1{path}"), 422)["errors"][0]["parameter"]


def test_broken_json_is_said_to_be_broken(app):
    response = call(app, "POST", "/api/v1/charges", content=b"{", headers={"content-type": "application/json"})
    assert problem(response, 400)["errors"][0]["pointer"] == "#"


@pytest.mark.parametrize("query", [{}, {"evseId": "x"}, {"evseId": ["DE*ABC*E1", "x"]}])
def test_a_wrong_parameter_is_named(app, query):
    told = problem(call(app, "GET", "/api/v1/evses/status", params=query), 422)
    assert told["errors"][0]["parameter"].startswith("evseId")


def test_paths_and_methods_that_are_not_there_are_problems(app):
    problem(call(app, "GET", "/api/v1/nothing"), 404)
    assert call(app, "DELETE", "/api/v1/charges").headers["allow"]
    problem(call(app, "DELETE", "/api/v1/charges"), 405)
    problem(call(app, "GET", f"/api/v1/charges/{uuid.uuid4()}"), 404)
    problem(call(app, "GET", f"/api/v1/charges/{uuid.uuid4()}/events"), 404)


PATHS = [
    ("POST", "/charges"),
    ("GET", "/charges"),
    ("GET", "/charges/1"),
    *(("POST", f"/charges/1/{verb}") for verb in ("start", "change", "stop", "release")),
    ("GET", "/charges/1/events"),
    ("GET", "/events"),
    ("GET", "/evses/status"),
    ("POST", "/discrepancies"),
    ("GET", "/operators"),
]


@pytest.mark.parametrize("key", [None, "wrong", "clh_testx"])
@pytest.mark.parametrize(("method", "path"), PATHS)
def test_nobody_gets_in_without_a_key(app, method, path, key):
    refused = call(app, method, f"/api/v1{path}", key=key)
    assert problem(refused, 401)["type"] == "urn:clearinghouse:problem:not-authenticated"
    assert refused.headers["www-authenticate"].startswith("Bearer")


def test_the_list_of_guarded_paths_is_complete(app):
    described = call(app, "GET", "/api/openapi.json", key=None).json()["paths"]
    stated = {
        (method.upper(), path.removeprefix("/api/v1").replace("{charge_id}", "1"))
        for path, methods in described.items()
        for method in methods
    }
    assert stated == set(PATHS)
    assert all(operation["security"] for methods in described.values() for operation in methods.values())


def test_the_document_describes_numbers_problems_and_streams(app):
    document = call(app, "GET", "/api/openapi.json", key=None).json()
    assert document["openapi"].startswith("3.1")
    OpenAPI.model_validate(document)
    schemas = document["components"]["schemas"]
    assert schemas["LimitsForm"]["properties"]["maxPower"]["anyOf"][0] == {"type": "number", "minimum": 0}
    references = set(find_references(document))
    assert {reference.rpartition("/")[2] for reference in references} <= set(schemas)
    post = document["paths"]["/api/v1/charges"]["post"]["responses"]
    assert "application/problem+json" in post["4XX"]["content"]
    assert "text/event-stream" in document["paths"]["/api/v1/events"]["get"]["responses"]["200"]["content"]
    assert "swagger" in call(app, "GET", "/api/docs", key=None).text


def find_references(node):
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == "$ref")
        node = list(node.values())
    for each in node if isinstance(node, list) else ():
        yield from find_references(each)
