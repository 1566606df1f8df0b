"""Damages of the journal: durable or acknowledged records that cannot be read, and where reading
goes on.
"""

import os
from contextlib import suppress
from itertools import takewhile

from handbill.core.received import to_judge
from handbill.kit.instants import Instant
from handbill.store.journal_frames import (
    HEAD,
    MOST_RECORD,
    fences,
    next_record,
    path_of,
    seed_of,
)
from handbill.store.journal_streams import (
    Damage,
    JournalLine,
    JournalStream,
    StreamMark,
    each_from,
    records_from,
    step_from,
)

_AT_ONCE = 1_000


def lost(name: str, mark: StreamMark) -> Damage:
    return Damage(name, mark, None, "its folder, or all of this epoch in it, is missing", None)


def not_now(stream: JournalStream, first: JournalLine, said: str, now: Instant) -> Damage:
    """Consecutive records of one segment, from a first one on, that cannot be judged now."""
    segment, end = first.mark_after[:2]
    at = StreamMark(segment, end - HEAD.size - len(first.record))
    count = 1
    # It may be gone: judged in the meantime, and deleted.
    with (
        suppress(FileNotFoundError),
        path_of(stream.folder, stream.epoch, segment).open("rb") as file,
    ):
        following = each_from(stream, file.fileno(), first.mark_after)
        for line in takewhile(lambda it: isinstance(to_judge(it.record, now), str), following):
            count, end = count + 1, line.mark_after.offset
    why = f"the record at byte {at.offset} of segment {segment} {said}"
    return Damage(stream.name, at, StreamMark(segment, end), why, count)


def no_segment(stream: JournalStream, at: StreamMark) -> Damage:
    """A required segment is missing; reading goes on with the next one that exists."""
    first = at.segment
    then = min((it for it in stream.segments if it > first), default=max(stream.last, first) + 1)
    if then > first + 1:
        return Damage(
            stream.name, at, StreamMark(then, 0), f"segments {first} to {then - 1} are gone", None
        )
    position = stream.acknowledged_of(first)
    records = position.records if position is not None and not at.offset else None
    return Damage(stream.name, at, StreamMark(then, 0), f"segment {first} is gone", records)


def damage_at(stream: JournalStream, fd: int, at: StreamMark) -> Damage | None:
    """Whether a part that cannot be read was durable, and where reading can go on."""
    segment, stop = at[:2]
    seed = seed_of(stream.epoch, segment)
    position = stream.acknowledged_of(segment)
    is_cut = stop >= os.fstat(fd).st_size
    fence = next(fences(fd, seed, stop + 1), None)
    end = fence if fence is not None else position and (position.end, position.records)
    if end is None or end[0] <= stop:
        if end is not None or stop <= os.fstat(fd).st_size:
            return None
        return Damage(
            stream.name, at, StreamMark(segment + 1, 0), f"segment {segment} is cut", None
        )
    again = next_record(fd, stop, end[0]) or end[0]
    assert stop < again <= end[0], "reading goes on after the damage, and misses nothing durable"
    missing = end[1] - _count(fd, seed, stop) - _count(fd, seed, end[0], again)
    what = "is cut" if is_cut else "cannot be read"
    reason = f"segment {segment} {what} at byte {stop}"
    return Damage(stream.name, at, StreamMark(segment, again), reason, max(0, missing))


def last_before(stream: JournalStream, at: StreamMark) -> bytes | None:
    for segment in sorted((it for it in stream.segments if it <= at.segment), reverse=True):
        seed = seed_of(stream.epoch, segment)
        with path_of(stream.folder, stream.epoch, segment).open("rb", buffering=0) as file:
            fd = file.fileno()
            stop = at.offset if segment == at.segment else os.fstat(fd).st_size
            places = [place for place, _ in fences(fd, seed, 0) if place < stop]
            for place in reversed([0, *places]):
                lines = records_from(stream, fd, StreamMark(segment, place), MOST_RECORD)[0]
                whole = [it.record for it in lines if it.mark_after.offset <= stop]
                if whole:
                    return whole[-1]
    return None


def _count(fd: int, seed: int, stop: int, start: int | None = None) -> int:
    """The number of records of a segment before a place, or from a sound record to that place."""
    offset, count = (start, 0) if start is not None else (0, 0)
    if start is None:
        for place, records in fences(fd, seed, 0):
            if place > stop:
                break
            offset, count = place, records
    while offset < stop and (parsed := step_from(fd, seed, offset, _AT_ONCE)) is not None:
        assert parsed.taken > 0, "reading goes on"
        count += sum(end <= stop for end, _ in parsed.whole)
        offset += parsed.taken
    return count
