"""`clearinghouse db`."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from typer.testing import CliRunner

from clearinghouse.cli.db import app
from clearinghouse.persistence import schema
from clearinghouse.persistence.keyring import KeyRing
from clearinghouse.persistence.store import PostgresStore
from clearinghouse.services.endpoints_port import OwnToken


def test_an_empty_database_is_shown_upgraded_and_shown_again(empty_url: str) -> None:
    run = CliRunner().invoke
    before = run(app, ["status", "--url", empty_url])
    assert (before.exit_code, before.stdout) == (1, f"revision none, this program needs {schema.newest()}\n")
    assert before.stderr == "clearinghouse: the database is empty: run `clearinghouse db upgrade`\n"
    first = run(app, ["upgrade"], env={"CLEARINGHOUSE_DATABASE_URL": empty_url})
    steps = first.stdout.splitlines()
    assert steps[0] == "applied 0001: Everything the three roles keep"
    assert steps[-1] == "the database is up to date"
    assert run(app, ["upgrade", "--url", empty_url]).stdout == "the database was up to date\n"
    assert run(app, ["status", "--url", empty_url]).exit_code == 0


def test_an_unreachable_database_is_one_line_of_error(empty_url: str) -> None:
    result = CliRunner().invoke(app, ["upgrade", "--url", "postgresql://a:hunter2-secret@127.0.0.1:1/x"])
    assert result.exit_code == 1
    assert result.stderr.startswith("clearinghouse: no connection to the database")
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.output


def test_a_token_under_an_old_key_is_encrypted_with_the_newest(database_url: str) -> None:
    run = CliRunner().invoke
    old, new = (run(app, ["key"]).stdout.strip() for _ in range(2))
    store = PostgresStore(database_url, KeyRing([old]))
    with store.books() as books:
        books.own_tokens.make(OwnToken(day=date(2027, 1, 10), token="t", made_at=datetime.now(UTC)))
    store.close()
    settings = {"ROLE": "house", "PUBLIC_URL": "https://hub.example", "PLAIN_HTTP": "yes", "DATABASE_URL": database_url}
    environment = {f"CLEARINGHOUSE_{name}": value for name, value in settings.items()}
    both = environment | {"CLEARINGHOUSE_ENCRYPTION_KEYS": json.dumps([new, old])}
    assert run(app, ["rekey"], env=both).stdout == "1 tokens encrypted anew\n"
    assert run(app, ["rekey"], env=both).stdout == "0 tokens encrypted anew\n"
    alone = environment | {"CLEARINGHOUSE_ENCRYPTION_KEYS": json.dumps([old])}
    refused = run(app, ["rekey"], env=alone)
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
