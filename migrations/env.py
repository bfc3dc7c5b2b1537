"""What Alembic runs: the steps, on the connection that the program hands over, or on the URL of a developer."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection

from clearinghouse.persistence.engine import make_engine
from clearinghouse.persistence.tables import metadata


def run(connection: Connection) -> None:
    """Run the steps that are due."""
    tell = context.config.attributes.get("on_step")
    told = [lambda *, step, **_: tell(f"{step.up_revision_id}: {step.up_revision.doc}")] if tell else []
    context.configure(connection=connection, target_metadata=metadata, on_version_apply=told)
    with context.begin_transaction():
        context.run_migrations()


if "connection" in context.config.attributes:
    run(context.config.attributes["connection"])
else:
    with make_engine(os.environ["CLEARINGHOUSE_DATABASE_URL"]).begin() as connection:
        run(connection)
