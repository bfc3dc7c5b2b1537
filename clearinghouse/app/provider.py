"""A provider's MDM endpoint and the API for its app, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clearinghouse.app.lines import MOST_CALLS, clearing_line, partner_line, soap_line
from clearinghouse.app.node import Node, key_finder, retention_job, token_cycle, token_job
from clearinghouse.services.directory import Directory
from clearinghouse.settings import Settings

if TYPE_CHECKING:
    from clearinghouse.persistence.store import PostgresStore


def provider(settings: Settings, books: PostgresStore) -> Node:
    """A provider's MDM endpoint and the API for its app."""
    from clearinghouse.app.provider_clearing import provider_clearing_of
    from clearinghouse.http.provider_api import provider_api
    from clearinghouse.services.doorkeepers import DirectDoorkeeper
    from clearinghouse.services.inform_desk import InformDesk
    from clearinghouse.services.provider_desk import ProviderDesk

    clock = settings.clock
    directory = Directory(books, clock, settings.contract_pattern_case)
    line = soap_line(settings)
    clearing = provider_clearing_of(settings, books, clearing_line(settings))
    ids = frozenset(settings.party_ids)
    return Node(
        InformDesk(books, clock, ids, frozenset(settings.operators_in_wh)).handlers,
        DirectDoorkeeper(directory, clock),
        [
            token_job(settings, token_cycle(settings, books, line).reconcile),
            retention_job(settings, books),
            *clearing.jobs(),
        ],
        provider_api(
            ProviderDesk(books, directory, partner_line(settings, line, directory), clock, ids),
            key_finder(books),
            cdr_desk=clearing.cdrs,
            area_desk=clearing.area,
            token_desk=clearing.tokens,
            threads=2 * MOST_CALLS,  # half are left by a slow partner
        ),
    )
