"""Reads one item of a feed with Expat: its nodes by path, and where in the bytes it ends.

Expat, not libxml2: it reports names as they are written, keeps nothing between items, and gives the
byte at which an element ends, so that no second grammar is needed to cut a stream.
"""

import re
from collections.abc import Collection
from typing import NamedTuple
from xml.parsers import expat

from handbill.core.feed_text import ALSO
from handbill.dialects.inbound.markup import HTML, html_of
from handbill.dialects.inbound.repeats import NodeText, fields_of

MOST_ITEM_BYTES = 4 * 1024 * 1024
MOST_ELEMENTS = 2_000
MOST_DEPTH = 16
MOST_ATTRIBUTES = 64
MOST_ATTRIBUTES_OF_ITEM = 4_000
MOST_TEXT = 2 * MOST_ITEM_BYTES

# One whole tag, whatever its attributes contain.
TAG = re.compile(rb"""<[^>"']*+(?:"[^"]*+"[^>"']*+|'[^']*+'[^>"']*+)*+>""")


class NotWellFormed(ValueError):
    """The bytes are not XML that we read; ``line`` counts from 1 within them."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _Whole(Exception):
    """The item has ended. Raised in the parser, so that it reads no further."""


class ReadItem(NamedTuple):
    """``fields``: text by path below the item: ``city``, ``location/city``, ``@id``, ``bid/@unit``.

    White space around a text is removed. A node with nodes has the text of all of them. If nodes
    repeat, all paths below them are of one of them, and ``ALSO`` (core.feed_text) comes before the
    text of the others (see ``repeats``); a name with a prefix can also be found without it.
    """

    fields: dict[str, str]
    end: int
    is_mended: bool = False
    """Whether it had to be mended to become XML."""
    broken: NotWellFormed | None = None
    """Why it could not be read; ``fields`` are then what could be found nevertheless."""


class ItemReader:
    """Reads items one after the other: ``begin``, then ``feed`` until it returns one.

    ``markup``: nodes whose content is kept as HTML if it contains nodes (descriptions in XHTML, or
    in sections). ``rows``: nodes that belong together like columns (see ``repeats``). **Refuses**
    (NotWellFormed) what is not XML and what exceeds a limit.
    """

    def __init__(self, markup: Collection[str] = (), rows: Collection[str] = ()) -> None:
        self._markup = frozenset(markup)
        self._rows = frozenset(rows)

    def begin(self) -> None:
        """Forget the former item; the next byte fed is the ``<`` of an item's tag."""
        self._raw = b""
        self._said: list[NodeText] = []
        self._depth = self._elements = self._attributes = self._ended = self._said_size = 0
        self._marked = -1
        self._names: set[str] = set()  # of the nodes within the marked one
        self._text: list[str] = []
        # Of open nodes below the item: names, positions among equal names, and starts of texts.
        self._path: list[str] = []
        self._places: list[int] = []
        self._counts: list[dict[str, int]] = [{}]
        self._since: list[int] = []
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        self._parser = parser

    def feed(self, piece: bytes) -> ReadItem | None:
        """Read on; the item if this piece ends it, else None."""
        self._raw = self._raw + piece if self._raw else piece
        try:
            self._parser.Parse(piece, False)
        except _Whole:
            return ReadItem(fields_of(self._said, self._rows), self._end_of_item())
        except expat.ExpatError as bad:
            raise NotWellFormed(bad.lineno, expat.ErrorString(bad.code)) from bad
        return None

    def so_far(self) -> dict[str, str]:
        """The text of the item's nodes that have ended."""
        return fields_of(self._said, self._rows)

    def _end_of_item(self) -> int:
        """Expat is before an end tag, but behind the tag of an element without content."""
        at = self._ended
        if self._raw[at - 2 : at] == b"/>":
            tag = TAG.match(self._raw)
            if tag is not None and tag.end() == at:
                return at
        return self._raw.index(b">", at) + 1

    def _refuse(self, message: str) -> NotWellFormed:
        return NotWellFormed(self._parser.CurrentLineNumber, message)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise self._refuse("an item has too many nodes")
        if self._depth > MOST_DEPTH:
            raise self._refuse("an item is nested too deep")
        if self._depth > 1:
            self._open(name)
        if attributes:
            self._keep_attributes(attributes)

    def _open(self, name: str) -> None:
        counts = self._counts[-1]
        counts[name] = place = counts.get(name, -1) + 1
        if self._depth == 2:
            self._text.clear()
            self._names.clear()
            self._marked = self._parser.CurrentByteIndex if name in self._markup else -1
        else:
            bare = name.rpartition(":")[2].lower()
            self._names.add(bare)
            if bare not in HTML:
                # Texts of two nodes of the feed are never joined into one word.
                self._text.append(ALSO if place else " ")
        self._path.append(name)
        self._places.append(place)
        self._counts.append({})
        self._since.append(len(self._text))

    def _keep_attributes(self, attributes: dict[str, str]) -> None:
        self._attributes += len(attributes)
        if len(attributes) > MOST_ATTRIBUTES or self._attributes > MOST_ATTRIBUTES_OF_ITEM:
            raise self._refuse("a node has too many attributes")
        path, places = self._path, (*self._places, 0)
        for name, value in attributes.items():
            self._said.append(NodeText((*path, f"@{name}"), places, value.strip()))

    def _end(self, name: str) -> None:  # noqa: ARG002
        self._depth -= 1
        if self._depth == 0:
            self._ended = self._parser.CurrentByteIndex
            raise _Whole
        if self._depth == 1 and self._names and self._marked >= 0:
            value = self._written()
        else:
            value = "".join(self._text[self._since[-1] :])
        self._said_size += len(value)
        if self._said_size > MOST_TEXT:
            # A node has the text of all nodes within it: so deep text is stored repeatedly.
            raise self._refuse("an item's text is nested too deep")
        self._said.append(NodeText(tuple(self._path), tuple(self._places), value.strip()))
        for open_nodes in (self._path, self._places, self._counts, self._since):
            open_nodes.pop()

    def _written(self) -> str:
        """The content of the node that ends here: its bytes, without nodes of the feed."""
        tag = TAG.match(self._raw, self._marked)
        assert tag is not None
        written = self._raw[tag.end() : self._parser.CurrentByteIndex].decode()
        return html_of(written)
