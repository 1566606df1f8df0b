"""One item of a feed, read by Expat: its nodes by path, and where in the bytes it ends.

Expat, not libxml2: it names nodes as they are written, keeps nothing from one item to the next,
and tells the byte at which an element ends, so that no second grammar is needed to cut a stream.
"""

import re
from collections.abc import Collection
from typing import NamedTuple
from xml.parsers import expat

MOST_ITEM_BYTES = 4 * 1024 * 1024
MOST_ELEMENTS = 2_000
MOST_DEPTH = 16
MOST_ATTRIBUTES = 64

# One whole tag, whatever its attributes hold.
TAG = re.compile(rb"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")


class NotWellFormed(ValueError):
    """The bytes are not XML that we read; ``line`` counts from 1 within them."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _Whole(Exception):
    """The item has ended. Raised out of the parser, so that it reads no further."""


class ReadItem(NamedTuple):
    """``fields``: text by path below the item: ``city``, ``location/city``, ``@id``, ``bid/@unit``.

    A node within nodes has the text of all of them; of equal paths the first that is not empty
    counts; a name with a prefix can be asked for without it.
    """

    fields: dict[str, str]
    end: int


class ItemReader:
    """Reads items one after the other: ``begin``, then ``feed`` until it answers.

    ``markup``: paths whose content is kept as it is written where it has nodes of its own
    (descriptions in XHTML). **Refuses** (NotWellFormed) what is no XML and what passes a limit.
    """

    def __init__(self, markup: Collection[str] = ()) -> None:
        self._markup = frozenset(markup)
        self._on_start, self._on_end = self._start, self._end

    def begin(self) -> None:
        """Forget the former item; the next byte fed is the ``<`` of an item's tag."""
        self._fields: dict[str, str] = {}
        self._path: list[str] = []
        self._open: list[int] = []
        self._text: list[str] = []
        self._raw = b""
        self._elements = 0
        self._ended = 0
        self._leaf = False
        self._inside: tuple[str, int] | None = None
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.CharacterDataHandler = self._text.append
        self._parser = parser

    def feed(self, piece: bytes) -> ReadItem | None:
        """Read on; the item when this piece ends it, else None."""
        self._raw = self._raw + piece if self._raw else piece
        try:
            self._parser.Parse(piece, False)
        except _Whole:
            return ReadItem(self._fields, self._end_of_item())
        except expat.ExpatError as bad:
            raise NotWellFormed(bad.lineno, expat.ErrorString(bad.code)) from bad
        return None

    def _end_of_item(self) -> int:
        """Expat stands before an end tag, but behind the tag of an element without content."""
        at = self._ended
        if self._elements == 1 and self._raw[at - 2 : at] == b"/>":
            tag = TAG.match(self._raw)
            if tag is not None and tag.end() == at:
                return at
        return self._raw.index(b">", at) + 1

    def _refuse(self, message: str) -> NotWellFormed:
        return NotWellFormed(self._parser.CurrentLineNumber, message)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        path = self._path
        depth = len(path)
        if depth:
            key = f"{path[-1]}/{name}" if depth > 1 else name
            if depth == 1:
                del self._text[:]
                if name in self._markup:
                    self._inside = (name, self._parser.CurrentByteIndex)
        else:
            key = ""
        path.append(key)
        self._open.append(len(self._text))
        self._leaf = True
        self._elements += 1
        if depth >= MOST_DEPTH or self._elements > MOST_ELEMENTS:
            raise self._refuse("an item has too many nodes")
        if attributes:
            self._keep_attributes(key, attributes)

    def _keep_attributes(self, key: str, attributes: dict[str, str]) -> None:
        if len(attributes) > MOST_ATTRIBUTES:
            raise self._refuse("a node has too many attributes")
        before = f"{key}/@" if key else "@"
        for name, value in attributes.items():
            self._fields.setdefault(before + name, value)

    def _end(self, name: str) -> None:
        key = self._path.pop()
        if not key:
            self._ended = self._parser.CurrentByteIndex
            raise _Whole
        since = self._open.pop()
        text = self._text
        if self._inside is not None and self._inside[0] == key:
            value = "".join(text[since:]) if self._leaf else self._written()
            self._inside = None
        elif len(text) == since + 1:
            value = text[since]
        else:
            value = "".join(text[since:])
        self._leaf = False
        fields = self._fields
        if not fields.get(key):
            fields[key] = value
            if ":" in name:
                local = "/".join(step.rpartition(":")[2] for step in key.split("/"))
                fields.setdefault(local, value)

    def _written(self) -> str:
        """The content of the node that ends here, as its bytes say it."""
        assert self._inside is not None
        tag = TAG.match(self._raw, self._inside[1])
        assert tag is not None
        return self._raw[tag.end() : self._parser.CurrentByteIndex].decode()
