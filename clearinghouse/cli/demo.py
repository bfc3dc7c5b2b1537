"""`clearinghouse demo`: real processes, real TLS, one roaming charge after the other, told as it happens."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from clearinghouse.cli import cast, play
from clearinghouse.cli.context import plainly
from clearinghouse.cli.stage import Stage, StageError
from clearinghouse.cli.story import Story

app = typer.Typer()


@app.command(epilog="Example: clearinghouse demo --soap --keep-running")
def demo(
    soap: Annotated[bool, typer.Option("--soap", help="Show the SOAP messages of each step.")] = False,
    keep_running: Annotated[bool, typer.Option("--keep-running", help="Leave the roles running at the end.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="An empty folder for its files; a temporary one unless given.", file_okay=False)
    ] = None,
) -> None:
    """Play roaming charges between a house, two operators and two providers, and check that all is as told.

    Exit status 0 where everything was as told, 1 where it was not.
    """
    with plainly(), _stopped_by_signals(), _folder(folder) as place:
        story = Story(place, show_soap=soap)
        try:
            with contextlib.closing(Stage(place, speed=cast.SPEED, begin=cast.MORNING)) as stage:
                play.perform(stage, story)
                if keep_running:
                    play.tell_where(stage, story)
                    _wait_for_the_end(story)
        except StageError as error:
            story.fail(str(error))
            raise typer.Exit(1) from None


def _wait_for_the_end(story: Story) -> None:
    try:
        threading.Event().wait()
    except SystemExit:
        story.say("stopping")


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """End the demo in order when a signal asks for it, leaving nothing behind, with the shell's exit status for it.

    No KeyboardInterrupt: one that is raised while `exec` runs a text, as dataclasses do, makes CPython end by the
    signal in the end, whoever caught it.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _folder(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="clearinghouse-demo-", ignore_cleanup_errors=True) as temporary:
            yield Path(temporary)
        return
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    yield folder
