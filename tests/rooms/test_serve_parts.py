"""The parts of serve that can be asked without starting it."""

import asyncio
import errno
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handbill.cli.ledgers import check_ledger, export_ledger
from handbill.config import BadSettings
from handbill.host import children
from handbill.host.children import ChildProcess
from handbill.host.clock import SystemClock
from handbill.host.folders import Unusable
from handbill.host.masters import Masters
from handbill.host.outside import of_this_machine
from handbill.host.settings import Settings
from handbill.opening import locked, prepare
from handbill.store.index import EdgeIndex, key_place
from handbill.supervise import ProcessTree, children_of, sole_server, with_ports
from handbill.worker import FETCHED, ROOMS, schedule, tasks
from serving import asked, environment, handbill, until


def test_the_tree_has_the_processes_that_the_settings_ask_for() -> None:
    names = [child.name for child in children_of(Settings(edges=2, workers=3))]
    doors = ["edge-0", "edge-1", "api-0", "judge-0", "fetcher-0", "fetcher-1"]
    assert names == [*doors, "worker-0", "worker-1", "worker-2"]


def test_every_task_has_a_process_and_every_entry_a_name_of_its_own() -> None:
    assert tasks().keys() >= FETCHED, "what no room runs would wait for ever"
    names = [name for name, _, _ in schedule()]
    assert len(names) == len(set(names))
    assert all(seconds > 0 for _, seconds, _ in schedule())
    assert {name.partition(".")[0] for name in names} <= {
        *(room.__name__.split(".")[1] for room in ROOMS),
        "work",
    }


def test_port_0_becomes_a_free_one_and_others_stay() -> None:
    chosen = with_ports(Settings(api_port=0, edge_port=0))
    assert chosen.api_port != chosen.edge_port
    assert chosen.api_port * chosen.edge_port > 0
    assert with_ports(chosen) == chosen


def test_a_taken_port_is_refused_with_advice() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadSettings, match=f"port {port} .*--edge-port"):
            with_ports(Settings(api_port=0, edge_port=port))


def test_one_port_for_two_doors_is_refused() -> None:
    port = with_ports(Settings(api_port=0, edge_port=0)).api_port
    with pytest.raises(BadSettings, match="must differ"):
        with_ports(Settings(api_port=port, edge_port=port))


def test_a_folder_has_one_server(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    with sole_server(settings), pytest.raises(BadSettings, match="another handbill serves"):  # noqa: SIM117
        with sole_server(settings):
            pytest.fail("two servers hold one folder")
    with sole_server(settings), locked(tmp_path / "other", wait=False):
        pass


def test_a_folder_that_cannot_be_made_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    below_a_file = Settings(data=str(tmp_path / "file" / "data"))
    with pytest.raises(Unusable, match="choose another with --data"):
        prepare(below_a_file, of_this_machine(below_a_file))


@pytest.mark.parametrize("asked", [check_ledger, export_ledger])
def test_books_that_are_not_there_are_refused_and_not_made(
    tmp_path: Path, asked: Callable[..., None]
) -> None:
    with pytest.raises(Unusable, match=r"no records at .*--data"):
        asked(data=str(tmp_path / "mistyped"))
    assert not (tmp_path / "mistyped").exists()


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    for wrong in (
        Settings(data=str(tmp_path), records_url="mysql://x"),
        Settings(data=str(tmp_path), journal_url="kafka://x"),
        Settings(data=str(tmp_path), blobs_url="ftp://x"),
    ):
        with pytest.raises(BadSettings):
            prepare(wrong, of_this_machine(wrong))


def test_preparing_twice_keeps_the_keys(tmp_path: Path) -> None:
    settings = Settings(data=str(tmp_path / "data"))
    prepare(settings, of_this_machine(settings))
    keys = _keys(settings)
    assert len(keys[1]) == 32
    prepare(settings, of_this_machine(settings))
    assert _keys(settings) == keys
    assert settings.data_folder.stat().st_mode & 0o077 == 0, "others may look in"


def _keys(settings: Settings) -> dict[int, bytes]:
    masters = Masters(settings)
    index = EdgeIndex(
        settings.index_folder,
        writable=False,
        open_key=lambda kid, kept: masters.opened(kept, *key_place(kid)),
    )
    try:
        assert all(len(kept) > 32 for kept in index.kept_keys().values()), "not sealed"
        return index.keys()
    finally:
        index.close()


@pytest.mark.parametrize("kind", ["api", "judge", "fetcher", "worker"])
def test_a_process_without_records_ends_with_a_sentence(tmp_path: Path, kind: str) -> None:
    nowhere = tmp_path / "nowhere"
    ended = handbill(kind, data=nowhere)
    (line,) = ended.stderr.splitlines()[-1:]
    assert "there are no records at" in json.loads(line)["message"]
    assert "Traceback" not in ended.stderr
    assert (ended.returncode, ended.stdout) == (1, "")
    assert not nowhere.exists()


def test_an_edge_alone_closes_its_folder_to_others(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "journal").mkdir(parents=True, mode=0o755)
    data.chmod(0o755)
    port = with_ports(Settings(api_port=0, edge_port=0)).edge_port
    edge = subprocess.Popen(
        [sys.executable, "-P", "-m", "handbill", "edge", "--data", str(data)],
        env=environment(edge_port=str(port)),
        stderr=subprocess.PIPE,
    )
    try:
        until("the edge", lambda: _lives(port))
        for path in (data, data / "journal"):
            assert path.stat().st_mode & 0o077 == 0, path
    finally:
        edge.terminate()
        _, log = edge.communicate()
    assert edge.returncode == 0, log


def _lives(port: int) -> bool | None:
    try:
        return asked(f"http://127.0.0.1:{port}/livez")[0] == 200 or None
    except OSError:
        return None


_FORKED = """
import asyncio, os, shutil
from functools import partial
from multiprocessing import forkserver
from pathlib import Path
from handbill.cli.serving import child_of_tree
from handbill.host import children
from handbill.host.settings import Settings

def blocked():
    told = Path(f"/proc/{forkserver._forkserver._forkserver_pid}/status").read_text()
    return int(told.partition("SigBlk:")[2].split()[0], 16)

async def crashed(name):
    given = ("hb_abcdefghijkl_" + name, 0, Settings(), 0)
    child = await children.started(name, partial(child_of_tree, rest=False), *given)
    return await child.wait()

def left_alone():
    "A child whose parent ends before it has said what to do."
    told, asked = forkserver.connect_to_new_process([])
    os.close(asked)
    while os.read(told, 64):
        pass

async def play():
    left_alone()
    print(await crashed("first"), blocked())
    shutil.rmtree(Path(forkserver._forkserver._forkserver_address).parent)
    print(await crashed("second"), blocked())

children.begin([])
asyncio.run(play())
"""


def test_a_crash_is_one_line_of_the_log_and_a_removed_socket_is_made_anew() -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", _FORKED], capture_output=True, text=True, check=True
    )
    asked_to_end = {1 << (number - 1) for number in (signal.SIGINT, signal.SIGTERM)}
    for told in ran.stdout.splitlines():
        status, blocked = map(int, told.split())
        assert status == 1
        assert all(blocked & bit for bit in asked_to_end)
    first, *lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert first["message"] == "the process ends because of EOFError"
    assert len(lines) == len(ran.stdout.splitlines()) == 2
    for line, name in zip(lines, ("first", "second"), strict=True):
        assert line["message"] == "the process ends because of KeyError"
        assert "hb_abcdefghijkl_***" in line["trace"]
        assert name not in line["trace"]


_PRINTED = """
import threading, warnings
from handbill.host.logs import log_json_lines

class Odd:
    def __del__(self):
        raise ValueError("three")

log_json_lines("odd")
warnings.warn("one", stacklevel=1)
thread = threading.Thread(target=lambda: int("two"), name="t")
thread.start()
thread.join()
Odd()
raise RuntimeError("four")
"""


def test_what_python_itself_would_print_are_lines_of_the_log() -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", _PRINTED], capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["warning", "critical", "error", "critical"]
    assert "UserWarning: one" in lines[0]["message"]
    messages = [line["message"] for line in lines[1:]]
    assert messages == [
        "the thread t ends because of ValueError",
        "ValueError was raised where nobody can catch it",
        "the process ends because of RuntimeError",
    ]
    for line, text in zip(lines[1:], ("two", "three", "four"), strict=True):
        assert text in line["trace"]


class _Running:
    """A child that runs until it is asked to end."""

    def __init__(self) -> None:
        self.pid, self.returncode = 0, None
        self._end = asyncio.Event()

    async def wait(self) -> int:
        await self._end.wait()
        return 0

    def terminate(self) -> None:
        self._end.set()

    kill = terminate

    def kill_group(self) -> None:
        """It leaves nothing behind."""


def _kept(monkeypatch: pytest.MonkeyPatch, *starts: Exception) -> tuple[ProcessTree, list[str]]:
    """One child of a tree whose first starts fail so; it is ended once one does not."""
    left, names = [*starts], list[str]()
    tree = ProcessTree(Settings(), SystemClock(), lambda *_, **__: None)

    async def started(name: str, *_: Any) -> _Running:
        names.append(name)
        if left:
            raise left.pop(0)
        asyncio.get_running_loop().call_soon(tree.stop)
        return _Running()

    async def play() -> None:
        tree.start([ChildProcess("edge", 0)])
        await tree.stopped()

    monkeypatch.setattr(children, "started", started)
    asyncio.run(play())
    return tree, names


def test_a_child_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = (EOFError(), FileNotFoundError(), OSError(errno.EMFILE, "too many"))
    tree, names = _kept(monkeypatch, *gone)
    assert (names, tree.failure) == (["edge-0"] * 4, None)


def test_a_bug_of_the_supervisor_ends_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        _kept(monkeypatch, ZeroDivisionError())
