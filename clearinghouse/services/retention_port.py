"""What keeping rows for as long as they are needed asks of the store."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from clearinghouse.domain.retention import Remains


class Retention(Protocol):
    """Rows that nobody needs any more."""

    def delete(self, what: Remains, before: datetime, most: int) -> int:
        """Delete what was over before then, the oldest first and about `most` rows; how many."""
