"""Reading the journal: what is sound, source by source, and what is damaged or lost.

A *stream* is one epoch of one source; each has its own mark. A tail torn by a crash that was never
acknowledged is no damage: only durable or acknowledged records are missed. A stamp in the future
stops its stream as a damage does, until its time has come.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from handbill.core.received import to_judge
from handbill.kit.instants import Instant
from handbill.store.journal_damages import damage_at, last_before, lost, no_segment, not_now
from handbill.store.journal_frames import epochs_in, path_of, witness_in
from handbill.store.journal_streams import (
    Damage,
    JournalLine,
    JournalReading,
    JournalStream,
    StreamMark,
    parts_of,
    records_from,
)

_PATIENCE = 50
_AT_ONCE = 1_000


class JournalReader:
    """Returns records in the order of each stream; any number of readers, beside the writers.

    ``is_ours``: the sources that are missed if their folders are gone; others are elsewhere.
    """

    def __init__(self, folder: Path, is_ours: Callable[[str], bool] = lambda _: True) -> None:
        self._folder = folder
        self._is_ours = is_ours
        self._known: dict[str, tuple[StreamMark, Damage, int]] = {}

    def sources(self) -> list[str]:
        if not self._folder.exists():
            return []
        return sorted(
            path.name
            for path in self._folder.iterdir()
            if path.is_dir() and not path.name.startswith(".")
        )

    def read(
        self, marks: Mapping[str, StreamMark], most: int, now: Instant | None = None
    ) -> JournalReading:
        """At most so many records after the marks, those of each stream in order.

        A stream without a mark is read from its first segment. No stream can keep others waiting:
        each gets its share of ``most``. A damaged stream is reported, and read up to the damage; so
        is one with a record that is not to be judged ``now``; None: all are.
        """
        streams = self._streams()
        gone = sorted(marks.keys() - streams.keys())
        missed = [name for name in gone if self._is_lost(name, marks[name])]
        lines: list[JournalLine] = []
        waiting: set[str] = set()
        damages = [lost(name, marks[name]) for name in missed]
        for place, (name, stream) in enumerate(streams.items()):
            share = -(-(most - len(lines)) // (len(streams) - place))
            mark = marks.get(name, StreamMark(1, 0))
            some, damage = self._patiently(stream, mark, share, now)
            lines += some
            if damage is not None:
                damages.append(damage)
            elif len(some) == share:
                waiting.add(name)
        assert len(lines) <= most, "no more is given out than was asked for"
        return JournalReading(
            lines, frozenset(waiting), frozenset(streams.keys() - marks), tuple(damages)
        )

    def damages(self, marks: Mapping[str, StreamMark], now: Instant | None = None) -> list[Damage]:
        """Every stream's first damage after its mark, however far away."""
        places = dict(marks)
        while True:
            reading = self.read(places, _AT_ONCE, now)
            for line in reading.lines:
                places[line.source] = line.mark_after
            if not reading.lines:
                return list(reading.damages)

    def stopped(self, marks: Mapping[str, StreamMark], now: Instant | None = None) -> list[Damage]:
        """The damages that follow directly after a mark: everything before them is read."""
        # If one record of a stream can be read, its damage is further on.
        self._known.clear()
        return list(self.read(marks, max(1, len(self._streams())), now).damages)

    def around(self, damage: Damage) -> tuple[bytes | None, bytes | None]:
        """The last sound record before a damage, and the first one after it."""
        stream = self._streams().get(damage.source)
        if stream is None:
            return None, None
        after = _read(stream, damage.to, 1)[0] if damage.to is not None else []
        return last_before(stream, damage.at), after[0].record if after else None

    def stretch(self, damage: Damage) -> bytes:
        """The bytes of the part that cannot be read."""
        segment, offset, _ = damage.at
        source, epoch = parts_of(damage.source)
        try:
            with path_of(self._folder / source, epoch, segment).open("rb") as file:
                file.seek(offset)
                to = damage.to
                return file.read(to.offset - offset if to and to.segment == segment else -1)
        except FileNotFoundError:
            return b""

    def purge(self, marks: Mapping[str, StreamMark]) -> int:
        """Delete the segments wholly before the marks; returns how many."""
        count = 0
        for name, mark in marks.items():
            source, epoch = parts_of(name)
            for segment in epochs_in(self._folder / source).get(epoch, ()):
                if segment < mark.segment:  # the segment with the mark is still read
                    path_of(self._folder / source, epoch, segment).unlink(missing_ok=True)
                    count += 1
        return count

    def _streams(self) -> dict[str, JournalStream]:
        streams: dict[str, JournalStream] = {}
        for source in self.sources():
            folder = self._folder / source
            for epoch in epochs_in(folder):
                streams[f"{source}/{epoch}"] = JournalStream(
                    f"{source}/{epoch}", folder, epoch, told=witness_in(folder, epoch)
                )
            for epoch, segments in epochs_in(folder).items():
                if (stream := streams.get(f"{source}/{epoch}")) is not None:
                    stream.segments = segments
        return streams

    def _is_lost(self, name: str, mark: StreamMark) -> bool:
        return not mark.is_written_off and self._is_ours(parts_of(name)[0])

    def _patiently(
        self, stream: JournalStream, mark: StreamMark, most: int, now: Instant | None
    ) -> tuple[list[JournalLine], Damage | None]:
        """Read a stream; one that is known to be damaged at this mark only from time to time."""
        known = self._known.get(stream.name)
        if known is not None and known[0] == mark and known[2] > 0:
            self._known[stream.name] = (mark, known[1], known[2] - 1)
            return [], known[1]
        lines, damage = _read(stream, mark, most)
        if now is not None:
            for place, line in enumerate(lines):
                said = to_judge(line.record, now)
                if isinstance(said, str):
                    lines, damage = lines[:place], not_now(stream, line, said, now)
                    break
                lines[place] = JournalLine(line.source, line.mark_after, line.record, said)
        assert not lines or lines[0].mark_after[:2] > mark[:2], "what was read is not read again"
        self._known.pop(stream.name, None)
        if damage is not None and not lines:
            self._known[stream.name] = (mark, damage, _PATIENCE)
        return lines, damage


def _read(
    stream: JournalStream, mark: StreamMark, most: int
) -> tuple[list[JournalLine], Damage | None]:
    lines: list[JournalLine] = []
    segment, offset = mark[:2]
    assert segment > 0 <= offset, "a mark is a place in a segment"
    if segment > stream.last + 1 or (segment == stream.last + 1 and offset):
        reason = f"it is older than the position judged: it lacks segment {segment}"
        return [], Damage(stream.name, mark, None, reason, None)
    while segment <= stream.last and len(lines) < most:
        if segment not in stream.segments:
            return lines, no_segment(stream, StreamMark(segment, offset))
        try:
            file = path_of(stream.folder, stream.epoch, segment).open("rb", buffering=0)
        except FileNotFoundError:  # judged and deleted since it was listed, or just lost
            stream.segments.remove(segment)
            return lines, no_segment(stream, StreamMark(segment, offset))
        with file:
            fd = file.fileno()
            place = StreamMark(segment, offset)
            sound, stop, is_followed = records_from(stream, fd, place, most - len(lines))
            lines += sound
            if len(lines) == most:
                break
            damage = damage_at(stream, fd, StreamMark(segment, stop))
        if damage is not None:
            return lines, damage
        if is_followed and segment == stream.last:
            following = path_of(stream.folder, stream.epoch, segment + 1)
            if not following.exists():
                return lines, no_segment(stream, StreamMark(segment + 1, 0))
        segment, offset = segment + 1, 0
    return lines, None
