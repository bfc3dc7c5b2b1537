"""The embedded server: shared by folder, gone with its last owner however that one ended."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import NullPool, Result, text

from clearinghouse.persistence.embedded import EmbeddedPostgres
from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.errors import EmbeddedFailed

OWNER = """
import signal, sys, time
from pathlib import Path
from clearinghouse.persistence.embedded import EmbeddedPostgres
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells ignore it for what runs in the background
server = EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off"})
print(server.url(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A folder that no other test run closes: pytest does that to its own when it starts as root."""
    with tempfile.TemporaryDirectory(prefix="clearinghouse-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def running(folder: Path) -> list[psutil.Process]:
    """The server and keeper processes of a folder; the dead ones that nobody collected are not running."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and str(folder) in " ".join(process.cmdline()):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return [each for each in found if each.pid != os.getpid()]


def is_gone(folder: Path, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while running(folder):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def execute(url: str, statement: str) -> Result[Any]:
    with make_engine(url, poolclass=NullPool).begin() as connection:
        result = connection.execute(text(statement))
        return result.freeze()() if result.returns_rows else result


def answer(url: str) -> object:
    return execute(url, "SELECT 1").scalar()


def can_run_as(user: pwd.struct_passwd) -> bool:
    """Whether that user may run this very Python; one below a closed home folder it may not."""
    try:
        subprocess.run([sys.executable, "-c", "import sqlalchemy"], user=user.pw_uid, extra_groups=[], check=True)
    except (PermissionError, subprocess.CalledProcessError):
        return False
    return True


def own(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A process that owns a server, and the URL of its database."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_a_folder_keeps_its_data_and_makes_missing_databases(own_folder: Path) -> None:
    with EmbeddedPostgres(own_folder / "data", {"fsync": "off"}) as server:
        execute(server.url("odd name"), "CREATE TABLE kept AS SELECT 42 AS number")
    assert is_gone(own_folder)
    with EmbeddedPostgres(own_folder / "data") as server:
        assert execute(server.url("odd name"), "SELECT number FROM kept").scalar() == 42
        assert execute(server.url("odd name"), "SHOW fsync").scalar() == "off"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_the_server_ends_with_its_owner(own_folder: Path, how: signal.Signals) -> None:
    owner, url = own(own_folder)
    assert answer(url) == 1
    owner.send_signal(how)
    owner.communicate(timeout=30)
    assert is_gone(own_folder)


def test_processes_share_the_server_of_a_folder_until_the_last_has_gone(own_folder: Path) -> None:
    with EmbeddedPostgres(own_folder, {"fsync": "off"}) as here:
        there, url = own(own_folder)
        assert url == here.url()
    assert answer(url) == 1
    there.kill()
    there.communicate(timeout=30)
    assert is_gone(own_folder)


def test_a_data_folder_with_a_long_name_works(own_folder: Path) -> None:
    folder = own_folder / ("long-" * 20) / ("longer-" * 10)
    with EmbeddedPostgres(folder, {"fsync": "off"}) as server:
        assert answer(server.url()) == 1
        socket = Path(server._host) / ".s.PGSQL.5432"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert is_gone(folder)


def test_a_folder_that_holds_something_else_is_told(own_folder: Path) -> None:
    (own_folder / "postgresql").mkdir()
    (own_folder / "postgresql" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedFailed, match=r"did not start .*found version 9"):
        EmbeddedPostgres(own_folder)
    assert is_gone(own_folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_folders_on_the_way_stay_closed_but_for_passing_through(own_folder: Path) -> None:
    private = own_folder / "private"
    private.mkdir(mode=0o700)
    with EmbeddedPostgres(private / "data", {"fsync": "off"}) as server:
        assert answer(server.url()) == 1
        assert stat.S_IMODE(private.stat().st_mode) == 0o711


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_normal_user_can_run_it_too(own_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    if not can_run_as(nobody):
        pytest.skip("this Python is closed to other users")
    os.chown(own_folder, nobody.pw_uid, nobody.pw_gid)
    code = OWNER.replace("time.sleep(600)", "server.stop()")
    result = subprocess.run(
        [sys.executable, "-c", code, str(own_folder / "data")],
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        env={**os.environ, "PYTHONPATH": os.getcwd(), "HOME": str(own_folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("postgresql+psycopg://")
    assert is_gone(own_folder)
