"""An operator with two worker processes: one session per EVSE, one leader, and another one when it dies."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from clearinghouse.cli.cast import OPERATOR, PROVIDER
from clearinghouse.cli.stage import Stage
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import SelectEvseRequest, SelectEvseResponse
from clearinghouse.ochp.results import DirectResultCode
from clearinghouse.ochp.versions import V1_4_1
from tests.stories.conftest import Journey, restart
from tests.stories.insight import line, pair

CLIENTS = 24


@pytest.fixture(scope="module")
def two(stage: Stage) -> Iterator[Stage]:
    """The stage with an operator of two workers."""
    settings = stage.settings(OPERATOR)
    before = settings.read_text()
    settings.write_text(before + "workers = 2\n")
    restart(stage, OPERATOR)
    yield stage
    settings.write_text(before)
    restart(stage, OPERATOR)


def workers(stage: Stage) -> set[int]:
    pid = stage.processes[OPERATOR].pid
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def leaders(stage: Stage) -> set[int]:
    """The processes that hold the operator's leadership, by what they sign their connections with."""
    url = stage.database(OPERATOR).replace("postgresql+psycopg", "postgresql")
    question = (
        "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND datname = current_database()"
    )
    with contextlib.closing(psycopg.connect(url)) as connection:
        names = [name for (name,) in connection.execute(question)]
    assert all(name.startswith("clearinghouse operator leader ") for name in names)
    return {int(name.rpartition(" ")[2]) for name in names}


def test_one_of_many_clients_gets_the_evse(two: Stage) -> None:
    assert len(workers(two)) == 2
    url = f"{two.url(OPERATOR)}/direct/operator/ochp/v1.4.1"
    credentials = pair(two, OPERATOR, PROVIDER)
    lines = [line(two, timeout=30) for _ in range(CLIENTS)]

    def select(number: int) -> SelectEvseResponse:
        request = SelectEvseRequest(evse_id="DE*OPS*E2002", contract_id=f"DEPROC9{number:07d}")
        answer: SelectEvseResponse = lines[number].call(url, V1_4_1, op.SELECT_EVSE, request, credentials)
        return answer

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(select, range(CLIENTS)))
    won = [answer for answer in answers if answer.direct_id]
    lost = [answer.result for answer in answers if not answer.direct_id]
    assert [answer.result.result_code for answer in won] == [DirectResultCode.OK]
    assert {result.result_code for result in lost} == {DirectResultCode.SERVER}
    assert all(result.result_description.startswith("evse-unavailable:") for result in lost)
    sessions = [each for each in two.get(OPERATOR, "/sessions")["sessions"] if each["evseId"] == "DE*OPS*E2002"]
    assert [each["directId"] for each in sessions if each["state"] == "selected"] == [won[0].direct_id]


def test_another_worker_leads_when_the_leader_is_killed(two: Stage, journey: Callable[[str], Journey]) -> None:
    (leader,) = two.wait("a leader", lambda: leaders(two))
    assert leader in workers(two)
    one = journey("DE*OPS*E1002")
    one.select(start=True)
    one.drive("plug")
    one.until_told("start")
    os.kill(leader, signal.SIGKILL)
    (other,) = two.wait("another leader", lambda: leaders(two) - {leader}, patience=10)
    assert other != leader
    energy = one.session["energy"]
    one.until("energy counted by the new leader", lambda: one.session["energy"] > energy)
    two.wait("two workers again", lambda: len(workers(two) - {leader}) == 2)
    assert len(leaders(two)) == 1
    one.ask("stop")
    one.drive("unplug")
    one.ask("release")
    one.check_story()
