"""The journal's bytes: names of segments, frames between the records, and the witness.

A record is u32 length, u32 CRC-32, payload. A *frame* looks like a record of an impossible length
and holds two figures. Every group that is synced together begins with a *fence*, which says that
everything before it is on the disk. A segment begins with what was acknowledged of the former one,
and ends by saying whether another follows. The *witness*, a small file beside the segments, says
what was acknowledged last, so that a missing end is noticed too.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import NamedTuple
from zlib import crc32

MOST_RECORD = 4 * 1024**2
CHUNK = 1024**2
HEAD = Struct("<II")
OPENED, FOLLOWED, CLOSED, FENCE = range(0xFFFF_FFFC, 0x1_0000_0000)
_BODY = Struct("<QQ")
FRAME_BYTES = HEAD.size + _BODY.size
_FENCES = re.compile(rb"(?=[\xfd-\xff]\xff\xff\xff)")
_SEGMENT = re.compile(r"([0-9a-f]{11})-(\d{12})\.log")
_WITNESS = re.compile(r"([0-9a-f]{11})\.acknowledged")
_ACKNOWLEDGED = Struct("<QQQQ")
NO_EPOCH = "000"


class Acknowledged(NamedTuple):
    """``records`` and ``end``: how many of a segment are acknowledged, and the byte after them."""

    segment: int = 0
    end: int = 0
    records: int = 0


class WholeRecord(NamedTuple):
    """A sound record and the byte after it."""

    end: int
    record: bytes


class Parsed(NamedTuple):
    """``taken``: the number of bytes understood. ``is_followed``: they announce another segment."""

    taken: int
    whole: list[WholeRecord]
    is_followed: bool


# ── names ───────────────────────────────────────────────────────────────────────────────────────


def path_of(folder: Path, epoch: str, segment: int) -> Path:
    return folder / f"{epoch}-{segment:012d}.log"


def next_epoch(former: str, drawn: bytes) -> str:
    """An unused name for an epoch of the source that sorts after the former one's."""
    return f"{(int(former[:3], 16) + 1) % 0x1000:03x}{drawn.hex()}"


def epochs_in(folder: Path) -> dict[str, list[int]]:
    """The epochs of a source, with the existing segments of each, in order."""
    epochs: dict[str, list[int]] = {}
    for name in sorted(path.name for path in folder.iterdir()):
        if parts := _SEGMENT.fullmatch(name):
            epochs.setdefault(parts[1], []).append(int(parts[2]))
        elif parts := _WITNESS.fullmatch(name):
            epochs.setdefault(parts[1], [])
    return epochs


# ── frames ──────────────────────────────────────────────────────────────────────────────────────


def seed_of(epoch: str, segment: int) -> int:
    """The start value of the checks of a segment's frames: they are not valid in any other."""
    return crc32(f"{epoch}-{segment}".encode())


def frame(kind: int, seed: int, place: int, records: int) -> bytes:
    assert OPENED <= kind <= FENCE, "a frame is none of the records"
    body = _BODY.pack(place, records)
    return HEAD.pack(kind, crc32(body, seed ^ kind)) + body


def frame_at(raw: bytes, at: int, seed: int) -> tuple[int, int, int] | None:
    """The kind and figures of a sound frame."""
    if at + FRAME_BYTES > len(raw):
        return None
    kind, check = HEAD.unpack_from(raw, at)
    body = raw[at + HEAD.size : at + FRAME_BYTES]
    if kind < OPENED or check != crc32(body, seed ^ kind):
        return None
    return kind, *_BODY.unpack(body)


def parse(raw: bytes, seed: int, start: int, most: int) -> Parsed:
    """The records in bytes of a segment from ``start`` on, up to the first that is not sound."""
    whole: list[WholeRecord] = []
    at, size, is_followed = 0, len(raw), False
    while at + 8 <= size and len(whole) < most:
        length, check = HEAD.unpack_from(raw, at)
        if length >= OPENED:
            framed = frame_at(raw, at, seed)
            if framed is None or start + at != (0 if framed[0] == OPENED else framed[1]):
                break
            is_followed = framed[0] == FOLLOWED
            at += FRAME_BYTES
            continue
        end = at + 8 + length
        if end > size or not length:
            break
        record = raw[at + 8 : end]
        if crc32(record) != check:
            break
        whole.append(WholeRecord(start + end, record))
        at = end
    assert at <= size, "no more is understood than there is"
    return Parsed(at, whole, is_followed)


def large(fd: int, offset: int, length: int) -> bytes | None:
    """A record that is longer than one read."""
    raw = os.pread(fd, length + 8, offset)
    record = raw[8:]
    if len(record) == length and crc32(record) == HEAD.unpack_from(raw)[1]:
        return record
    return None


def fences(fd: int, seed: int, offset: int) -> Iterator[tuple[int, int]]:
    """The frames from a place on that say that everything before them was durable: the place of
    each, and the number of records of the segment before it.
    """
    for base, raw in _chunks_from(fd, offset):
        for match in _FENCES.finditer(raw):
            at = match.start()
            fence = frame_at(raw, at, seed)
            if fence is not None and fence[0] != OPENED and fence[1] == base + at:
                yield base + at, fence[2]


def next_record(fd: int, offset: int, end: int) -> int | None:
    """The place of the first sound record after a place, before ``end`` and not far away.

    Visitors cannot send bytes that look like one: every length has a zero byte.
    """
    raw = os.pread(fd, min(end - offset, CHUNK), offset)
    for at in range(1, len(raw) - HEAD.size):
        length, check = HEAD.unpack_from(raw, at)
        start = at + HEAD.size
        if 0 < length <= len(raw) - start and crc32(raw[start : start + length]) == check:
            return offset + at
    return None


def _chunks_from(fd: int, offset: int) -> Iterator[tuple[int, bytes]]:
    while raw := os.pread(fd, CHUNK, offset):
        yield offset, raw
        if len(raw) < CHUNK:
            return
        offset += CHUNK - FRAME_BYTES + 1


# ── the witness ─────────────────────────────────────────────────────────────────────────────────


def witness_path(folder: Path, epoch: str) -> Path:
    return folder / f"{epoch}.acknowledged"


def witness_bytes(acknowledged: Acknowledged, inode: int) -> bytes:
    body = _ACKNOWLEDGED.pack(*acknowledged, inode)
    return body + crc32(body).to_bytes(4, "little")


def witness_in(folder: Path, epoch: str, *, copied: bool = True) -> Acknowledged | None:
    """What a witness says; None if it is missing or damaged, or, unless ``copied`` is accepted, a
    copy of the file that was written.
    """
    try:
        with witness_path(folder, epoch).open("rb") as file:
            raw = file.read(_ACKNOWLEDGED.size + 4)
            inode = os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return None
    body = raw[:-4]
    if len(body) != _ACKNOWLEDGED.size or crc32(body) != int.from_bytes(raw[-4:], "little"):
        return None
    *position, written = _ACKNOWLEDGED.unpack(body)
    return Acknowledged(*position) if copied or written == inode else None
