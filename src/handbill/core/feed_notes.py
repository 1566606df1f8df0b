"""The note beside an outbound feed: which content its file has. The edge makes its ETag of that.

It says when the file that it speaks of was written, which is also the file's time of change: so a
note that a file is ahead of, or behind, is never taken for its own.
"""

import re

from handbill.kit.instants import Instant

MOST_BYTES = 256
_NOTE = re.compile(rb"(\d{1,18}) ([0-9a-f]{32,64})\n")


def note_path(path: str) -> str:
    """Where the note of a feed is, whose plain file is at ``path``."""
    return f"{path}.note"


def note_of(written_at: Instant, digest: bytes) -> bytes:
    return b"%d %b\n" % (written_at, digest.hex().encode())


def content_of(note: bytes, changed_at: Instant) -> bytes | None:
    """The content, as hexadecimal digits, of a file that was changed then; None when the note is
    another file's, or none at all.
    """
    found = _NOTE.fullmatch(note)
    return found[2] if found and int(found[1]) == changed_at else None
