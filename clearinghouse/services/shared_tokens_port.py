"""What looking for tokens that several providers claim asks of the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol


class SharedTokens(Protocol):
    """Tokens of the roaming list for which several providers have a line."""

    def count(self, now: datetime) -> Mapping[tuple[str, ...], int]:
        """How many hold now, by the provider IDs that claim them, in order; a token and its hash count as two."""
