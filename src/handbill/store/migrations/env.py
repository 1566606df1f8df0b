"""Alembic's entry: it gets a connection that is already in its transaction."""

from alembic import context

from handbill.store.records.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
