"""Who sees which CDR in which state, and who may decide about it: every answer against a naive model."""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from clearinghouse.domain.partners import ConnectionKind
from clearinghouse.ochp import operations as op
from clearinghouse.ochp.cdrs import (
    AddCdrsRequest,
    CdrInfo,
    CdrReference,
    CdrStatus,
    CheckCdrsRequest,
    ConfirmCdrsRequest,
    GetCdrsRequest,
)
from clearinghouse.ochp.operations import Role
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1
from tests.cdr_builders import cdr, period
from tests.services.fuzzing import seeds
from tests.services.house_calls import CalledHouse
from tests.services.naive_world import A_WHILE, MINUTE, PROVIDER_IDS, Roaming

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
STEPS = 60
NEW, ACCEPTED, REVISED, DECLINED, APPROVED, REJECTED = (
    CdrStatus[name] for name in ("NEW", "ACCEPTED", "REVISED", "DECLINED", "APPROVED", "REJECTED")
)
WAITING = (ACCEPTED, REVISED)


@dataclass(frozen=True)
class Kept:
    """A CDR that the house has, where it stands, and the revision that a provider fetched last."""

    info: CdrInfo
    revision: int = 0
    fetched: int | None = None

    @property
    def status(self):
        return self.info.status

    @property
    def operator_id(self):
        return self.info.evse_id[:5]

    @property
    def provider_id(self):
        return self.info.contract_id[:5]

    def at(self, status):
        return replace(self, info=replace(self.info, status=status))


class CdrWorld(Roaming):
    """Does everything twice: at the house, and in a dictionary that is easy to believe."""

    def __init__(self, house, chance):
        super().__init__(house, [ConnectionKind.CDR], chance)
        self.cdrs = {}

    def step(self):
        """Any operation, a while after the last."""
        self.house.now += A_WHILE
        self.chance.choice([self.upload, self.upload, self.decide, self.decide, self.connect, self.wait])()

    # -- What operators do

    def upload(self):
        """An operator uploads CDRs; those that are not plausible come back."""
        partner = self.chance.choice(self.acting_as(Role.OPERATOR))
        sent = [self._any_cdr(partner) for _ in range(3)]
        sent = [*{each.cdr_id: each for each in sent}.values()]
        self.trail.append((self.now, partner.name, "sends", [(each.status.value, *gist(each)) for each in sent]))
        refused = {each.cdr_id for each in sent if not self._take(each)}
        answer = self.house.handlers[op.ADD_CDRS](AddCdrsRequest(cdr_info_array=tuple(sent)), partner, V1_4_1)
        assert {*answer.implausible_cdrs_array} == refused, answer
        assert (answer.result.result_code == "ok") is not refused, answer

    def _any_cdr(self, partner):
        owner, number = self.chance.choice(sorted(partner.operator_ids)), self.chance.randrange(3)
        start = self.now - MINUTE * self.chance.choice([1, 5, 30, 500])
        contract_id = f"{self.chance.choice(PROVIDER_IDS)}C00000001"
        known = self.cdrs.get(f"{owner}{number}")
        if known and self.chance.random() < 0.7:
            start, contract_id = known.info.start_date_time, known.info.contract_id
        price = Decimal(self.chance.choice([1, 2]))
        return cdr(
            cdr_id=f"{owner}{number}",
            evse_id=f"{owner}E{number}",
            contract_id=contract_id,
            status=self.chance.choice([NEW, REVISED, REVISED, REJECTED]),
            start_date_time=start,
            end_date_time=start + timedelta(hours=1),
            charging_periods=(
                period(start_date_time=start, end_date_time=start + MINUTE, item_price=price, period_cost=20 * price),
            ),
        )

    def _take(self, sent):
        """Whether the house takes it; then it is here, too."""
        known = self.cdrs.get(sent.cdr_id)
        if known is None:
            return sent.status is not REJECTED and self._keep(sent, ACCEPTED, 0)
        if sent.status is REJECTED:
            if known.status is DECLINED:
                self.cdrs[sent.cdr_id] = known.at(REJECTED)
            return known.status in (DECLINED, REJECTED)
        if replace(sent, status=known.status) == known.info and (
            sent.status is NEW or known.status in (*WAITING, APPROVED)
        ):
            return True
        can_be_revised = sent.status is REVISED and known.status in (*WAITING, DECLINED)
        return can_be_revised and self._keep(sent, REVISED, known.revision + 1, known.fetched)

    def _keep(self, sent, status, revision, fetched=None):
        kept = Kept(sent, revision, fetched).at(status)
        if not self.roamed(kept):
            return False
        self.cdrs[sent.cdr_id] = kept
        return True

    # -- What providers do

    def decide(self):
        """A provider approves and declines CDRs, sometimes such as are none of its business."""
        partner = self.chance.choice(self.acting_as(Role.PROVIDER))
        named = self.chance.sample(sorted(self.cdrs), min(len(self.cdrs), 3))
        wanted = {each: self.chance.choice([APPROVED, DECLINED]) for each in named}
        self.trail.append((self.now, partner.name, "decides", wanted))
        by_decision = {
            decision: tuple(
                CdrReference(cdr_id=each, evse_id=self.cdrs[each].info.evse_id)
                for each, wish in wanted.items()
                if wish is decision
            )
            for decision in (APPROVED, DECLINED)
        }
        request = ConfirmCdrsRequest(approved=by_decision[APPROVED], declined=by_decision[DECLINED])
        done = [self._settle(each, wish, partner) for each, wish in wanted.items()]
        answer = self.house.handlers[op.CONFIRM_CDRS](request, partner, V1_4_1)
        assert answer.result.result_code == ("ok" if all(done) else "partly" if any(done) else "invalid-id"), answer

    def _settle(self, cdr_id, decision, partner):
        kept = self.cdrs[cdr_id]
        if not self.is_seen_by(partner, kept):
            return False
        if kept.status is decision:
            return True
        if kept.status not in WAITING or kept.revision not in (0, kept.fetched):
            return False
        self.cdrs[cdr_id] = kept.at(decision)
        return True

    # -- What is true

    def roamed(self, kept):
        """Whether the two are connected now, or were when the charge began."""
        history = self.connections.get((kept.operator_id, kept.provider_id, ConnectionKind.CDR), [])
        return any(
            (end is None and said.is_active(self.now)) or self._held(said, begun, end, kept.info.start_date_time)
            for (begun, said), (end, _) in pairwise([*history, (None, None)])
        )

    @staticmethod
    def _held(said, begun, end, at):
        if not (said.approved_by_operator and said.approved_by_provider):
            return False
        ends = [each for each in (end, said.valid_until) if each is not None]
        return (said.valid_from or begun) <= at and all(at < each for each in ends)

    def is_seen_by(self, partner, kept):
        """Whether a provider may know of it."""
        return kept.provider_id in partner.provider_ids and self.roamed(kept)

    def is_connected(self, partner, role):
        """Whether the partner is connected to anybody for CDRs now."""
        last = (history[-1][1] for history in self.connections.values())
        active = [each for each in last if each.kind is ConnectionKind.CDR and each.is_active(self.now)]
        own = (each.operator_id if role is Role.OPERATOR else each.provider_id for each in active)
        return not partner.ids_as(role).isdisjoint(own)

    # -- What partners ask

    def check(self):
        """Compare what everybody is told with what is true."""
        for partner in self.acting_as(Role.PROVIDER):
            version = self.chance.choice(ORDER)
            status = None if version is V1_3 else self.chance.choice([None, *CdrStatus])
            self._check_fetching(partner, version, status)
        for partner in self.acting_as(Role.OPERATOR):
            self._check_looking(partner, self.chance.choice([V1_4, V1_4_1]), self.chance.choice([None, *CdrStatus]))

    def _check_fetching(self, partner, version, status):
        answer = self.house.handlers[op.GET_CDRS](GetCdrsRequest(cdr_status=status), partner, version)
        statuses = WAITING if status is None else (status,)
        seen = [each for each in self.cdrs.values() if self.is_seen_by(partner, each) and each.status in statuses]
        self._compare(
            answer, seen, self.is_connected(partner, Role.PROVIDER), ("fetches", partner.name, version, status)
        )
        for each in seen:
            self.cdrs[each.info.cdr_id] = replace(each, fetched=each.revision)

    def _check_looking(self, partner, version, status):
        answer = self.house.handlers[op.CHECK_CDRS](CheckCdrsRequest(cdr_status=status), partner, version)
        own = [each for each in self.cdrs.values() if each.operator_id in partner.operator_ids]
        seen = [each for each in own if each.status is (status or DECLINED)]
        self._compare(answer, seen, self.is_connected(partner, Role.OPERATOR), ("looks", partner.name, version, status))

    def _compare(self, answer, seen, is_connected, who):
        said = [(each.cdr_id, gist(each)) for each in answer.cdr_info_array]
        told = dict(said)
        assert told == {each.info.cdr_id: gist(each.info) for each in seen}, who
        assert len(told) == len(said), (who, "a CDR came twice")
        assert answer.result.result_code == ("ok" if seen or is_connected else "roaming"), who


def gist(info):
    """What tells one content of a CDR from another, whatever the reader's version can say of it."""
    (only,) = info.charging_periods
    return info.evse_id, info.contract_id, info.start_date_time, only.item_price


def test_every_answer_about_cdrs_is_what_a_naive_model_says(database_url, keyring, emptied):
    for seed in seeds():
        emptied()
        house = CalledHouse(database_url, keyring, START)
        try:
            play(CdrWorld(house, random.Random(seed)))
        finally:
            house.store.close()


def play(world):
    """One round: after each step, everybody asks."""
    for _ in range(STEPS):
        try:
            world.step()
            world.check()
        except AssertionError as error:
            story = "\n".join(map(str, world.trail))
            raise AssertionError(f"at {world.now}: {error}\n{story}") from error
