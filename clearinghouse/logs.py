"""Logging: one JSON line per event on standard error, the time in UTC; libraries' words go the same way."""

from __future__ import annotations

import logging
import sys
from typing import TextIO, cast

import structlog

SHARED = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


class StandardError:
    """Whatever is the standard error at the time: loggers outlive the one that was there when they were made."""

    def write(self, text: str) -> int:
        """Write there."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush it."""
        sys.stderr.flush()


STANDARD_ERROR = cast("TextIO", StandardError())


def configure(level: int = logging.INFO) -> None:
    """Send this program's words, and warnings of its libraries, to standard error."""
    structlog.configure(
        processors=[*SHARED, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=STANDARD_ERROR),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(STANDARD_ERROR)
    renderer = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
        foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
    )
    handler.setFormatter(renderer)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a run that is skipped because one is under way is meant
