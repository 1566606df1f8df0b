"""Copies of the outbound feeds that the edge reads, where blobs are not files on this machine.

So the edge asks nobody but its own disk: feeds are handed out while the object store is away. Where
blobs are a folder, the edge reads that, and nothing here does anything.
"""

import os
from pathlib import Path

from handbill.kit.instants import Instant
from handbill.listings.rows import File
from handbill.store.blobs import FolderBlobs
from handbill.work.tools import Tools

_CHUNK = 1024 * 1024


def paths_of(file: File) -> tuple[str, str]:
    """Where a file is in blobs, plain and gzipped."""
    path = f"feeds/{file.name}.xml"
    return path, f"{path}.gz"


def is_needed(tools: Tools) -> bool:
    return tools.settings.blobs_address.startswith("s3://")


def is_near(tools: Tools, file: File) -> bool:
    """Whether the edge has the file as it was written last: a copy carries the time of that."""
    if file.written_at is None or not is_needed(tools):
        return True
    return all(_time_of(tools, path) == file.written_at for path in paths_of(file))


def put(tools: Tools, path: str, local: Path, written_at: Instant) -> None:
    """Hand the edge a file that has just been written."""
    if not is_needed(tools):
        return
    near = FolderBlobs(tools.settings.nearby_folder)
    times = (written_at * 1000, written_at * 1000)
    os.utime(local, ns=times)
    near.put_file(path, local)
    if _time_of(tools, path) != written_at:  # copied, as the file system makes no links
        os.utime(near.local(path), ns=times)


def bring(tools: Tools, file: File) -> None:
    """Fetch what the edge has not, or has as it was before. **Refuses** a blob that is not there
    (FileNotFoundError).
    """
    assert file.written_at is not None, "a file that was written"
    for path in paths_of(file):
        local = tools.scratch / f"nearby-{Path(path).name}"
        try:
            with local.open("wb") as copy:
                for chunk in tools.blobs.chunks(path, _CHUNK):
                    copy.write(chunk)
            put(tools, path, local, file.written_at)
        finally:
            local.unlink(missing_ok=True)


def _time_of(tools: Tools, path: str) -> Instant | None:
    try:
        return (tools.settings.nearby_folder / path).stat().st_mtime_ns // 1000
    except FileNotFoundError:
        return None
