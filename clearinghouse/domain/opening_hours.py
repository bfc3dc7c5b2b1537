"""Opening hours in all their odd forms, as instants: `24:00`, over midnight, exceptions alone, clock changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from clearinghouse.ochp.hours import ExceptionalPeriod, Hours, RegularHours

DAY = 24 * 60
Span = tuple[int, int]
"""Minutes of a day by the wall clock, from the first up to, not including, the second."""


@dataclass(frozen=True, order=True)
class Interval:
    """From an instant up to, not including, another; both in UTC."""

    begin: datetime
    end: datetime


def minute(clock_time: str) -> int:
    """The minute of the day of `hh:mm`; the schema lets hours past 24 through, which end the day as `24:00` does."""
    hours, minutes = clock_time.split(":")
    return min(int(hours) * 60 + int(minutes), DAY)


def spans(hours: RegularHours) -> tuple[tuple[int, Span], ...]:
    """The weekdays and minutes of a regular period: one that does not end after it begins goes on over midnight."""
    begin, end = minute(hours.period_begin), minute(hours.period_end) or DAY
    if end > begin:
        return ((hours.weekday, (begin, end)),)
    return (hours.weekday, (begin, DAY)), (hours.weekday % 7 + 1, (0, end))


def plain(periods: Sequence[RegularHours], most: int) -> tuple[RegularHours, ...]:
    """The same periods as every reader takes them: each ends after it begins, at `24:00` at the latest.

    What goes over midnight becomes two periods, as long as there are not more than `most` then; the schema has room
    for no more, and losing a period would be worse.
    """
    if all(each.period_begin < each.period_end <= "24:00" for each in periods):
        return tuple(periods)
    week: dict[int, list[Span]] = {}
    for day, span in sorted(each for period in periods for each in spans(period)):
        there = week.setdefault(day, [])
        if there and span[0] <= there[-1][1]:
            there[-1] = (there[-1][0], max(there[-1][1], span[1]))
        elif span[0] < span[1]:
            there.append(span)
    split = tuple(_regular(day, span) for day in sorted(week) for span in week[day])
    return split if len(split) <= most else tuple(periods)


def _regular(day: int, span: Span) -> RegularHours:
    begin, end = (f"{at // 60:02}:{at % 60:02}" for at in span)
    return RegularHours(weekday=day, period_begin=begin, period_end=end)


def covers(hours: RegularHours, at: datetime) -> bool:
    """Whether a regular period covers what the wall clock shows at an instant with the offset of that clock."""
    now = at.hour * 60 + at.minute
    return any(day == at.isoweekday() and begin <= now < end for day, (begin, end) in spans(hours))


def in_regular_hours(hours: Hours, at: datetime, zone: tzinfo) -> bool:
    """Whether it is regularly open at an instant."""
    if hours.twentyfourseven is not None and not hours.regular_hours:
        return hours.twentyfourseven
    local = at.astimezone(zone)
    return any(covers(each, local) for each in hours.regular_hours)


def in_any(periods: Iterable[ExceptionalPeriod], at: datetime) -> bool:
    """Whether an instant lies in one of the exceptional periods."""
    return any(each.period_begin <= at < each.period_end for each in periods)


def is_open(hours: Hours, at: datetime, zone: tzinfo) -> bool:
    """Whether it is open: regularly and not exceptionally closed, or else exceptionally (OCHP, availability)."""
    if in_regular_hours(hours, at, zone):
        return not in_any(hours.exceptional_closings, at)
    return in_any(hours.exceptional_openings, at)


def open_on(hours: Hours, day: date, zone: tzinfo) -> tuple[Interval, ...]:
    """When it is open on a date of the wall clock, in order, without overlaps.

    It is what `is_open` says, but where a clock change repeats the end of a period: there it is the later end.
    """
    whole = Interval(_instant(day, 0, zone), _instant(day, DAY, zone, fold=1))
    regular = _regular_on(hours, day, zone, whole)
    closings, openings = _periods(hours.exceptional_closings), _periods(hours.exceptional_openings)
    extra = _without([_common(each, whole) for each in openings], regular)
    return _merged([*_without(regular, closings), *extra])


def _regular_on(hours: Hours, day: date, zone: tzinfo, whole: Interval) -> list[Interval]:
    if hours.twentyfourseven is not None and not hours.regular_hours:
        return [whole] if hours.twentyfourseven else []
    found = (span for each in hours.regular_hours for weekday, span in spans(each) if weekday == day.isoweekday())
    return [Interval(_instant(day, begin, zone), _instant(day, end, zone, fold=1)) for begin, end in found]


def _instant(day: date, at: int, zone: tzinfo, fold: int = 0) -> datetime:
    """The instant at which the wall clock shows a minute of the day; of two the first, or with `fold` the second."""
    shown = datetime.combine(day, time(), zone) + timedelta(minutes=at)
    return shown.replace(fold=fold).astimezone(UTC)


def _periods(periods: Iterable[ExceptionalPeriod]) -> list[Interval]:
    return [Interval(each.period_begin.astimezone(UTC), each.period_end.astimezone(UTC)) for each in periods]


def _common(one: Interval, other: Interval) -> Interval:
    return Interval(max(one.begin, other.begin), min(one.end, other.end))


def _without(intervals: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """What is left of the intervals outside of the others."""
    left = [each for each in intervals if each.begin < each.end]
    for other in others:
        if other.begin < other.end:
            left = [part for each in left for part in _outside(each, other) if part.begin < part.end]
    return left


def _outside(interval: Interval, other: Interval) -> tuple[Interval, Interval]:
    """What lies before the other, and what lies behind it; empty where it ends before it begins."""
    before = Interval(interval.begin, min(interval.end, other.begin))
    return before, Interval(max(interval.begin, other.end), interval.end)


def _merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for each in sorted(intervals):
        if merged and each.begin <= merged[-1].end:
            merged[-1] = Interval(merged[-1].begin, max(merged[-1].end, each.end))
        else:
            merged.append(each)
    return tuple(merged)
