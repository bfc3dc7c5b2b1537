"""A role as processes that serve: what each worker builds, and what is checked before any listens."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clearinghouse.app.house import house
from clearinghouse.app.lines import trace
from clearinghouse.app.node import Node
from clearinghouse.app.operator import operator
from clearinghouse.app.provider import provider
from clearinghouse.app.store import database, open_store
from clearinghouse.ochp.operations import Role
from clearinghouse.settings import Settings, load

if TYPE_CHECKING:
    from clearinghouse.persistence.store import PostgresStore

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread hands the interpreter on: a look-up is not to wait long for the thread of an upload."""

ROLES: Mapping[Role, Callable[[Settings, PostgresStore], Node]] = {
    Role.HOUSE: house,
    Role.OPERATOR: operator,
    Role.PROVIDER: provider,
}


def worker(settings_path: str | None, database_url: str) -> Any:
    """The ASGI application of one worker process."""
    from clearinghouse.http.app import build
    from clearinghouse.http.bodies import Bounds
    from clearinghouse.jobs.scheduler import Scheduler
    from clearinghouse.logs import configure
    from clearinghouse.persistence.leader import Leadership
    from clearinghouse.soap.server import SoapServer

    configure()
    settings = load(Path(settings_path) if settings_path else None)
    books = open_store(settings, database_url)
    node = ROLES[settings.role](settings, books)
    max_upload = settings.max_upload if settings.role is Role.HOUSE else 0
    server = SoapServer(
        settings.role,
        node.handlers,
        node.doorkeeper,
        max_body=settings.max_body,
        max_upload=max_upload,
        via=node.via,
        tap=trace(settings),
    )
    leadership = Leadership(database_url, f"clearinghouse {settings.role}")
    scheduler = Scheduler(node.jobs, leadership.try_acquire)
    scheduler.start()
    # What is there now stays: without this, every full collection would look at all of it, while partners wait.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_INTERVAL)
    stop = ExitStack()
    stop.callback(books.close)
    stop.callback(leadership.release)
    stop.callback(scheduler.stop)
    return build(
        answer=server.answer,
        ready=lambda: ready(books),
        welcome=server.welcome if max_upload else None,
        threads=settings.threads + node.waiting,
        turns=node.turns,
        api=node.api,
        bounds=Bounds(max_body=settings.max_body, max_upload=max_upload, body_seconds=settings.body_timeout),
        trust_forwarded=settings.trust_forwarded,
        on_stop=stop.close,
    )


def ready(books: PostgresStore) -> str | None:
    """Why the store cannot be used now, or None."""
    with books.single() as opened:
        opened.endpoints.revision()
    return None


def check_files(settings: Settings) -> None:
    """Read the files that workers will read, so that a wrong one is told once and at once. Raises what reading does."""
    from clearinghouse.soap.connections import trust

    trust(settings.ca_bundle)
    if settings.role is Role.OPERATOR and settings.evse_file is not None:
        from clearinghouse.stations.inventory import read_inventory

        read_inventory(settings.evse_file)


def serve(settings_path: Path | None) -> None:
    """Serve one role until SIGTERM. Raises before anything listens where something is missing."""
    from clearinghouse.http.certificates import TlsFiles
    from clearinghouse.http.serve import Listening
    from clearinghouse.http.serve import serve as listen
    from clearinghouse.logs import configure

    configure()
    settings = load(settings_path)
    check_files(settings)
    tls = None
    if settings.certificate and settings.private_key and not settings.plain_http:
        tls = TlsFiles(certificate=settings.certificate, key=settings.private_key)
    with database(settings) as url:
        open_store(settings, url).close()
        arguments = {"settings_path": str(settings_path) if settings_path else None, "database_url": url}
        listening = Listening(
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            tls=tls,
            plain_http=settings.plain_http,
            arguments=arguments,
        )
        listen("clearinghouse.app.serving:worker", listening)
