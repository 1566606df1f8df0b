"""Cuts a feed's byte stream into items, each identified by the digest of its bytes.

An item with a known digest is neither parsed nor copied. The end of an item is first guessed (the
next end tag of its name) and then proved: the same bytes have been read before, or they are a whole
plain item, or the parser stops exactly there; else the parser gives the end. So a guess can cost
time, never correctness; and each further piece is as long as all before it, so guesses are few.
"""

import re
from collections.abc import Container, Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from handbill.dialects.inbound.frame import MOST_ADDRESS, Frame, PageNotes
from handbill.dialects.inbound.items import (
    MOST_ITEM_BYTES,
    TAG,
    ItemReader,
    NotWellFormed,
    ReadItem,
)
from handbill.dialects.inbound.mending import meanings, told_by
from handbill.dialects.inbound.plain import ReadPlain, plain_reader

_BLOCK = 256 * 1024
_LONGEST_MARK = 9  # <![CDATA[
_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_EMPTY = {b"<!--": b"<!---->", b"<![CDATA[": b"<![CDATA[]]>", b"<?": b"<?p?>"}
# Things without content in a row: each may be only a few bytes, so they are skipped at once.
_HOLDS_NOTHING = rb"<!--[^-]*+(?:-(?!->)[^-]*+)*+-->|<\?[^?]*+(?:\?(?!>)[^?]*+)*+\?>|[ \t\r\n]++"
_SECTION = rb"<!\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+\]\]>"
_ADDRESS = re.compile(
    rb"<!\[CDATA\[\s{0,99}+(?:https?://|[/?])[!-;=?-\\^-~]{1,%d}+\s{0,99}+\]\]>" % MOST_ADDRESS
)
_RUN = re.compile(rb"(?:" + _HOLDS_NOTHING + rb")*+")
_RUN_OF_SECTIONS = re.compile(
    rb"(?:(?!" + _ADDRESS.pattern + rb")" + _SECTION + rb"|" + _HOLDS_NOTHING + rb")*+"
)


class Malformed(ValueError):
    """The feed is not XML, or not XML that we read; ``line`` of the feed, from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


class FeedItem(NamedTuple):
    """``fields`` None: the digest was known; ``line`` is only set together with fields.

    ``broken``: why the item cannot be read, in that line; its fields are what could be found.
    ``is_over``: it stands in a node for jobs that are over; its digest differs from that outside.
    """

    digest: bytes
    fields: dict[str, str] | None
    line: int
    is_mended: bool = False
    broken: str = ""
    is_over: bool = False


class _Cutter(NamedTuple):
    """How items are cut and read; the same for a whole feed."""

    opening: re.Pattern[bytes]
    closing: re.Pattern[bytes]
    plain: ReadPlain
    reader: ItemReader
    known: Container[bytes]
    salt: bytes
    passes_broken: bool

    def digest(self, raw: bytes, *, is_over: bool) -> bytes:
        person = b"over" if is_over else b""
        return blake2b(raw, digest_size=16, key=self.salt, person=person).digest()


class _Window:
    """The part of the stream in memory; ``at``: how far it is processed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.view = b""
        self.at = 0
        self._line = 1
        self._counted = 0

    def more(self) -> bool:
        """Drop what is processed and read further; False at the end of the stream."""
        parts, size = [self.view[self.at :]], 0
        for chunk in self._chunks:
            parts.append(chunk)
            size += len(chunk)
            if size >= _BLOCK:
                break
        if not size:
            return False
        self.line_at(self.at)
        self.view = b"".join(parts)
        self._counted -= self.at
        self.at = 0
        return True

    def line_at(self, place: int) -> int:
        """The line of a place in memory."""
        if place < self._counted:
            return self._line - self.view.count(b"\n", place, self._counted)
        self._line += self.view.count(b"\n", self._counted, place)
        self._counted = place
        return self._line


def scan(
    chunks: Iterable[bytes],
    item: str,
    reader: ItemReader,
    *,
    collection: str,
    known: Container[bytes] = (),
    salt: bytes = b"",
    notes: PageNotes | None = None,
    passes_broken: bool = False,
) -> Iterator[FeedItem]:
    """The items of a feed in UTF-8, in order, in memory bounded by the size of one item.

    ``item``: the name of an item's node as it is written; ``collection``: a node that must be
    around the items; ``salt``: mixed into each digest (at most 64 bytes); ``notes`` get what
    it says of the whole feed; ``passes_broken``: an item that is
    not XML, or too large, but certainly one item, is returned as broken instead of refused.
    **Refuses** (Malformed): what is not well-formed, document types, items over 4 MB.
    """
    window = _Window(chunks)
    frame = Frame(collection, item, notes or PageNotes())
    name = re.escape(item.encode())
    mark = re.compile(rb"<(?:" + name + rb"(?=[\s/>])|!--|!\[CDATA\[|!|\?)")
    cutter = _Cutter(
        re.compile(rb"<" + name + rb"(?=[\s/>])"),
        re.compile(rb"</" + name + rb"[ \t\r\n]*>"),
        plain_reader(item),
        reader,
        known,
        salt,
        passes_broken,
    )
    has_item = False
    try:
        while _to_item(window, frame, mark):
            frame.item()
            has_item = True
            yield _item(window, cutter, is_over=frame.ended > 0)
        frame.close()
    except NotWellFormed as bad:
        raise Malformed(bad.line or window.line_at(window.at), bad.message) from bad
    if not frame.has_collection:
        raise Malformed(1, f"there is no node <{collection}> around the jobs")
    if frame.alike and not has_item:
        raise Malformed(1, f"there is no node <{item}>, but there is <{frame.alike}>: map that one")


def _to_item(window: _Window, frame: Frame, mark: re.Pattern[bytes]) -> bool:
    """Go on to the next item's ``<``; False when the stream ends without one."""
    while True:
        view, at = window.view, window.at
        found = mark.search(view, at)
        if found is None:
            # The last few bytes may be the beginning of a mark.
            cut = view.rfind(b"<", max(at, len(view) - 256))
            _pass(window, frame, len(view) if cut < 0 else cut)
            frame.flush()
            if not window.more():
                _pass(window, frame, len(window.view))
                return False
            continue
        start = found.start()
        if start != at:
            _pass(window, frame, start)
        kind = found[0]
        if kind in _ENDS:
            while len(window.view) - window.at < 2 * MOST_ADDRESS and window.more():
                pass  # the same is in memory, however the feed is cut into chunks
            address = _ADDRESS.match(window.view, window.at)
            piece = address[0] if address else _EMPTY[kind]
            frame.text(piece, window.line_at(window.at))
            _skip(window, window.at + len(kind), _ENDS[kind])
            _pass_run(window, frame)
        elif kind != b"<!":
            return True
        elif len(view) - start >= _LONGEST_MARK or not window.more():
            raise NotWellFormed(0, "document types and other declarations are not allowed")


def _pass(window: _Window, frame: Frame, upto: int) -> None:
    piece = window.view[window.at : upto]
    if piece and not piece.isspace():
        frame.text(piece, window.line_at(window.at))
    window.at = upto


def _skip(window: _Window, start: int, end: bytes) -> None:
    """Skip to the end of a comment, CDATA section or instruction, holding none of it."""
    line = window.line_at(window.at)
    window.at = start
    while (offset := window.view.find(end, window.at)) < 0:
        window.at = max(window.at, len(window.view) - len(end) + 1)
        if not window.more():
            raise NotWellFormed(0, f"the markup that begins in line {line} has no {end.decode()}")
    window.at = offset + len(end)


def _pass_run(window: _Window, frame: Frame) -> None:
    """Skip the comments, sections and instructions that follow and are wholly in memory."""
    view = window.view
    at = _end_of(_RUN, view, window.at)
    end = _end_of(_RUN_OF_SECTIONS, view, at) if view.startswith(b"<![CDATA[", at) else at
    if end > at:  # unlike the others, sections are not allowed everywhere
        frame.text(_EMPTY[b"<![CDATA["], window.line_at(at))
    window.at = end


def _end_of(run: re.Pattern[bytes], view: bytes, at: int) -> int:
    taken = run.match(view, at)
    return at if taken is None else taken.end()


def _item(window: _Window, cutter: _Cutter, *, is_over: bool) -> FeedItem:
    """Read the item that begins at ``window.at``, and go behind it."""
    end = _guess(window, cutter.closing, 0)
    start = window.at
    raw = window.view[start:end]
    digest = cutter.digest(raw, is_over=is_over)
    fields, line, is_mended, broken = None, 0, False, ""
    if digest not in cutter.known:
        line = window.line_at(start)
        fields = cutter.plain(raw)
        if fields is None:
            read = _parse(window, cutter, raw, line)
            start = window.at
            if read.end != len(raw):
                digest = cutter.digest(window.view[start : start + read.end], is_over=is_over)
            # The guess was wrong, but the item may still be known.
            fields = None if digest in cutter.known else read.fields
            end, is_mended = start + read.end, read.is_mended
            if read.broken is not None:
                line, broken = line + read.broken.line - 1, read.broken.message
    window.at = end
    return FeedItem(digest, fields, line, is_mended, broken, is_over)


def _parse(window: _Window, cutter: _Cutter, piece: bytes, line: int) -> ReadItem:
    """Let the parser read the item at ``window.at``, whose first piece this is, to its end."""
    reader, fed = cutter.reader, 0
    reader.begin()
    while True:
        try:
            if len(piece) > MOST_ITEM_BYTES and cutter.closing.search(piece):
                raise NotWellFormed(1, "a job is larger than 4 MB")
            read = reader.feed(piece)
        except NotWellFormed as bad:
            read = None if fed else _mended(reader, piece) or _broken(cutter, piece, bad)
            if read is None:
                raise Malformed(line + bad.line - 1, bad.message) from bad
        if read is not None:
            return read
        fed += len(piece)
        if fed > MOST_ITEM_BYTES:
            raise Malformed(line, "a job is larger than 4 MB")
        end = _guess(window, cutter.closing, fed)
        piece = window.view[window.at + fed : end]
        if not piece:
            raise Malformed(line, "the feed ends inside of a job")


def _mended(reader: ItemReader, raw: bytes) -> ReadItem | None:
    """The item that these bytes were meant to be; None: it cannot be read even when mended."""
    for meant in meanings(raw):
        reader.begin()
        try:
            read = reader.feed(meant)
        except NotWellFormed:
            continue
        if read is not None and read.end == len(meant):
            return ReadItem(read.fields, len(raw), is_mended=True)
    return None


def _broken(cutter: _Cutter, raw: bytes, bad: NotWellFormed) -> ReadItem | None:
    """A broken item that certainly ends where it seems to: no other begins within it."""
    if not cutter.passes_broken or cutter.opening.search(raw, 1) or not cutter.closing.search(raw):
        return None
    fields = told_by(raw) | cutter.reader.so_far()
    return ReadItem(fields, len(raw), broken=bad)


def _guess(window: _Window, closing: re.Pattern[bytes], fed: int) -> int:
    """Where the next end tag of the item's name ends, after so many of its bytes.

    Without one in memory, if the stream ends or the item grows too large: everything in memory.
    """
    tag = None if fed else TAG.match(window.view, window.at)
    if tag is not None and window.view.endswith(b"/>", window.at, tag.end()):
        return tag.end()
    # If pieces were fed in vain (a comment full of end tags?), the next piece is no shorter.
    sought = window.at + 2 * fed
    while (end_tag := closing.search(window.view, sought)) is None:
        size = len(window.view) - window.at
        if size > MOST_ITEM_BYTES or not window.more():
            return len(window.view)
        # An end tag may be cut; spaces within one are few, and a missed guess costs only time.
        sought = window.at + max(2 * fed, size - 80)
    return end_tag.end()
