"""What commands share: settings, the store, the way results and errors are shown."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from clearinghouse.services.administration import Administration

SETTINGS_VARIABLE = "CLEARINGHOUSE_SETTINGS"

SettingsOption = Annotated[
    Path | None,
    typer.Option("--settings", "-s", envvar=SETTINGS_VARIABLE, help="The TOML file of the role.", show_default=False),
]
PIPE_WIDTH = 10_000
"""Columns where the output is no terminal."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def administration(settings: Path | None) -> AbstractContextManager[Administration]:
    """Administration for one command, in the name of whoever is at the command line."""
    from clearinghouse.app.desks import administration as administered

    return administered(settings, actor())


def actor() -> str:
    """Whoever is at the command line."""
    return os.environ.get("CLEARINGHOUSE_ACTOR") or f"{getpass.getuser()}@cli"


def rows(items: Sequence[Any], columns: Mapping[str, Callable[[Any], object]], as_json: bool) -> None:
    """Print values as a table, or as JSON."""
    if as_json:
        from clearinghouse.ochp.plain import to_plain

        show([to_plain(item) for item in items])
        return
    from rich.console import Console

    # Into a pipe each item is one line, however long: there is no terminal to be wrapped for.
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    console.print(table_of(items, columns) if items else "none")


def table_of(items: Sequence[Any], columns: Mapping[str, Callable[[Any], object]]) -> Table:
    """Values as a table for people."""
    from rich.table import Column, Table

    table = Table(*(Column(name, overflow="fold") for name in columns), box=None, pad_edge=False)
    for item in items:
        table.add_row(*(cell(read(item)) for read in columns.values()))
    return table


def cell(value: object) -> str:
    """A value as tables show it."""
    if isinstance(value, (frozenset, tuple, list)):
        return ", ".join(sorted(str(each) for each in value))
    return "" if value is None else str(value)


def show(plain: Any) -> None:
    """Print plain data as JSON."""
    sys.stdout.write(json.dumps(plain, indent=2, ensure_ascii=False, default=str) + "\n")


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what can go wrong into one line on standard error and exit status 1."""
    from pydantic import ValidationError

    from clearinghouse.domain.errors import ClearinghouseError

    try:
        yield
    except ValidationError as error:
        fail("; ".join(map(_sentence, error.errors(include_input=False, include_url=False))))
    except OSError as error:
        fail(": ".join(str(each) for each in (error.filename, error.strerror or error) if each))
    except (ClearinghouseError, ValueError) as error:
        fail(str(error))


def _sentence(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "settings"
    return f"{where}: {problem['msg']}"


def fail(text: str) -> NoReturn:
    """One line on standard error, exit status 1."""
    sys.stderr.write("clearinghouse: " + " ".join(text.split()) + "\n")
    raise typer.Exit(1)
