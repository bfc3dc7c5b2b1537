"""Lets Spyne 2.14 be imported on Python 3.12 and later; `install()` comes before the first `import spyne`.

Spyne carries an old `six` whose importer of `six.moves` lacks `find_spec`, the only method that imports ask for
since 3.12, and it takes one function from `cgi`, which 3.13 no longer has.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from email.message import Message
from email.utils import collapse_rfc2231_value
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

SIX = "spyne.util.six"


def carried_importer() -> Any:
    """The importer that Spyne's `six` has made for its moves, or None before that is loaded."""
    return getattr(sys.modules.get(SIX), "_importer", None)


class MovesLoader(Loader):
    """Hands out the module that `six` means by a name, and leaves it as it is."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        move = carried_importer().known_modules[spec.name]
        module: ModuleType = import_module(move.mod) if hasattr(move, "mod") else move
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._own_spec  # the import has just put its own on, say, http.cookies


class MovesFinder(MetaPathFinder):
    """Finds `spyne.util.six.moves` and what is below it, in place of the importer that `six` brings along."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        importer = carried_importer()
        if importer in sys.meta_path:
            sys.meta_path.remove(importer)  # else 3.11 warns about it at each module that is not found
        if importer is None or fullname not in importer.known_modules:
            return None
        is_package = any(name.startswith(f"{fullname}.") for name in importer.known_modules)
        return ModuleSpec(fullname, MovesLoader(), is_package=is_package)


def parse_header(line: str) -> tuple[str, dict[str, str]]:
    """A header's value and its parameters, as `cgi.parse_header` gave them."""
    header = Message()
    header["Content-Type"] = line
    (value, _), *parameters = header.get_params() or [("", "")]
    return value, {name.lower(): collapse_rfc2231_value(text) for name, text in parameters}


def install() -> None:
    """Put the finder and, where the real one is gone, the stand-in for `cgi` in place; once is enough."""
    if not any(isinstance(finder, MovesFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovesFinder())
    if "cgi" not in sys.modules and find_spec("cgi") is None:
        stand_in = module_from_spec(ModuleSpec("cgi", None))
        stand_in.parse_header = parse_header  # type: ignore[attr-defined]
        sys.modules["cgi"] = stand_in
