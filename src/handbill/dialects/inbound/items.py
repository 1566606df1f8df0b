"""One item of a feed, read by Expat: its nodes by path, and where in the bytes it ends.

Expat, not libxml2: it names nodes as they are written, keeps nothing from one item to the next,
and tells the byte at which an element ends, so that no second grammar is needed to cut a stream.
"""

import re
from collections.abc import Callable, Collection
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

    White space around a text is gone. A node within nodes has the text of all of them; of equal
    paths the first that is not empty counts; a name with a prefix can be asked for without it.
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

    def begin(self) -> None:
        """Forget the former item; the next byte fed is the ``<`` of an item's tag."""
        self._raw = b""
        self._fields: dict[str, str] = {}
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._ended = _follow(self._parser, self._fields, self._markup, self._written)

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
        (at,) = self._ended
        if self._raw[at - 2 : at] == b"/>":
            tag = TAG.match(self._raw)
            if tag is not None and tag.end() == at:
                return at
        return self._raw.index(b">", at) + 1

    def _written(self, start: int) -> str:
        """The content of the node whose tag is there and that ends here, as its bytes say it."""
        tag = TAG.match(self._raw, start)
        assert tag is not None
        return self._raw[tag.end() : self._parser.CurrentByteIndex].decode()


def _follow(
    parser: expat.XMLParserType, fields: dict[str, str], markup: frozenset[str],
    written: Callable[[int], str],
) -> list[int]:  # fmt: skip
    """Have a parser fill ``fields``; where the item ended is put into the list.

    Most nodes stand right below the item and hold text alone: for them little is done.
    """
    depth = elements = 0
    top, marked, nested = "", -1, False
    text: list[str] = []
    path: list[str] = []
    since: list[int] = []
    ended: list[int] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, elements, top, marked
        depth += 1
        elements += 1
        if depth == 2:
            top = name
            text.clear()
            marked = parser.CurrentByteIndex if name in markup else -1
        elif depth > 2:
            go_deeper(name)
        if elements > MOST_ELEMENTS:
            raise NotWellFormed(parser.CurrentLineNumber, "an item has too many nodes")
        if attributes:
            keep_attributes(attributes)

    def go_deeper(name: str) -> None:
        nonlocal nested
        nested = True
        path.append(f"{path[-1] if path else top}/{name}")
        since.append(len(text))
        if depth > MOST_DEPTH:
            raise NotWellFormed(parser.CurrentLineNumber, "an item's nodes lie too deep")

    def keep_attributes(attributes: dict[str, str]) -> None:
        if len(attributes) > MOST_ATTRIBUTES:
            raise NotWellFormed(parser.CurrentLineNumber, "a node has too many attributes")
        before = "@" if depth == 1 else f"{path[-1] if path else top}/@"
        for name, value in attributes.items():
            keep(before + name, value)

    def keep(key: str, value: str) -> None:
        value = value.strip()
        if not fields.get(key):
            fields[key] = value

    def end(name: str) -> None:
        nonlocal depth, nested
        depth -= 1
        if depth == 1:
            if nested:
                nested = False
                value = written(marked) if marked >= 0 else "".join(text)
            else:
                value = text[0] if len(text) == 1 else "".join(text)
        elif depth > 1:
            name = path.pop()
            value = "".join(text[since.pop() :])
        else:
            ended.append(parser.CurrentByteIndex)
            raise _Whole
        if not fields.get(name):
            keep(name, value)
            if ":" in name:
                keep("/".join(step.rpartition(":")[2] for step in name.split("/")), value)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    return ended
