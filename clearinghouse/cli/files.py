"""Files of records on the command line: their format, reading and writing them, and progress on a terminal."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Generic, TextIO, TypeVar

import typer

from clearinghouse.services.record_files import FileFormat

T = TypeVar("T")

PIPE = Path("-")
OFTEN = 4
"""How many times a second progress is shown."""
STEP = 1000
"""Values that are counted together, for counting takes time, too."""

FormatOption = Annotated[
    FileFormat | None, typer.Option("--format", help="How it is written, where its ending does not say it.")
]


def format_of(file: Path, said: FileFormat | None) -> FileFormat:
    """The format that is said, or that the file's ending tells. Raises ValueError."""
    ending = file.suffix.lstrip(".").lower()
    if said is not None or ending in [*FileFormat]:
        return said or FileFormat(ending)
    name = "standard input or output" if file == PIPE else str(file)
    raise ValueError(f"{name} has no ending that tells its format: say --format {', '.join(FileFormat)}")


@contextmanager
def reading(file: Path) -> Iterator[TextIO]:
    """A file, or standard input, as text; what is not UTF-8 is left for the records' own complaints."""
    raw = sys.stdin.buffer if file == PIPE else file.open("rb")
    with io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
        yield opened


@contextmanager
def writing(file: Path) -> Iterator[TextIO]:
    """A file that is there only once it is whole, or standard output."""
    if file == PIPE:
        yield sys.stdout
        return
    if file.exists() and not file.is_file():  # a device or a named pipe
        with file.open("w", encoding="utf-8", newline="") as out:
            yield out
        return
    target = file.resolve()
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("x", encoding="utf-8", newline="") as out:
            yield out
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


class Counted(Generic[T]):
    """Values whose number is shown as they pass, on a terminal and on standard error."""

    def __init__(self, values: Iterable[T], doing: str) -> None:
        self.count = 0
        self._values = values
        self._doing = doing

    def __iter__(self) -> Iterator[T]:
        with self._shown() as shown:
            for value in self._values:
                yield value
                self.count += 1
                if self.count % STEP == 0:
                    shown(self.count)
            shown(self.count)

    @contextmanager
    def _shown(self) -> Iterator[Callable[[int], None]]:
        if not sys.stderr.isatty():
            yield lambda count: None
            return
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description} {task.completed:,}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), refresh_per_second=OFTEN, transient=True) as progress:
            task = progress.add_task(self._doing, total=None)
            yield lambda count: progress.update(task, completed=count)


@contextmanager
def waiting(doing: str) -> Iterator[None]:
    """A word on what takes its time, on a terminal and on standard error."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(doing):
        yield
