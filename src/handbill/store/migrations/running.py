"""Run Alembic, in one transaction that keeps other migrating processes out."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

_ADVISORY_LOCK = 0x68616E64_62696C6C  # an arbitrary number of our own
_LOCK_SECONDS = 600


def upgrade(url: str) -> None:
    """Bring the database to the newest revision, as a whole or not at all."""
    if url.startswith("sqlite"):
        engine = sa.create_engine(
            url, poolclass=sa.NullPool, connect_args={"timeout": _LOCK_SECONDS}
        )
        sa.event.listen(engine, "connect", _no_implicit_transactions)
        sa.event.listen(engine, "begin", _begin_immediate)
    else:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        sa.event.listen(engine, "begin", _lock)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _no_implicit_transactions(connection: sa.PoolProxiedConnection, _record: object) -> None:
    # Otherwise the driver would commit before each change of a table.
    connection.isolation_level = None  # type: ignore[attr-defined]


def _begin_immediate(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _lock(connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
