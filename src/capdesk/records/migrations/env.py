"""What Alembic runs: the migrations, inside the transaction that it is given."""

from alembic import context

from capdesk.records.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
