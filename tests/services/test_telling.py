"""Delivery to providers: order, back-off, the end of patience, restarts, and providers that behave badly."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest

from clearinghouse.ochp import operations as op
from clearinghouse.ochp.direct import DirectMessage, InformProviderMessage, InformProviderResponse, MeterReading
from clearinghouse.ochp.results import DirectResult, DirectResultCode
from clearinghouse.ochp.versions import V1_4_1
from clearinghouse.services.calls_port import HttpAnswer
from clearinghouse.services.sessions_port import Parcel
from clearinghouse.services.telling import AT_ONCE, AT_ONCE_TO_ONE, LEASE, Teller
from clearinghouse.soap.codec import encode
from clearinghouse.soap.faults import envelope
from tests.services.world import babbling, dead, faulty, lossy, mute, refusing

START, INFO, END, FINISH = DirectMessage.START, DirectMessage.INFO, DirectMessage.END, DirectMessage.FINISH


@pytest.fixture
def pair(world):
    """An operator and a provider that roam."""
    ops, pro = world.operator(), world.provider()
    world.connect()
    world.exchange_tokens()
    return ops, pro


def put(ops, direct_id, *messages, contract="DEPROC12345678", energy=0):
    now = ops.clock()
    with ops.store.books() as books:
        for number, message in enumerate(messages):
            told = InformProviderMessage(
                message=message,
                evse_id="DE*OPS*E1",
                contract_id=contract,
                direct_id=direct_id,
                charged_energy=Decimal(energy + number),
                meter_reading=MeterReading(
                    meter_value=Decimal(energy + number), meter_time=now + timedelta(seconds=number)
                ),
            )
            books.outbox.put(Parcel(direct_id=direct_id, message=told, created_at=now, next_attempt_at=now))


def parcels(ops, direct_id):
    with ops.store.single() as books:
        return books.outbox.of(direct_id)


def heard(pro, direct_id):
    with pro.store.books() as books:
        charge = books.charges.by_direct_id(direct_id)
        return [] if charge is None else [each.kind for each in books.charges.history(charge.id)]


def deliver(ops):
    ops.teller.work()
    ops.teller.settle()


def test_messages_of_a_session_arrive_in_their_order(pair):
    ops, pro = pair
    for message in (START, INFO, END, FINISH):
        put(ops, "D-1", message)
        deliver(ops)
    put(ops, "D-2", START, END, FINISH)
    deliver(ops)
    assert heard(pro, "D-1") == ["start", "info", "end", "finish"]
    assert heard(pro, "D-2") == ["start", "end", "finish"]
    assert all(each.delivered_at for each in parcels(ops, "D-1"))


def test_a_dead_provider_is_tried_again_with_growing_pauses_and_the_order_kept(pair, world):
    ops, pro = pair
    put(ops, "D-1", START, END)
    pauses = []
    with world.line.mood("pro.example", dead):
        for _ in range(10):
            deliver(ops)
            first, second = parcels(ops, "D-1")
            assert (second.attempts, first.delivered_at) == (0, None)
            pauses.append((first.next_attempt_at - world.clock()).total_seconds())
            world.clock.turn(first.next_attempt_at)
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert first.last_error.startswith("PartnerUnreachable") and first.attempts == 10
    deliver(ops)
    assert heard(pro, "D-1") == ["start", "end"]


@pytest.mark.parametrize("mood", [mute, refusing, faulty, babbling])
def test_whatever_goes_wrong_is_tried_again(pair, world, mood):
    ops, pro = pair
    put(ops, "D-1", START)
    with world.line.mood("pro.example", mood):
        deliver(ops)
    assert parcels(ops, "D-1")[0].attempts == 1
    world.clock.wait(seconds=5)
    deliver(ops)
    assert heard(pro, "D-1") == ["start"]


def test_a_message_whose_confirmation_was_lost_is_sent_again_and_counts_once(pair, world):
    ops, pro = pair
    put(ops, "D-1", START, END)
    with world.line.mood("pro.example", lossy):
        deliver(ops)
    world.clock.wait(seconds=5)
    deliver(ops)
    assert heard(pro, "D-1") == ["start", "end"]
    assert world.line.asked(op.INFORM_PROVIDER) == 3


def test_after_a_day_a_message_is_given_up_and_the_next_one_has_its_turn(pair, world):
    ops, pro = pair
    put(ops, "D-1", START)
    world.clock.wait(hours=23)
    put(ops, "D-1", END)
    with world.line.mood("pro.example", dead):
        world.clock.wait(hours=1)
        world.exchange_tokens()
        deliver(ops)
        first, second = parcels(ops, "D-1")
        assert first.given_up_at == world.clock() and second.given_up_at is None
    world.clock.wait(minutes=15)
    deliver(ops)
    assert heard(pro, "D-1") == ["end"]


def test_an_info_that_waits_gives_way_to_a_newer_one(pair, world):
    ops, _ = pair
    with world.line.mood("pro.example", dead):
        put(ops, "D-1", START)
        deliver(ops)
        for energy in (1, 2, 3):
            put(ops, "D-1", INFO, energy=energy)
    assert [(each.message.message, each.message.charged_energy) for each in parcels(ops, "D-1")] == [
        (START, 0),
        (INFO, 3),
    ]


def answering(code):
    answer = InformProviderResponse(result=DirectResult.of(code, "because"))

    def mood(serve, request):
        return HttpAnswer(200, {}, envelope(encode(answer, V1_4_1)))

    return mood


@pytest.mark.parametrize(
    ("code", "again"),
    [
        (DirectResultCode.OK, False),
        (DirectResultCode.PARTLY, False),
        (DirectResultCode.INVALID_ID, False),
        (DirectResultCode.SERVER, True),
        (DirectResultCode.NOT_FOUND, True),
        (DirectResultCode.NOT_SUPPORTED, True),
    ],
)
def test_the_providers_answer_decides_whether_it_is_told_again(pair, world, code, again):
    ops, _ = pair
    put(ops, "D-1", START)
    with world.line.mood("pro.example", answering(code)):
        deliver(ops)
    (parcel,) = parcels(ops, "D-1")
    assert (parcel.delivered_at is None) is again
    assert parcel.last_error == (f"{code}: because" if again else None)


def test_a_contract_that_nobody_answers_for_waits_for_somebody_who_does(pair, world):
    ops, _ = pair
    put(ops, "D-1", START, contract="DELATC12345678")
    deliver(ops)
    assert "NotFound" in parcels(ops, "D-1")[0].last_error
    late = world.provider("late", ["DELAT"])
    world.connect("DEOPS", "DELAT")
    world.exchange_tokens()
    world.clock.wait(seconds=5)
    deliver(ops)
    assert heard(late, "D-1") == ["start"]


def test_what_a_dead_process_had_taken_is_delivered_when_its_lease_ends(pair, world):
    ops, pro = pair
    put(ops, "D-1", START)
    with ops.store.single() as books:
        assert len(books.outbox.claim(world.clock(), world.clock() + LEASE)) == 1
    again = Teller(ops.store, ops.line, world.clock)
    again.work()
    again.settle()
    assert heard(pro, "D-1") == []
    world.clock.wait(minutes=5)
    again.work()
    again.settle()
    again.close()
    assert heard(pro, "D-1") == ["start"]


def test_a_parcel_that_cannot_even_be_sent_is_reported_and_stops_nobody(pair, world):
    ops, pro = pair
    put(ops, "D-BAD", START)
    put(ops, "D-1", START)
    reported = []

    class Broken:
        def call(self, operation, message, *rest):
            if message.direct_id == "D-BAD":
                raise ZeroDivisionError("a secret in the text")
            return ops.line.call(operation, message, *rest)

    teller = Teller(ops.store, Broken(), world.clock, lambda what, error: reported.append((what, type(error))))
    teller.work()
    teller.settle()
    teller.close()
    assert heard(pro, "D-1") == ["start"]
    (bad,) = parcels(ops, "D-BAD")
    assert (bad.attempts, bad.last_error) == (1, "Not sent: ZeroDivisionError.")
    assert reported == [(f"message {bad.number}", ZeroDivisionError)]


def test_a_slow_provider_takes_a_few_places_and_the_others_are_told_at_once(pair, world):
    ops, pro = pair
    slow = world.provider("slow", ["DESLO"])
    world.connect("DEOPS", "DESLO")
    world.exchange_tokens()
    for number in range(AT_ONCE + 10):
        put(ops, f"S-{number}", START, contract="DESLOC12345678")
    world.clock.wait(seconds=1)
    for number in range(20):
        put(ops, f"D-{number}", START)
    go_on = threading.Event()
    waiting = []

    def holding(serve, request):
        waiting.append(request)
        go_on.wait(20)
        return serve(request)

    try:
        with world.line.mood("slow.example", holding):
            ops.teller.work()
            deadline = time.monotonic() + 10
            while not all(heard(pro, f"D-{number}") for number in range(20)):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert len(waiting) == AT_ONCE_TO_ONE
    finally:
        go_on.set()
    ops.teller.settle()
    assert all(heard(slow, f"S-{number}") for number in range(AT_ONCE + 10))
