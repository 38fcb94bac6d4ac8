"""Run by Alembic; the connection comes from store.database.migrate."""

from __future__ import annotations

from alembic import context

from tertulia.store.schema import metadata

# each by itself: what one has locked is free while the next one goes through every row
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
