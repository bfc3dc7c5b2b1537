"""What a role has of each kind of records: read row by row, by one statement for each."""

import dataclasses
from datetime import date

import pytest
from sqlalchemy import text

from clearinghouse.app.record_desk import OPERATOR_FILES
from clearinghouse.ochp.operations import Role
from clearinghouse.persistence.holdings import HOLDINGS
from clearinghouse.services.records import Choice, Days, Noun
from tests.services.points_house import point

NEW_YEAR = date(2027, 1, 1)
OPEN_CURSORS = text("SELECT count(*) FROM pg_cursors WHERE name <> ''")


def test_every_role_has_every_kind_somewhere():
    in_files = {(Role.OPERATOR, noun) for noun in OPERATOR_FILES}
    assert {(role, noun) for role in Role for noun in Noun} == HOLDINGS.keys() | in_files
    assert not HOLDINGS.keys() & in_files


@pytest.mark.parametrize("place", HOLDINGS, ids=" ".join)
def test_an_empty_store_has_nothing_whatever_is_chosen(store, place):
    holding = HOLDINGS[place]
    choice = Choice(party_ids=frozenset({"DEOPS"}) if holding.parties else None)
    if holding.at is not None:
        choice = dataclasses.replace(choice, days=Days(first=NEW_YEAR, last=NEW_YEAR))
    with store.books() as books:
        assert list(books.holdings.of(*place, choice)) == []


def test_rows_are_fetched_as_they_are_asked_for(store):
    with store.books() as books:
        books.downloads.apply_points([point(f"DEABCE{number:04}") for number in range(2500)])
    with store.books() as books:
        points = books.holdings.of(Role.PROVIDER, Noun.CHARGE_POINTS, Choice())
        assert next(points).evse_id == "DEABCE0000"
        cursors = books.holdings._db.execute(OPEN_CURSORS).scalar_one()
        points.close()
        assert (cursors, books.holdings._db.execute(OPEN_CURSORS).scalar_one()) == (1, 0)
