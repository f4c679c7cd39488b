"""Alembic's entry: runs the steps on the connection that `store.migration` hands over."""

from alembic import context

from defimon.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=True
)
context.run_migrations()
