"""What readers of other versions get, and what the log says of the rest."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from clearinghouse.domain.partners import Partner
from clearinghouse.ochp.tokens import EmtId, Permission, RoamingAuthorisationInfo, TokenType
from clearinghouse.ochp.versions import V1_3, V1_4, V1_4_1
from clearinghouse.services.conversion import NAMED, OTHERS, RETENTION, Conversions

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
READER = Partner(name="acme")


@dataclass
class Standing:
    """A clock that stands still until turned."""

    now: datetime = field(default=NOON)

    def __call__(self):
        return self.now


def line(number=1, **said):
    token = EmtId(instance=f"{number:X}", token_type=said.pop("kind", TokenType.RFID))
    usual = {"emt_id": token, "contract_id": f"DEPROC{number:08}", "expiry_date": NOON}
    return RoamingAuthorisationInfo(**{**usual, **said})


def fit(store, records, version, **more):
    return list(Conversions(store, Standing()).fit(records, version, READER, lambda each: each.contract_id, **more))


def logged(store):
    with store.single() as books:
        return books.conversions.recent(limit=10_000)


def test_what_loses_nothing_is_not_logged(store):
    assert fit(store, [line(1), line(2)], V1_3) == [line(1), line(2)]
    assert fit(store, [line(3, permissions=(Permission.FUEL,))], V1_4_1) == [line(3, permissions=(Permission.FUEL,))]
    assert logged(store) == []


def test_what_cannot_be_said_is_left_out_and_logged_with_its_reason(store):
    assert fit(store, [line(1), line(2, permissions=(Permission.FUEL,))], V1_4) == [line(1)]
    told = {(each.partner, each.name, each.field, each.reason, each.left_out) for each in logged(store)}
    assert ("acme", "DEPROC00000002", "", "it permits neither AC nor DC", True) in told


def test_in_deltas_something_may_be_said_instead(store):
    def instead(record):
        return line(9, contract_id=record.contract_id)

    assert fit(store, [line(2, kind=TokenType.OTHER)], V1_4, instead=instead) == [line(9, contract_id="DEPROC00000002")]
    assert [each.left_out for each in logged(store)] == [True]


def test_the_log_is_written_while_a_transaction_reads(store):
    with store.books() as books:
        records = books.roaming_lists.visible(["DEOPS"], NOON)
        assert fit(store, [*records, line(1, kind=TokenType.OTHER)], V1_4) == []
        assert len(logged(store)) == 1


def test_of_one_loss_only_so_many_records_are_named_and_the_others_counted(store):
    fit(store, [line(number, kind=TokenType.OTHER) for number in range(NAMED + 5)], V1_4)
    told = {each.name: each.times for each in logged(store)}
    assert len(told) == NAMED + 1
    assert told[OTHERS] == 5


def test_what_does_not_come_again_is_forgotten(store):
    clock = Standing()
    conversions = Conversions(store, clock)
    fit(store, [line(1, kind=TokenType.OTHER)], V1_4)
    clock.now += RETENTION
    assert conversions.forget() == 0
    clock.now += timedelta(seconds=1)
    assert conversions.forget() == 1
    assert logged(store) == []
