"""Rows that are text already, straight into a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def copied(driver: Any, table: str, columns: Sequence[str], pieces: Iterable[bytes]) -> None:
    """COPY rows in PostgreSQL's text format, through the driver's own connection."""
    with driver.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for piece in pieces:
            copy.write(piece)
