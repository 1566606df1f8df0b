"""Reading the files of segments: fetching, verifying and querying them.

A file holds entries of many clients. A query reads ``entries``, of named clients only: no other
module names the files in a statement (tests/house/test_tidy.py).
"""

import atexit
import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from threading import Lock
from typing import Final, NamedTuple

import duckdb

from handbill.kit.faults import Unavailable
from handbill.store import origins
from handbill.store.blobs import Blobs
from handbill.store.segments import Segment, WrittenSegment, merged

_CHUNK: Final = 1024**2
_MOST_NAMED: Final = 3
_MOST_IDLE: Final = 6  # of some 4 MB each; a worker's tasks need nearly as many kinds
_ROWS_OF_GROUP: Final = 20_480
"""Row groups of a merged file: a reader of one client's entries skips those of others."""


class Damaged(Unavailable):
    """Files of entries are missing or changed: they may be restored."""

    def __init__(self, ails: Sequence[str]) -> None:
        more = len(ails) - _MOST_NAMED
        text = "; ".join(ails[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
        super().__init__(f"{text}: restore it from a backup, and see handbill ledger check")


@contextmanager
def query(scratch: Path, *, memory_mb: int, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory that may spill to the scratch folder and loads nothing from outside.

    Nobody else uses it meanwhile. What is created in it must be temporary, and is gone afterwards.
    """
    kind = _Kind(os.getpid(), scratch, memory_mb, threads)
    kept = _idle_one(kind) or _opened(kind)
    try:
        with closing(kept.cursor()) as connection:
            yield connection
    except BaseException:
        kept.close()
        raise
    with _at_idle:
        _idle.insert(0, (kind, kept))
        ended = _idle[_MOST_IDLE:]
        del _idle[_MOST_IDLE:]
    for _, one in ended:
        one.close()


class _Kind(NamedTuple):
    """What a DuckDB was opened for; another process never uses it."""

    process: int
    scratch: Path
    memory_mb: int
    threads: int


_idle: list[tuple[_Kind, duckdb.DuckDBPyConnection]] = []
"""Those between two queries, the last used first: opening one takes 25 ms of CPU, more than
most queries.
"""
_at_idle = Lock()
atexit.register(_idle.clear)


def _idle_one(kind: _Kind) -> duckdb.DuckDBPyConnection | None:
    with _at_idle:
        for place, (of, _) in enumerate(_idle):
            if of == kind:
                return _idle.pop(place)[1]
    return None


def _opened(kind: _Kind) -> duckdb.DuckDBPyConnection:
    kind.scratch.mkdir(parents=True, exist_ok=True)
    # A name that no other process has, on whichever host. The folder is made when it is needed.
    spill = mkdtemp(dir=kind.scratch, prefix="duckdb-")
    Path(spill).rmdir()
    return duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{kind.memory_mb}MB",
            "threads": f"{kind.threads}",
            "temp_directory": spill,
            "preserve_insertion_order": "false",
            "enable_external_file_cache": "false",  # files may be damaged, or mended
            "lock_configuration": "true",
        },
    )


def source(files: Sequence[str], client_nos: Collection[int] | None) -> str:
    """SQL for the entries in these files of these clients, with the file name of each. None: of
    every client, for maintaining the files themselves.
    """
    named = ", ".join(f"'{_quoted(file)}'" for file in files)
    text = f"read_parquet([{named}], filename = true)"
    if client_nos is None:
        return text
    if len(client_nos) == 1:
        return f"(FROM {text} WHERE client_no = {min(client_nos):d})"
    some = ", ".join(f"{client_no:d}" for client_no in sorted(client_nos))
    return f"(FROM {text} WHERE client_no IN ({some}))"


def show(duck: duckdb.DuckDBPyConnection, files: Sequence[str], client_no: int) -> None:
    """Define ``entries`` as one client's entries in these files."""
    duck.execute(
        "CREATE OR REPLACE TEMP VIEW entries AS "
        f"SELECT * EXCLUDE (filename) FROM {source(files, {client_no})}"
    )


@contextmanager
def files(blobs: Blobs, listed: Sequence[Segment], scratch: Path) -> Iterator[list[str]]:
    """The segments as local files: in their place, or fetched for as long as they are needed.

    **Refuses** (Damaged) files that do not exist, and those that turn out to be unreadable because
    they were changed. Readable ones are not verified: see ``sound_files``.
    """
    with _fetched(blobs, listed, scratch) as fetched:
        gone = [_gone(segment) for segment, file in fetched if file is None]
        if gone:
            raise Damaged(gone)
        try:
            yield [str(file) for _, file in fetched]
        except duckdb.InterruptException:
            raise
        except duckdb.Error as unreadable:
            if ails := [ail for segment, file in fetched if (ail := _ail_of(segment, file))]:
                raise Damaged(ails) from unreadable
            raise


@contextmanager
def sound_files(
    blobs: Blobs, listed: Sequence[Segment], scratch: Path
) -> Iterator[tuple[list[tuple[Segment, str]], list[str]]]:
    """The same, verified by digest; and what is wrong with those left out, in plain words."""
    with _fetched(blobs, listed, scratch) as fetched:
        sound, ails = [], []
        for segment, file in fetched:
            if ail := _ail_of(segment, file):
                ails.append(ail)
            else:
                sound.append((segment, str(file)))
        yield sound, ails


@contextmanager
def all_sound(blobs: Blobs, listed: Sequence[Segment], scratch: Path) -> Iterator[list[str]]:
    """The same, for results that are kept. **Refuses** (Damaged) any that is not sound."""
    with sound_files(blobs, listed, scratch) as (sound, ails):
        if ails:
            raise Damaged(ails)
        yield [file for _, file in sound]


@contextmanager
def _fetched(
    blobs: Blobs, listed: Sequence[Segment], scratch: Path
) -> Iterator[list[tuple[Segment, Path | None]]]:
    """Each segment with its file; None: it does not exist."""
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix="segments-") as folder:
        fetched: list[tuple[Segment, Path | None]] = []
        for place, segment in enumerate(listed):
            local = blobs.local(segment.path)
            try:
                if local is None:
                    local = Path(folder) / f"{place}.parquet"
                    with local.open("xb") as file:
                        for chunk in blobs.chunks(segment.path, _CHUNK):
                            file.write(chunk)
                fetched.append((segment, local if local.exists() else None))
            except FileNotFoundError:
                fetched.append((segment, None))
        yield fetched


def _gone(segment: Segment) -> str:
    return f"segment {segment.path} is not there"


def _ail_of(segment: Segment, file: Path | None) -> str:
    """What is wrong with a file; empty if its bytes are those that were written."""
    if file is None:
        return _gone(segment)
    try:
        size = file.stat().st_size
        if size != segment.bytes:
            return f"segment {segment.path} has {size} bytes, not as listed ({segment.bytes})"
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").digest()
    except OSError as unreadable:
        return f"segment {segment.path} cannot be read ({unreadable.strerror})"
    if digest != segment.digest:
        return f"segment {segment.path} is damaged: its bytes are not those that were written"
    return ""


def merge(
    blobs: Blobs, scratch: Path, former: Sequence[WrittenSegment], path: str
) -> WrittenSegment:
    """Write the entries of these segments as one new segment, and sync it; it is not listed yet.

    **Refuses** (Damaged) what would make a sound file of a damaged one.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix="compact-") as folder:
        made = Path(folder) / "made.parquet"
        with (
            all_sound(blobs, [written.segment for written in former], scratch) as sources,
            query(scratch, memory_mb=512, threads=1) as duck,
        ):
            duck.execute(
                f"COPY (SELECT * EXCLUDE (filename) FROM {source(sources, None)} "
                f"""ORDER BY client_no, "at", "id") TO '{_quoted(made)}' """
                f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_OF_GROUP})"
            )
        size = made.stat().st_size
        with made.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        blobs.put_file(path, made)
    origins.note(digest, [written.segment.digest for written in former])
    return merged(former, path, digest, size)


def _quoted(path: Path | str) -> str:
    return str(path).replace("'", "''")
