"""The frame of a feed: the document with an empty node in place of each item.

If frame and items are well-formed, so is the feed. Comments, CDATA sections and instructions reach
the parser empty, so that none is ever held, however long (Expat 2.5 is slow on long tokens); only a
section that is an address is held, since it may be that of the next page.
"""

import re
from xml.parsers import expat

from handbill.core.feed_ends import bare, is_for_ended
from handbill.dialects.inbound.items import NotWellFormed

MOST_TOKEN_BYTES = 64 * 1024
MOST_NAMES = 1_000
MOST_DEPTH = 32
_MOST_PIECES = 4_096
_PIECE = 64 * 1024
_NEXT = frozenset(["next", "nextpage", "nextpageurl", "nexturl", "nextlink"])
_TOTAL = frozenset(
    f"{before}{after}"
    for before in ("total", "numberof", "num", "count")
    for after in ("jobs", "results", "records", "items", "postings", "entries")
) | {"total", "totalcount", "jobcount", "jobscount", "jobstotal", "resultcount", "recordcount"}
_PAGES = frozenset(["totalpages", "pagecount", "numpages", "numberofpages", "pages", "lastpage"])
_MORE = frozenset(["hasmore", "hasnext", "hasnextpage", "morepages", "moreavailable"])
_TELLING = _NEXT | _TOTAL | _PAGES | _MORE
_MOST_FIGURES = 9
MOST_ADDRESS = 2_000
_ADDRESS = re.compile(r"(?:https?://|[/?])\S+")


class PageNotes:
    """What a page says of the whole feed. ``next``: the address of its next page (RFC 5005, 3),
    from a link or a node such as ``nextPage``, or empty. ``total`` jobs and ``pages``: 0 for
    unsaid.
    """

    def __init__(self) -> None:
        self.next = ""
        self.total = self.pages = 0
        self.has_more = False

    def hear(self, name: str, text: str) -> None:
        """A node or attribute outside the jobs, and what it says."""
        word, said = bare(name), text.strip()
        if word in _NEXT and len(said) <= MOST_ADDRESS and _ADDRESS.fullmatch(said):
            self.next = said
        elif word in _MORE:
            self.has_more |= said.lower() in {"true", "yes", "1"}
        elif said.isascii() and said.isdigit() and len(said) <= _MOST_FIGURES:
            if word in _TOTAL:
                self.total = max(self.total, int(said))
            elif word in _PAGES:
                self.pages = max(self.pages, int(said))

    def lacks(self, jobs: int, pages: int) -> str:
        """What the feed says that it has beyond these jobs on these pages; empty: nothing."""
        if self.total > jobs:
            return f"The feed says that it has {self.total:,} jobs, and contains {jobs:,}."
        if self.pages > pages:
            return f"The feed says that it has {self.pages:,} pages, and names no next one."
        if self.has_more:
            return "The feed says that there is more, and names no next page."
        return ""


class Frame:
    """Takes the frame piece by piece, and refuses it as soon as it is known to be ill-formed."""

    def __init__(self, collection: str, item: str, notes: PageNotes) -> None:
        """``collection``: the node that must be around the items. ``notes`` get what is said of the
        feed. ``alike``: a node whose name differs from an item's only in prefix or case, if there
        is one.
        """
        self._collection = collection
        self._item = item
        self._empty = f"<{item}/>".encode()
        self._pieces: list[bytes] = []
        self._size = 0
        self._lines: list[tuple[int, int]] = []
        self._passed = 0
        self._depth = 0
        self._is_over = False  # after the root, some programs write text that is no markup
        self._names: set[str] = set()
        self._notes = notes
        self._told: str | None = None  # what a node says of the feed
        self._ended = 0
        self._is_read = True  # whether the parser has seen all tags so far
        self.alike = ""
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        if hasattr(parser, "SetReparseDeferralEnabled"):  # Expat 2.6: a tag is read once whole
            parser.SetReparseDeferralEnabled(False)
        self._parser = parser

    @property
    def has_collection(self) -> bool:
        return self._collection.rpartition(":")[2] in self._names

    @property
    def ended(self) -> int:
        """How many nodes are open that hold jobs which are over (``archive``)."""
        if not self._is_read:
            self.flush()
        return self._ended

    def item(self) -> None:
        """There is an item here."""
        self._keep(self._empty)

    def text(self, piece: bytes, line: int) -> None:
        """Tags and text between the items; the line on which it begins."""
        self._lines.append((self._size, line))
        if b"<" in piece and not piece.startswith((b"<!", b"<?")):
            self._is_read = False
        self._keep(piece)

    def _keep(self, piece: bytes) -> None:
        """Hold pieces until there are enough to be worth parsing, whatever their size."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= _PIECE or len(self._pieces) >= _MOST_PIECES:
            self.flush()

    def flush(self) -> None:
        """Parse what has come since. **Refuses** (NotWellFormed) with the feed's line, if known."""
        pieces, before = b"".join(self._pieces), self._passed
        try:
            for start in range(0, len(pieces), _PIECE):
                self._parse(pieces[start : start + _PIECE])
                if self._passed - self._parser.CurrentByteIndex > MOST_TOKEN_BYTES:
                    raise NotWellFormed(0, "a tag is longer than 64 KB")
        except NotWellFormed as bad:
            at = min(self._parser.CurrentByteIndex - before, len(pieces))
            raise NotWellFormed(self._line_at(pieces, at), bad.message) from bad
        self._pieces.clear()
        self._lines.clear()
        self._size = 0
        self._is_read = True

    def _line_at(self, pieces: bytes, at: int) -> int:
        """The line of the feed at which so many bytes of the pieces end; 0: not known."""
        start, line = max((known for known in self._lines if known[0] <= at), default=(0, 0))
        return line + pieces.count(b"\n", start, at) if line else 0

    def close(self) -> None:
        """The feed has ended."""
        self.flush()
        self._parse(b"", last=True)

    def _parse(self, piece: bytes, *, last: bool = False) -> None:
        self._passed += len(piece)
        try:
            if not self._is_over:
                self._parser.Parse(piece, last)
            elif b"<" in piece:
                raise NotWellFormed(0, "there is content after the end of the feed")
        except expat.ExpatError as bad:
            if self._names and not self._depth and b"<" not in self._from_fault(piece):
                self._is_over = True
                return
            message = expat.ErrorString(bad.code)
            if bad.code == expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]:
                message = (
                    "the feed ends before its last node is closed" if self._passed else "empty"
                )
            raise NotWellFormed(0, message) from bad

    def _from_fault(self, piece: bytes) -> bytes:
        """The rest of the piece, from the place at which the parser stopped."""
        return piece[self._parser.ErrorByteIndex - (self._passed - len(piece)) :]

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if name == self._item:
            return
        self._ended += self._holds_ended(name)
        names, local = self._names, name.rpartition(":")[2]
        names.add(local)
        if local.lower() == self._item.rpartition(":")[2].lower():
            self.alike = name
        if local == "link" and attributes.get("rel", "").lower() == "next":
            self._notes.next = attributes.get("href", "").strip()
        for key, value in attributes.items():
            self._notes.hear(key, value)
        self._told = "" if bare(name) in _TELLING else None
        names.update(attributes)
        if self._depth > MOST_DEPTH or len(names) > MOST_NAMES:
            raise NotWellFormed(0, f"the feed has too many nodes other than <{self._item}>")

    def _text(self, piece: str) -> None:
        if self._told is not None and len(self._told) <= MOST_ADDRESS:
            self._told = (self._told + piece).lstrip()

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._told:
            self._notes.hear(name, self._told)
        self._told = None
        if name != self._item:
            self._ended -= self._holds_ended(name)

    def _holds_ended(self, name: str) -> bool:
        return is_for_ended(name) and bare(name) != bare(self._collection)
