"""Folders that only this user may read, and advice where the system refuses access."""

import errno
import logging
import os
import pwd
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_log = logging.getLogger("handbill")
_OTHERS = 0o077
_FOLDER = 0o700
_FILE = 0o600
_ROOT = 0
DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_ROOM = 2_097_152  # for a journal's segment and the files of figures
_FILES = 16
UNFINISHED = "restoring"
"""A file in a data folder that a restore is filling, deleted when that is complete."""


class Unusable(Exception):
    """A path that cannot be used as required. The message says why, and what to do."""


class DiskRoom(NamedTuple):
    """What a file system still takes. **Units**: bytes; files, None where their number has no bound
    of its own.
    """

    free: int
    files: int | None


def room_of(folder: Path) -> DiskRoom:
    """The room for this user on the disk of the folder."""
    told = os.statvfs(folder)
    return DiskRoom(told.f_bavail * told.f_frsize, told.f_favail if told.f_files else None)


def has_room(folder: Path) -> bool:
    """Whether a process that begins could make its files on the disk of this folder. True also
    where the system cannot tell: that is no full disk, and a process that begins says what it is.
    """
    try:
        free, files = room_of(folder)
    except OSError as unknown:
        _log.warning("the free space of %s cannot be told: %s", folder, unknown)
        return True
    return free >= _ROOM and (files is None or files >= _FILES)


def make_private(folder: Path) -> None:
    """Create the folder if necessary, and close it and its contents to other users.

    A folder that was open is closed, with a warning; so is there one for a folder of another user,
    which we cannot close. **Refuses** a folder that cannot be created (Unusable).
    """
    try:
        folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
        stat = folder.stat()
    except OSError as refused:
        text = f"{folder} cannot be made ({refused.strerror})"
        way_out = advice(folder) if refused.errno in DENIED else "choose another with --data."
        raise Unusable(f"{text}; {way_out}") from refused
    if stat.st_uid != os.geteuid():
        if not os.geteuid():
            _log.warning(
                "%s belongs to %s, and this runs as root: files that it creates may be closed to "
                "%s. Run it as that user, such as with `sudo -u %s`",
                folder,
                *[_name_of(stat.st_uid)] * 3,
            )
        elif stat.st_mode & _OTHERS:
            _log.warning("%s belongs to %s and is open to others", folder, _name_of(stat.st_uid))
    elif stat.st_mode & _OTHERS:
        _close(folder)
        _log.warning(
            "%s was open to other users; now only its owner can read it, with all its contents",
            folder,
        )


def require_usable(paths: Iterable[Path]) -> None:
    """**Refuses** the first of these that exists and is not readable and writable (Unusable): one
    sentence at the start, instead of a failure somewhere in the middle.
    """
    for path in paths:
        wanted = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
        if _is_there(path) and not os.access(path, wanted):
            raise Unusable(f"{path} cannot be read and written. {advice(path)}")


def refuse_unfinished(folder: Path) -> None:
    """**Refuses** a data folder whose restore was interrupted (Unusable)."""
    if _is_there(folder / UNFINISHED):
        raise Unusable(
            f"{folder} is incomplete: a restore into it is in progress, or was interrupted. "
            "If it was interrupted, delete the folder and restore again"
        )


def advice(path: Path) -> str:
    """What to do about a path that this process may not use: who may, and how to change that.

    A change of owner is only proposed for the named path itself, never for a folder above it, which
    may be the system's.
    """
    nearest = _nearest(path)
    try:
        if os.statvfs(nearest).f_flag & os.ST_RDONLY:
            return f"{nearest} is on a read-only file system: name another folder."
        owner, me = _name_of(nearest.stat().st_uid), _name_of(os.geteuid())
    except OSError:
        return "Name another folder."
    if owner == me:
        text = f"{nearest} belongs to this user, but cannot be accessed"
        return f"{text}: `chmod -R u+rwX {nearest}`, or name another folder."
    text = f"{nearest} belongs to {owner} and this runs as {me}: run it as {owner}"
    if nearest != path.absolute():
        return f"{text}, or name another folder."
    return f"{text}, name another folder, or change its owner with `chown -R {me} {nearest}`."


def is_root() -> bool:
    return os.geteuid() == _ROOT


def _close(folder: Path) -> None:
    """Remove others' permissions, from the outside in, so that nobody gets in meanwhile."""
    folder.chmod(_FOLDER)
    for inside, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(inside, name)
            if not path.is_symlink() and path.stat().st_uid == os.geteuid():
                path.chmod(_FOLDER if name in folders else _FILE)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # in a folder that may not be read: then that folder is the one to name
        return False


def _nearest(path: Path) -> Path:
    """The path, or the first folder above it that exists and can be looked at."""
    path = path.absolute()
    while path != path.parent and not _is_there(path):
        path = path.parent
    return path


def _name_of(uid: int) -> str:
    """A user's name, or the number of a user without one, as in many containers."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
