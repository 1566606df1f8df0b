"""Backups and restores that are killed half-way: what is left is known for it, and may be begun
again elsewhere.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from handbill.host.folders import UNFINISHED
from handbill.host.outside import of_this_machine
from handbill.host.settings import Settings
from handbill.opening import prepare
from masters import MASTER_KEY
from serving import beside, handbill

FILES = 300


@pytest.fixture
def data(tmp_path: Path) -> Path:
    settings = Settings(data=str(tmp_path / "data"), secrets_key=MASTER_KEY)
    prepare(settings, of_this_machine(settings))
    reports = settings.data_folder / "blobs" / "reports"
    reports.mkdir(parents=True)
    for number in range(FILES):
        (reports / f"{number}.csv").write_text(str(number))
    return settings.data_folder


def killed(*words: str, data: Path, when: Callable[[], bool], by: int = signal.SIGKILL) -> int:
    """Run a command, and kill it as soon as that is so; how it ended."""
    process = beside(*words, data=data, secrets_key=MASTER_KEY)
    pause = threading.Event()
    try:
        while not when():
            assert process.poll() is None, "it ended before"
            pause.wait(0.001)
        process.send_signal(by)
        return process.wait(60)
    finally:
        process.kill()
        process.wait(60)


def run(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    return handbill(*words, data=data, secrets_key=MASTER_KEY)


def refused(*words: str, data: Path) -> str:
    done = run(*words, data=data)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_backup_that_was_killed_is_none_and_the_next_one_is_whole(
    data: Path, tmp_path: Path
) -> None:
    half, whole, copy = (tmp_path / name for name in ("half", "whole", "copy"))
    blocks = data / "blobs" / "reports" / "100.csv"
    blocks.unlink()
    os.mkfifo(blocks)  # which nobody writes to: whoever reads it waits
    done = half / "blobs" / "reports" / "10.csv"
    assert killed("backup", str(half), data=data, when=done.exists) == -signal.SIGKILL
    blocks.unlink()
    assert "is not a complete backup: it has no manifest.json" in refused(
        "restore", str(half), data=copy
    )
    assert "not empty" in refused("backup", str(half), data=data)
    assert not copy.exists()
    assert run("backup", str(whole), data=data).returncode == 0
    assert run("restore", str(whole), data=copy).returncode == 0
    assert len([*(copy / "blobs" / "reports").iterdir()]) == FILES - 1
    assert run("doctor", data=data).returncode == 0, "what a killed one held is no ailment"


def test_a_restore_that_was_killed_is_told_and_begun_again(data: Path, tmp_path: Path) -> None:
    backup, half, whole = (tmp_path / name for name in ("backup", "half", "whole"))
    assert run("backup", str(backup), data=data).returncode == 0
    begun = (half / UNFINISHED).exists
    assert killed("restore", str(backup), data=half, when=begun) == -signal.SIGKILL
    assert "is incomplete: a restore into it is in progress, or was interrupted" in refused(
        "serve", data=half
    )
    assert "not empty" in refused("restore", str(backup), data=half)
    told = run("doctor", data=half)
    assert (told.returncode, "delete the folder and restore again" in told.stdout) == (1, True)
    assert run("restore", str(backup), data=whole).returncode == 0
    assert len([*(whole / "blobs" / "reports").iterdir()]) == FILES
    shutil.rmtree(half)
    assert run("restore", str(backup), data=half).returncode == 0, "as was told"


def test_a_backup_that_is_ended_gives_back_its_hold(data: Path, tmp_path: Path) -> None:
    blocks, done = data / "blobs" / "reports" / "100.csv", tmp_path / "half" / "blobs" / "reports"
    blocks.unlink()
    os.mkfifo(blocks)
    ended = killed("backup", str(tmp_path / "half"), data=data, when=done.exists, by=signal.SIGTERM)
    assert ended == 128 + signal.SIGTERM
    with closing(sqlite3.connect(data / "records.db")) as records:
        assert records.execute("SELECT count(*) FROM holds").fetchall() == [(0,)]
