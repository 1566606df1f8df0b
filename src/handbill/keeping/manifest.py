"""The manifest of a backup. It is written last: a folder without it is no backup."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from handbill.store.durable import sync_folder

NAME = "manifest.json"
LAST = "last-backup.json"
"""In a data folder: the last backup that was made from it."""
FORM = 1
RECORDS, JOURNAL, BLOBS = "records", "journal", "blobs"
_CHUNK = 1024**2
More = Callable[[int], None]
"""Called with the number of further bytes."""


class NotWhole(Exception):
    """A backup cannot be made, or cannot be restored. The message says why."""


class BackedUpFile(msgspec.Struct, frozen=True):
    """A file of the backup. ``digest``: SHA-256 in hex, as ``sha256sum`` prints it."""

    path: str
    bytes: int
    digest: str


class BackedUpTable(msgspec.Struct, frozen=True):
    """A table of the records. **Shape**: its file is a run of MessagePack arrays, each of rows."""

    name: str
    columns: tuple[str, ...]
    rows: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``master_keys``: the names of those that seal its secrets; the keys are not in the backup.
    ``key_file``: where they were stored; empty: in the environment. ``taken_at``: the one moment
    that it shows. ``engine``: what the records were on; they can be restored on either.
    """

    form: int = FORM
    version: str
    revision: str
    engine: str
    installation: str
    master_keys: tuple[str, ...] = ()
    key_file: str = ""
    taken_at: str
    tables: tuple[BackedUpTable, ...]
    files: tuple[BackedUpFile, ...]


class FinishedBackup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made. ``verified``: each of its files was read again and compared."""

    folder: str
    taken_at: str
    bytes: int
    verified: bool


def note_made(data: Path, made: FinishedBackup) -> None:
    """Note in a data folder which backup was made from it last."""
    aside = data / f".{LAST}"
    aside.write_bytes(msgspec.json.encode(made))
    aside.rename(data / LAST)


def last_made(data: Path) -> FinishedBackup | None:
    """The last backup made from a data folder; None: none is known."""
    try:
        return msgspec.json.decode((data / LAST).read_bytes(), type=FinishedBackup)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def verify(folder: Path, manifest: Manifest) -> None:
    """Read every file again. **Refuses** (NotWhole) one that differs from the manifest."""
    for kept in manifest.files:
        for _ in proved(folder, kept):
            pass


def write(folder: Path, manifest: Manifest) -> None:
    """Declare the backup complete: it and all that was written before is durable then."""
    raw = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    aside = folder / f".{NAME}"
    with aside.open("xb") as file:
        file.write(raw)
        os.fsync(file.fileno())
    aside.rename(folder / NAME)
    sync_folder(folder)


def read(folder: Path) -> Manifest:
    """**Refuses** (NotWhole) a folder without a complete backup, or with one of another release."""
    try:
        manifest = msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError) as missing:
        raise NotWhole(
            f"{folder} is not a complete backup: it has no {NAME}, which is written last"
        ) from missing
    except (msgspec.MsgspecError, UnicodeDecodeError) as bad:
        raise NotWhole(f"{folder / NAME} is damaged ({bad})") from bad
    if manifest.form != FORM:
        raise NotWhole(f"{folder} was made by Handbill {manifest.version}, in another form")
    return manifest


def copy(chunks: Iterator[bytes], target: Path, path: str, more: More) -> BackedUpFile:
    """Write a new file of the backup; returns its entry."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            more(len(chunk))
        file.flush()
        os.fsync(file.fileno())
    return BackedUpFile(path, size, digest.hexdigest())


def chunks_of(path: Path, most: int | None = None) -> Iterator[bytes]:
    """A file's content, up to so many bytes."""
    left = path.stat().st_size if most is None else most
    with path.open("rb", buffering=0) as file:
        while left and (chunk := file.read(min(_CHUNK, left))):
            left -= len(chunk)
            yield chunk


def proved(folder: Path, kept: BackedUpFile) -> Iterator[bytes]:
    """The content of a file of the backup. **Refuses** (NotWhole) at its end if it differs from the
    manifest.
    """
    digest, size = hashlib.sha256(), 0
    try:
        for chunk in chunks_of(folder / kept.path):
            digest.update(chunk)
            size += len(chunk)
            yield chunk
    except OSError as missing:
        raise NotWhole(f"{folder / kept.path} cannot be read ({missing.strerror})") from missing
    if (size, digest.hexdigest()) != (kept.bytes, kept.digest):
        raise NotWhole(f"{folder / kept.path} is damaged: it differs from the manifest")


def require_empty(folder: Path, what: str) -> None:
    """**Refuses** (NotWhole) a folder with anything in it; a missing folder is fine."""
    try:
        is_empty = not folder.exists() or not any(folder.iterdir())
    except NotADirectoryError:
        is_empty = False
    if not is_empty:
        raise NotWhole(f"{folder} is not empty: {what} never overwrites anything")
