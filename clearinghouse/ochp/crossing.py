"""What a crossing from one version to another is made of: bridges, losses, and records that cannot cross."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from clearinghouse.ochp.versions import Version


class Undeliverable(ValueError):  # noqa: N818
    """A record that this version cannot say at all; its reader must not get any of it."""


@dataclass(frozen=True)
class Loss:
    """What a version cannot say of a value: where, as a path of elements, and why."""

    path: str
    why: str

    def below(self, path: str) -> Loss:
        """The same loss, as a value that holds the lossy one sees it."""
        return Loss(f"{path}/{self.path}" if self.path else path, self.why)


def same(value: Any) -> Any:
    """What needs no mending."""
    return value


def nothing(_: Any) -> tuple[Loss, ...]:
    """What loses nothing."""
    return ()


@dataclass(frozen=True)
class Bridge:
    """How a class gets to a version and back, beyond what its marks say.

    `up` mends the fields of a value that a peer of the version sent. `down` fits a value for a reader of the version,
    and raises Undeliverable; it changes nothing of what it has fitted already. `tells` are fields that the version
    lacks and that nevertheless reach its reader, said otherwise; `loses` names what `down` leaves out.
    """

    up: Callable[[dict[str, Any]], dict[str, Any]] = same
    down: Callable[[Any], Any] = same
    tells: frozenset[str] = field(default_factory=frozenset)
    loses: Callable[[Any], Iterable[Loss]] = nothing


Bridges = dict[tuple[type, Version], Bridge]
