"""The note beside an outbound feed: which content its file has. The edge makes its ETag from it.

It contains the time when its file was written, which is also the file's time of change. So a note
that is older or newer than a file is never taken for that file's note.
"""

import re

from handbill.kit.instants import Instant

MOST_BYTES = 256
_NOTE = re.compile(rb"(\d{1,18}) ([0-9a-f]{32,64})\n")


def note_path(path: str) -> str:
    """The path of the note of a feed whose plain file is at ``path``."""
    return f"{path}.note"


def note_of(written_at: Instant, digest: bytes) -> bytes:
    return b"%d %b\n" % (written_at, digest.hex().encode())


def content_of(note: bytes, changed_at: Instant) -> bytes | None:
    """The content, in hex digits, of a file that was changed then; None if the note belongs to
    another file, or is no note.
    """
    match = _NOTE.fullmatch(note)
    return match[2] if match and int(match[1]) == changed_at else None
