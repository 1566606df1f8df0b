"""The journal on this machine: one series of append-only segment files per writing process.

What is acknowledged is on the disk. A writer that finds its folder empty, lost or copied begins a
new *epoch*: its records are never compared with what was read from the former one.
``journal_frames`` has the byte format, ``journal_reading`` reads it.
"""

import asyncio
import fcntl
import os
import threading
from collections.abc import Callable
from logging import getLogger
from pathlib import Path
from zlib import crc32

from handbill.host.ids import Ids
from handbill.kit.faults import Unavailable
from handbill.store.durable import sync_folder
from handbill.store.journal_frames import (
    CLOSED,
    FENCE,
    FOLLOWED,
    FRAME_BYTES,
    HEAD,
    MOST_RECORD,
    NO_EPOCH,
    OPENED,
    Acknowledged,
    epochs_in,
    frame,
    frame_at,
    next_epoch,
    path_of,
    seed_of,
    witness_bytes,
    witness_in,
    witness_path,
)

MOST_SEGMENT = 64 * 1024**2
MOST_WAITING = 64 * 1024**2
_LOG = getLogger("handbill.journal")
_fdatasync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


class JournalBroken(Unavailable):
    """A write or sync failed, or the writer is closed: nothing more is acknowledged."""


class JournalFull(Unavailable):
    """More waits to be written than the limit allows; nothing of this record was kept."""


class JournalHeld(Unavailable):
    """Another process writes to this source."""


class _Durable(asyncio.Future[None]):
    """Shared by all records of a group, so that no single waiter can cancel it."""

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
    """Appends to one source; a caller is told once its record is on the disk.

    One thread writes everything that waits with one call and syncs it with one call; what arrives
    meanwhile forms the next group. **Refuses** a second writer of a source (JournalHeld), an empty
    record or one over 4 MiB (ValueError), more than 64 MiB waiting (JournalFull), and everything
    after a failed write or sync (JournalBroken): the disk's content is then unknown.
    """

    def __init__(
        self, folder: Path, source: str, ids: Ids, *, sync: Callable[[int], None] = _fdatasync
    ) -> None:
        self._folder = folder / source
        self._source = source
        self._ids = ids
        self._sync = sync
        self._fds: dict[str, int] = {}
        self._epoch, self._acknowledged = NO_EPOCH, Acknowledged()
        self._enter()
        self._ready = threading.Condition(threading.Lock())
        self._group = _Group()
        self._failure: JournalBroken | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"journal-{source}", daemon=True)
        self._thread.start()

    def append(self, record: bytes) -> asyncio.Future[None]:
        """Append a record, from the event loop; the future is done when the record is durable.

        All records of a group share one future, and cancelling it has no effect. One event loop per
        writer.
        """
        with self._ready:
            group = self._take(record)
            future = group.future
            if future is None:
                loop = asyncio.get_running_loop()
                future = group.future = _Durable(loop=loop)
                # Wake the thread after this turn of the loop, so that its records share a group.
                loop.call_soon(self._wake)
        return future

    def append_now(self, record: bytes) -> None:
        """Append a record, from any thread but the event loop's; durable on return."""
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
        """Make everything that waits durable, then release the source."""
        with self._ready:
            if self._closing:
                return
            self._closing = True
            self._ready.notify()
        self._thread.join()
        self._let_go()

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
            raise JournalFull("the disk is too slow for the incoming events")
        group.parts.append(HEAD.pack(length, crc32(record)))
        group.parts.append(record)
        group.size += length + 8
        assert len(group.parts) % 2 == 0, "each record has its head"
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
                    os.write(self._fds["segment"], self._end(CLOSED))
                    return
                self._commit(group)
            except (OSError, Unavailable) as failure:
                self._failure = JournalBroken(f"the journal cannot be written: {failure}")
                group.failure = self._failure
            if not group.parts:
                return
            _settle(group)

    def _commit(self, group: _Group) -> None:
        segment, offset, records = self._acknowledged
        if not self._stands():
            self._begin_anew()
        elif offset >= MOST_SEGMENT:
            former = self._fds.pop("segment"), self._end(FOLLOWED)
            self._open_segment(segment + 1)
            os.write(*former)
            os.close(former[0])
        segment, offset, records = self._acknowledged
        whole = frame(FENCE, self._seed, offset, records) + b"".join(group.parts)
        raw = memoryview(whole)
        while raw:
            raw = raw[os.write(self._fds["segment"], raw) :]
        self._sync(self._fds["segment"])
        count, odd = divmod(len(group.parts), 2)
        assert not odd, "each record has its head"
        self._acknowledge(Acknowledged(segment, offset + len(whole), records + count))

    def _acknowledge(self, now: Acknowledged) -> None:
        """Update the witness. No sync is needed: an older one only claims less."""
        assert now > self._acknowledged, "what is acknowledged only grows"
        self._acknowledged = now
        fd = self._fds["witness"]
        os.pwrite(fd, witness_bytes(now, self._inode), 0)

    def _end(self, kind: int) -> bytes:
        _, offset, records = self._acknowledged
        return frame(kind, self._seed, offset, records)

    def _stands(self) -> bool:
        """Whether the segment is still in its place, with the length that was written."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        same = (there.st_ino, there.st_dev) == self._place
        return same and there.st_size == self._acknowledged.end

    def _begin_anew(self) -> None:
        """Continue in a new epoch, which can be read without the former one."""
        _LOG.error(
            "the journal of %s was changed while being written: %s is gone or has another length; "
            "a new epoch begins",
            self._source,
            self._path,
            extra={"acknowledged": self._acknowledged._asdict()},
        )
        self._let_go()
        self._enter()

    def _enter(self) -> None:
        """Lock the source's folder, and open the next segment of its epoch or of a new epoch."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._hold()
        if self._epoch != NO_EPOCH:
            # So that a reader misses what this process has acknowledged.
            self._write_witness(self._epoch, self._acknowledged)
        epochs = epochs_in(self._folder)
        latest = max(epochs, default=NO_EPOCH)
        position = None if latest == self._epoch else witness_in(self._folder, latest, copied=False)
        if position is None or not self._reaches(latest, position):
            position = Acknowledged()
            latest = next_epoch(latest, self._ids.bytes(4))
        elif (there := max(epochs[latest])) > position.segment:
            position = Acknowledged(there)
        self._epoch, self._acknowledged = latest, position
        assert latest != NO_EPOCH, "a writer has an epoch"
        self._inode = self._write_witness(latest, position, keep=True)
        if not self._continues():
            self._open_segment(position.segment + 1)
        sync_folder(self._folder.parent)

    def _reaches(self, epoch: str, told: Acknowledged) -> bool:
        """Whether the last written segment exists with at least its acknowledged length."""
        try:
            return path_of(self._folder, epoch, told.segment).stat().st_size >= told.end
        except FileNotFoundError:
            return False

    def _hold(self) -> None:
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
        fd = self._fds["lock"] = os.open(self._folder / "lock", flags, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            self._let_go()
            raise JournalHeld(f"another process writes the journal of {self._source}") from held

    def _write_witness(self, epoch: str, told: Acknowledged, *, keep: bool = False) -> int:
        path = witness_path(self._folder, epoch)
        fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        inode = os.fstat(fd).st_ino
        os.pwrite(fd, witness_bytes(told, inode), 0)
        os.fsync(fd)
        if keep:
            self._fds["witness"] = fd
        else:
            os.close(fd)
        return inode

    def _continues(self) -> bool:
        """Continue the last segment if it holds no record, and no torn one. Otherwise each start
        would leave an empty one, and whoever reads would look through all of them each time.
        """
        segment, end, records = self._acknowledged
        if end != FRAME_BYTES:
            return False
        assert records == 0, "what ends with its first frame holds nothing that is acknowledged"
        seed, path = seed_of(self._epoch, segment), path_of(self._folder, self._epoch, segment)
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        raw = os.read(fd, 2 * FRAME_BYTES + 1)
        kinds = [(frame_at(raw, at, seed) or (0,))[0] for at in range(0, len(raw), FRAME_BYTES)]
        if kinds not in ([OPENED], [OPENED, CLOSED]):
            os.close(fd)
            return False
        os.ftruncate(fd, FRAME_BYTES)
        os.fsync(fd)
        self._write_to(fd, path, seed)
        return True

    def _open_segment(self, segment: int) -> None:
        """Start a new segment. Never append to one with records: a crash may have torn its tail."""
        former = self._acknowledged
        assert segment > former.segment, "a segment is opened once"
        path = path_of(self._folder, self._epoch, segment)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        fd = os.open(path, flags, 0o600)
        self._write_to(fd, path, seed_of(self._epoch, segment))
        os.write(fd, frame(OPENED, self._seed, former.end, former.records))
        os.fsync(fd)
        sync_folder(self._folder)
        self._acknowledge(Acknowledged(segment, FRAME_BYTES))
        os.fsync(self._fds["witness"])

    def _write_to(self, fd: int, path: Path, seed: int) -> None:
        there = os.fstat(fd)
        self._fds["segment"], self._path, self._seed = fd, path, seed
        self._place = there.st_ino, there.st_dev

    def _let_go(self) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()


def _settle(group: _Group) -> None:
    if group.done is not None:
        group.done.set()
    future = group.future
    if future is None:
        return
    assert not future.done(), "nobody is told twice"
    try:
        if group.failure is None:
            future.get_loop().call_soon_threadsafe(future.set_result, None)
        else:
            future.get_loop().call_soon_threadsafe(future.set_exception, group.failure)
    except RuntimeError:
        # The loop was closed while the group was written: there is nobody to tell.
        return
