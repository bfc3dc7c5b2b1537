"""What no mark can say: the few changes between versions, as pairs of functions, and what is lost on the way.

`BRIDGES` is the table of all of them; `fitted` takes a value to a version and says what that costs.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from clearinghouse.ochp.cdr_bridges import CDR_BRIDGES
from clearinghouse.ochp.charge_point_bridges import CHARGE_POINT_BRIDGES
from clearinghouse.ochp.crossing import Bridge as Bridge
from clearinghouse.ochp.crossing import Bridges, Loss, Undeliverable
from clearinghouse.ochp.direct import DirectEndpoint, OperatorEndpoint, ProviderEndpoint
from clearinghouse.ochp.shape import Field, assumed, every_field_of, fields_of, members_of, once, stand_in
from clearinghouse.ochp.tokens import ELECTRIC, EmtId, Representation, RoamingAuthorisationInfo
from clearinghouse.ochp.versions import ORDER, V1_3, V1_4, V1_4_1, Version

T = TypeVar("T")

OVERLAP_END = time(0, 30)
"""The tokens of a day are accepted until this time of the next (OCHP-direct, token distribution)."""


def end_of_validity(day: date) -> datetime:
    """The last instant at which the tokens of `day` are valid, as 0.1 states it; the last day of all has no next."""
    if day == date.max:
        return datetime.combine(day, time(23, 59, 59), UTC)
    return datetime.combine(day + timedelta(days=1), OVERLAP_END, UTC)


def day_of_validity(valid_until: datetime) -> date:
    """The day that a 0.1 token is for: one that ends within the overlap belongs to the day before."""
    instant = valid_until.astimezone(UTC)
    if instant.time() <= OVERLAP_END and instant.date() > date.min:
        return instant.date() - timedelta(days=1)
    return instant.date()


def endpoint_up(fields: dict[str, Any]) -> dict[str, Any]:
    """An endpoint as 0.1 states it gets the day its token is for."""
    return {**fields, "valid_date": day_of_validity(fields["valid_until"])}


def endpoint_down(endpoint: DirectEndpoint) -> DirectEndpoint:
    """An endpoint for a 0.1 reader says until when its token is valid."""
    if endpoint.valid_until is not None:
        return endpoint
    return dataclasses.replace(endpoint, valid_until=end_of_validity(endpoint.valid_date))


CHECK_DIGIT = re.compile(r"([^%]{14})[^%](%?)")


def without_check_digit(pattern: str) -> str:
    """A contract pattern of at most 14 characters: 0.1 allows a check digit behind them, 0.2 does not."""
    return CHECK_DIGIT.sub(r"\1\2", pattern) if CHECK_DIGIT.fullmatch(pattern) else pattern


def provider_down(endpoint: ProviderEndpoint) -> ProviderEndpoint:
    """A provider's endpoint for a 0.2 reader has contract patterns without check digits."""
    return dataclasses.replace(
        endpoint,
        whitelist=tuple(map(without_check_digit, endpoint.whitelist)),
        blacklist=tuple(map(without_check_digit, endpoint.blacklist)),
    )


def provider_losses(endpoint: ProviderEndpoint) -> Iterator[Loss]:
    """The lists in which a check digit is left out."""
    for name in ("whitelist", "blacklist"):
        if any(without_check_digit(pattern) != pattern for pattern in getattr(endpoint, name)):
            yield Loss(name, "0.2 allows no check digit in a contract pattern")


SHA_160 = re.compile("[0-9A-Fa-f]{40}")


def token_up(said: dict[str, Any]) -> dict[str, Any]:
    """A token of 1.3 that does not say how it is written: a hash if it can be one, as 1.3 has it, else plain."""
    if "representation" in said:
        return said
    hashed = SHA_160.fullmatch(said["instance"])
    return {**said, "representation": Representation.SHA_160 if hashed else Representation.PLAIN}


def electric(line: RoamingAuthorisationInfo) -> RoamingAuthorisationInfo:
    """A line for a reader who knows no permissions. Raises Undeliverable where it permits no current at all."""
    if not set(line.permissions) & set(ELECTRIC):
        raise Undeliverable("it permits neither AC nor DC")
    return line


TOLD_BY_ITS_DAY = frozenset({"valid_until"})
ENDPOINT = Bridge(endpoint_up, endpoint_down, tells=frozenset({"valid_date"}))

BRIDGES: Bridges = {
    (ProviderEndpoint, V1_3): ENDPOINT,
    (OperatorEndpoint, V1_3): ENDPOINT,
    **{(OperatorEndpoint, version): Bridge(tells=TOLD_BY_ITS_DAY) for version in (V1_4, V1_4_1)},
    **{
        (ProviderEndpoint, version): Bridge(down=provider_down, tells=TOLD_BY_ITS_DAY, loses=provider_losses)
        for version in (V1_4, V1_4_1)
    },
    (EmtId, V1_3): Bridge(up=token_up),
    **{(RoamingAuthorisationInfo, version): Bridge(down=electric) for version in (V1_3, V1_4)},
    **CDR_BRIDGES,
    **CHARGE_POINT_BRIDGES,
}

NO_BRIDGE = Bridge()


def fitted(value: T, version: Version) -> tuple[T | None, list[Loss]]:
    """As much of a value as this version can say, and what is lost; None where its reader must get nothing of it.

    A field is lost when it holds something other than what the version would be taken to mean. Losses call fields as
    the newest version does that has them; the path of a loss is empty where it is the whole value.
    """
    bridge, foreign, delicate = _crossing(type(value), version)
    lost = [loss for attr, usual, loss in foreign if getattr(value, attr) not in usual]
    lost += bridge.loses(value)
    try:
        said = bridge.down(value)
    except Undeliverable as error:
        return None, [*lost, Loss("", str(error))]
    changes: dict[str, Any] = {}
    for field, name in delicate:
        entry = getattr(said, field.attr)
        entries = entry if field.is_list else () if entry is None else (entry,)
        kept, more = _kept(field, entries, version)
        lost += [loss.below(name) for loss in more]
        if not kept and field.min_occurs and not field.is_choice:
            return None, lost if entries else [*lost, Loss(name, f"{version.value} asks for it")]
        if kept != entries:
            changes[field.attr] = kept if field.is_list else next(iter(kept), None)
    return (dataclasses.replace(said, **changes) if changes else said), lost


def losses(value: Any, version: Version) -> list[str]:
    """The paths of what `value` says and this version cannot, for example `maxCurrent`."""
    return [loss.path for loss in fitted(value, version)[1]]


Foreign = tuple[tuple[str, tuple[Any, ...], Loss], ...]
"""The fields that a version does not have: name, what says nothing in them, and the loss where they say something."""
Delicate = tuple[tuple[Field, str], ...]
"""The fields that may hold what a version cannot say, each with its newest name."""


@once
def _crossing(cls: type, version: Version) -> tuple[Bridge, Foreign, Delicate]:
    """What there is to look at when a value of a class goes to a version, found out once."""
    bridge = BRIDGES.get((cls, version), NO_BRIDGE)
    usual, newest = assumed(cls, version), every_field_of(cls)
    foreign = tuple(
        (field.attr, (None, (), usual.get(field.attr)), Loss(field.element, f"{version.value} has no such field"))
        for field in _foreign_fields(cls, version)
        if field.attr not in bridge.tells
    )
    delicate = tuple((field, newest[field.attr].element) for field in _delicate_fields(cls, version))
    return bridge, foreign, delicate


def _kept(field: Field, entries: tuple[Any, ...], version: Version) -> tuple[tuple[Any, ...], list[Loss]]:
    """The entries of a field that the version can say."""
    kept: list[Any] = []
    lost: list[Loss] = []
    for entry in entries:
        fit, more = _entry(field, entry, version)
        lost += more
        if fit is not None:
            kept.append(fit)
    if field.whole and len(kept) < len(entries):
        return (), lost
    if field.max_occurs is not None and len(kept) > field.max_occurs:
        lost.append(Loss("", f"{version.value} has room for {field.max_occurs}"))
        kept = kept[: field.max_occurs]
    return tuple(kept), lost


def _entry(field: Field, entry: Any, version: Version) -> tuple[Any, list[Loss]]:
    if field.is_complex:
        if not isinstance(entry, field.kind):
            return None, [Loss("", f"{version.value} asks for {field.kind.__name__}")]
        return (entry, []) if crosses_unchanged(type(entry), version) else fitted(entry, version)
    if isinstance(entry, StrEnum):
        said = stand_in(entry, version)
        if said is entry:
            return entry, []
        why = f"{version.value} cannot say {entry}" + (f", but {said}" if said else "")
        return entry if said else None, [Loss("", why)]
    if isinstance(entry, str) and not field.text.allows(entry):
        return None, [Loss("", f"{version.value} does not allow such a value")]
    return entry, []


@once
def _foreign_fields(cls: type, version: Version) -> tuple[Field, ...]:
    known = {field.attr for field in fields_of(cls, version)}
    return tuple(field for field in every_field_of(cls).values() if field.attr not in known)


@once
def _delicate_fields(cls: type, version: Version) -> tuple[Field, ...]:
    """The fields that may hold what this version cannot say."""
    return tuple(field for field in fields_of(cls, version) if _is_delicate(cls, field, version))


def _is_delicate(cls: type, field: Field, version: Version) -> bool:
    absent = cls.__dataclass_fields__[field.attr].default in (None, ())  # type: ignore[attr-defined]
    if (field.min_occurs and absent and not field.is_choice) or (field.is_list and field.max_occurs is not None):
        return True
    said = [each for other in ORDER for each in fields_of(cls, other) if each.attr == field.attr]
    if issubclass(field.kind, StrEnum):
        return len(members_of(field.kind, version)) < len(field.kind)
    if any((each.kind, each.text) != (field.kind, field.text) for each in said):
        return True
    return field.is_complex and not crosses_unchanged(field.kind, version)


@once
def crosses_unchanged(cls: type, version: Version) -> bool:
    """Whether a version can say whatever a class says, as it is."""
    return not ((cls, version) in BRIDGES or _foreign_fields(cls, version) or _delicate_fields(cls, version))
