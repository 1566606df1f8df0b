"""Bring the journal of a lost host into another's: source by source, under their own names.

The marks in the records say what was judged, so nothing is booked twice.
"""

import fcntl
import os
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from handbill.kit.faults import Unavailable
from handbill.store.durable import sync_folder

_ASIDE = ".arriving"


class JournalStillWritten(Unavailable):
    """A process writes to the journal that is to be brought."""


def bring(sources: Iterable[Path], into: Path) -> list[str]:
    """Copy what is missing of these sources' folders; the names of those that had more.

    A reader meanwhile sees a source completely or not at all, and no segment before an earlier one.
    **Refuses** (StillWritten) sources that a process writes to.
    """
    into.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        named = sorted(sources)
        for source in named:
            _hold(held, source)
        return [source.name for source in named if _bring(source, into)]


def _hold(held: ExitStack, source: Path) -> None:
    fd = os.open(source / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o640)
    held.callback(os.close, fd)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as taken:
        raise JournalStillWritten(f"a process still writes to {source}; stop it first") from taken


def _bring(source: Path, into: Path) -> bool:
    target = into / source.name
    assert target != source, "a journal is not brought to itself"
    segments = sorted(source.glob("*.log"))
    is_new = not target.exists()
    aside = into / f"{_ASIDE}-{source.name}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    first = "" if is_new else min((path.name for path in target.glob("*.log")), default="")
    wanted = [
        path
        for path in segments
        if path.name >= first and (is_new or _size(target / path.name) < path.stat().st_size)
    ]
    if wanted:  # after the segments that they describe
        wanted += sorted(source.glob("*.acknowledged"))
    for path in wanted:
        _copy(path, aside / path.name)
    sync_folder(aside)
    if is_new:
        aside.rename(target)
    else:
        for path in wanted:
            (aside / path.name).replace(target / path.name)
        sync_folder(target)
        aside.rmdir()
    sync_folder(into)
    return bool(wanted)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def _copy(path: Path, target: Path) -> None:
    with path.open("rb") as file, target.open("xb") as copy:
        shutil.copyfileobj(file, copy, 1024**2)
        copy.flush()
        os.fsync(copy.fileno())
