"""The edge as a process: killed under load, ended in order, several on one port."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from door import JOB, KEY, TOKEN, URL
from handbill.core.listing_tokens import open_click
from handbill.core.received import ReceivedClick, decode
from handbill.store.index import EdgeIndex
from handbill.store.journal_reading import JournalReader
from masters import MASTER_KEY, kept_key
from serving import LONG, until

RUN = (
    "import sys; from handbill.edge import main; from handbill.host.settings import Settings;"
    "from handbill.host.outside import of_this_machine;"
    "settings = Settings(data=sys.argv[1], edge_port=int(sys.argv[2]), "
    f"secrets_key={MASTER_KEY!r}); main(settings, of_this_machine(settings), int(sys.argv[3]))"
)
SEEKERS = 8
CLICKS = 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    index = EdgeIndex(tmp_path / "index", writable=True)
    index.put_keys({1: kept_key(1, KEY)})
    index.put_urls([(JOB, URL)])
    index.finish()
    index.close()
    return tmp_path


@pytest.fixture
def port() -> Iterator[int]:
    """A port that stays ours: bound beside the edges, but never listened on."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def edge(folder: Path, port: int, number: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", RUN, str(folder), str(port), str(number)])
    try:
        until("the edge serves", lambda: _answers(port, process) or None)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=LONG)


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the edge ended at its start"
    try:
        return _get(port, "/livez")[0] == 200
    except (OSError, HTTPException):
        return False


def _get(port: int, target: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=LONG)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("location") or ""
    finally:
        connection.close()


def _kept(folder: Path) -> set[bytes]:
    """The clicks in the journal, each once."""
    entries = JournalReader(folder / "journal").read({}, 1_000_000).lines
    events = [event for entry in entries for event in decode(entry.record)]
    clicks = [event.random for event in events if isinstance(event, ReceivedClick)]
    assert len(set(clicks)) == len(clicks)
    return set(clicks)


def _random_of(location: str) -> bytes:
    return open_click(location.rpartition("jClickId=")[2], {1: KEY}).random


class Crowd:
    """Seekers who click without a pause until the door fails them."""

    def __init__(self, port: int) -> None:
        self.answered: list[str] = []
        self.enough = threading.Event()
        self._port = port
        self._threads = [threading.Thread(target=self._click) for _ in range(SEEKERS)]
        for thread in self._threads:
            thread.start()

    def _click(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=LONG)
        try:
            while True:
                connection.request("GET", f"/c/{TOKEN}")
                answer = connection.getresponse()
                answer.read()
                if answer.status != 302:
                    return
                self.answered.append(answer.getheader("location") or "")
                if len(self.answered) >= CLICKS:
                    self.enough.set()
        except (OSError, HTTPException):
            return
        finally:
            connection.close()

    def gone(self) -> list[str]:
        for thread in self._threads:
            thread.join(timeout=LONG)
            assert not thread.is_alive()
        return self.answered


def test_killed_under_load_it_has_every_click_that_it_answered(folder: Path, port: int) -> None:
    with edge(folder, port) as process:
        crowd = Crowd(port)
        assert crowd.enough.wait(60)
        process.send_signal(signal.SIGKILL)
        answered = {_random_of(location) for location in crowd.gone()}
    assert len(answered) >= CLICKS
    assert answered <= _kept(folder)
    with edge(folder, port):  # and goes on where it was
        status, location = _get(port, f"/c/{TOKEN}")
        assert status == 302
        assert answered | {_random_of(location)} <= _kept(folder)


def test_ended_under_load_it_answers_what_it_took(folder: Path, port: int) -> None:
    with edge(folder, port) as process:
        crowd = Crowd(port)
        assert crowd.enough.wait(60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=LONG) == 0
        answered = {_random_of(location) for location in crowd.gone()}
    assert answered <= _kept(folder)


def test_several_share_a_port(folder: Path, port: int) -> None:
    with edge(folder, port, 0) as first, edge(folder, port, 1):
        answered = set()

        def both() -> bool | None:
            answered.add(_random_of(_get(port, f"/c/{TOKEN}")[1]))
            entries = JournalReader(folder / "journal").read({}, 1_000_000).lines
            return len({entry.source for entry in entries}) == 2 or None

        until("both were clicked on", both)
        assert answered == _kept(folder)
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=LONG) == 0
        status, location = _get(port, f"/c/{TOKEN}")
        assert status == 302
        assert answered | {_random_of(location)} == _kept(folder)


def test_a_number_is_held_by_one_process(folder: Path, port: int) -> None:
    with edge(folder, port):
        twin = subprocess.run(
            [sys.executable, "-c", RUN, str(folder), str(port), "0"],
            capture_output=True,
            timeout=LONG,
            check=False,
        )
        assert twin.returncode == 1
        assert b"another process writes the journal" in twin.stderr


def test_it_starts_before_anybody_has_written_an_index(tmp_path: Path, port: int) -> None:
    with edge(tmp_path, port):
        assert _get(port, "/readyz")[0] == 503
        assert _get(port, f"/c/{TOKEN}")[0] == 503, "a link must not be called unknown for that"
        index = EdgeIndex(tmp_path / "index", writable=True)
        index.put_keys({1: kept_key(1, KEY)})
        index.put_urls([(JOB, URL)])
        index.finish()
        index.close()
        found = until(
            "the keys are seen",
            lambda: next((end for end in [_get(port, f"/c/{TOKEN}")] if end[0] == 302), None),
        )
        assert found[1].startswith(URL.decode())
