"""What a role is made of, and the parts that several roles have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from clearinghouse.app.lines import login
from clearinghouse.domain.retention import Remains, kept
from clearinghouse.ochp.operations import Operation, Role
from clearinghouse.services.calls_port import Handler, Line
from clearinghouse.services.token_cycle import TokenCycle
from clearinghouse.services.turns import Turns
from clearinghouse.settings import Settings

if TYPE_CHECKING:
    from clearinghouse.jobs.timetable import Job
    from clearinghouse.persistence.store import PostgresStore


@dataclass(frozen=True)
class Node:
    """A running role: what it serves, what it does by itself, and its JSON API.

    Of its calls that `waiting` is the number of, each keeps a thread while it waits for a partner, and gives up its one
    of the `turns` for that time; `via` is the name by which it knows calls again that it passed on.
    """

    handlers: Mapping[Operation, Handler]
    doorkeeper: Any
    jobs: Sequence[Job]
    api: Any = None
    waiting: int = 0
    turns: Turns | None = None
    via: str | None = None


def token_cycle(settings: Settings, books: PostgresStore, line: Line) -> TokenCycle:
    """The token cycle of a partner's own back end."""
    from clearinghouse.services.house_line import HouseLine

    letter = {Role.OPERATOR: "E", Role.PROVIDER: "C"}[settings.role]
    house_line = HouseLine(
        line=line,
        login=login(settings),
        house_url=str(settings.house_url).rstrip("/"),
        own_url=settings.base_url,
        role=settings.role,
        spoken=settings.dialects,
        whitelist=settings.whitelist or tuple(f"{each}{letter}%" for each in settings.party_ids),
        blacklist=settings.blacklist,
    )
    return TokenCycle(books, settings.clock, house_line, reported)


def token_job(settings: Settings, reconcile: Callable[[], object]) -> Job:
    """The token cycle on the timetable."""
    from clearinghouse.jobs.timetable import TOKEN_TIMES, Job

    every = timedelta(seconds=settings.reconcile_every)
    return Job(name="tokens", run=reconcile, every=every, at=TOKEN_TIMES)


def retention_job(settings: Settings, books: PostgresStore) -> Job:
    """Deleting what was kept long enough, on the timetable."""
    from clearinghouse.jobs.timetable import Job
    from clearinghouse.services.retention import Pruner

    pruner = Pruner(books, settings.clock, kept(timedelta(days=settings.history_days)), pruned)
    return Job(name="retention", run=pruner.prune, every=timedelta(days=1))


def pruned(what: Remains, rows: int) -> None:
    """Log what was kept long enough."""
    import structlog

    structlog.get_logger("clearinghouse.retention").info("pruned", what=what.value, rows=rows)


def unexpected(what: str, error: Exception) -> None:
    """Log an error of this program, without its text: that may repeat what nobody should read."""
    from clearinghouse.soap.verdicts import log_unexpected

    log_unexpected(error, at=what)


def reported(action: Any, failure: str | None) -> None:
    """Log what the token cycle did."""
    import structlog

    log = structlog.get_logger("clearinghouse.tokens")
    if failure is None:
        log.info("token cycle", chore=str(action.chore), day=str(action.day))
    else:
        log.warning("token cycle", chore=str(action.chore), day=str(action.day), failure=failure)


def key_finder(books: PostgresStore) -> Callable[[str], Any]:
    """Looks up bearer keys of the JSON API."""

    def find(key_hash: str) -> Any:
        with books.single() as opened:
            return opened.api_keys.find(key_hash)

    return find
