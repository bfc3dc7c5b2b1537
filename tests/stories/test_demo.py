"""`clearinghouse demo` as a new user runs it: it tells its story, fails where something is wrong, leaves nothing."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from clearinghouse.stations.inventory import SAMPLE

PROGRAM = [sys.executable, "-m", "clearinghouse", "demo"]
HERE = Path(__file__).parents[2]


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """An environment whose temporary folder is this test's own, by which every process of the demo can be known."""
    with tempfile.TemporaryDirectory(prefix="demo-test-") as folder:  # sockets need a short path
        yield {**os.environ, "TMPDIR": folder, "PYTHONPATH": str(HERE), "COLUMNS": "80"}


def left_behind(environment: dict[str, str]) -> list[str]:
    """Processes that inherited the environment, and files; not the lock with which all embedded servers take turns."""
    mark = f"TMPDIR={environment['TMPDIR']}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    files = [
        path
        for path in Path(environment["TMPDIR"]).rglob("*")
        if path.name != ".lockfile" and (not path.is_dir() or path.name.startswith("clearinghouse-demo"))
    ]
    return found + [str(path) for path in files]


TOLD = (
    "the clearing house starts",
    "stromkreis has an account at the house",
    "✓ two hours later, fahrstrom knows the endpoints of both operators",
    "A driver of fahrstrom charges at stromkreis: 0.2, back end to back end",
    "✓ the power stays within the limit",
    "A driver of oudlader charges at stromkreis: 0.1 meets 0.2 at the relay",
    "✓ what 0.1 cannot say is not lost in silence",
    "A driver of fahrstrom charges at laadnet: 0.2 meets 0.1 at the relay",
    "✓ what laadnet cannot be told comes back by name",
    "✓ the charge is marked as announced",
    "✓ every message was delivered once",
    "✓ laadnet has said everything in 1.3",
    "✓ fahrstrom has said everything in 1.4.1",
    "reason    The price is not the agreed one.",
    "✓ oudlader sees the revised price",
    "✓ 00:05, the new day's tokens are sent: a call passes",
    "✓ tokens of yesterday are deleted everywhere",
    "✓ each line is the sum of what its provider approved",
    "Everything happened as told.",
)


def test_everything_happens_as_told_and_stays_up_until_ctrl_c(environment: dict[str, str]) -> None:
    with playing(environment, "--soap", "--keep-running") as demo:
        said = until(demo, "the command line works too")
        assert [line for line in TOLD if line not in said] == []
        folder = re.search(r"SOAP messages are in\s+(\S+)", said)
        assert folder is not None
        trust = ssl.create_default_context(cafile=Path(folder[1]) / "certs" / "ca.pem")
        places = re.findall(r"https://localhost:\d+/\S*(?:wsdl|docs)", said)
        assert len(places) == 9
        with httpx.Client(verify=trust) as client:
            assert {client.get(place).status_code for place in places} == {200}
        demo.send_signal(signal.SIGINT)
        rest, complaints = demo.communicate(timeout=60)
    assert (demo.returncode, complaints) == (0, "")
    assert "stopping" in rest
    story = [line for line in said.splitlines() if "<" not in line and not line.startswith("    ")]
    assert max(map(len, story)) <= 80
    check_soap(said)
    check_settlement(said)
    assert left_behind(environment) == []


@contextlib.contextmanager
def playing(environment: dict[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    """A demo that plays; told to stop if the test fails."""
    demo = subprocess.Popen(
        [*PROGRAM, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    with demo:
        try:
            yield demo
        finally:
            if demo.poll() is None:
                demo.terminate()


def until(demo: subprocess.Popen[str], words: str) -> str:
    """What the demo says up to and with these words and what follows in the same breath."""
    assert demo.stdout is not None
    said = []
    for line in demo.stdout:
        said.append(line)
        if words in line:
            break
    return "".join(said)


def check_soap(said: str) -> None:
    """The SOAP is indented, one element a line, and every secret masked."""
    assert re.search(r"^ *<SelectEvseRequest xmlns=", said, re.MULTILINE)
    assert re.search(r"^ *<evseId>DE\*OPS\*E1001</evseId> *$", said, re.MULTILINE)
    secrets = re.findall(r"<(?:\w+:)?(?:accessToken|Password)\b[^>]*>([^<]*)<", said)
    assert secrets
    assert set(secrets) == {"***"}


def check_settlement(said: str) -> None:
    """The story ends with who owes whom by operator, provider, currency and month, and what remains when set off."""
    rows = [line.split() for line in said.partition("The month is settled")[2].splitlines()]
    headings = [("month", "operator", "provider", "currency", "CDRs", "net")]
    headings += [("month", "pays", "gets", "currency", "amount")]
    assert [tuple(row) for row in rows if row[:1] == ["month"]] == headings
    told = [row for row in rows if row[:1] == ["2027-03"]]
    assert [row[1:-1] for row in told] == [
        ["DEOPS", "DEPRO", "EUR", "2"],
        ["DEOPS", "NLVET", "EUR", "1"],
        ["NLLAD", "DEPRO", "EUR", "1"],
        ["fahrstrom", "laadnet", "EUR"],
        ["fahrstrom", "stromkreis", "EUR"],
        ["oudlader", "stromkreis", "EUR"],
    ]
    assert all(Decimal(row[-1]) > 0 for row in told)


SABOTAGE = "import pathlib, clearinghouse.stations.inventory as i; i.SAMPLE = pathlib.Path({path!r})\n"


@pytest.mark.parametrize(
    ("evses", "told"),
    [
        (SAMPLE.read_text().replace("DE*OPS*E1001", "DE*OPS*E4001"), "not-found"),
        ("evse_id,max_power_kw\nDE*OPS*E1001,eleven\n", "operator ended with status 1"),
    ],
    ids=["the EVSE of the story is missing", "no number"],
)
def test_what_is_not_as_told_ends_the_demo_with_status_1(
    environment: dict[str, str], tmp_path: Path, evses: str, told: str
) -> None:
    (tmp_path / "evses.csv").write_text(evses)
    (tmp_path / "sitecustomize.py").write_text(SABOTAGE.format(path=str(tmp_path / "evses.csv")))
    environment["PYTHONPATH"] = f"{tmp_path}:{HERE}"
    done = subprocess.run(PROGRAM, capture_output=True, text=True, env=environment, timeout=240)
    assert done.returncode == 1
    assert "✗" in done.stdout
    assert told in done.stdout
    assert "Everything happened as told" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert left_behind(environment) == []


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "Certificates"),
        (signal.SIGTERM, "has an account"),
        (signal.SIGHUP, "the clearing house starts"),
    ],
    ids=str,
)
def test_a_demo_that_is_stopped_leaves_nothing_behind(
    environment: dict[str, str], number: signal.Signals, moment: str
) -> None:
    with playing(environment) as demo:
        assert moment in until(demo, moment)
        demo.send_signal(number)
        rest, complaints = demo.communicate(timeout=60)
    assert demo.returncode == 128 + number
    assert "Traceback" not in rest + complaints
    assert left_behind(environment) == []


def test_a_database_that_does_not_start_is_told_in_one_line(environment: dict[str, str]) -> None:
    environment["TMPDIR"] += "/too-long" * 12
    Path(environment["TMPDIR"]).mkdir(parents=True)
    done = subprocess.run(PROGRAM, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("clearinghouse: the embedded PostgreSQL in")
    assert done.stderr.count("\n") == 1
    assert left_behind(environment) == []


def test_a_folder_that_is_not_empty_is_left_alone(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    done = subprocess.run([*PROGRAM, "--folder", str(tmp_path)], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (1, f"clearinghouse: {tmp_path} is not empty\n")
    assert (tmp_path / "mine.txt").read_text() == "keep me"
