"""Alembic's entry: migrations run on the connection that `engine.migrate` hands over."""

from alembic import context

from formsvc.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
