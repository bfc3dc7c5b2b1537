"""The kinds of records that the model tests know: how each is made, uploaded and read, and what a naive reading says.

Another kind of record takes part by another class of this shape in `KINDS`.
"""

from dataclasses import replace
from datetime import timedelta

from clearinghouse.domain.errors import UnknownId
from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.domain.roaming_list import HASHES, SHOWN_AFTER_EXPIRY
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.tokens import (
    ELECTRIC,
    EmtId,
    GetRoamingAuthorisationListRequest,
    GetRoamingAuthorisationListUpdatesRequest,
    GetSingleRoamingAuthorisationRequest,
    Permission,
    Representation,
    RequestLiveRoamingAuthorisationRequest,
    RoamingAuthorisationInfo,
    SetRoamingAuthorisationListRequest,
    TokenType,
    UpdateRoamingAuthorisationListRequest,
)
from clearinghouse.ochp.versions import V1_3, V1_4_1
from tests.services.any_kind import AnyKind
from tests.services.point_kinds import ChargePoints
from tests.services.status_kinds import LiveStatuses
from tests.services.tariff_kinds import Tariffs

PLAIN = Representation.PLAIN
LISTS = {True: SetRoamingAuthorisationListRequest, False: UpdateRoamingAuthorisationListRequest}
UPLOADS = {True: op.SET_ROAMING_AUTHORISATION_LIST, False: op.UPDATE_ROAMING_AUTHORISATION_LIST}


class Tokens(AnyKind):
    """Lines of the roaming list. Two providers may claim one token."""

    name = "tokens"
    connection = ConnectionKind.AUTH
    writer, reader = Role.PROVIDER, Role.OPERATOR

    # -- What happens

    @staticmethod
    def make(chance, owner_id, now):
        """Any line of this owner; sometimes one that takes a token back."""
        plain = f"{chance.randrange(6):02X}AB"
        token_type = chance.choice([TokenType.RFID, TokenType.RFID, TokenType.OTHER])
        representation = chance.choice([PLAIN, PLAIN, *HASHES])
        instance = HASHES[representation](plain) if representation in HASHES else plain
        return RoamingAuthorisationInfo(
            emt_id=EmtId(
                instance=chance.choice([instance, instance.lower()]) if token_type is TokenType.RFID else instance,
                token_type=token_type,
                representation=representation,
            ),
            contract_id=f"{owner_id}C0000000{chance.randrange(3)}",
            permissions=chance.choice([ELECTRIC, ELECTRIC, (Permission.AC,), (Permission.FUEL,)]),
            printed_number=chance.choice([None, "1", "2"]),
            expiry_date=now + timedelta(minutes=chance.choice([-50_000, -3, 3, 20, 90, 500_000])),
        )

    @staticmethod
    def upload(handlers, partner, records, *, whole):
        """Let the partner upload these in the newest version; the answer says `ok`."""
        message = LISTS[whole](roaming_authorisation_info_array=tuple(records))
        answer = handlers[UPLOADS[whole]](message, partner, V1_4_1)
        assert answer.result.result_code == "ok", answer

    @staticmethod
    def upload_slowly(store, records, owner_id, now, pause, *, whole):
        """The same in a transaction that pauses while it takes the records and before it ends."""
        with store.books() as books:
            books.roaming_lists.put(records, [owner_id], now, replace=whole)
            pause()

    @classmethod
    def uploaded(cls, stored, owner_ids, records, now, *, whole):
        """What the owners' records become, by a naive reading of the rules: key to record."""
        new = {cls.key(record): record for record in records}
        after = {**stored, **new}
        if whole:
            for key, record in stored.items():
                if cls.owner(record) in owner_ids and key not in new and record.expiry_date > now:
                    after[key] = replace(record, expiry_date=now)
        return after

    # -- What a record is

    @staticmethod
    def key(record):
        """What makes two records the same one; it can be told of one that was taken back, too."""
        token = record.emt_id
        hexadecimal = token.token_type is TokenType.RFID or token.representation is not PLAIN
        instance = token.instance.upper() if hexadecimal else token.instance
        return Tokens.owner(record), token.token_type, token.representation, instance

    @staticmethod
    def owner(record):
        """The party whose record it is."""
        return record.contract_id[:5]

    @staticmethod
    def counts(record, now):
        """Whether a reader may use it: otherwise it was taken back, or is over."""
        return record.expiry_date > now

    @staticmethod
    def listed(record, now):
        """Whether a full list has it."""
        return record.expiry_date > now - SHOWN_AFTER_EXPIRY

    @staticmethod
    def said(record, version, now):
        """The record as a reader of the version gets it, or None."""
        if version is V1_4_1:
            return record
        if record.emt_id.token_type is TokenType.OTHER or not set(record.permissions) & set(ELECTRIC):
            return None
        return replace(record, permissions=ELECTRIC)

    @staticmethod
    def tells(record):
        """What a record tells beyond its key and that it is over; a delta tells a former partner nothing new."""
        return {record.contract_id, record.printed_number} - {None, f"{Tokens.owner(record)}000000000"}

    # -- What readers ask

    @staticmethod
    def full(handlers, partner, version):
        """The full list."""
        answer = handlers[op.GET_ROAMING_AUTHORISATION_LIST](GetRoamingAuthorisationListRequest(), partner, version)
        return answer.result.result_code, _as_read(answer.roaming_authorisation_info_array, version)

    @staticmethod
    def delta(handlers, partner, version, since):
        """What changed since then."""
        message = GetRoamingAuthorisationListUpdatesRequest(last_update=since)
        answer = handlers[op.GET_ROAMING_AUTHORISATION_LIST_UPDATES](message, partner, version)
        return answer.result.result_code, _as_read(answer.roaming_authorisation_info, version)

    @classmethod
    def check_single(cls, chance, handlers, partner, version, visible, now):
        """Ask for any token, and compare with what the visible records (each with its change) say of it."""
        token = cls.make(chance, "DEXXX", now).emt_id
        holding = [(each, at) for each, at in visible if each.expiry_date > now and cls._matches(token, each.emt_id)]
        newest = max((at for _, at in holding), default=None)
        expected = {cls.said(each, version, now) for each, at in holding if at == newest} or {None}
        found = cls._ask_single(handlers, partner, version, token)
        assert found in expected, (token, found, expected)

    @staticmethod
    def _ask_single(handlers, partner, version, token):
        try:
            if version is V1_3:
                evse_id = f"{min(partner.operator_ids)}E1"
                message = RequestLiveRoamingAuthorisationRequest(emt_id=token, evse_id=evse_id)
                answer = handlers[op.REQUEST_LIVE_ROAMING_AUTHORISATION](message, partner, version)
            else:
                message = GetSingleRoamingAuthorisationRequest(emt_id=token)
                answer = handlers[op.GET_SINGLE_ROAMING_AUTHORISATION](message, partner, version)
        except UnknownId:
            return None
        line = answer.roaming_authorisation_info
        return line and _as_read([line], version)[0]

    @staticmethod
    def _matches(asked, stored):
        if asked.token_type is not stored.token_type:
            return False
        hexadecimal = asked.token_type is TokenType.RFID
        spell = {each: each.instance.upper() if hexadecimal else each.instance for each in (asked, stored)}
        if asked.representation is stored.representation:
            return (
                asked.instance.upper() == stored.instance.upper() if hexadecimal else asked.instance == stored.instance
            )
        for one, other in ((asked, stored), (stored, asked)):
            if one.representation is PLAIN:
                return HASHES[other.representation](spell[one]) == other.instance.upper()
        return False


def _as_read(records, version):
    """What the wire leaves of the records: older readers take all to be permitted any current."""
    records = list(records)
    if version is V1_4_1:
        return records
    assert all(set(each.permissions) & set(ELECTRIC) for each in records)
    return [replace(each, permissions=ELECTRIC) for each in records]


KINDS = (Tokens, ChargePoints, Tariffs, LiveStatuses)
