"""How long who waits for the API waits for stores that do not answer: half a minute at most."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from handbill.api import open_desk
from handbill.host.outside import of_this_machine
from handbill.host.settings import Settings
from handbill.http.operations import Desk
from handbill.kit.faults import Unavailable
from handbill.store.records.postgresql import CONNECT_SECONDS, PostgresRecords


def _desk(settings: Settings) -> Desk:
    return open_desk(settings, of_this_machine(settings), None)


def test_of_the_records(tmp_path: Path, postgres_url: str) -> None:
    """A call waits for one answer, or for threads that wait for one, or for a connection."""
    records = _desk(Settings(data=str(tmp_path), records_url=postgres_url)).records
    assert isinstance(records, PostgresRecords)
    assert records.answers.seconds + CONNECT_SECONDS <= 30


class _Failing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked += 1  # type: ignore[attr-defined]
        self.send_error(503)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def _failing() -> Iterator[ThreadingHTTPServer]:
    """A server that never has what it is asked for."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Failing) as server:
        server.asked = 0  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_of_the_blobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request takes half a minute, and few are made; workers repeat theirs for minutes."""
    with _failing() as server:
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
            monkeypatch.setenv(name, "a")
        blobs = _desk(Settings(data=str(tmp_path), blobs_url="s3://bucket/prefix")).blobs
        with pytest.raises(Unavailable):
            blobs.get("a")
        assert server.asked == 3  # type: ignore[attr-defined]
