"""Tariffs as the model tests know records: how they are made, uploaded and read, and who sees what of them."""

import dataclasses
from decimal import Decimal

from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.domain.tariffs import judge
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import BillingItem
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.tariffs import (
    GetTariffUpdatesRequest,
    IndividualTariff,
    PriceComponent,
    TariffElement,
    TariffInfo,
    UpdateTariffsRequest,
)
from clearinghouse.ochp.versions import V1_4, V1_4_1
from tests.services.any_kind import AnyKind
from tests.services.naive_world import PROVIDER_IDS


class Tariffs(AnyKind):
    """Tariffs, with entries for some providers or for all others. No delta can take one back, and 1.3 has none."""

    name = "tariffs"
    connection = ConnectionKind.TARIFF
    writer, reader = Role.OPERATOR, Role.PROVIDER
    versions = (V1_4, V1_4_1)
    takes_back = False

    # -- What happens

    @staticmethod
    def make(chance, owner_id, now):
        """Any tariff of this owner; sometimes one that only the newest version can say, or that is for few."""
        named = chance.sample(PROVIDER_IDS, chance.randrange(3))
        entries = [
            IndividualTariff(tariff_element=_prices(chance), recipient=(each,), currency="EUR") for each in named
        ]
        if not named or chance.random() < 0.7:
            entries.append(IndividualTariff(tariff_element=_prices(chance), currency="EUR"))
        return TariffInfo(tariff_id=f"{owner_id}T{chance.randrange(3)}", individual_tariff=tuple(entries))

    @staticmethod
    def upload(handlers, partner, records, *, whole):
        """Let the partner upload these in the newest version; what comes twice is refused."""
        answer = handlers[op.UPDATE_TARIFFS](UpdateTariffsRequest(tariff_info_array=tuple(records)), partner, V1_4_1)
        assert answer.result.result_code in ("ok", "partly"), answer

    @staticmethod
    def upload_slowly(store, records, owner_id, now, pause, *, whole):
        """The same in a transaction that pauses before it ends."""
        accepted, _ = judge(records, frozenset({owner_id}))
        with store.books() as books:
            books.tariffs.put(accepted)
            pause()

    @classmethod
    def uploaded(cls, stored, owner_ids, records, now, *, whole):
        """What the owners' records become, by a naive reading of the rules: key to record."""
        return {**stored, **{cls.key(record): record for record in reversed(records)}}

    # -- What a record is

    @staticmethod
    def key(record):
        """What makes two records the same one."""
        return record.tariff_id

    @staticmethod
    def owner(record):
        """The party whose record it is."""
        return record.tariff_id[:5]

    @staticmethod
    def counts(record, now):
        """Whether a reader may use it."""
        return True

    listed = counts

    @staticmethod
    def seen_by(record, own_ids):
        """The entries for these providers, or else the one for all others, without recipients; None without any."""
        entries = record.individual_tariff
        own = [each for each in entries if set(each.recipient) & set(own_ids)]
        mine = own or [each for each in entries if not each.recipient]
        told = dict.fromkeys(dataclasses.replace(each, recipient=()) for each in mine)
        return dataclasses.replace(record, individual_tariff=tuple(told)) if told else None

    @staticmethod
    def said(record, version, now):
        """The record as a reader of the version gets it, or None where nothing is left of it."""
        if version is V1_4_1:
            return record
        plain = [each for each in record.individual_tariff if not _is_by_volume(each)]
        return dataclasses.replace(record, individual_tariff=tuple(plain)) if plain else None

    @staticmethod
    def tells(record):
        """What a record tells beyond its key."""
        return set(record.individual_tariff)

    # -- What readers ask

    @classmethod
    def full(cls, handlers, partner, version):
        """All that apply to the reader."""
        return cls.delta(handlers, partner, version, None)

    @staticmethod
    def delta(handlers, partner, version, since):
        """Those of them that changed since then."""
        answer = handlers[op.GET_TARIFF_UPDATES](GetTariffUpdatesRequest(last_update=since), partner, version)
        return answer.result.result_code, [_as_read(each, version) for each in answer.tariff_info_array]


def _prices(chance):
    item = chance.choice([BillingItem.ENERGY, BillingItem.ENERGY, BillingItem.VOLUME])
    price = PriceComponent(
        billing_item=item, item_price=Decimal(chance.randrange(1, 5)) / 10, step_size=Decimal(chance.choice([0, 1]))
    )
    return (TariffElement(price_component=price),)


def _is_by_volume(entry):
    return entry.tariff_element[0].price_component.billing_item is BillingItem.VOLUME


def _as_read(record, version):
    return Tariffs.said(record, version, None)
