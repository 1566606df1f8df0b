"""What the edge finds on its own disk: copies of outbound feeds, where blobs are not files on this
machine, and always a note of each file's content.

So the edge needs only its disk: feeds are served while the object store is away. Where blobs are a
folder, the edge reads that, and nothing is copied.
"""

import os
from pathlib import Path

from handbill.core.feed_notes import note_of, note_path
from handbill.kit.instants import SECOND, Instant
from handbill.listings.rows import File
from handbill.store.blobs import Blobs, FolderBlobs
from handbill.work.tools import Tools

_CHUNK = 1024 * 1024


def paths_of(file: File) -> tuple[str, str]:
    """Where a file is in blobs, plain and gzipped."""
    path = f"feeds/{file.name}.xml"
    return path, f"{path}.gz"


def is_needed(tools: Tools) -> bool:
    return tools.settings.blobs_address.startswith("s3://")


def is_near(tools: Tools, file: File) -> bool:
    """Whether the edge has the latest version of a file: a copy carries the time of its writing."""
    if file.written_at is None or not is_needed(tools):
        return True
    plain, _ = paths_of(file)
    times = [_time_of(tools, path) for path in paths_of(file)]
    return all(at == file.written_at for at in times) and _near(tools).exists(note_path(plain))


def is_strange(tools: Tools, file: File) -> bool:
    """Whether blobs that are files have another one than that on record: a worker that outslept its
    lease has put it there late, and died before it could tell. Whoever got its lease began a minute
    after it at least, and not every file system keeps parts of seconds.
    """
    if file.written_at is None or file.digest is None:
        return False
    places = [tools.blobs.local(path) for path in paths_of(file)]
    times = [_written(place) for place in places if place is not None]
    return any(at is not None and abs(at - file.written_at) > 2 * SECOND for at in times)


def put(tools: Tools, path: str, local: Path) -> None:
    """Give the edge a file that has just been written."""
    if is_needed(tools):
        _near(tools).put_file(path, local)


def note(tools: Tools, file: File, digest: bytes, written_at: Instant) -> None:
    """Note the content of a file for the edge. Until then its ETag differs, but is never wrong."""
    path, _ = paths_of(file)
    _near(tools).put(note_path(path), note_of(written_at, digest))


def set_time(local: Path, written_at: Instant) -> None:
    """Give a file, and each copy made of it, the time at which it was written."""
    os.utime(local, ns=(written_at * 1000, written_at * 1000))


def bring(tools: Tools, file: File) -> None:
    """Fetch what the edge does not have, or has in an older version. **Refuses** a missing blob
    (FileNotFoundError).
    """
    assert file.written_at is not None, "a file that was written"
    assert file.digest is not None, "a file that was written"
    for path in paths_of(file):
        local = tools.own_scratch / f"nearby-{Path(path).name}"
        local.parent.mkdir(parents=True, exist_ok=True)
        try:
            with local.open("wb") as copy:
                for chunk in tools.blobs.chunks(path, _CHUNK):
                    copy.write(chunk)
            set_time(local, file.written_at)
            put(tools, path, local)
        finally:
            local.unlink(missing_ok=True)
    note(tools, file, file.digest, file.written_at)


def _near(tools: Tools) -> Blobs:
    return FolderBlobs(tools.settings.nearby_folder) if is_needed(tools) else tools.blobs


def _time_of(tools: Tools, path: str) -> Instant | None:
    return _written(tools.settings.nearby_folder / path)


def _written(place: Path) -> Instant | None:
    try:
        return place.stat().st_mtime_ns // 1000
    except FileNotFoundError:
        return None
