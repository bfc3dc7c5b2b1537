"""Charge points as the model tests know records: how they are made, uploaded and read, and what they should be."""

import dataclasses

from clearinghouse.domain.charge_points import OwnedPoint, judge
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.charge_points import (
    ChargePointInfo,
    ChargePointStatus,
    GetChargePointListRequest,
    GetChargePointListUpdatesRequest,
    SetChargePointListRequest,
    UpdateChargePointListRequest,
)
from clearinghouse.ochp.connectors import ChargePointType
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import V1_4_1
from tests.services.any_kind import AnyKind
from tests.services.points_house import point

LISTS = {True: SetChargePointListRequest, False: UpdateChargePointListRequest}
UPLOADS = {True: op.SET_CHARGE_POINT_LIST, False: op.UPDATE_CHARGE_POINT_LIST}
FLAT = ("house_number", "address", "city", "zip_code", "country", "floor_level", "parking_slot_number")
CLOSED = ChargePointStatus.CLOSED
SAYS_NOTHING = "Closed"
"""The name of a location of which a reader is told nothing."""


class ChargePoints(AnyKind):
    """Charge points; the same EVSE-ID has one owner. One that is gone is closed."""

    name = "charge points"
    connection = ConnectionKind.POI
    writer, reader = Role.OPERATOR, Role.PROVIDER

    # -- What happens

    @staticmethod
    def make(chance, owner_id, now):
        """Any charge point of this owner; sometimes one that only the newest version can say."""
        outlet = chance.randrange(4)
        spelled = chance.choice([f"{owner_id}E{outlet}", f"{owner_id[:2]}*{owner_id[2:]}*E{outlet}"])
        kinds = [ChargePointType.AC, ChargePointType.AC, ChargePointType.H2]
        return point(
            spelled, location_id="SITE", location_name=chance.choice("ABC"), charge_point_type=chance.choice(kinds)
        )

    @staticmethod
    def upload(handlers, partner, records, *, whole):
        """Let the partner upload these in the newest version; what comes twice in a list is refused."""
        answer = handlers[UPLOADS[whole]](LISTS[whole](charge_point_info_array=tuple(records)), partner, V1_4_1)
        assert answer.result.result_code in ("ok", "partly"), answer

    @staticmethod
    def upload_slowly(store, records, owner_id, now, pause, *, whole):
        """The same in a transaction that pauses while it takes the records and before it ends."""
        with store.books() as books:
            judged = judge(records, frozenset({owner_id}))
            books.charge_points.put(
                (each for each in judged if isinstance(each, OwnedPoint)), [owner_id], replace=whole
            )
            pause()

    @classmethod
    def uploaded(cls, stored, owner_ids, records, now, *, whole):
        """What the owners' records become, by a naive reading of the rules: key to record."""
        new = {cls.key(record): record for record in reversed(records)}
        after = {**stored, **new}
        if whole:
            for key, record in stored.items():
                if cls.owner(record) in owner_ids and key not in new:
                    after[key] = dataclasses.replace(record, status=CLOSED)
        return after

    # -- What a record is

    @staticmethod
    def key(record):
        """What makes two records the same one."""
        return record.evse_id.replace("*", "")

    @staticmethod
    def owner(record):
        """The party whose record it is."""
        return ChargePoints.key(record)[:5]

    @staticmethod
    def counts(record, now):
        """Whether a reader may use it."""
        return record.status is not CLOSED

    listed = counts

    @staticmethod
    def said(record, version, now):
        """The record as a reader of the version gets it, or None."""
        return record if version is V1_4_1 or record.charge_point_type is ChargePointType.AC else None

    @staticmethod
    def tells(record):
        """What a record tells beyond its key and that it is closed."""
        return {record.location_name, record.charge_point_type, record.location_id} - {
            SAYS_NOTHING,
            ChargePointType.AC,
            SAYS_NOTHING.upper(),
        }

    # -- What readers ask

    @staticmethod
    def full(handlers, partner, version):
        """The full list."""
        answer = handlers[op.GET_CHARGE_POINT_LIST](GetChargePointListRequest(), partner, version)
        return answer.result.result_code, _as_read(answer.charge_point_info_array)

    @staticmethod
    def delta(handlers, partner, version, since):
        """What changed since then."""
        message = GetChargePointListUpdatesRequest(last_update=since)
        answer = handlers[op.GET_CHARGE_POINT_LIST_UPDATES](message, partner, version)
        return answer.result.result_code, _as_read(answer.charge_point_info_array)


def _as_read(points: tuple[ChargePointInfo, ...]) -> list[ChargePointInfo]:
    """The points without 1.3's way of saying the address."""
    return [dataclasses.replace(each, **dict.fromkeys(FLAT)) for each in points]
