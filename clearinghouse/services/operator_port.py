"""What an operator keeps about its part in OCHP: what was uploaded, the roaming list, its CDRs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from clearinghouse.domain.own_cdrs import OwnCdr, OwnCdrState
from clearinghouse.domain.status_upload import ToldStatus
from clearinghouse.domain.upkeep import Chore, Progress
from clearinghouse.ochp.live import EvseStatus
from clearinghouse.ochp.tokens import EmtId, RoamingAuthorisationInfo


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """What the house has of an object: the digest of what was uploaded, and why it was refused, if it was."""

    key: str
    digest: str
    refusal: str | None = None


class Uploads(Protocol):
    """What was uploaded, by kind of object."""

    def of(self, kind: str) -> dict[str, Uploaded]:
        """Everything uploaded of a kind, by key."""

    def put(self, kind: str, uploaded: Sequence[Uploaded], now: datetime) -> None:
        """Note uploads; earlier ones of the same keys are replaced."""

    def drop(self, kind: str, keys: Collection[str]) -> None:
        """These objects are not there any more."""

    def told(self, ending: datetime) -> dict[str, ToldStatus]:
        """The live status that was uploaded last, by EVSE-ID as it was spelled: what ends by then, or is not available.

        What is left out is believed to be available for longer.
        """

    def told_ids(self) -> frozenset[str]:
        """Every EVSE-ID of which live status was uploaded."""

    def tell(self, status: Sequence[EvseStatus]) -> None:
        """Note uploaded live status."""


class Journals(Protocol):
    """How far each chore is."""

    def all(self) -> dict[Chore, Progress]:
        """Every chore that was ever tried."""

    def put(self, progress: Progress) -> None:
        """Replace what is noted of the chore."""


class LocalTokens(Protocol):
    """The local copy of the roaming list."""

    def replace(self, lines: Iterable[RoamingAuthorisationInfo]) -> int:
        """Make these lines the whole list; returns how many tokens it has. The last of equal tokens wins."""

    def apply(self, lines: Iterable[RoamingAuthorisationInfo]) -> int:
        """Put new and changed lines over the list; returns how many."""

    def find(self, token: EmtId) -> list[RoamingAuthorisationInfo]:
        """The lines of this token in any representation, those that expire last first."""

    def count(self, now: datetime) -> int:
        """How many lines have not expired."""


class OwnCdrs(Protocol):
    """The operator's CDRs, in the order in which they were made."""

    def new_number(self) -> int:
        """A number that no CDR has."""

    def add(self, cdr: OwnCdr) -> None:
        """Store a new CDR. Raises Conflict where its id is taken."""

    def get(self, cdr_id: str, *, lock: bool = False) -> OwnCdr | None:
        """The CDR of this id."""

    def of_session(self, direct_id: str) -> OwnCdr | None:
        """The CDR of a session."""

    def save(self, cdr: OwnCdr) -> None:
        """Replace the CDR."""

    def queue(self, limit: int = 100) -> list[OwnCdr]:
        """The first CDRs to be uploaded, oldest first."""

    def find(self, states: Collection[OwnCdrState] = (), limit: int = 100, before: int | None = None) -> list[OwnCdr]:
        """The newest first, of these states or of all; `before` continues below that number."""

    def counts(self) -> Mapping[OwnCdrState, int]:
        """How many CDRs are in each state."""
