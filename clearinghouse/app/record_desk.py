"""Files in and out of each role, put together: what it can export, what it can import, and why it cannot the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from clearinghouse.domain.errors import Malformed
from clearinghouse.ochp.operations import Role
from clearinghouse.services.administration import ids_named, partner_named
from clearinghouse.services.clearing_line import ClearingLine
from clearinghouse.services.ports import Store
from clearinghouse.services.record_import import HouseImport, Imported, Keep, OwnCdrImport, OwnTokenImport
from clearinghouse.services.records import ALL_DAYS, Choice, Days, Noun
from clearinghouse.services.token_upload import TokenUpload
from clearinghouse.settings import Settings
from clearinghouse.stations.inventory import read_site
from clearinghouse.stations.tariff_file import read_tariffs

DOWNLOADED = "downloads its {noun} from the house: there is nothing to import"
NO_IMPORT: Mapping[tuple[Role, Noun], str] = {
    (Role.OPERATOR, Noun.TOKENS): DOWNLOADED,
    (Role.OPERATOR, Noun.CHARGE_POINTS): "has the charge points of its evse_file: change that, and start it anew",
    (Role.OPERATOR, Noun.TARIFFS): "has the tariffs of its tariff_file, which is written like `export tariffs` in JSON",
    **{(Role.PROVIDER, noun): DOWNLOADED for noun in (Noun.CHARGE_POINTS, Noun.TARIFFS, Noun.CDRS)},
}
"""What a role does not import, and where it has these records from."""


@dataclass(frozen=True, kw_only=True)
class RecordDesk:
    """Exports and imports of the role of the settings, by `actor`; `line` makes the provider's line to the house."""

    settings: Settings
    store: Store
    actor: str
    line: Callable[[], ClearingLine]

    @contextmanager
    def records(self, noun: Noun, partner: str | None = None, days: Days = ALL_DAYS) -> Iterator[Iterable[Any]]:
        """The records of a kind, to be read within the block. Raises Malformed, BadInventory, BadTariffs."""
        with self.store.books() as books:
            ids = None if partner is None else ids_named(books.partners.all(), partner)
            choice = Choice(party_ids=ids, days=days)
            files = OPERATOR_FILES.get(noun) if self.settings.role is Role.OPERATOR else None
            if files is None:
                with closing(books.holdings.of(self.settings.role, noun, choice)) as found:
                    yield found
            elif choice == Choice():
                yield files(self.settings)
            else:
                raise Malformed(f"An operator's {noun} are those of a file: they are not chosen by partner or day.")

    def take(
        self, noun: Noun, records: Sequence[Any], keep: Keep, *, partner: str | None = None, whole: bool = False
    ) -> Imported:
        """Import records; at the house in the name of a partner. Raises Malformed, UnknownId, NotAuthorized."""
        self.require_import(noun, partner)
        role, store, clock = self.settings.role, self.store, self.settings.clock
        if role is Role.HOUSE:
            with store.single() as books:
                named = partner_named(books.partners.all(), partner or "")
            return HouseImport(store, clock, self.actor).take(noun, records, named, keep, whole=whole)
        own_ids = frozenset(self.settings.party_ids)
        if role is Role.OPERATOR:
            return OwnCdrImport(store, clock, own_ids).take(records, keep)
        return OwnTokenImport(TokenUpload(store, self.line(), clock), own_ids).take(records, keep, whole=whole)

    def require_import(self, noun: Noun, partner: str | None) -> None:
        """Raises Malformed where the role does not import such records, or needs or has no partner to do it for."""
        role = self.settings.role
        if why := NO_IMPORT.get((role, noun)):
            raise Malformed(f"The {role} {why.format(noun=noun)}.")
        if role is Role.HOUSE and partner is None:
            raise Malformed("Say whose these are: --partner NAME.")
        if role is not Role.HOUSE and partner is not None:
            raise Malformed(f"What the {role} imports is its own: there is no --partner to say.")


def _points(settings: Settings) -> Iterable[Any]:
    if settings.evse_file is None:
        raise Malformed("The operator has no evse_file.")
    return read_site(settings.evse_file).points.values()


def _tariffs(settings: Settings) -> Iterable[Any]:
    return read_tariffs(settings.tariff_file).values() if settings.tariff_file else ()


OPERATOR_FILES: Mapping[Noun, Callable[[Settings], Iterable[Any]]] = {
    Noun.CHARGE_POINTS: _points,
    Noun.TARIFFS: _tariffs,
}
"""What an operator has in files of its own."""
