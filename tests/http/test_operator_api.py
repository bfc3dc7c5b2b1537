from decimal import Decimal

import pytest

from clearinghouse.http.app import build
from clearinghouse.http.operator_api import operator_api
from clearinghouse.ochp.tokens import EmtId, TokenType
from clearinghouse.services.calls_port import HttpAnswer
from tests.http.asgi_call import call
from tests.http.memory_desks import CONTRACT, EVSE, MemoryOperatorDesk, find_key


@pytest.fixture
def desk():
    return MemoryOperatorDesk()


def served(api):
    return build(answer=lambda request: HttpAnswer(200, {}, b""), ready=lambda: None, api=api)


@pytest.fixture
def app(desk):
    return served(operator_api(desk, find_key, simulator=desk))


def test_a_session_is_shown_with_what_was_told(app):
    assert call(app, "GET", "/api/v1/sessions").json()["sessions"][0]["directId"] == "AB-1"
    shown = call(app, "GET", "/api/v1/sessions/AB-1").json()
    assert (shown["energy"], shown["limits"]["maxPower"], shown["reading"]["meter"]) == (0.3, 11.5, 100.4)
    (parcel,) = shown["told"]
    assert (parcel["number"], parcel["message"]["message"], parcel["message"]["chargedEnergy"]) == (7, "start", 0.3)
    assert call(app, "GET", "/api/v1/sessions/XY-1").status_code == 404


def test_status_and_discrepancies_are_shown(app):
    assert call(app, "GET", "/api/v1/evses/status", params={"evseId": EVSE}).json()["evses"][0]["major"] == "available"
    assert call(app, "GET", "/api/v1/discrepancies").json()["discrepancies"][0]["report"] == "The cable is gone."


def test_a_driver_acts_at_a_simulated_evse(app, desk):
    at = f"/api/v1/simulator/evses/{EVSE}"
    car = {"maxAcKw": 11, "batteryKwh": 60.5, "soc": 0.2, "phases": 3}
    for verb, body in (("plug", {"car": car}), ("unplug", None), ("fault", None), ("clear", None)):
        assert call(app, "POST", f"{at}/{verb}", json=body).status_code == 204
    assert call(app, "POST", f"{at}/card", json={"contractId": CONTRACT}).status_code == 204
    key = "DEABCE1234"
    stated = {"max_ac_kw": Decimal(11), "battery_kwh": Decimal("60.5"), "soc": Decimal("0.2"), "phases": 3}
    assert desk.acts == [
        ("plug", key, stated),
        ("unplug", key),
        ("fault", key),
        ("clear", key),
        ("card", key, CONTRACT, {}),
    ]


def test_a_card_may_be_told_by_its_token(app, desk):
    at = f"/api/v1/simulator/evses/{EVSE}/card"
    assert call(app, "POST", at, json={"token": {"instance": "04A2B3"}}).status_code == 204
    assert desk.acts == [("token", "DEABCE1234", EmtId(instance="04A2B3", token_type=TokenType.RFID), {})]
    both = {"token": {"instance": "04A2B3"}, "contractId": CONTRACT}
    assert call(app, "POST", at, json=both).status_code == 422


def test_a_car_needs_no_body_and_a_card_needs_its_contract(app, desk):
    assert call(app, "POST", f"/api/v1/simulator/evses/{EVSE}/plug").status_code == 204
    refused = call(app, "POST", f"/api/v1/simulator/evses/{EVSE}/card", json={})
    assert "either a token or a contractId is needed" in refused.text
    assert call(app, "POST", "/api/v1/simulator/evses/nonsense/plug").status_code == 404
    assert [act[0] for act in desk.acts] == ["plug"]


@pytest.mark.parametrize("car", [{"soc": 1.1}, {"phases": 4}, {"maxAcKw": -1}, {"wheels": 4}])
def test_an_impossible_car_is_refused(app, car):
    refused = call(app, "POST", f"/api/v1/simulator/evses/{EVSE}/plug", json={"car": car})
    assert refused.json()["errors"][0]["pointer"] == f"#/car/{next(iter(car))}"


def test_without_a_simulator_nobody_moves_real_stations(desk):
    app = served(operator_api(desk, find_key))
    assert call(app, "POST", f"/api/v1/simulator/evses/{EVSE}/fault").status_code == 404
    assert desk.acts == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sessions"),
        ("GET", "/sessions/AB-1"),
        ("GET", "/evses/status"),
        ("GET", "/discrepancies"),
        *(("POST", f"/simulator/evses/{EVSE}/{verb}") for verb in ("plug", "unplug", "card", "fault", "clear")),
    ],
)
def test_nobody_gets_in_without_a_key(app, desk, method, path):
    assert call(app, method, f"/api/v1{path}", key=None).status_code == 401
    assert desk.acts == []
