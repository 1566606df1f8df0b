"""The journal on this machine: one series of append-only segment files per writing process.

What is acknowledged is on the disk. A record is u32 length, u32 CRC-32, payload; every group that
is synced together begins with a *fence*, which says that all before it is on the disk. So a reader
can tell a tail torn by a crash (only what followed the last fence) from damage to durable records.
"""

import asyncio
import fcntl
import os
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from handbill.kit.faults import Unavailable
from handbill.store.durable import sync_folder

MOST_RECORD = 4 * 1024**2
MOST_SEGMENT = 64 * 1024**2
MOST_WAITING = 64 * 1024**2
_CHUNK = 1024**2
_HEAD = struct.Struct("<II")
_PLACE = struct.Struct("<QQ")
_FENCE = 0xFFFF_FFFF
_fdatasync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class JournalBroken(Unavailable):
    """A write or a sync failed, or the writer is closed: nothing more is acknowledged."""


class JournalFull(Unavailable):
    """More waits to be written than the stated bound; nothing of this record was kept."""


class JournalHeld(Unavailable):
    """Another process writes under this source's name."""


class JournalDamaged(Exception):
    """Durable records cannot be read back. Nothing beyond them is given out."""


class Mark(NamedTuple):
    """How far a source is read: the next byte to look at."""

    segment: int
    offset: int


class Entry(NamedTuple):
    source: str
    mark_after: Mark
    record: bytes


class Reading(NamedTuple):
    """``waiting``: sources that hold more than they were asked for."""

    entries: list[Entry]
    waiting: frozenset[str] = frozenset()


def _fence(segment: int, offset: int) -> bytes:
    return _HEAD.pack(_FENCE, crc32(_PLACE.pack(segment, offset)))


def _segments(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.log"))


def _path(folder: Path, segment: int) -> Path:
    return folder / f"{segment:012d}.log"


class _Durable(asyncio.Future[None]):
    """Shared by all records of a group, so no single waiter can cancel it."""

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002
        return False


class _Group:
    """Records that are written and synced together."""

    __slots__ = ("done", "failure", "future", "parts", "size")

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0
        self.future: _Durable | None = None
        self.done: threading.Event | None = None
        self.failure: Exception | None = None


class JournalWriter:
    """Appends to one source; whoever waits is told once the record is on the disk.

    One thread takes all that waits, writes it with one call and syncs it with one call; what
    arrives meanwhile forms the next group. **Refuses** a second writer of a source (JournalHeld),
    an empty record or one over 4 MiB (ValueError), more than 64 MiB waiting (JournalFull), and
    everything after a failed write or sync (JournalBroken): what the disk then holds is unknown.
    """

    def __init__(
        self, folder: Path, source: str, *, sync: Callable[[int], None] = _fdatasync
    ) -> None:
        self._folder = folder / source
        self._folder.mkdir(parents=True, exist_ok=True)
        self._sync = sync
        self._lock_fd = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            os.close(self._lock_fd)
            raise JournalHeld(f"another process writes the journal of {source}") from held
        self._segment = max(_segments(self._folder), default=0)
        self._fd = -1
        self._open_segment()
        sync_folder(folder)
        self._ready = threading.Condition(threading.Lock())
        self._group = _Group()
        self._failure: JournalBroken | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"journal-{source}", daemon=True)
        self._thread.start()

    def append(self, record: bytes) -> asyncio.Future[None]:
        """Take a record, from the event loop; the future is done when the record is durable.

        All records of a group share one future, and cancelling it has no effect. One event loop
        per writer.
        """
        with self._ready:
            group = self._take(record)
            future = group.future
            if future is None:
                loop = asyncio.get_running_loop()
                future = group.future = _Durable(loop=loop)
                # Woken when this turn of the loop is over, so that its records go together.
                loop.call_soon(self._wake)
        return future

    def append_now(self, record: bytes) -> None:
        """Take a record, from any thread but the event loop's; durable on return."""
        with self._ready:
            group = self._take(record)
            if group.done is None:
                group.done = threading.Event()
                self._ready.notify()
            done = group.done
        done.wait()
        if group.failure is not None:
            raise JournalBroken(str(group.failure)) from group.failure

    def close(self) -> None:
        """Make durable what waits, then let the source go."""
        with self._ready:
            if self._closing:
                return
            self._closing = True
            self._ready.notify()
        self._thread.join()
        os.close(self._fd)
        os.close(self._lock_fd)

    @property
    def broken(self) -> bool:
        """Nothing more is acknowledged; only a restart helps."""
        return self._failure is not None or self._closing

    def _take(self, record: bytes) -> _Group:
        if self._failure is not None or self._closing:
            raise self._failure or JournalBroken("the journal is closed")
        length = len(record)
        if not 0 < length <= MOST_RECORD:
            raise ValueError("a journal record has 1 byte to 4 MiB")
        group = self._group
        if group.size > MOST_WAITING:
            raise JournalFull("the disk is slower than what arrives")
        group.parts.append(_HEAD.pack(length, crc32(record)))
        group.parts.append(record)
        group.size += length + 8
        return group

    def _wake(self) -> None:
        with self._ready:
            self._ready.notify()

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._group.parts and not self._closing:
                    self._ready.wait()
                group, self._group = self._group, _Group()
            try:
                if self._failure is not None:
                    raise self._failure
                if not group.parts:
                    os.write(self._fd, _fence(self._segment, self._offset))
                    return
                self._commit(group)
            except (OSError, JournalBroken) as failure:
                self._failure = JournalBroken(f"the journal cannot be written: {failure}")
                group.failure = self._failure
            if not group.parts:
                return
            _settle(group)

    def _commit(self, group: _Group) -> None:
        if self._offset >= MOST_SEGMENT:
            os.write(self._fd, _fence(self._segment, self._offset))
            self._open_segment()
        raw = memoryview(_fence(self._segment, self._offset) + b"".join(group.parts))
        self._offset += len(raw)
        while raw:
            raw = raw[os.write(self._fd, raw) :]
        self._sync(self._fd)

    def _open_segment(self) -> None:
        """Start the next segment. Never append to an old one: a crash may have torn its tail."""
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        fd = os.open(_path(self._folder, self._segment + 1), flags, 0o600)
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._segment, self._offset = fd, self._segment + 1, 0
        sync_folder(self._folder)


def _settle(group: _Group) -> None:
    if group.done is not None:
        group.done.set()
    future = group.future
    if future is None:
        return
    try:
        if group.failure is None:
            future.get_loop().call_soon_threadsafe(future.set_result, None)
        else:
            future.get_loop().call_soon_threadsafe(future.set_exception, group.failure)
    except RuntimeError:
        # The loop was closed while the group was written: nobody is left to be told.
        return


class JournalReader:
    """Gives records out in the order of each source; any number of readers, beside the writers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sources(self) -> list[str]:
        if not self._folder.exists():
            return []
        return sorted(
            path.name
            for path in self._folder.iterdir()
            if path.is_dir() and not path.name.startswith(".")  # being brought (journal_moves)
        )

    def read(self, marks: Mapping[str, Mark], most: int) -> Reading:
        """At most so many records after the marks, those of a source in its order.

        A source without a mark is read from its first segment. No source can keep others waiting:
        each gets its share of ``most``. **Refuses** damaged or missing segments (JournalDamaged).
        """
        entries: list[Entry] = []
        waiting: set[str] = set()
        sources = self.sources()
        for place, source in enumerate(sources):
            share = -(-(most - len(entries)) // (len(sources) - place))
            found = self._of_source(source, marks.get(source), share)
            entries += found
            if len(found) == share:
                waiting.add(source)
        return Reading(entries, frozenset(waiting))

    def purge(self, marks: Mapping[str, Mark]) -> int:
        """Delete the segments wholly behind the marks; how many there were."""
        count = 0
        for source, mark in marks.items():
            for segment in _segments(self._folder / source):
                if segment < mark.segment:
                    _path(self._folder / source, segment).unlink()
                    count += 1
        return count

    def _of_source(self, source: str, mark: Mark | None, most: int) -> list[Entry]:
        folder = self._folder / source
        # Listed before any is read: a segment with a successor in this list is complete.
        segments = _segments(folder)
        if mark is not None:
            # The mark's own segment is never purged: without it, records have been lost.
            if mark.segment not in segments:
                raise JournalDamaged(f"{source}: no segment {mark.segment}")
            segments = [segment for segment in segments if segment >= mark.segment]
        entries: list[Entry] = []
        for place, segment in enumerate(segments):
            if place and segment != segments[place - 1] + 1:
                raise JournalDamaged(f"{source}: no segment {segment - 1}")
            offset = mark.offset if mark is not None and mark.segment == segment else 0
            room = most - len(entries)
            if room <= 0:
                break
            with _path(folder, segment).open("rb", buffering=0) as file:
                entries += _records(file.fileno(), source, Mark(segment, offset), room)
        return entries


def _records(fd: int, source: str, mark: Mark, most: int) -> list[Entry]:
    """Whole, sound records from a place in a segment, until its end or a torn tail."""
    segment, offset = mark
    entries: list[Entry] = []
    while len(entries) < most:
        raw = os.pread(fd, _CHUNK, offset)
        taken, whole = _parse(raw, segment, offset, most - len(entries))
        for end, record in whole:
            entries.append(Entry(source, Mark(segment, offset + end), record))
        offset += taken
        if taken:
            continue
        if len(raw) < 8:
            break
        length = _HEAD.unpack_from(raw)[0]
        if _CHUNK - 8 < length <= MOST_RECORD and len(raw) == _CHUNK:
            found = _large(fd, offset, length)
            if found is not None:
                offset += length + 8
                entries.append(Entry(source, Mark(segment, offset), found))
                continue
        if _fenced_after(fd, segment, offset):
            raise JournalDamaged(f"{source}: segment {segment} is damaged at byte {offset}")
        break
    return entries


def _parse(raw: bytes, segment: int, start: int, most: int) -> tuple[int, list[tuple[int, bytes]]]:
    """How many bytes are understood, and the records in them with the offset after each."""
    whole: list[tuple[int, bytes]] = []
    at, size = 0, len(raw)
    while at + 8 <= size and len(whole) < most:
        length, check = _HEAD.unpack_from(raw, at)
        if length == _FENCE:
            if check != crc32(_PLACE.pack(segment, start + at)):
                break
            at += 8
            continue
        end = at + 8 + length
        if end > size or not length:
            break
        record = raw[at + 8 : end]
        if crc32(record) != check:
            break
        whole.append((end, record))
        at = end
    return at, whole


def _large(fd: int, offset: int, length: int) -> bytes | None:
    raw = os.pread(fd, length + 8, offset)
    record = raw[8:]
    if len(record) == length and crc32(record) == _HEAD.unpack_from(raw)[1]:
        return record
    return None


def _fenced_after(fd: int, segment: int, offset: int) -> bool:
    """Whether a later fence stands in the segment, so that what is before it was durable."""
    return any(
        raw[at : at + 8] == _fence(segment, base + at)
        for base, raw in _chunks_from(fd, offset + 1)
        for at in _places(raw, b"\xff\xff\xff\xff")
    )


def _chunks_from(fd: int, offset: int) -> Iterator[tuple[int, bytes]]:
    while raw := os.pread(fd, _CHUNK, offset):
        yield offset, raw
        if len(raw) < _CHUNK:
            return
        offset += _CHUNK - 8


def _places(raw: bytes, sought: bytes) -> Iterator[int]:
    at = raw.find(sought)
    while at >= 0:
        yield at
        at = raw.find(sought, at + 1)
