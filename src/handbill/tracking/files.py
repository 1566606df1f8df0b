"""Outbound feed files: unguessable names, validators, streamed and never held in memory."""

import errno
import os
import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from stat import S_ISREG

from handbill.kit.instants import SECOND, Instant, http_date_of, instant_of
from handbill.tracking.messages import FAULTS, Answer, Request, head

PIECE = 128 * 1024
_NAME = re.compile(rb"[a-z0-9]{16,64}\.xml(\.gz)?")
_XML = b"Content-Type: application/xml; charset=utf-8\r\n"
_GZIP = b"Content-Type: application/gzip\r\n"
_ALWAYS = b"Cache-Control: no-cache\r\nAccept-Ranges: none\r\nX-Content-Type-Options: nosniff\r\n"


class FileStream:
    """The bytes of an open file, as many as it had when it was opened."""

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self.left = size

    def read(self) -> bytes:
        """**Refuses** a file that became shorter (EOFError)."""
        piece = os.read(self._fd, min(PIECE, self.left))
        if not piece:
            raise EOFError("the file became shorter while it was read")
        self.left -= len(piece)
        return piece

    def close(self) -> None:
        os.close(self._fd)


def feed_file(folder: Path, name: bytes, request: Request) -> Answer:
    """The file of that name; 304 for who has it. A name that is wrong or unknown is one 404."""
    if not _NAME.fullmatch(name):
        return FAULTS[404]
    try:
        fd = os.open(folder / name.decode(), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as failure:
        if failure.errno in {errno.ENOENT, errno.ELOOP}:
            return FAULTS[404]
        raise
    # From the open file, so that validators and bytes belong together if it is replaced now.
    stat = os.fstat(fd)
    if not S_ISREG(stat.st_mode):
        os.close(fd)
        return FAULTS[404]
    tag = b'"%x-%x"' % (stat.st_size, stat.st_mtime_ns)
    changed_at = stat.st_mtime_ns // 1000
    headers = b"%b%bETag: %b\r\nLast-Modified: %b\r\n" % (
        _GZIP if name.endswith(b".gz") else _XML, _ALWAYS, tag, http_date_of(changed_at).encode(),
    )  # fmt: skip
    if is_current(request, tag, changed_at):
        os.close(fd)
        return not_modified(headers)
    return Answer(head(200, headers, stat.st_size), FileStream(fd, stat.st_size))


def not_modified(headers: bytes) -> Answer:
    """304 without a length: the one that would be said is that of the whole."""
    return Answer(b"HTTP/1.1 304 Not Modified\r\n" + headers)


def is_current(request: Request, tag: bytes, changed_at: Instant) -> bool:
    """Whether the caller's copy is the one we have (RFC 9110, 13.2.2)."""
    tags = request.headers.if_none_match
    if tags is not None:
        held = [one.strip().removeprefix(b"W/") for one in tags.split(b",")]
        return tag in held or held == [b"*"]
    since = request.headers.if_modified_since
    if since is None:
        return False
    try:
        since_at = instant_of(parsedate_to_datetime(since.decode("latin-1")))
    except ValueError:
        return False  # a date that cannot be read asks for nothing
    return changed_at // SECOND <= since_at // SECOND
