"""What a role refuses to start with: one readable line each, before anything listens."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clearinghouse.cli.cast import PROVIDER
from clearinghouse.cli.stage import Stage
from clearinghouse.http import certificates

NEWCOMER = "newcomer"
LOGIN = ("newcomer", "a-password-that-nobody-sees")


@pytest.fixture
def newcomer(stage: Stage) -> Iterator[Callable[..., str]]:
    """Serves an operator with settings of its own and a fresh schema; returns what it said when it refused."""

    def refused(*, role: str = "operator", upgraded: bool = True, **own: object) -> str:
        stage.configure(NEWCOMER, role, LOGIN if role == "operator" else None, **{"party_ids": ["DENEW"]} | own)
        if upgraded:
            stage.cli("db", "upgrade", "--url", stage.database(NEWCOMER))
        return line_of(stage, "serve", at=NEWCOMER)

    yield refused
    stage.settings(NEWCOMER).unlink(missing_ok=True)


def line_of(stage: Stage, *command: str, at: str | None = None) -> str:
    """The one line with which a command refuses."""
    done = stage.run(*command, at=at)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("clearinghouse: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert LOGIN[1] not in done.stderr
    return done.stderr.removeprefix("clearinghouse: ").rstrip("\n")


def test_an_empty_database(newcomer: Callable[..., str]) -> None:
    assert newcomer(upgraded=False) == "the database is empty: run `clearinghouse db upgrade`"


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"house_url": ""}, "house_url: "),
        ({"party_ids": []}, "settings: Value error, the operator needs: party_ids"),
        ({"privte_key": "certs/demo.key"}, "privte_key: Extra inputs are not permitted"),
        ({"port": "many"}, "port: Input should be a valid integer"),
        ({"certificate": "certs/none.pem"}, "certs/none.pem cannot be read: No such file or directory"),
        ({"private_key": "certs/ca.key"}, "certs/ca.key is not the key of the first certificate in"),
        ({"private_key": "certs/ca.pem"}, "certs/ca.pem holds no PEM private key"),
        ({"certificate": "evses.csv"}, "evses.csv holds no PEM certificate"),
        ({"evse_file": "none.csv"}, "none.csv: No such file or directory"),
        ({"ca_bundle": "certs/none.pem"}, "certs/none.pem: the CA bundle cannot be used: No such file"),
        ({"ca_bundle": "evses.csv"}, "evses.csv: the CA bundle cannot be used: holds no PEM certificates"),
        ({"host": "no.such.host.invalid"}, "no.such.host.invalid"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_settings_that_cannot_work(newcomer: Callable[..., str], own: dict[str, object], told: str) -> None:
    assert told in newcomer(**own)


def test_an_evse_file_with_a_wrong_line(stage: Stage, newcomer: Callable[..., str]) -> None:
    (stage.folder / "wrong.csv").write_text("evse_id,max_power_kw\nDE*NEW*E1,11\nDE*NEW*E2,eleven\n")
    line = newcomer(evse_file="wrong.csv")
    assert line == f"{stage.folder}/wrong.csv, line 3, max_power_kw: 'eleven' is no number greater than 0"


def test_a_port_that_is_taken(newcomer: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert newcomer(port=port) == f"cannot listen at 127.0.0.1 port {port}: Address already in use"


def test_a_certificate_for_another_key(stage: Stage, newcomer: Callable[..., str], tmp_path: Path) -> None:
    files = certificates.make(tmp_path, "other", ["localhost"])
    shutil.copy(files.certificate, stage.folder / "certs" / "other.pem")
    assert "is not the key of the first certificate" in newcomer(certificate="certs/other.pem")


def test_files_that_are_no_settings(stage: Stage) -> None:
    garbled = stage.folder / "garbled.toml"
    assert line_of(stage, "serve", "--settings", "/no/such.toml") == "no such file: /no/such.toml"
    garbled.write_text('role = "house\n')
    assert str(garbled) in line_of(stage, "serve", "--settings", str(garbled))
    garbled.write_bytes(b"\xff\xfe")
    assert str(garbled) in line_of(stage, "serve", "--settings", str(garbled))
    assert str(stage.folder) in line_of(stage, "serve", "--settings", str(stage.folder))
    garbled.write_text('role = "landlord"\npublic_url = "https://localhost"\n')
    assert line_of(stage, "serve", "--settings", str(garbled)).startswith("role: Input should be 'house', 'operator'")


def test_the_running_roles_noticed_nothing(stage: Stage) -> None:
    assert stage.get(PROVIDER, "/operators")["operators"]
