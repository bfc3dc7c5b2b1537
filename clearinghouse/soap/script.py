"""Functions that are written once for each class and version, as dataclasses write their own methods.

Asking the language field by field while a message passes takes a third longer to read and half as long again to write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Script:
    """A function of one argument that is being written: its lines, and what they use."""

    def __init__(self, argument: str, **used: object) -> None:
        self._lines: list[str] = []
        self._argument = argument
        self._used: dict[str, Any] = dict(used)

    def name(self, thing: object) -> str:
        """A name under which the lines may use something."""
        name = f"used_{len(self._used)}"
        self._used[name] = thing
        return name

    def add(self, *lines: str) -> None:
        """Go on with these lines."""
        self._lines += lines

    def function(self, title: str, otherwise: str) -> Callable[[Any], Any]:
        """The function; `otherwise` is what is raised where a conversion raises ValueError as `error`."""
        source = "\n".join(
            (
                f"def function({self._argument}):",
                "    try:",
                *(f"        {line}" for line in self._lines),
                "    except ValueError as error:",
                f"        raise {otherwise}",
            )
        )
        exec(compile(source, f"<{title}>", "exec"), self._used)  # noqa: S102 - nothing in it is from outside
        function: Callable[[Any], Any] = self._used["function"]
        return function
