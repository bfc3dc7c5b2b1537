"""What each role has of each kind of records, streamed: one statement for each, whatever is chosen of it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Select, cast, func, or_, select

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.cdrs import CdrInfo
from clearinghouse.ochp.charge_points import ChargePointInfo
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.plain import from_plain
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.persistence.cdr_tables import cdr
from clearinghouse.persistence.charge_point_tables import charge_point
from clearinghouse.persistence.engine import Statements
from clearinghouse.persistence.operator_tables import local_token, own_cdr
from clearinghouse.persistence.provider_tables import known_point, known_tariff, provider_token, received_cdr
from clearinghouse.persistence.roaming_list_tables import roaming_authorisation
from clearinghouse.persistence.tables import change
from clearinghouse.persistence.tariff_tables import tariff
from clearinghouse.persistence.token_rows import line_of
from clearinghouse.services.records import ALL_DAYS, Choice, Noun

AT_ONCE = 2000
"""Rows that travel together."""
PARTY_LENGTH = 5


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Where records are: their rows in order, whose they are, the instant that their day is of, and how to read one."""

    rows: Select[Any]
    read: Callable[[Any], Any]
    parties: tuple[ColumnElement[str], ...] = ()
    at: ColumnElement[datetime] | None = None


def _documents(document: ColumnElement[Any]) -> Select[Any]:
    return select(document.label("document"))


def _of(cls: type) -> Callable[[Any], Any]:
    return lambda row: from_plain(cls, row.document)


def _party(identifier: ColumnElement[str]) -> ColumnElement[str]:
    """The party that an identifier begins with, as `party_id` finds it."""
    return func.left(func.upper(func.regexp_replace(identifier, "[-*]", "", "g")), PARTY_LENGTH)


OWN_INFO: ColumnElement[Any] = own_cdr.c.document["info"]

HOLDINGS: Mapping[tuple[Role, Noun], Holding] = {
    (Role.HOUSE, Noun.TOKENS): Holding(
        rows=select(roaming_authorisation)
        .join(change, change.c.number == roaming_authorisation.c.change)
        .order_by(*roaming_authorisation.primary_key.columns),
        read=line_of,
        parties=(roaming_authorisation.c.provider_id,),
        at=change.c.at,
    ),
    (Role.HOUSE, Noun.CHARGE_POINTS): Holding(
        rows=_documents(charge_point.c.document)
        .join(change, change.c.number == charge_point.c.change)
        .where(~charge_point.c.gone)
        .order_by(charge_point.c.key),
        read=_of(ChargePointInfo),
        parties=(charge_point.c.operator_id,),
        at=change.c.at,
    ),
    (Role.HOUSE, Noun.TARIFFS): Holding(
        rows=_documents(tariff.c.document).where(tariff.c.valid_until.is_(None)).order_by(tariff.c.key),
        read=_of(TariffInfo),
        parties=(tariff.c.operator_id,),
        at=tariff.c.valid_from,
    ),
    (Role.HOUSE, Noun.CDRS): Holding(
        rows=_documents(cdr.c.document).order_by(cdr.c.ended_at, cdr.c.evse_key, cdr.c.cdr_id),
        read=_of(CdrInfo),
        parties=(cdr.c.operator_id, cdr.c.provider_id),
        at=cdr.c.ended_at,
    ),
    (Role.OPERATOR, Noun.TOKENS): Holding(
        rows=select(local_token).order_by(*local_token.primary_key.columns),
        read=line_of,
        parties=(local_token.c.provider,),
    ),
    (Role.OPERATOR, Noun.CDRS): Holding(
        rows=_documents(OWN_INFO).order_by(own_cdr.c.number),
        read=_of(CdrInfo),
        parties=(_party(OWN_INFO["contract_id"].astext),),
        at=cast(OWN_INFO["end_date_time"].astext, DateTime(timezone=True)),
    ),
    (Role.PROVIDER, Noun.TOKENS): Holding(
        rows=select(provider_token).order_by(*provider_token.primary_key.columns), read=line_of
    ),
    (Role.PROVIDER, Noun.CHARGE_POINTS): Holding(
        rows=_documents(known_point.c.document).order_by(known_point.c.evse_key),
        read=_of(ChargePointInfo),
        parties=(_party(known_point.c.evse_key),),
    ),
    (Role.PROVIDER, Noun.TARIFFS): Holding(
        rows=_documents(known_tariff.c.document)
        .where(known_tariff.c.valid_until.is_(None))
        .order_by(known_tariff.c.tariff_key),
        read=_of(TariffInfo),
        parties=(_party(known_tariff.c.tariff_key),),
        at=known_tariff.c.valid_from,
    ),
    (Role.PROVIDER, Noun.CDRS): Holding(
        rows=_documents(received_cdr.c.document["info"]).order_by(received_cdr.c.number),
        read=_of(CdrInfo),
        parties=(received_cdr.c.operator_id,),
        at=received_cdr.c.end_at,
    ),
}
"""Where each role has its records; an operator's charge points and tariffs are in files of their own."""


class StoredHoldings:
    """Implements `Holdings`."""

    def __init__(self, db: Statements) -> None:
        self._db = db

    def of(self, role: Role, noun: Noun, choice: Choice) -> Generator[Any]:
        """The records in the order of their keys, read as they are asked for."""
        holding = HOLDINGS[role, noun]
        return self._read(holding, holding.rows.where(*_conditions(holding, role, noun, choice)))

    def _read(self, holding: Holding, statement: Select[Any]) -> Generator[Any]:
        with self._db.execute(statement.execution_options(yield_per=AT_ONCE)) as rows:
            yield from map(holding.read, rows)


def _conditions(holding: Holding, role: Role, noun: Noun, choice: Choice) -> Iterator[ColumnElement[bool]]:
    if choice.party_ids is not None:
        if not holding.parties:
            raise Malformed(f"The {noun} of this {role} are all its own: they are not chosen by partner.")
        yield or_(*(each.in_(sorted(choice.party_ids)) for each in holding.parties))
    if choice.days == ALL_DAYS:
        return
    if holding.at is None:
        raise Malformed(f"Of its {noun} this {role} does not keep the day of the last change.")
    if choice.days.begin is not None:
        yield holding.at >= choice.days.begin
    if choice.days.end is not None:
        yield holding.at <= choice.days.end
