"""The clearing house, put together."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from clearinghouse.app.lines import soap_line
from clearinghouse.app.node import Node, reported, retention_job, token_job
from clearinghouse.domain.live_status import Trust
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.operations import Operation
from clearinghouse.ochp.versions import Version
from clearinghouse.services.calls_port import Caller, Handler
from clearinghouse.services.directory import Directory
from clearinghouse.services.token_cycle import TokenCycle
from clearinghouse.services.turns import Turns
from clearinghouse.settings import Settings

if TYPE_CHECKING:
    from clearinghouse.persistence.store import PostgresStore


ASIDE = (
    op.SET_ROAMING_AUTHORISATION_LIST,
    op.UPDATE_ROAMING_AUTHORISATION_LIST,
    op.SET_CHARGE_POINT_LIST,
    op.UPDATE_CHARGE_POINT_LIST,
    op.UPDATE_TARIFFS,
    op.ADD_CDRS,
    op.CONFIRM_CDRS,
    op.GET_ROAMING_AUTHORISATION_LIST,
    op.GET_ROAMING_AUTHORISATION_LIST_UPDATES,
    op.GET_CHARGE_POINT_LIST,
    op.GET_CHARGE_POINT_LIST_UPDATES,
    op.GET_CDRS,
    op.GET_TARIFF_UPDATES,
)
"""What may wait in the store: uploads while the same partner uploads something else, lists for their first lines."""


def aside(handler: Handler, turns: Turns) -> Handler:
    """The handler, beside those that take turns: two that wait in the store must not keep everybody waiting."""

    def serve(request: Any, caller: Caller, version: Version) -> Any:
        turns.give_up()
        return handler(request, caller, version)

    return serve


def house(settings: Settings, books: PostgresStore) -> Node:
    """The clearing house."""
    from clearinghouse.jobs.timetable import Job
    from clearinghouse.persistence.passwords import PasswordVerifier, hash_password
    from clearinghouse.services.cdr_tariffs import tariffs_that_applied
    from clearinghouse.services.cdrs import CdrExchange
    from clearinghouse.services.charge_points import ChargePointExchange
    from clearinghouse.services.conversion import Conversions
    from clearinghouse.services.doorkeepers import HouseDoorkeeper
    from clearinghouse.services.endpoints import EndpointExchange
    from clearinghouse.services.live_status import StatusExchange
    from clearinghouse.services.relay import Relay
    from clearinghouse.services.roaming_list import RoamingList
    from clearinghouse.services.room import Room
    from clearinghouse.services.shared_tokens import SharedTokenWatch
    from clearinghouse.services.tariffs import TariffExchange

    directory = Directory(books, settings.clock, settings.contract_pattern_case)
    exchange = EndpointExchange(books, settings.clock, settings.base_url)
    via = f"clearinghouse-{hashlib.sha256(settings.base_url.encode()).hexdigest()[:12]}"
    callers, callees = (Room(of_each=settings.relayed_of_one, of_all=settings.relayed_calls) for _ in range(2))
    turns = Turns(settings.threads)
    relay = Relay(books, directory, soap_line(settings, via), settings.clock, callers, callees, turns.give_up)
    verify = PasswordVerifier(before_long=turns.give_up).verify
    doorkeeper = HouseDoorkeeper(books, directory, settings.clock, verify, hash_password(os.urandom(16).hex()))
    cycle = TokenCycle(books, settings.clock, None, reported)
    conversions = Conversions(books, settings.clock)
    roaming_list = RoamingList(books, settings.clock, conversions)
    watch = SharedTokenWatch(books, settings.clock, shared_tokens)
    handlers: dict[Operation, Handler] = {
        op.ADD_SERVICE_ENDPOINTS: exchange.add,
        op.GET_SERVICE_ENDPOINTS: exchange.get,
        **roaming_list.handlers,
        **relay.handlers,
        **CdrExchange(books, settings.clock, conversions, tariffs_that_applied, found_in_cdrs).handlers,
        **ChargePointExchange(books, settings.clock, conversions).handlers,
        **TariffExchange(books, settings.clock, conversions).handlers,
        **StatusExchange(books, settings.clock, trust(settings)).handlers,
    }
    jobs = [
        token_job(settings, cycle.reconcile),
        retention_job(settings, books),
        Job(name="conversion log", run=conversions.forget, every=timedelta(hours=1)),
        Job(name="roaming list", run=roaming_list.forget, every=timedelta(days=1)),
        Job(name="shared tokens", run=watch.look, every=timedelta(days=1)),
    ]
    handlers |= {each: aside(handlers[each], turns) for each in ASIDE}
    return Node(handlers, doorkeeper, jobs, waiting=settings.relayed_calls, turns=turns, via=via)


def found_in_cdrs(partner: str, checks: Mapping[str, int]) -> None:
    """Log what the checks found in the CDRs that were taken of a partner, by check."""
    import structlog

    structlog.get_logger("clearinghouse.cdrs").info("found in CDRs", partner=partner, checks=dict(checks))


def shared_tokens(provider_ids: tuple[str, ...], tokens: int) -> None:
    """Log that providers claim the same tokens."""
    import structlog

    log = structlog.get_logger("clearinghouse.roaming_list")
    log.warning("tokens claimed by several providers", providers=list(provider_ids), tokens=tokens)


def trust(settings: Settings) -> Trust:
    """How long the house believes live status, as set."""
    return Trust(
        available=timedelta(minutes=settings.status_minutes) or None,
        longest=timedelta(hours=settings.status_longest_hours) or None,
    )
