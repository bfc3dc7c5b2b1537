"""What the demo tells: chapters, steps, checks, and the SOAP of a step, readable at 80 columns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax

from clearinghouse.cli.context import cell, table_of
from clearinghouse.cli.stage import StageError
from clearinghouse.soap.markup import indented

Columns = Mapping[str, Callable[[Any], object]]
"""What is shown of a thing, by name."""
DEEPER = " " * 6
"""Where a detail stands that does not fit beside its step."""
NAMES = 10
"""Columns for the name of a line."""
LAST_WORDS = 5
"""Lines shown of each log when something went wrong."""


class Story:
    """Tells what happens on a stage in `folder`, and stops at what is not as told."""

    def __init__(self, folder: Path, *, show_soap: bool) -> None:
        self._began = time.monotonic()
        self._folder = folder
        self._soap = show_soap
        self._shown: set[Path] = set()
        self._console = Console(highlight=False, soft_wrap=True)

    def chapter(self, title: str) -> None:
        """Begin a new part."""
        self._console.print(f"\n[bold]{escape(title)}[/bold]")

    def say(self, text: str, detail: str = "") -> None:
        """Tell one step; a long detail gets a line of its own."""
        fits = len(text) + len(detail) + 4 <= self._console.width
        beside = "  " if fits else "\n" + DEEPER
        self._console.print(f"  {escape(text)}" + (f"{beside}[dim]{escape(detail)}[/dim]" if detail else ""))

    def table(self, items: Sequence[Any], columns: Columns) -> None:
        """Show things as commands show them."""
        self._console.print(Padding(table_of(items, columns), (0, 0, 0, len(DEEPER)), expand=False))

    def record(self, item: Any, columns: Columns) -> None:
        """Show one thing as commands show it, but each column in a line; what is empty is left out."""
        for name, read in columns.items():
            if text := cell(read(item)):
                self._console.print(f"{DEEPER}{name:<{NAMES}}{text}", markup=False)

    def check(self, text: str, holds: bool) -> None:
        """Tell what was checked. Raises StageError where it does not hold."""
        if not holds:
            raise StageError(f"not as told: {text}")
        self._console.print(f"  [green]✓[/green] {escape(text)}")

    def end(self) -> None:
        """Tell that all went well."""
        self._console.print()
        self.say("Everything happened as told.", f"{time.monotonic() - self._began:.0f} s in all")

    def fail(self, text: str) -> None:
        """Tell what went wrong, and what the processes said last."""
        self._console.print(f"  [red]✗[/red] {escape(text)}")
        for log in sorted(self._folder.glob("*.log")):
            lines = [line for line in log.read_text(errors="replace").splitlines() if '"level": "info"' not in line]
            for line in lines[-LAST_WORDS:]:
                self._console.print(f"    {log.stem}: {line[:300]}", markup=False)

    def versions_sent(self, place: str) -> set[str]:
        """The versions of OCHP in which a role has called others, by its trace."""
        return {_version(path) for path in self._folder.glob(f"trace/{place}/*.request.xml")}

    def show_soap(self, *operations: str) -> None:
        """Show the newest exchange of each operation, if asked for; secrets were masked when it was written down."""
        if not self._soap:
            return
        for operation in operations:
            requests = sorted(self._folder.glob(f"trace/*/*-{operation}-*.request.xml"), key=lambda path: path.name)
            for request in [path for path in requests if path not in self._shown][-1:]:
                self._shown.add(request)
                answer = request.with_name(request.name.replace(".request.", ".response."))
                self._show(f"{operation}, request of version {_version(request)} at {request.parent.name}", request)
                self._show("the answer", answer)

    def _show(self, title: str, path: Path) -> None:
        self._console.print(f"    [dim]{escape(title)}:[/dim]")
        self._console.print(Syntax("", "xml", background_color="default").highlight(indented(path.read_bytes())))


def _version(request: Path) -> str:
    """The version of OCHP in a traced request."""
    return request.name.removesuffix(".request.xml").rpartition("-")[2]
