"""The journal's folder from outside: which files hold what is not judged yet, and what is missing.

For those who copy or check it; whoever reads records from it uses ``journal.JournalReader``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from handbill.host.identity import host_in
from handbill.store.journal import Mark

_LOCK = "lock"


class Piece(NamedTuple):
    """A file by its path in the journal's folder, and how long it is now."""

    path: str
    size: int


def pieces(folder: Path, marks: Mapping[str, Mark]) -> list[Piece]:
    """The files of every source, but those of segments that are wholly judged."""
    found = []
    for source in sorted(path for path in folder.glob("*") if path.is_dir()):
        first = marks[source.name].segment if source.name in marks else 0
        for path in sorted(source.iterdir()):
            number = _number(path)
            is_judged = number is not None and number < first
            if path.is_file() and path.name != _LOCK and not is_judged:
                found.append(Piece(str(path.relative_to(folder)), path.stat().st_size))
    return found


def gaps(folder: Path, marks: Mapping[str, Mark]) -> list[str]:
    """What is missing of each source from its mark on, said plainly; but not of hosts of which
    nothing is here: their journals are in their own folders.
    """
    found = []
    here = {host_in(path.name) for path in folder.glob("*") if path.is_dir()}
    for source, mark in sorted(marks.items()):
        if here and host_in(source) not in here:
            continue
        sizes = {
            number: path.stat().st_size
            for path in (folder / source).glob("*.log")
            if (number := _number(path)) is not None
        }
        if mark.segment not in sizes:
            found.append(
                f"the journal of {source} has no segment {mark.segment}, up to byte {mark.offset} "
                "of which it is judged"
            )
        elif sizes[mark.segment] < mark.offset:
            found.append(
                f"segment {mark.segment} of the journal of {source} has {sizes[mark.segment]} "
                f"bytes, and is judged up to byte {mark.offset}"
            )
        ahead = range(mark.segment + 1, max(sizes, default=0))
        found += [
            f"the journal of {source} has no segment {number}"
            for number in ahead
            if number not in sizes
        ]
    return found


def _number(path: Path) -> int | None:
    return int(path.stem) if path.suffix == ".log" and path.stem.isdecimal() else None
