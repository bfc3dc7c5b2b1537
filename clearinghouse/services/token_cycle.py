"""The token cycle at work: does what is due, for a partner's own back end and for the house."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from clearinghouse.domain.clock import Clock
from clearinghouse.domain.endpoints import Endpoint
from clearinghouse.domain.errors import PartnerFailed
from clearinghouse.domain.token_cycle import (
    HOUSE_CHORES,
    PARTNER_CHORES,
    Action,
    Chore,
    CycleState,
    DayState,
    due,
    standing_of,
)
from clearinghouse.domain.token_day import ONE_DAY, sending_day
from clearinghouse.ochp.operations import Role
from clearinghouse.services.endpoints_port import OwnToken
from clearinghouse.services.house_line import HouseLine
from clearinghouse.services.ports import Store

TOKEN_BYTES = 32


@dataclass(frozen=True)
class TokenCycle:
    """Reconciles a back end's tokens with the table of the day; without a line to the house it only drops old ones.

    `report` is told of every action and, where it failed, why.
    """

    store: Store
    clock: Clock
    house: HouseLine | None
    report: Callable[[Action, str | None], None] = lambda action, failure: None
    _tried: dict[Action, datetime] = field(default_factory=dict, repr=False)

    def reconcile(self) -> tuple[Action, ...]:
        """Do everything that is due now, failures left for the next time; returns what was tried.

        An error that is not a partner's stops only its own action; the first one is raised when all were tried.
        """
        done: list[Action] = []
        errors: list[Exception] = []
        # One action makes others possible, or superfluous: each time it is asked anew.
        while action := next((each for each in self._due() if each not in done), None):
            done.append(action)
            try:
                self._do(action)
            except Exception as error:  # noqa: BLE001 - raised below
                self.report(action, f"failed by an error of its own: {type(error).__name__}")
                errors.append(error)
        if errors:
            raise errors[0]
        return tuple(done)

    def _due(self) -> tuple[Action, ...]:
        return due(self.clock(), self.state(), PARTNER_CHORES if self.house else HOUSE_CHORES)

    def refresh(self) -> tuple[Action, ...]:
        """Like `reconcile`, and download the partners' tokens even if that was done lately."""
        done = self.reconcile()
        action = Action(Chore.FETCH, sending_day(self.clock()))
        if self.house is None or any(each.chore is Chore.FETCH for each in done):
            return done
        self._do(action)
        return (*done, action)

    def state(self) -> CycleState:
        """What there is, and when what there is not was last tried for."""
        with self.store.books() as books:
            own = {each.day: each for each in books.own_tokens.all()}
            days = books.endpoints.days() | own.keys()
        return CycleState(days=tuple(self._day(day, own.get(day)) for day in sorted(days)))

    def _day(self, day: date, token: OwnToken | None) -> DayState:
        return DayState(
            day=day,
            made=token is not None,
            uploaded_at=token.uploaded_at if token else None,
            upload_tried_at=self._tried.get(Action(Chore.UPLOAD, day)),
            fetched_at=token.fetched_at if token else None,
            fetch_tried_at=self._tried.get(Action(Chore.FETCH, day)),
        )

    def _do(self, action: Action) -> None:
        acts: Mapping[Chore, Callable[[date], None]] = {
            Chore.PURGE: self._purge,
            Chore.MAKE: self._make,
            Chore.UPLOAD: self._upload,
            Chore.FETCH: self._fetch,
        }
        self._tried[action] = self.clock()
        try:
            acts[action.chore](action.day)
        except PartnerFailed as failure:
            self.report(action, str(failure))
        else:
            self.report(action, None)

    def _purge(self, first_kept: date) -> None:
        with self.store.books() as books:
            books.endpoints.purge(self.clock())
            books.own_tokens.purge(first_kept)
        for action in [each for each in self._tried if each.day < first_kept]:
            del self._tried[action]

    def _make(self, day: date) -> None:
        token = OwnToken(day=day, token=secrets.token_urlsafe(TOKEN_BYTES), made_at=self.clock())
        with self.store.books() as books:
            books.own_tokens.make(token)

    def _upload(self, day: date) -> None:
        with self.store.books() as books:
            own = books.own_tokens.get(day)
        if own is None or self.house is None:
            return
        self.house.upload(day, own.token)
        self._save(day, uploaded_at=self.clock())

    def _fetch(self, day: date) -> None:
        """Download once for all days that are due: the answer tells of today and tomorrow alike."""
        if self.house is None:
            return
        now = self.clock()
        asked = {day} | {each.day for each in self._due() if each.chore is Chore.FETCH}
        records = self.house.fetch(now)
        today = sending_day(now)
        with self.store.books() as books:
            told = {today, today + ONE_DAY} | {each.day for each in records}
            known_ahead = {each for each in books.endpoints.days() if each > today}
            for each in told | known_ahead:
                books.endpoints.replace_day(each, [record for record in records if record.day == each])
        for each in asked:
            self._save(each, fetched_at=now)

    def _save(self, day: date, **stated: Any) -> None:
        with self.store.books() as books:
            if own := books.own_tokens.get(day):
                books.own_tokens.save(dataclasses.replace(own, **stated))


@dataclass(frozen=True, kw_only=True)
class Standings:
    """One line of `clearinghouse token status`."""

    party: str
    role: str
    day: date
    standing: str
    since: datetime | None = None


def standings(store: Store, clock: Clock, own: bool) -> list[Standings]:
    """Today's and tomorrow's state of the own tokens (of a partner's back end) and of every partner."""
    now = clock()
    today = sending_day(now)
    days = (today, today + ONE_DAY)
    with store.books() as books:
        tokens = {each.day: each for each in books.own_tokens.all()}
        records = books.endpoints.living(now)
        accounts = {(each.name, role) for each in books.partners.all() for role in each.roles}
    lines = [_own(day, tokens.get(day), now) for day in days] if own else []
    partners = sorted({(each.partner, each.role) for each in records} | accounts)
    return [*lines, *(_partner(partner, role, day, records) for partner, role in partners for day in days)]


def _own(day: date, token: OwnToken | None, now: datetime) -> Standings:
    state = DayState(
        day=day,
        made=token is not None,
        uploaded_at=token.uploaded_at if token else None,
        fetched_at=token.fetched_at if token else None,
    )
    uploaded = token.uploaded_at if token else None
    return Standings(party="this back end", role="", day=day, standing=standing_of(state, now), since=uploaded)


def _partner(partner: str, role: Role, day: date, records: list[Endpoint]) -> Standings:
    held = [each for each in records if (each.partner, each.role) == (partner, role)]
    mine = [each for each in held if each.day == day or each.valid_until is not None]
    newest = max((each.uploaded_at for each in mine), default=None)
    return Standings(party=partner, role=role, day=day, standing="known" if mine else "missing", since=newest)
