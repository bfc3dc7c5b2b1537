"""Opening hours: regular weeks, exceptions, and what two sets of hours have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from clearinghouse.ochp.marks import Attribute, Choice, Most, Range, Required, Since, Text, named_type
from clearinghouse.ochp.scalars import UtcDateTime
from clearinghouse.ochp.versions import V1_4

ClockTime = Annotated[str, Text(length=5, patterns=("[0-2][0-9]:[0-5][0-9]",))]
"""The time of the day on the charge point's wall clock, `24:00` being its end."""


@named_type("RegularHoursType")
@dataclass(frozen=True, kw_only=True)
class RegularHours:
    """So every week: on a weekday, 1 for Monday to 7 for Sunday, from one time to another by the local clock."""

    weekday: Annotated[int, Attribute(), Range(least=1, most=7)]
    period_begin: Annotated[str, Attribute(), Text(length=5, patterns=(r"[0-2][0-9]\:[0-5][0-9]",))]
    period_end: Annotated[ClockTime, Attribute()]


@named_type("ExceptionalPeriodType")
@dataclass(frozen=True, kw_only=True)
class ExceptionalPeriod:
    """From one instant to another."""

    period_begin: UtcDateTime
    period_end: UtcDateTime


@named_type("HoursType")
@dataclass(frozen=True, kw_only=True)
class Hours:
    """When it is open: by the week or always (or never), with exceptions; closings win over regular hours."""

    regular_hours: Annotated[tuple[RegularHours, ...], Required(), Most(7), Choice()] = ()
    twentyfourseven: Annotated[bool | None, Required(), Choice()] = None
    exceptional_openings: tuple[ExceptionalPeriod, ...] = ()
    exceptional_closings: tuple[ExceptionalPeriod, ...] = ()
    closed_charging: Annotated[bool, Since(V1_4, assume=False)] = False


DAY = 24 * 60
Minutes = tuple[int, int, int]
"""A weekday, and its minutes from the first up to, but not including, the last."""


def hours_in_common(one: Hours, other: Hours) -> Hours:
    """When both are open, so that what is closed never looks open.

    Regular hours intersect, closings add up, and an exceptional opening counts where the other is open then without
    doubt: always, or by an exceptional opening of its own, since the wall clock's offset is not known here.
    """
    regular = [shared for mine in _week(one) for theirs in _week(other) if (shared := _overlap(mine, theirs))]
    whole_week = one.twentyfourseven is True and other.twentyfourseven is True
    return Hours(
        regular_hours=() if whole_week else tuple(_as_hours(each) for each in sorted(set(regular))),
        twentyfourseven=True if whole_week else None if regular else False,
        exceptional_openings=tuple(dict.fromkeys((*_extra(one, other), *_extra(other, one)))),
        exceptional_closings=tuple(dict.fromkeys((*one.exceptional_closings, *other.exceptional_closings))),
        closed_charging=one.closed_charging and other.closed_charging,
    )


def _week(hours: Hours) -> list[Minutes]:
    """The regular hours by weekday; those that end before they begin go on over midnight."""
    if hours.twentyfourseven is not None:
        return [(day, 0, DAY) for day in range(1, 8) if hours.twentyfourseven]
    week: list[Minutes] = []
    for each in hours.regular_hours:
        begin, end = _minute(each.period_begin), _minute(each.period_end) or DAY
        if end > begin:
            week.append((each.weekday, begin, end))
        else:
            week += [(each.weekday, begin, DAY), (each.weekday % 7 + 1, 0, end)]
    return week


def _minute(clock_time: str) -> int:
    hours, minutes = clock_time.split(":")
    return min(int(hours) * 60 + int(minutes), DAY)


def _overlap(one: Minutes, other: Minutes) -> Minutes | None:
    begin, end = max(one[1], other[1]), min(one[2], other[2])
    return (one[0], begin, end) if one[0] == other[0] and begin < end else None


def _as_hours(minutes: Minutes) -> RegularHours:
    day, begin, end = minutes
    return RegularHours(weekday=day, period_begin=_clock_time(begin), period_end=_clock_time(end))


def _clock_time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _extra(one: Hours, other: Hours) -> list[ExceptionalPeriod]:
    """The exceptional openings of one at which the other is open without doubt."""
    if other.twentyfourseven:
        return list(one.exceptional_openings)
    pairs = [(mine, theirs) for mine in one.exceptional_openings for theirs in other.exceptional_openings]
    shared = [(max(a.period_begin, b.period_begin), min(a.period_end, b.period_end)) for a, b in pairs]
    return [ExceptionalPeriod(period_begin=begin, period_end=end) for begin, end in shared if begin < end]
