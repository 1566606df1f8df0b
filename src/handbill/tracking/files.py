"""Outbound feed files: unguessable names, validators, streamed and never held in memory, and never
more of them open than there are descriptors for.
"""

import errno
import os
import re
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from stat import S_ISREG

from handbill.core.feed_notes import MOST_BYTES, content_of, note_path
from handbill.http1.messages import FAULTS, Http1Answer, Request, head
from handbill.kit.addresses import network_of
from handbill.kit.etags import names
from handbill.kit.instants import SECOND, Instant, http_date_of, instant_of_http_date

Handed = Callable[[bytes, Instant, int, Request], None]
"""Called with a file's name, when it was written, 200 or 304, and the request."""

PIECE = 128 * 1024
MOST_OPEN = 1_024
MOST_OPEN_OF_ADDRESS = 128
_NAME = re.compile(rb"[a-z0-9]{16,64}\.xml(\.gz)?")
_XML = b"Content-Type: application/xml; charset=utf-8\r\n"
_GZIP = b"Content-Type: application/gzip\r\n"
_ALWAYS = b"Cache-Control: no-cache\r\nAccept-Ranges: none\r\nX-Content-Type-Options: nosniff\r\n"


class FileStream:
    """The bytes of an open file, as many as it had when it was opened."""

    def __init__(
        self, fd: int, size: int, close: Callable[[], None], sent: Callable[[], None]
    ) -> None:
        """``close`` closes the file and what ends with it. ``sent``: called when all was sent."""
        self._fd = fd
        self.left = size
        self.close = close
        self.sent = sent

    def read(self) -> bytes:
        """**Refuses** a file that became shorter (EOFError)."""
        piece = os.read(self._fd, min(PIECE, self.left))
        if not piece:
            raise EOFError("the file became shorter while it was read")
        self.left -= len(piece)
        return piece


class Feeds:
    """Hands out the files of a folder.

    **Refuses** more than so many open files, with 503 (in all) or 429 (by one address, of IPv6 its
    /64): a connection may ask for many before it reads the first.
    """

    def __init__(self, folder: Path, handed: Handed, most: int = MOST_OPEN) -> None:
        self._folder = folder
        self._handed = handed
        self._most = most
        self._open = 0
        self._open_of: Counter[str] = Counter()

    def answer(self, name: bytes, request: Request, address: str) -> Http1Answer:
        """The file of that name, which counts as open until its stream is closed."""
        of = network_of(address)
        if self._open_of[of] >= MOST_OPEN_OF_ADDRESS:
            return FAULTS[429]
        if self._open >= self._most:
            return FAULTS[503]
        with ExitStack() as opened:
            self._open += 1
            self._open_of[of] += 1
            opened.callback(self._leave, of)
            return feed_file(self._folder, name, request, opened, self._handed)

    def _leave(self, of: str) -> None:
        self._open -= 1
        self._open_of[of] -= 1
        if not self._open_of[of]:
            del self._open_of[of]


def feed_file(
    folder: Path, name: bytes, request: Request, opened: ExitStack, handed: Handed
) -> Http1Answer:
    """The file of that name; 304 if the caller has it. A wrong or unknown name is 404.

    ``opened`` closes the file, unless it is streamed: then the stream closes it. ``handed`` is
    called once the caller has received the whole file, or a 304.
    """
    if not _NAME.fullmatch(name):
        return FAULTS[404]
    try:
        fd = os.open(folder / name.decode(), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as failure:
        if failure.errno in {errno.ENOENT, errno.ELOOP}:
            return FAULTS[404]
        raise
    opened.callback(os.close, fd)
    # From the open file, so that validators and bytes belong together even if it is replaced now.
    stat = os.fstat(fd)
    if not S_ISREG(stat.st_mode):
        return FAULTS[404]
    changed_at = stat.st_mtime_ns // 1000
    tag = _noted(folder, name, changed_at) or b'"%x-%x"' % (stat.st_size, stat.st_mtime_ns)
    headers = b"%b%bETag: %b\r\nLast-Modified: %b\r\n" % (
        _GZIP if name.endswith(b".gz") else _XML,
        _ALWAYS,
        tag,
        http_date_of(changed_at).encode(),
    )
    if is_current(request, tag, changed_at):
        handed(name, changed_at, 304, request)
        return not_modified(headers)
    sent = partial(handed, name, changed_at, 200, request)
    return Http1Answer(
        head(200, headers, stat.st_size), FileStream(fd, stat.st_size, opened.pop_all().close, sent)
    )


def _noted(folder: Path, name: bytes, changed_at: Instant) -> bytes | None:
    """The ETag by content, the same wherever and whenever it was written. Weak, as the time in a
    file's head does not count. None without a note of the present file.
    """
    plain = name.removesuffix(b".gz").decode()
    try:
        with (folder / note_path(plain)).open("rb", buffering=0) as file:
            content = content_of(file.read(MOST_BYTES), changed_at)
    except FileNotFoundError:
        return None
    return content and b'W/"%b%b"' % (content, b"-gz" * name.endswith(b".gz"))


def not_modified(headers: bytes) -> Http1Answer:
    """304 without a length: the length would have to be that of the whole file."""
    return Http1Answer(b"HTTP/1.1 304 Not Modified\r\n" + headers)


def is_current(request: Request, tag: bytes, changed_at: Instant) -> bool:
    """Whether the caller's copy is the present one (RFC 9110, 13.2.2)."""
    tags = request.headers.if_none_match
    if tags is not None:
        return names(tags.decode("latin-1"), tag.decode("latin-1"))
    since = request.headers.if_modified_since or b""
    since_at = instant_of_http_date(since.decode("latin-1"))
    # An unreadable date is ignored.
    return since_at is not None and changed_at // SECOND <= since_at // SECOND
