"""What a text must look like to be a scalar of OCHP."""

from __future__ import annotations

import functools
import re
from typing import Any, get_args

from clearinghouse.ochp.marks import Text


@functools.cache
def form_of(scalar: Any) -> re.Pattern[str]:
    """The form of a scalar with patterns, such as EvseId; look it up once, for annotations are slow to find."""
    alternatives = [pattern for mark in get_args(scalar) if isinstance(mark, Text) for pattern in mark.patterns]
    return re.compile("|".join(f"(?:{each})" for each in alternatives), re.ASCII)
