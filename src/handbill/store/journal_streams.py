"""The streams of the journal: what is found of each, and its sound records."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from handbill.core.received import Received, decode
from handbill.store.journal_frames import (
    CHUNK,
    FRAME_BYTES,
    HEAD,
    MOST_RECORD,
    OPENED,
    Acknowledged,
    Parsed,
    WholeRecord,
    frame_at,
    large,
    parse,
    path_of,
    seed_of,
)

_AT_ONCE = 1_000


class StreamMark(NamedTuple):
    """How far a stream is read: the next byte to read. ``is_written_off``: an operator knows that
    it is lost; it is read on if it comes back.
    """

    segment: int
    offset: int
    is_written_off: bool = False


class JournalLine(NamedTuple):
    """A record of the journal, and the mark after it. ``events``: its content, if it was read to be
    judged.
    """

    source: str
    mark_after: StreamMark
    record: bytes
    events: list[Received] | None = None

    @property
    def received(self) -> list[Received]:
        """The record's content."""
        return decode(self.record) if self.events is None else self.events


class Damage(NamedTuple):
    """Where a stream cannot be read. ``to``: where reading can go on; None: nothing is left.

    ``records``: at most so many are missing; None: not known.
    """

    source: str
    at: StreamMark
    to: StreamMark | None
    reason: str
    records: int | None


class JournalReading(NamedTuple):
    """``waiting``: streams with more than was asked for. ``begun``: streams without a mark yet.
    ``damages``: streams that cannot be read on.
    """

    lines: list[JournalLine]
    waiting: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()
    damages: tuple[Damage, ...] = ()


@dataclass(slots=True)
class JournalStream:
    """An epoch of a source as it is found. The witness is read first, then the names, and only then
    the segments, so that whatever is missing did exist before.
    """

    name: str
    folder: Path
    epoch: str
    segments: list[int] = field(default_factory=list)
    told: Acknowledged | None = None

    @property
    def last(self) -> int:
        """The latest segment that is known to have begun."""
        return max([0, *self.segments, self.told.segment if self.told else 0])

    def acknowledged_of(self, segment: int) -> Acknowledged | None:
        """What the witness or the next segment says was acknowledged of a segment."""
        if self.told is not None and self.told.segment == segment:
            return self.told
        try:
            with path_of(self.folder, self.epoch, segment + 1).open("rb") as file:
                frame = frame_at(file.read(FRAME_BYTES), 0, seed_of(self.epoch, segment + 1))
        except FileNotFoundError:
            return None
        return Acknowledged(segment, *frame[1:]) if frame and frame[0] == OPENED else None


def parts_of(name: str) -> tuple[str, str]:
    """The source and the epoch of a stream."""
    source, _, epoch = name.rpartition("/")
    return source, epoch


def records_from(
    stream: JournalStream, fd: int, mark: StreamMark, most: int
) -> tuple[list[JournalLine], int, bool]:
    """Sound records from a place in a segment up to the first that is not; the place of that one,
    and whether the segment says that another follows.
    """
    segment, offset = mark[:2]
    seed = seed_of(stream.epoch, segment)
    lines: list[JournalLine] = []
    is_followed = False
    while len(lines) < most:
        parsed = step_from(fd, seed, offset, most - len(lines))
        if parsed is None:
            break
        lines += [
            JournalLine(stream.name, StreamMark(segment, end), record)
            for end, record in parsed.whole
        ]
        assert parsed.taken > 0, "reading goes on"
        offset += parsed.taken
        is_followed = parsed.is_followed
    return lines, offset, is_followed


def each_from(stream: JournalStream, fd: int, mark: StreamMark) -> Iterator[JournalLine]:
    """The records of ``records_from`` up to its end."""
    while lines := records_from(stream, fd, mark, _AT_ONCE)[0]:
        yield from lines
        mark = lines[-1].mark_after


def step_from(fd: int, seed: int, offset: int, most: int) -> Parsed | None:
    """What can be parsed from a place on; None: nothing."""
    raw = os.pread(fd, CHUNK, offset)
    parsed = parse(raw, seed, offset, most)
    if parsed.taken:
        return parsed
    if len(raw) == CHUNK:
        length = HEAD.unpack_from(raw)[0]
        if CHUNK - HEAD.size < length <= MOST_RECORD:
            record = large(fd, offset, length)
            if record is not None:
                end = offset + HEAD.size + length
                assert end > offset + CHUNK, "what fits into a chunk is no large record"
                return Parsed(HEAD.size + length, [WholeRecord(end, record)], is_followed=False)
    return None
