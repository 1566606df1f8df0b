"""Migrated records have the tables that the code speaks of, however many processes migrate."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from handbill.config import BadSettings, without_password
from handbill.host.outside import of_this_machine
from handbill.host.settings import Settings
from handbill.opening import prepare
from handbill.store import migrations
from handbill.store.migrations.__main__ import path_of, script_of
from handbill.store.records import Records, open_records
from handbill.store.records.opening import ForeignRecords, migrate
from handbill.store.records.tables import agencies, metadata

_MIGRATE = """
import sys
from handbill.store.records import open_records
from handbill.store.records.opening import migrate
sys.stdin.readline()
migrate(open_records(sys.argv[1]))
print("alembic" in sys.modules)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    """Records without any table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'records.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    records = open_records(url)
    yield records
    records.close()


def _differences(records: Records) -> list[object]:
    engine = sa.create_engine(records.url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def _driver_url(records: Records) -> str:
    return records.url.replace("+psycopg", "")


def test_scripts_are_of_these_tables() -> None:
    for engine in ("sqlite", "postgresql"):
        assert path_of(engine).read_text(encoding="utf-8") == script_of(engine)


def test_newest_revision_is_known_without_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.NEWEST]


def test_migrated_records_have_these_tables(empty: Records) -> None:
    assert empty.revision() is None
    assert _differences(empty) != []
    migrate(empty)
    assert empty.revision() == migrations.NEWEST
    assert _differences(empty) == []
    with empty.write() as tx:
        tx.put(agencies, id="a", name="A", currency="USD", created_at=1)
    migrate(empty)
    with empty.read() as tx:
        assert len(tx.all(sa.select(agencies.c.no))) == 1


def test_many_processes_migrate_at_once(empty: Records) -> None:
    command = [sys.executable, "-c", _MIGRATE, _driver_url(empty)]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    loaded = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * 3
    assert "True\n" in loaded
    assert _differences(empty) == []
    late = subprocess.run(command, input="go\n", capture_output=True, text=True, check=True)
    assert late.stdout == "False\n"


def test_killed_migration_leaves_nothing_behind(empty: Records) -> None:
    code = """
import os, sys
import sqlalchemy as sa
from handbill.store.migrations.running import upgrade
def die(connection, cursor, statement, *_):
    if "tasks_by_due" in statement:
        os.kill(os.getpid(), 9)
sa.event.listen(sa.Engine, "before_cursor_execute", die)
upgrade(sys.argv[1])
"""
    command = [sys.executable, "-c", code, empty.url]
    assert subprocess.run(command, check=False).returncode == -9
    assert empty.revision() is None
    migrate(empty)
    assert _differences(empty) == []


def test_records_of_a_newer_release_are_refused(empty: Records) -> None:
    migrate(empty)
    with empty.write() as tx:
        tx.run_text("UPDATE alembic_version SET version_num = '9999'", {})
    with pytest.raises(ForeignRecords, match="newer release"):
        migrate(empty)


@pytest.mark.parametrize("former", ["0001", "0001.0123456789ab", "0001.ffffffffffff"])
def test_records_of_another_working_copy_are_refused_untouched(empty: Records, former: str) -> None:
    """Their revision has the same number, but their tables may be any."""
    migrate(empty)
    with empty.write() as tx:
        tx.run_text(f"UPDATE alembic_version SET version_num = '{former}'", {})
        tx.run_text("DROP TABLE callbacks", {})
    with pytest.raises(ForeignRecords, match="earlier development version"):
        migrate(empty)
    assert empty.revision() == former
    assert len(_differences(empty)) > 0


def test_the_revision_tells_apart_what_the_tables_are(tmp_path: Path) -> None:
    """Any change of the statements is another revision; the name fits Alembic's column."""
    number, _, digest = migrations.INITIAL.partition(".")
    assert (number, len(digest)) == ("0001", 12)
    whole = hashlib.blake2b(digest_size=6)
    for engine in ("postgresql", "sqlite"):
        whole.update(script_of(engine).encode())
    assert digest == whole.hexdigest()
    assert len(migrations.INITIAL) <= 32


def test_the_operator_is_told_what_to_do(empty: Records, tmp_path: Path) -> None:
    migrate(empty)
    with empty.write() as tx:
        tx.run_text("UPDATE alembic_version SET version_num = '0001'", {})
    url = _driver_url(empty)
    settings = Settings(data=str(tmp_path), records_url=url)
    with pytest.raises(BadSettings) as refused:
        prepare(settings, of_this_machine(settings))
    told = str(refused.value)
    assert "made by an earlier development version" in told
    assert "--data" in told
    assert without_password(url).removeprefix("sqlite:///") in told
    assert "postgres:@" not in told
