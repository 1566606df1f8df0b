"""The identity of a data folder among hosts that share records: an id, drawn once and kept in it.

Every source of the journal contains it, so that journals of two hosts are never confused. A copy of
a folder is another host; the sources that it brought along keep their names.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path

import msgspec

from handbill.host.ids import Ids, new_name

FILE = "host.json"
_ID_LENGTH = 12
_MOST_BYTES = 10_000
_LOG = getLogger("handbill.host")


class _Kept(msgspec.Struct, frozen=True):
    """``file``, ``folder``: their numbers in the file system; a copy never has both."""

    id: str
    file: int
    folder: int


def host_of(folder: Path, ids: Ids) -> str:
    """The id of a data folder, drawn if there is none yet, or if the folder is a copy.

    Safe to call by many processes at once. A folder that was only moved is the same host.
    """
    with _alone_in(folder) as fd:
        kept = _read(folder / FILE)
        if kept is not None and _is_of(kept, folder):
            return kept.id
        drawn = _draw(folder, fd, ids)
    if kept is not None:
        _LOG.warning(
            "this data folder is a copy of host %s's: it is host %s from now on", kept.id, drawn
        )
    return drawn


def begin_anew(folder: Path, ids: Ids) -> str:
    """Give the folder a new id, so that it is another host: for a known copy."""
    with _alone_in(folder) as fd:
        return _draw(folder, fd, ids)


def source_of(folder: Path, ids: Ids, process: str) -> str:
    """The name under which a process of this host writes to the journal."""
    return f"{process}.{host_of(folder, ids)}"


def host_in(source: str) -> str:
    """The id of the host that a journal source names; empty if it names none."""
    return source.partition(".")[2]


def kept_id(folder: Path) -> str | None:
    """The id in a folder, whether it is the folder's own or not; nothing is changed."""
    kept = _read(folder / FILE)
    return None if kept is None else kept.id


@contextmanager
def _alone_in(folder: Path) -> Iterator[int]:
    """Lock the folder against others who ask for its id; yields the folder's descriptor."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield fd
    finally:
        os.close(fd)


def _read(path: Path) -> _Kept | None:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(raw, type=_Kept)
    except msgspec.MsgspecError:
        _LOG.warning("%s cannot be read: this folder gets a new host id", path)
        return None


def _is_of(kept: _Kept, folder: Path) -> bool:
    return (kept.file, kept.folder) == ((folder / FILE).stat().st_ino, folder.stat().st_ino)


def _draw(folder: Path, fd: int, ids: Ids) -> str:
    drawn = new_name(ids, _ID_LENGTH)
    aside = folder / f".{FILE}"
    aside.unlink(missing_ok=True)
    with aside.open("xb") as file:
        numbers = os.fstat(file.fileno()).st_ino, os.fstat(fd).st_ino
        file.write(msgspec.json.encode(_Kept(drawn, *numbers)))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder / FILE)
    os.fsync(fd)
    return drawn
