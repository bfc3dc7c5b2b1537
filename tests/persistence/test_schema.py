"""The schema's revisions."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, text

from clearinghouse.persistence import schema
from clearinghouse.persistence.embedded import EmbeddedPostgres
from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.errors import SchemaOutdated, StoreUnreachable
from clearinghouse.persistence.tables import metadata

CATALOG = {
    "columns": """
        SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, is_identity,
               identity_generation
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        AND conrelid::regclass::text <> 'alembic_version'""",
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'""",
}


def catalog(url: str, question: str) -> set[tuple[object, ...]]:
    with make_engine(url, poolclass=NullPool).connect() as connection:
        return {tuple(row) for row in connection.execute(text(CATALOG[question]))}


@pytest.mark.parametrize("question", CATALOG)
def test_the_migrations_make_what_the_tables_say(question: str, database_url: str, empty_url: str) -> None:
    with make_engine(empty_url, poolclass=NullPool).begin() as connection:
        metadata.create_all(connection)
    migrated = catalog(database_url, question)
    assert migrated
    assert migrated == catalog(empty_url, question)


def test_alembic_finds_nothing_left_to_migrate(database_url: str) -> None:
    with make_engine(database_url, poolclass=NullPool).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_numbers_of_the_files_are_the_revisions_in_their_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.migrations()))
    scripts = ScriptDirectory.from_config(config)
    assert schema.known() == [script.revision for script in scripts.walk_revisions()][::-1]
    assert schema.newest() == scripts.get_current_head()


def test_an_empty_database_is_refused_then_upgraded_step_by_step(empty_url: str) -> None:
    assert schema.current(empty_url) is None
    assert not schema.is_current(empty_url)
    with pytest.raises(SchemaOutdated, match="is empty: run `clearinghouse db upgrade`"):
        schema.require_current(empty_url)
    steps: list[str] = []
    schema.upgrade(empty_url, steps.append)
    assert steps[0] == "0001: Everything the three roles keep"
    assert schema.is_current(empty_url)
    schema.require_current(empty_url)


def test_an_upgrade_of_a_current_database_does_nothing(database_url: str) -> None:
    steps: list[str] = []
    schema.upgrade(database_url, steps.append)
    assert steps == []


def set_revision(url: str, revision: str) -> None:
    with make_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_an_old_schema_is_refused_with_the_way_out(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = schema.newest()
    monkeypatch.setattr(schema, "newest", lambda: "9998")
    with pytest.raises(SchemaOutdated) as caught:
        schema.require_current(database_url)
    assert str(caught.value) == (
        f"the database is at revision {needed}, this program needs 9998: run `clearinghouse db upgrade`"
    )


def test_a_schema_of_a_newer_program_is_refused_and_left_alone(database_url: str) -> None:
    set_revision(database_url, "9999")
    with pytest.raises(SchemaOutdated, match="9999, which this program does not know"):
        schema.require_current(database_url)
    with pytest.raises(SchemaOutdated, match="9999, which this program does not know"):
        schema.upgrade(database_url)
    assert schema.current(database_url) == "9999"


def test_a_migration_can_be_taken_back(database_url: str) -> None:
    from alembic import command

    with make_engine(database_url, poolclass=NullPool).begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.migrations()))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert catalog(database_url, "columns") == set()


def test_an_unreachable_database_is_told_in_one_line_without_the_password(tmp_path: object) -> None:
    with pytest.raises(StoreUnreachable) as caught:
        schema.current("postgresql://someone:hunter2-secret@127.0.0.1:1/nothing")
    assert "no connection to the database" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(StoreUnreachable, match="only postgresql"):
        schema.current("sqlite:///x.db")
    with pytest.raises(StoreUnreachable, match="form postgresql"):
        schema.current("not a url")


def test_two_programs_may_upgrade_at_once(postgres: EmbeddedPostgres, empty_url: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    steps: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: schema.upgrade(empty_url, steps.append), range(2)))
    assert len(steps) == len(set(steps)) == len(schema.known())
