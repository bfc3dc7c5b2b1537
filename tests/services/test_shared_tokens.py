"""Tokens that several providers claim are counted by who claims them."""

from datetime import UTC, datetime, timedelta

from clearinghouse.services.shared_tokens import SharedTokenWatch
from tests.services.test_roaming_list import line

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_providers_that_claim_the_same_tokens_are_told_with_how_many(store):
    over = {"expiry_date": NOW}
    uploads = {
        "DEPRO": [line("A1", "DEPROC00000001"), line("A2", "DEPROC00000001"), line("A3", "DEPROC00000001")],
        "DERIV": [line("a1", "DERIVC00000001"), line("A2", "DERIVC00000001"), line("A3", "DERIVC00000001", **over)],
        "NLPRO": [line("A2", "NLPROC00000001"), line("A9", "NLPROC00000001")],
    }
    with store.books() as books:
        for owner, lines in uploads.items():
            books.roaming_lists.put(lines, [owner], NOW - timedelta(days=1), replace=False)
    told = []
    SharedTokenWatch(store, lambda: NOW, lambda *found: told.append(found)).look()
    assert told == [(("DEPRO", "DERIV"), 1), (("DEPRO", "DERIV", "NLPRO"), 1)]
