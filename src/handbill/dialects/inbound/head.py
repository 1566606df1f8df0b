"""What a feed says before its first item about all of them."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from xml.parsers import expat

from handbill.core.amounts import is_of_cents
from handbill.core.currencies import named_by
from handbill.dialects.inbound.mending import mended
from handbill.dialects.inbound.scanner import Malformed

_MOST_HEAD = 64 * 1024
_MOST_TEXT = 100
_PAGE = re.compile(rb"\s*<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)
_UNSEEN = re.compile(
    rb"(?:[\s\x00]|\xc2[\x85\xa0]|\xe2\x80[\x80-\x8f\xa8\xa9\xaf]|\xe2\x81\xa0|\xe3\x80\x80|\xef\xbb\xbf)*+"
)
"""Blanks, marks and characters without width before a feed, in UTF-8."""
_JSON = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[{\]\"])")
_MARKS = re.compile(r"[\W_]+")
_CURRENCY = re.compile(
    "(?:default|base|feed|main|account|bid|cpc|click|price|payout)?currency(?:code|iso|id|symbol)?"
)
"""Names without marks that say what all amounts are in; ``multicurrency`` and notes do not."""
_MOST_DEPTH = 3


class _Over(Exception):
    """The head has ended."""


def no_page(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The feed as it is, without what nobody sees before it. **Refuses** (Malformed) a web page, as
    servers send one to those who are not signed in, or to whoever they take for a robot; and JSON.
    """
    head, stream = b"", iter(chunks)
    for chunk in stream:
        head += chunk
        if len(head) >= _MOST_TEXT:
            break
    before = _UNSEEN.match(head)
    assert before is not None
    head = b"\n" * before[0].count(b"\n") + head[before.end() :]
    if _PAGE.match(head):
        raise Malformed(1, "this is a web page (HTML), not a feed")
    if _JSON.match(head):
        raise Malformed(1, "this is JSON; feeds are read in XML")
    yield head
    yield from stream


def with_head(chunks: Iterable[bytes], item: str) -> tuple[Iterator[bytes], bytes]:
    """The feed from its start, and what of it comes before its first item: at most 64 KB."""
    mark, head, stream = (
        re.compile(rb"<" + re.escape(item.encode()) + rb"[\s/>]"),
        b"",
        iter(chunks),
    )
    for chunk in stream:
        head += chunk
        if len(head) >= _MOST_HEAD or mark.search(head):
            break
    first = mark.search(head)
    return chain([head], stream), head[: first.start() if first else _MOST_HEAD]


def currency_of(head: bytes) -> str:
    """The currency that a feed names for all of its items, in a node or attribute around or beside
    them: the first text there that names one; empty: none. **Shape**: as it is written there.
    """
    values: list[str] = []
    path: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name)
        if len(path) <= _MOST_DEPTH:
            values.extend(value for key, value in attributes.items() if _is_currency(key))

    def end(name: str) -> None:  # noqa: ARG001
        path.pop()

    def text(piece: str) -> None:
        if path and len(path) <= _MOST_DEPTH and _is_currency(path[-1]):
            values.append(piece)

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse
    with suppress(expat.ExpatError, _Over):
        parser.Parse(mended(head.lstrip()), False)
    texts = (one.strip()[:_MOST_TEXT] for one in values)
    return next((text for text in texts if named_by(text) or is_of_cents(text)), "")


def _refuse(*_: object) -> None:
    raise _Over


def _is_currency(name: str) -> bool:
    bare = _MARKS.sub("", name.rpartition(":")[2]).lower()
    return _CURRENCY.fullmatch(bare) is not None
