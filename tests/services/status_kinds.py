"""Live status as the model tests know records: how it is told and asked for, and how long it is believed."""

import dataclasses
from datetime import timedelta

from clearinghouse.domain.live_status import LEGAL, evse_told, parking_told
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.live import (
    EvseStatus,
    GetStatusRequest,
    MajorStatus,
    ParkingStatus,
    StatusType,
    UpdateStatusRequest,
)
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_3, V1_4_1
from tests.services.any_kind import AnyKind

UNKNOWN = MajorStatus.UNKNOWN


class LiveStatuses(AnyKind):
    """What is known of EVSEs and parking spots, for a while; 1.3 has no parking spots. Answers have no result."""

    name = "live status"
    connection = ConnectionKind.STATUS
    writer, reader = Role.OPERATOR, Role.PROVIDER
    needs_time = True

    @staticmethod
    def verdict(*, connected):
        """There is none."""

    # -- What happens

    @staticmethod
    def make(chance, owner_id, now):
        """Any word of this owner; sometimes one that nobody need believe any more."""
        major = chance.choice([*MajorStatus])
        ttl = chance.choice([None, now + timedelta(minutes=chance.choice([-5, 3, 20, 5000]))])
        if chance.random() < 0.3:
            return ParkingStatus(parking_id=f"{owner_id}P{chance.randrange(2)}", status=major, ttl=ttl)
        minor = chance.choice(sorted(LEGAL[major], key=str))
        return EvseStatus(evse_id=f"{owner_id}E{chance.randrange(3)}", major=major, minor=minor, ttl=ttl)

    @staticmethod
    def upload(handlers, partner, records, *, whole):
        """Let the partner tell these in the newest version."""
        answer = handlers[op.UPDATE_STATUS](UpdateStatusRequest(**_sorted_out(records)), partner, V1_4_1)
        assert answer.result.result_code == "ok", answer

    @classmethod
    def upload_slowly(cls, store, records, owner_id, now, pause, *, whole):
        """The same in a transaction that pauses before it ends."""
        told = {cls.key(record): cls._told(record, now) for record in records}
        with store.books() as books:
            books.live_statuses.put([*told.values()])
            pause()

    @classmethod
    def _told(cls, record, now):
        tell = evse_told if isinstance(record, EvseStatus) else parking_told
        return tell(record, cls.key(record), _believed_until(record, now))[0]

    @classmethod
    def uploaded(cls, stored, owner_ids, records, now, *, whole):
        """What the owners' records become, by a naive reading of the rules: key to record."""
        lasting = (dataclasses.replace(each, ttl=_believed_until(each, now)) for each in records)
        return {**stored, **{cls.key(each): each for each in lasting}}

    # -- What a record is

    @staticmethod
    def key(record):
        """What makes two records the same one."""
        return record.evse_id if isinstance(record, EvseStatus) else record.parking_id

    @classmethod
    def owner(cls, record):
        """The party whose record it is."""
        return cls.key(record)[:5]

    @staticmethod
    def counts(record, now):
        """Whether it tells anything."""
        return _major(record) is not UNKNOWN

    @staticmethod
    def listed(record, now):
        """Whether a full answer has it: while it is believed, also where it says that nothing is known."""
        return record.ttl is not None

    @staticmethod
    def said(record, version, now):
        """The record as a reader of the version gets it now, or None."""
        if isinstance(record, ParkingStatus):
            return None if version is V1_3 else _at(record, now, status=UNKNOWN)
        return _at(record, now, major=UNKNOWN, minor=None)

    @staticmethod
    def tells(record):
        """What a record tells beyond its key and that nothing is known."""
        return {_major(record), getattr(record, "minor", None)} - {UNKNOWN, None}

    # -- What readers ask

    @classmethod
    def full(cls, handlers, partner, version):
        """All that is believed."""
        return cls.delta(handlers, partner, version, None)

    @staticmethod
    def delta(handlers, partner, version, since):
        """What is newer."""
        told = []
        for kind in (StatusType.EVSE,) if version is V1_3 else (StatusType.EVSE, StatusType.PARKING):
            answer = handlers[op.GET_STATUS](
                GetStatusRequest(start_date_time=since, status_type=kind), partner, version
            )
            told += [*answer.evse, *answer.parking]
        return None, told


def _sorted_out(records):
    return {
        "evse": tuple(each for each in records if isinstance(each, EvseStatus)),
        "parking": tuple(each for each in records if isinstance(each, ParkingStatus)),
    }


def _major(record):
    return record.major if isinstance(record, EvseStatus) else record.status


def _believed_until(record, now):
    usual = timedelta(minutes=5) if _major(record) is MajorStatus.AVAILABLE else timedelta(hours=24)
    return min(record.ttl or now + usual, now + timedelta(hours=24))


def _at(record, now, **unknown):
    return record if record.ttl > now else dataclasses.replace(record, ttl=None, **unknown)
