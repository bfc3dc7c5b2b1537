"""The tariff file: the operator's tariffs, as a JSON array of objects in the words of the language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clearinghouse.domain.billing import MEASURES
from clearinghouse.domain.errors import ClearinghouseError
from clearinghouse.ochp.plain import from_plain
from clearinghouse.ochp.scalars import TariffId
from clearinghouse.ochp.tariffs import TariffInfo
from clearinghouse.stations.facets import form_of

SAMPLE_TARIFFS = Path(__file__).with_name("sample-tariffs.json")
"""The tariffs of the operator DE*OPS, for trials."""


class BadTariffs(ClearinghouseError):  # noqa: N818
    """The tariff file cannot be used; the text names the file and what is wrong."""


def read_tariffs(path: Path) -> dict[str, TariffInfo]:
    """The tariffs of a file by id. Raises BadTariffs."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=str)
    except OSError as problem:
        raise BadTariffs(f"{path}: {problem.strerror}") from problem
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise BadTariffs(f"{path}: is no JSON: {problem}") from problem
    if not isinstance(entries, list):
        raise BadTariffs(f"{path}: is no JSON array of tariffs")
    found: dict[str, TariffInfo] = {}
    for number, entry in enumerate(entries, 1):
        tariff = _tariff(f"{path}, entry {number}", entry)
        if tariff.tariff_id in found:
            raise BadTariffs(f"{path}, entry {number}: {tariff.tariff_id} is there already")
        found[tariff.tariff_id] = tariff
    return found


def _tariff(place: str, entry: Any) -> TariffInfo:
    try:
        tariff = from_plain(TariffInfo, entry)
    except (TypeError, ValueError) as problem:
        raise BadTariffs(f"{place}: {problem}") from problem
    if not form_of(TariffId).fullmatch(tariff.tariff_id):
        raise BadTariffs(f"{place}, tariff_id: {tariff.tariff_id!r} is not of the form DE*ABC*T1")
    if not all(each.tariff_element for each in tariff.individual_tariff) or not tariff.individual_tariff:
        raise BadTariffs(f"{place}: {tariff.tariff_id} has no prices")
    for each in tariff.individual_tariff:
        for element in each.tariff_element:
            item = element.price_component.billing_item
            if item not in MEASURES:
                raise BadTariffs(f"{place}: {item} is not measured here; {', '.join(MEASURES)} are")
    return tariff
