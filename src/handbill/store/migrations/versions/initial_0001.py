"""All tables of the first release, as SQL for each engine."""

from pathlib import Path

from alembic import op

from handbill.store.migrations import INITIAL

revision = INITIAL
down_revision = None


def upgrade() -> None:
    engine = op.get_bind().dialect.name
    script = Path(__file__).with_suffix(f".{engine}.sql").read_text(encoding="utf-8")
    for statement in script.split(";\n"):
        if statement.strip():
            op.get_bind().exec_driver_sql(statement)
