"""Tariffs: what is refused, and which part of a tariff a provider gets."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from clearinghouse.ochp.identifiers import tariff_key
from clearinghouse.ochp.results import ResultCode
from clearinghouse.ochp.tariffs import IndividualTariff, TariffInfo


@dataclass(frozen=True, kw_only=True)
class OwnedTariff:
    """A tariff under its canonical key, and the operator ID that it belongs to."""

    key: str
    tariff: TariffInfo

    @property
    def operator_id(self) -> str:
        """The operator whose tariff it is."""
        return self.key[:5]


@dataclass(frozen=True, kw_only=True)
class RefusedTariff:
    """A tariff that is not stored, with the code and the reason that its sender is told."""

    tariff: TariffInfo
    code: ResultCode
    text: str


@dataclass(frozen=True, kw_only=True)
class TariffVersion:
    """A tariff as it was said, and when that held: from `valid_from` up to, not including, `valid_until`."""

    tariff: TariffInfo
    valid_from: datetime
    valid_until: datetime | None = None

    def holds_at(self, at: datetime) -> bool:
        """Whether it was the one in force."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


def judge(tariffs: Iterable[TariffInfo], operator_ids: frozenset[str]) -> tuple[list[OwnedTariff], list[RefusedTariff]]:
    """Take the tariffs of the sender's own IDs that say clearly what each provider pays."""
    accepted: dict[str, OwnedTariff] = {}
    refused: list[RefusedTariff] = []
    for tariff in tariffs:
        key = tariff_key(tariff.tariff_id)
        problem = _problem(tariff, key, operator_ids, accepted)
        if problem:
            code, why = problem
            refused.append(RefusedTariff(tariff=tariff, code=code, text=f"{tariff.tariff_id} {why}"))
        elif key:
            accepted[key] = OwnedTariff(key=key, tariff=tariff)
    return [*accepted.values()], refused


def _problem(
    tariff: TariffInfo, key: str | None, operator_ids: frozenset[str], before: dict[str, OwnedTariff]
) -> tuple[ResultCode, str] | None:
    if key is None:
        return ResultCode.FORMAT, "is no Tariff-ID"
    if key[:5] not in operator_ids:
        return ResultCode.INVALID_ID, f"belongs to {key[:5]}, which is not yours"
    if key in before:
        return ResultCode.FORMAT, "comes twice; the first was taken"
    ambiguous = _ambiguous(tariff)
    if ambiguous:
        return ResultCode.FORMAT, f"has more than one entry for {', '.join(ambiguous)}"
    return None


OTHERS = "all others"


def _ambiguous(tariff: TariffInfo) -> list[str]:
    """Who has more than one entry in the same currency; an entry without a recipient is for all others."""
    times = Counter(
        (recipient, each.currency)
        for each in tariff.individual_tariff
        for recipient in ({*map(str.upper, each.recipient)} or {OTHERS})
    )
    return sorted({recipient for (recipient, _), count in times.items() if count > 1})


def has_default(tariff: TariffInfo) -> bool:
    """Whether an entry is for every provider that none of the others names."""
    return any(not each.recipient for each in tariff.individual_tariff)


def entries_for(tariff: TariffInfo, provider_ids: frozenset[str]) -> tuple[IndividualTariff, ...]:
    """What applies to these providers, by their own entries or else by the default; it names no recipients."""
    own = [each for each in tariff.individual_tariff if provider_ids & {*map(str.upper, each.recipient)}]
    default = [each for each in tariff.individual_tariff if not each.recipient]
    return tuple(dict.fromkeys(dataclasses.replace(each, recipient=()) for each in own or default))


def as_seen_by(tariff: TariffInfo, provider_ids: frozenset[str]) -> TariffInfo | None:
    """The tariff with what applies to these providers, None where nothing does (OCHP, GetTariffUpdates)."""
    entries = entries_for(tariff, provider_ids)
    return dataclasses.replace(tariff, individual_tariff=entries) if entries else None
