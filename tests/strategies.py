"""Any value of the language, as Hypothesis strategies made from the fields: what a version can say, and no more."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from functools import cache

from hypothesis import strategies as st

from clearinghouse.ochp.bridges import BRIDGES
from clearinghouse.ochp.operations import OPERATIONS
from clearinghouse.ochp.scalars import LocalDateTime
from clearinghouse.ochp.shape import assumed, fields_of, spellings

LOCAL = LocalDateTime.__metadata__[0]
FIRST, LAST = datetime(1970, 1, 1), datetime(2199, 12, 31)  # noqa: DTZ001
INT_32 = 2**31
MANY = 3

CHARACTERS = st.characters(
    exclude_categories=("Cs", "Cn"), exclude_characters="".join(map(chr, {*range(32)} - {9, 10, 13})) + "\ufffe\uffff"
)
"""What XML 1.0 can carry."""
ONE_LINE = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), exclude_characters="\ufffe\uffff")
"""What a dot of an XSD pattern and of a Python one both match."""

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def instants(zones):
    """Aware instants of whole seconds."""
    return st.datetimes(FIRST, LAST, timezones=zones).map(lambda instant: instant.replace(microsecond=0, fold=0))


def texts(field):
    """Strings within the facets."""
    text = field.text
    shortest, longest = text.length or text.min or 0, text.length or text.max
    if text.patterns:
        return st.one_of(*(matching(pattern, shortest, longest) for pattern in text.patterns))
    if text.collapse or field.nillable:  # neither blanks at the ends nor nothing at all survive the way
        return st.text(ONE_LINE.filter(lambda sign: not sign.isspace()), min_size=shortest or 1, max_size=longest)
    return st.text(CHARACTERS, min_size=shortest, max_size=longest)


def matching(pattern, shortest, longest):
    """Strings that match an XSD pattern and have a length within bounds."""
    if re.fullmatch(r"\[[^]]*\]\*", pattern):  # one class, repeated: the bounds can stand in the pattern
        return st.from_regex(f"{pattern[:-1]}{{{shortest},{longest or ''}}}", fullmatch=True, alphabet=ONE_LINE)
    return st.from_regex(pattern, fullmatch=True, alphabet=ONE_LINE).filter(
        lambda text: shortest <= len(text) <= (longest or len(text))
    )


def whole_numbers(field):
    """Whole numbers within the bounds."""
    bounds = field.bounds
    least = bounds.least if bounds.above is None else bounds.above + 1
    return st.integers(-INT_32 if least is None else least, INT_32 - 1 if bounds.most is None else bounds.most)


def decimals(field):
    """Decimals, in degrees where they have a fixed number of places."""
    if field.places is not None:
        return st.decimals(-90, 90, places=field.places)
    return st.decimals(-(10**6), 10**6, places=3)


SCALARS = {
    str: texts,
    bool: lambda field: st.booleans(),
    int: whole_numbers,
    Decimal: decimals,
    timedelta: lambda field: st.integers(0, 1000 * 3600 - 1).map(lambda seconds: timedelta(seconds=seconds)),
    date: lambda field: st.dates(FIRST.date(), LAST.date()),
    datetime: lambda field: instants(OFFSETS if field.box == LOCAL else st.just(UTC)),
}


def one(field, version):
    """Values of a field, of one entry if it is a list."""
    if field.is_complex:
        return values(field.kind, version)
    if issubclass(field.kind, StrEnum):
        return st.sampled_from(list(spellings(field.kind, version).values()))
    return st.sampled_from(field.text.values) if field.text.values else SCALARS[field.kind](field)


def entries(field, version):
    """Values of a field as the class holds them, absent where it may be."""
    if field.is_list:
        return st.lists(one(field, version), min_size=field.min_occurs, max_size=MANY).map(tuple)
    return one(field, version) if field.min_occurs else st.none() | one(field, version)


@cache
def values(cls, version):
    """Values of a class as this version says them, in the canonical form that reading gives."""
    fields = fields_of(cls, version)
    bridge = BRIDGES.get((cls, version))

    def made(said):
        known = {name: entry for name, entry in said.items() if entry is not None}
        return cls(**{**assumed(cls, version), **(bridge.up(known) if bridge else known)})

    others, choices = [each for each in fields if not each.is_choice], [each for each in fields if each.is_choice]
    groups = [[*others, choice] for choice in choices] or [fields]
    return st.one_of(
        *(st.fixed_dictionaries({each.attr: entries(each, version) for each in group}).map(made) for group in groups)
    )


def message_classes(version):
    """The classes of all messages of a version, in the protocol's order."""
    spoken = [operation for operation in OPERATIONS if operation.exists_in(version)]
    return tuple(dict.fromkeys(cls for each in spoken for cls in (each.request, each.response)))


@cache
def messages(version):
    """Any message of a version."""
    return st.one_of(*(values(cls, version) for cls in message_classes(version)))
