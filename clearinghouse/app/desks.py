"""What a command works with, by the settings file; each is closed with the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from clearinghouse.app.lines import clearing_line
from clearinghouse.app.store import store
from clearinghouse.ochp.operations import Role
from clearinghouse.services.administration import Administration
from clearinghouse.services.cdr_desk import CdrDesk
from clearinghouse.settings import load

if TYPE_CHECKING:
    from clearinghouse.app.provider_clearing import ProviderClearing
    from clearinghouse.app.record_desk import RecordDesk
    from clearinghouse.services.cdr_review import CdrReview
    from clearinghouse.services.claims import Claims


@contextmanager
def administration(path: Path | None, actor: str) -> Iterator[Administration]:
    """Administration for one command, by the settings file; `actor` goes into the audit log."""
    from clearinghouse.persistence.passwords import hash_password

    settings = load(path)
    with store(settings) as opened:
        yield Administration(opened, settings.clock, actor, hash_password)


@contextmanager
def claims(path: Path | None) -> Iterator[Claims]:
    """The operator's CDRs for one command, by the settings file."""
    from clearinghouse.services.claims import Claims

    settings = load(path)
    with store(settings) as opened:
        yield Claims(opened, settings.clock)


@contextmanager
def cdr_desk(path: Path | None, actor: str) -> Iterator[CdrDesk]:
    """Charge data at the house for one command, by the settings file; `actor` goes into histories."""
    settings = load(path)
    with store(settings) as opened:
        yield CdrDesk(opened, settings.clock, actor, timedelta(hours=settings.lost_cdr_hours))


def role_of(path: Path | None) -> Role:
    """The role that the settings file is of."""
    return load(path).role


@contextmanager
def received_cdrs(path: Path | None) -> Iterator[CdrReview]:
    """A provider's received CDRs, for one command. Raises ValueError of another role."""
    with provider_clearing(path) as clearing:
        yield clearing.cdrs


@contextmanager
def record_desk(path: Path | None, actor: str) -> Iterator[RecordDesk]:
    """Exports and imports of whatever role the settings are of, for one command; `actor` goes into the audit log."""
    from clearinghouse.app.record_desk import RecordDesk

    settings = load(path)
    with store(settings) as opened:
        yield RecordDesk(settings=settings, store=opened, actor=actor, line=lambda: clearing_line(settings))


@contextmanager
def provider_clearing(path: Path | None) -> Iterator[ProviderClearing]:
    """The provider's part in clearing, for one command. Raises ValueError of another role."""
    from clearinghouse.app.provider_clearing import provider_clearing_of

    settings = load(path)
    if settings.role is not Role.PROVIDER:
        raise ValueError(f"this is for providers, and the settings are of the {settings.role}")
    with store(settings) as opened:
        yield provider_clearing_of(settings, opened, clearing_line(settings))
