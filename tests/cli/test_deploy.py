"""The files for production name settings, metrics and commands that exist."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from clearinghouse.cli.context import SETTINGS_VARIABLE
from clearinghouse.http.metrics import Metrics
from clearinghouse.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
VARIABLES = {f"CLEARINGHOUSE_{name.upper()}" for name in Settings.model_fields} | {
    SETTINGS_VARIABLE,
    "CLEARINGHOUSE_ACTOR",
}
METRIC = re.compile(r"\bclearinghouse_[a-z_]+(?=[\[{ ,)>\"`])")


@pytest.fixture
def metrics(monkeypatch) -> set[str]:
    """The names that a process with one request shows."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    shown = Metrics()

    async def serve():
        shown.opened()
        shown.closed("SelectEvse", "1.4", "ok", 0.01)
        shown.settle()

    asyncio.run(serve())
    return {re.match(r"\w+", line)[0] for line in shown.text().decode().splitlines() if line[0] != "#"}


@pytest.mark.parametrize("path", ["prometheus/alerts.yml", "grafana/clearinghouse.json"])
def test_alerts_and_dashboard_ask_for_metrics_that_exist(path, metrics):
    asked = set(METRIC.findall((DEPLOY / path).read_text()))
    assert asked
    assert asked <= metrics


def test_the_dashboard_is_json_with_a_query_in_every_panel():
    dashboard = json.loads((DEPLOY / "grafana" / "clearinghouse.json").read_text())
    assert all(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_a_file_names_variables_that_are_settings(path):
    named = set(re.findall(r"\bCLEARINGHOUSE_[A-Z_]+\b(?!…)", path.read_text()))
    assert {each for each in named if not each.endswith("_")} <= VARIABLES


def test_every_alert_leads_to_a_chapter_of_the_runbook():
    chapters = re.findall(r"^## (.*)$", (DEPLOY / "runbook.md").read_text(), re.MULTILINE)
    named = re.findall(r"runbook\.md, (.*)\"", (DEPLOY / "prometheus" / "alerts.yml").read_text())
    assert named
    assert set(named) <= set(chapters)


def test_the_settings_of_the_chart_exist():
    values = (DEPLOY / "helm" / "values.yaml").read_text()
    block = re.search(r"^settings:\n((?:  .*\n)+)", values, re.MULTILINE)[1]
    assert set(re.findall(r"^  (\w+):", block, re.MULTILINE)) <= set(Settings.model_fields)
