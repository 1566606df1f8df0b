"""The journal's folder from outside: which files hold what is not yet judged, and what is missing.

For code that copies or checks it; to read records, use ``journal_reading``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from handbill.host.identity import host_in
from handbill.store.journal_frames import epochs_in, path_of, witness_in
from handbill.store.journal_reading import JournalReader
from handbill.store.journal_streams import StreamMark, parts_of


class Piece(NamedTuple):
    """A file by its path in the journal's folder, with its current length."""

    path: str
    size: int


def pieces(folder: Path, marks: Mapping[str, StreamMark]) -> list[Piece]:
    """The segments of every source, except those wholly judged. Witnesses are left out: they may be
    ahead of a copy, and whoever writes to the copy begins its own epoch.
    """
    unjudged = []
    for source in _sources(folder):
        for epoch, segments in epochs_in(folder / source).items():
            mark = marks.get(f"{source}/{epoch}", StreamMark(0, 0))
            for segment in segments:
                path = path_of(folder / source, epoch, segment)
                if segment >= mark.segment:
                    unjudged.append(Piece(str(path.relative_to(folder)), path.stat().st_size))
    return unjudged


def unread_bytes(folder: Path, marks: Mapping[str, StreamMark]) -> int:
    """How many bytes come after the marks, of all sources here."""
    whole = 0
    for source in _sources(folder):
        for epoch, segments in epochs_in(folder / source).items():
            mark = marks.get(f"{source}/{epoch}", StreamMark(0, 0))
            for segment in segments:
                path = path_of(folder / source, epoch, segment)
                if segment >= mark.segment and path.exists():
                    read = mark.offset if segment == mark.segment else 0
                    whole += max(0, path.stat().st_size - read)
    return whole


def reader_here(folder: Path) -> JournalReader:
    """A reader that ignores hosts without files here: their journals are in their own folders."""
    here = {host_in(source) for source in _sources(folder)}
    return JournalReader(folder, lambda source: not here or host_in(source) in here)


def gaps(folder: Path, marks: Mapping[str, StreamMark]) -> list[str]:
    """What is missing from each source after its mark, in plain words; hosts without any files here
    are ignored.
    """
    here = {host_in(source) for source in _sources(folder)}
    return [
        f"the journal of {stream} {gap}"
        for stream, mark in sorted(marks.items())
        if not here or host_in(parts_of(stream)[0]) in here
        for gap in _gaps(folder, stream, mark)
    ]


def _gaps(folder: Path, stream: str, mark: StreamMark) -> Iterator[str]:
    source, epoch = parts_of(stream)
    noted = witness_in(folder / source, epoch)
    known = epochs_in(folder / source) if (folder / source).is_dir() else {}
    if epoch not in known:
        if not mark.is_written_off:
            yield f"is gone, from segment {mark.segment} on"
        return
    last = max([mark.segment if mark.offset else 0, noted.segment if noted else 0, *known[epoch]])
    for segment in range(mark.segment, last + 1):
        if segment not in known[epoch]:
            yield f"has no segment {segment}"
    if mark.segment in known[epoch]:
        size = path_of(folder / source, epoch, mark.segment).stat().st_size
        if size < mark.offset:
            yield f"has {size} bytes in segment {mark.segment}, and is judged up to {mark.offset}"


def _sources(folder: Path) -> list[str]:
    return JournalReader(folder).sources()
