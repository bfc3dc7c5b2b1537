"""The files in `wsdl/`: written from the definitions, and checked by the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from clearinghouse.soap.wsdl import published, stale, write

ROOT = Path(__file__).parents[2]


def cli(*arguments):
    program = [sys.executable, "-c", "from clearinghouse.cli import main; main()"]
    return subprocess.run([*program, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path)
    return tmp_path


def test_the_published_files_are_up_to_date():
    assert stale(ROOT / "wsdl") == []


def test_each_version_has_its_folder(folder):
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*") if path.is_file()}
    files = ("ochp.xsd", "ochp.wsdl", "ochp-direct.wsdl")
    assert names == {f"ochp-{v}/{name}" for v in ("1.3", "1.4", "1.4.1") for name in files}


def test_a_missing_a_changed_and_a_superfluous_file_are_stale(folder):
    (folder / "ochp-1.3" / "ochp.xsd").unlink()
    with (folder / "ochp-1.4" / "ochp.xsd").open("ab") as file:
        file.write(b" ")
    (folder / "ochp-1.4.1" / "old.wsdl").touch()
    assert stale(folder) == ["ochp-1.3/ochp.xsd", "ochp-1.4.1/old.wsdl", "ochp-1.4/ochp.xsd"]
    write(folder)
    assert stale(folder) == ["ochp-1.4.1/old.wsdl"]


def test_an_empty_folder_is_stale_in_every_file(tmp_path):
    assert len(stale(tmp_path)) == len(published(tmp_path))


def test_the_command_writes_what_the_check_accepts(tmp_path):
    assert cli("wsdl", "write", "--folder", str(tmp_path)).returncode == 0
    done = cli("wsdl", "check", "--folder", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_check_names_the_stale_file_and_fails(folder):
    (folder / "ochp-1.4" / "ochp-direct.wsdl").write_text("<old/>")
    done = cli("wsdl", "check", "--folder", str(folder))
    assert done.returncode == 1
    assert "ochp-1.4/ochp-direct.wsdl" in done.stdout.replace("\n", "")
    assert "ochp-1.3" not in done.stdout


def test_help_shows_an_example():
    for command in "write", "check":
        assert f"Example: clearinghouse wsdl {command}" in cli("wsdl", command, "--help").stdout


def test_a_folder_that_cannot_be_written_is_one_readable_line(tmp_path):
    (tmp_path / "ochp-1.3").touch()
    done = cli("wsdl", "write", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("clearinghouse: ") and done.stderr.count("\n") == 1
    assert "ochp-1.3" in done.stderr


def test_an_unknown_command_is_refused_without_a_traceback():
    done = cli("nonsense")
    assert done.returncode == 2
    assert "nonsense" in done.stderr and "Traceback" not in done.stderr
