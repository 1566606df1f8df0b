"""Reading the journal: what is whole, source by source, and what of it is damaged or lost.

A *stream* is one epoch of one source, and what marks are kept of. A tail torn by a crash, which
nobody was told of, is no damage: only what was durable or acknowledged is missed. A stamp that is
still to come stops its stream as a damage does, until its time has come.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from handbill.core.received import Received, decode, to_judge
from handbill.kit.instants import Instant
from handbill.store.journal_frames import (
    CHUNK,
    FRAME_BYTES,
    HEAD,
    MOST_RECORD,
    OPENED,
    Acknowledged,
    Parsed,
    Whole,
    epochs_in,
    fences,
    frame_at,
    large,
    next_record,
    parse,
    path_of,
    seed_of,
    witness_in,
)  # fmt: skip

_PATIENCE = 50
_AT_ONCE = 1_000


class Mark(NamedTuple):
    """How far a stream is read: the next byte to look at. ``is_written_off``: an operator knows
    that it is lost; it is read on if it comes back.
    """

    segment: int
    offset: int
    is_written_off: bool = False


class Line(NamedTuple):
    """A record of the journal, and where reading goes on after it. ``events``: what it says, where
    it was read to be judged.
    """

    source: str
    mark_after: Mark
    record: bytes
    events: list[Received] | None = None

    @property
    def received(self) -> list[Received]:
        """What the record says."""
        return decode(self.record) if self.events is None else self.events


class Damage(NamedTuple):
    """Where a stream cannot be read on. ``to``: where it can again; None: nothing of it is there.

    ``records``: so many are missing at most; None: nobody knows.
    """

    source: str
    at: Mark
    to: Mark | None
    reason: str
    records: int | None


class Reading(NamedTuple):
    """``waiting``: streams that hold more than they were asked for. ``begun``: streams that have no
    mark yet. ``damages``: streams that cannot be read on.
    """

    lines: list[Line]
    waiting: frozenset[str] = frozenset()
    begun: frozenset[str] = frozenset()
    damages: tuple[Damage, ...] = ()


@dataclass(slots=True)
class _Stream:
    """An epoch of a source as it is found: the witness is read first, then the names, and only
    then the segments, so that what is missed was there before.
    """

    name: str
    folder: Path
    epoch: str
    segments: list[int] = field(default_factory=list)
    told: Acknowledged | None = None

    @property
    def last(self) -> int:
        """The segment that was begun last, as far as anything says so."""
        return max([0, *self.segments, self.told.segment if self.told else 0])

    def acknowledged_of(self, segment: int) -> Acknowledged | None:
        """What the witness or the next segment says was acknowledged of a segment."""
        if self.told is not None and self.told.segment == segment:
            return self.told
        try:
            with path_of(self.folder, self.epoch, segment + 1).open("rb") as file:
                found = frame_at(file.read(FRAME_BYTES), 0, seed_of(self.epoch, segment + 1))
        except FileNotFoundError:
            return None
        return Acknowledged(segment, *found[1:]) if found and found[0] == OPENED else None


class JournalReader:
    """Gives records out in the order of each stream; any number of readers, beside the writers.

    ``is_ours``: whose sources are missed when their folders are gone; others' are elsewhere.
    """

    def __init__(self, folder: Path, is_ours: Callable[[str], bool] = lambda _: True) -> None:
        self._folder = folder
        self._is_ours = is_ours
        self._known: dict[str, tuple[Mark, Damage, int]] = {}

    def sources(self) -> list[str]:
        if not self._folder.exists():
            return []
        return sorted(
            path.name
            for path in self._folder.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        )

    def read(self, marks: Mapping[str, Mark], most: int, now: Instant | None = None) -> Reading:
        """At most so many records after the marks, those of a stream in its order.

        A stream without a mark is read from its first segment. No stream can keep others waiting:
        each gets its share of ``most``, and one that is damaged is told of and given out up to
        there. So is one with a record that is not to be judged ``now``; None: each is.
        """
        streams = self._streams()
        gone = sorted(marks.keys() - streams.keys())
        lost = [name for name in gone if self._is_lost(name, marks[name])]
        lines: list[Line] = []
        waiting: set[str] = set()
        damages = [_lost(name, marks[name]) for name in lost]
        for place, (name, stream) in enumerate(streams.items()):
            share = -(-(most - len(lines)) // (len(streams) - place))
            mark = marks.get(name, Mark(1, 0))
            found, damage = self._patiently(stream, mark, share, now)
            lines += found
            if damage is not None:
                damages.append(damage)
            elif len(found) == share:
                waiting.add(name)
        return Reading(lines, frozenset(waiting), frozenset(streams.keys() - marks), tuple(damages))

    def damages(self, marks: Mapping[str, Mark], now: Instant | None = None) -> list[Damage]:
        """Every stream's first damage after its mark, however far after."""
        places = dict(marks)
        while True:
            reading = self.read(places, _AT_ONCE, now)
            for line in reading.lines:
                places[line.source] = line.mark_after
            if not reading.lines:
                return list(reading.damages)

    def stopped(self, marks: Mapping[str, Mark], now: Instant | None = None) -> list[Damage]:
        """The damages that stand right after a mark: all before them is read."""
        # One record of each stream is enough to see that its damage is further on.
        self._known.clear()
        return list(self.read(marks, max(1, len(self._streams())), now).damages)

    def around(self, damage: Damage) -> tuple[bytes | None, bytes | None]:
        """The last sound record before a damage, and the first one after it."""
        stream = self._streams().get(damage.source)
        if stream is None:
            return None, None
        after = _read(stream, damage.to, 1)[0] if damage.to is not None else []
        return _last_before(stream, damage.at), after[0].record if after else None

    def stretch(self, damage: Damage) -> bytes:
        """What stands where a stream cannot be read."""
        segment, offset, _ = damage.at
        source, epoch = parts_of(damage.source)
        try:
            with path_of(self._folder / source, epoch, segment).open("rb") as file:
                file.seek(offset)
                to = damage.to
                return file.read(to.offset - offset if to and to.segment == segment else -1)
        except FileNotFoundError:
            return b""

    def purge(self, marks: Mapping[str, Mark]) -> int:
        """Delete the segments wholly behind the marks; how many there were."""
        count = 0
        for name, mark in marks.items():
            source, epoch = parts_of(name)
            for segment in epochs_in(self._folder / source).get(epoch, ()):
                if segment < mark.segment:
                    path_of(self._folder / source, epoch, segment).unlink(missing_ok=True)
                    count += 1
        return count

    def _streams(self) -> dict[str, _Stream]:
        found: dict[str, _Stream] = {}
        for source in self.sources():
            folder = self._folder / source
            for epoch in epochs_in(folder):
                found[f"{source}/{epoch}"] = _Stream(
                    f"{source}/{epoch}", folder, epoch, told=witness_in(folder, epoch)
                )
            for epoch, segments in epochs_in(folder).items():
                if (stream := found.get(f"{source}/{epoch}")) is not None:
                    stream.segments = segments
        return found

    def _is_lost(self, name: str, mark: Mark) -> bool:
        return not mark.is_written_off and self._is_ours(parts_of(name)[0])

    def _patiently(
        self, stream: _Stream, mark: Mark, most: int, now: Instant | None
    ) -> tuple[list[Line], Damage | None]:
        """Read a stream; but one that is known to be damaged just here only now and then."""
        known = self._known.get(stream.name)
        if known is not None and known[0] == mark and known[2] > 0:
            self._known[stream.name] = (mark, known[1], known[2] - 1)
            return [], known[1]
        lines, damage = _read(stream, mark, most)
        if now is not None:
            for place, line in enumerate(lines):
                said = to_judge(line.record, now)
                if isinstance(said, str):
                    lines, damage = lines[:place], _not_now(stream, line, said, now)
                    break
                lines[place] = Line(line.source, line.mark_after, line.record, said)
        self._known.pop(stream.name, None)
        if damage is not None and not lines:
            self._known[stream.name] = (mark, damage, _PATIENCE)
        return lines, damage


def parts_of(name: str) -> tuple[str, str]:
    """The source and the epoch of a stream."""
    source, _, epoch = name.rpartition("/")
    return source, epoch


def _lost(name: str, mark: Mark) -> Damage:
    return Damage(name, mark, None, "its folder, or all of this epoch in it, is gone", None)


def _read(stream: _Stream, mark: Mark, most: int) -> tuple[list[Line], Damage | None]:
    lines: list[Line] = []
    segment, offset = mark[:2]
    if segment > stream.last + 1 or (segment == stream.last + 1 and offset):
        reason = f"it is older than what is judged of it: there is no segment {segment}"
        return [], Damage(stream.name, mark, None, reason, None)
    while segment <= stream.last and len(lines) < most:
        if segment not in stream.segments:
            return lines, _no_segment(stream, Mark(segment, offset))
        try:
            file = path_of(stream.folder, stream.epoch, segment).open("rb", buffering=0)
        except FileNotFoundError:  # judged and deleted since it was listed, or lost just now
            stream.segments.remove(segment)
            return lines, _no_segment(stream, Mark(segment, offset))
        with file:
            fd = file.fileno()
            place = Mark(segment, offset)
            found, stop, is_followed = _records(stream, fd, place, most - len(lines))
            lines += found
            if len(lines) == most:
                break
            damage = _damage(stream, fd, Mark(segment, stop))
        if damage is not None:
            return lines, damage
        if is_followed and segment == stream.last:
            following = path_of(stream.folder, stream.epoch, segment + 1)
            if not following.exists():
                return lines, _no_segment(stream, Mark(segment + 1, 0))
        segment, offset = segment + 1, 0
    return lines, None


def _not_now(stream: _Stream, first: Line, said: str, now: Instant) -> Damage:
    """Records of one segment that cannot be judged now, from a first one on."""
    segment, end = first.mark_after[:2]
    at = Mark(segment, end - HEAD.size - len(first.record))
    count = 1
    # Gone: it was judged and deleted since it was read, as its time has come.
    with (
        suppress(FileNotFoundError),
        path_of(stream.folder, stream.epoch, segment).open("rb") as file,
    ):
        following = _each(stream, file.fileno(), first.mark_after)
        for line in takewhile(lambda it: isinstance(to_judge(it.record, now), str), following):
            count, end = count + 1, line.mark_after.offset
    why = f"the record at byte {at.offset} of segment {segment} {said}"
    return Damage(stream.name, at, Mark(segment, end), why, count)


def _no_segment(stream: _Stream, at: Mark) -> Damage:
    """A segment that must be there is not; on with the next that is."""
    first = at.segment
    then = min((it for it in stream.segments if it > first), default=max(stream.last, first) + 1)
    if then > first + 1:
        return Damage(
            stream.name, at, Mark(then, 0), f"segments {first} to {then - 1} are gone", None
        )
    told = stream.acknowledged_of(first)
    records = told.records if told is not None and not at.offset else None
    return Damage(stream.name, at, Mark(then, 0), f"segment {first} is gone", records)


def _damage(stream: _Stream, fd: int, at: Mark) -> Damage | None:
    """Whether something was durable where a segment cannot be read on, and where it can again."""
    segment, stop = at[:2]
    seed = seed_of(stream.epoch, segment)
    told = stream.acknowledged_of(segment)
    is_cut = stop >= os.fstat(fd).st_size
    fence = next(fences(fd, seed, stop + 1), None)
    end = fence if fence is not None else told and (told.end, told.records)
    if end is None or end[0] <= stop:
        if end is not None or stop <= os.fstat(fd).st_size:
            return None
        return Damage(stream.name, at, Mark(segment + 1, 0), f"segment {segment} is cut", None)
    again = next_record(fd, stop, end[0]) or end[0]
    missing = end[1] - _count(fd, seed, stop) - _count(fd, seed, end[0], again)
    what = "is cut" if is_cut else "cannot be read"
    reason = f"segment {segment} {what} at byte {stop}"
    return Damage(stream.name, at, Mark(segment, again), reason, max(0, missing))


def _last_before(stream: _Stream, at: Mark) -> bytes | None:
    for segment in sorted((it for it in stream.segments if it <= at.segment), reverse=True):
        seed = seed_of(stream.epoch, segment)
        with path_of(stream.folder, stream.epoch, segment).open("rb", buffering=0) as file:
            fd = file.fileno()
            stop = at.offset if segment == at.segment else os.fstat(fd).st_size
            places = [place for place, _ in fences(fd, seed, 0) if place < stop]
            for place in reversed([0, *places]):
                found = _records(stream, fd, Mark(segment, place), MOST_RECORD)[0]
                whole = [it.record for it in found if it.mark_after.offset <= stop]
                if whole:
                    return whole[-1]
    return None


def _count(fd: int, seed: int, stop: int, start: int | None = None) -> int:
    """How many records of a segment are before a place, or between a sound one and it."""
    offset, count = (start, 0) if start is not None else (0, 0)
    if start is None:
        for place, records in fences(fd, seed, 0):
            if place > stop:
                break
            offset, count = place, records
    while offset < stop and (found := _step(fd, seed, offset, _AT_ONCE)) is not None:
        count += sum(end <= stop for end, _ in found.whole)
        offset += found.taken
    return count


def _records(stream: _Stream, fd: int, mark: Mark, most: int) -> tuple[list[Line], int, bool]:
    """Whole, sound records from a place in a segment until one that is not; the place of that, and
    whether the segment says that another follows.
    """
    segment, offset = mark[:2]
    seed = seed_of(stream.epoch, segment)
    lines: list[Line] = []
    is_followed = False
    while len(lines) < most:
        found = _step(fd, seed, offset, most - len(lines))
        if found is None:
            break
        lines += [Line(stream.name, Mark(segment, end), record) for end, record in found.whole]
        offset += found.taken
        is_followed = found.is_followed
    return lines, offset, is_followed


def _each(stream: _Stream, fd: int, mark: Mark) -> Iterator[Line]:
    """What ``_records`` gives, to its end."""
    while found := _records(stream, fd, mark, _AT_ONCE)[0]:
        yield from found
        mark = found[-1].mark_after


def _step(fd: int, seed: int, offset: int, most: int) -> Parsed | None:
    """What can be understood from a place on; None: nothing."""
    raw = os.pread(fd, CHUNK, offset)
    found = parse(raw, seed, offset, most)
    if found.taken:
        return found
    if len(raw) == CHUNK:
        length = HEAD.unpack_from(raw)[0]
        if CHUNK - HEAD.size < length <= MOST_RECORD:
            record = large(fd, offset, length)
            if record is not None:
                end = offset + HEAD.size + length
                return Parsed(HEAD.size + length, [Whole(end, record)], is_followed=False)
    return None
