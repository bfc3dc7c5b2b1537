"""Live status: which pairs are legal, how long an entry is believed, and what parking spots make of an EVSE's."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from clearinghouse.ochp.live import EvseStatus, MajorStatus, MinorStatus, ParkingStatus
from clearinghouse.ochp.results import ResultCode

LEGAL: Mapping[MajorStatus, frozenset[MinorStatus | None]] = {
    MajorStatus.UNKNOWN: frozenset({None}),
    MajorStatus.AVAILABLE: frozenset({None, MinorStatus.AVAILABLE, MinorStatus.RESERVED}),
    MajorStatus.NOT_AVAILABLE: frozenset(
        {None, MinorStatus.CHARGING, MinorStatus.BLOCKED, MinorStatus.RESERVED, MinorStatus.OUT_OF_ORDER}
    ),
}
"""The minor statuses that may go with a major one (OCHP, live status)."""


class Subject(StrEnum):
    """Whose status it is."""

    EVSE = "evse"
    PARKING = "parking"


@dataclass(frozen=True, kw_only=True)
class Trust:
    """How long a status is believed without a word about it; None is for ever.

    `available` holds for entries that say no time to live and are available, `longest` for all others and as the
    bound of what an entry may say of itself.
    """

    available: timedelta | None = timedelta(minutes=5)
    longest: timedelta | None = timedelta(hours=24)

    def until(self, stated: datetime | None, major: MajorStatus, received: datetime) -> datetime | None:
        """The instant at which an entry stops being believed."""
        own = self.available if major is MajorStatus.AVAILABLE else None
        ends = (stated or _after(received, own), _after(received, self.longest))
        return min((each for each in ends if each is not None), default=None)


def _after(instant: datetime, length: timedelta | None) -> datetime | None:
    return None if length is None else instant + length


@dataclass(frozen=True, kw_only=True)
class LiveStatus:
    """What was last told of an EVSE or a parking spot, under its canonical key; believed before `until`."""

    subject: Subject
    key: str
    identifier: str
    major: MajorStatus
    minor: MinorStatus | None = None
    until: datetime | None = None

    @property
    def owner(self) -> str:
        """The party that it belongs to."""
        return self.key[:5]

    def at(self, now: datetime) -> LiveStatus:
        """What holds at an instant: unknown from the end of its time on."""
        return self if self.until is None or now < self.until else self.unknown()

    def unknown(self) -> LiveStatus:
        """The same of which nothing is known."""
        return dataclasses.replace(self, major=MajorStatus.UNKNOWN, minor=None, until=None)

    def as_evse(self) -> EvseStatus:
        """In the words of the protocol."""
        return EvseStatus(evse_id=self.identifier, major=self.major, minor=self.minor, ttl=self.until)

    def as_parking(self) -> ParkingStatus:
        """In the words of the protocol."""
        return ParkingStatus(parking_id=self.identifier, status=self.major, ttl=self.until)


def is_legal(major: MajorStatus, minor: MinorStatus | None) -> bool:
    """Whether the two may be said together."""
    return minor in LEGAL[major]


def combined(evse: LiveStatus, spots: Collection[LiveStatus | None]) -> LiveStatus:
    """The status of an EVSE with all of its parking spots in mind: None is a spot without a status.

    Who cannot park cannot charge: an available EVSE whose every spot is not available is blocked, until the first of
    them may change. OCHP leaves the algorithm open.
    """
    taken = [spot for spot in spots if spot is not None and spot.major is MajorStatus.NOT_AVAILABLE]
    if evse.major is not MajorStatus.AVAILABLE or not spots or len(taken) < len(spots):
        return evse
    ends = [each.until for each in (evse, *taken) if each.until is not None]
    return dataclasses.replace(
        evse, major=MajorStatus.NOT_AVAILABLE, minor=MinorStatus.BLOCKED, until=min(ends, default=None)
    )


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What is taken of an upload, and what its sender is told."""

    taken: tuple[LiveStatus, ...]
    refused: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def code(self) -> ResultCode:
        """How the upload went."""
        if not self.refused:
            return ResultCode.OK
        return ResultCode.PARTLY if self.taken else ResultCode.INVALID_ID


def judge(told: Iterable[tuple[LiveStatus, str | None]], operator_ids: frozenset[str]) -> Judgement:
    """Take what is the sender's own, the last word on each; an illegal minor status is dropped with a note."""
    taken: dict[str, LiveStatus] = {}
    refused: list[str] = []
    notes: list[str] = []
    for status, note in told:
        if status.owner in operator_ids:
            taken[status.key] = status
            notes += [note] if note else []
        else:
            refused.append(f"{status.identifier} is not yours")
    return Judgement(taken=tuple(taken.values()), refused=tuple(refused), notes=tuple(notes))


def evse_told(entry: EvseStatus, key: str, until: datetime | None) -> tuple[LiveStatus, str | None]:
    """An entry as it is kept, and a note where its minor status may not go with the major one."""
    legal = is_legal(entry.major, entry.minor)
    status = LiveStatus(
        subject=Subject.EVSE,
        key=key,
        identifier=entry.evse_id,
        major=entry.major,
        minor=entry.minor if legal else None,
        until=until,
    )
    note = None if legal else f"{entry.evse_id}: {entry.minor} does not go with {entry.major} and was left out"
    return status, note


def parking_told(entry: ParkingStatus, key: str, until: datetime | None) -> tuple[LiveStatus, str | None]:
    """An entry as it is kept."""
    return (
        LiveStatus(subject=Subject.PARKING, key=key, identifier=entry.parking_id, major=entry.status, until=until),
        None,
    )
