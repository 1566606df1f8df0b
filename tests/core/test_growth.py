"""Hostile inputs of twice the size cost twice the work, for every operation and kind of document.

Work is counted, not timed: calls of Python and of C, and bytes that the parser of items is given.
"""

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from handbill.api import operations
from handbill.core.address_lists import NotAddresses, read_prefixes
from handbill.core.feed_text import html_text, link_of, listed, unescaped
from handbill.dialects.inbound.encodings import UnknownEncoding, as_utf8
from handbill.dialects.inbound.items import ItemReader, ReadItem
from handbill.dialects.inbound.markup import html_of
from handbill.dialects.inbound.scanner import Malformed, scan
from handbill.kit.faults import Fault, Refused
from handbill.wire.shapes import MOST_FAULTS
from handbill.wire.values import NOT_GIVEN

MOST_GROWTH = 2.3
_FLOOR = 2_000  # calls, below which there is nothing to grow
_MB = 1024 * 1024


class _Counting(ItemReader):
    """A reader that notes each byte it touches."""

    touched = 0

    def feed(self, piece: bytes) -> ReadItem | None:
        self.touched += len(self._raw) + len(piece)
        return super().feed(piece)


def _calls(work: Callable[[], object]) -> int:
    count = 0

    def note(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def _feed(inner: bytes) -> bytes:
    return b"<source>" + inner + b"</source>"


def _repeats(n: int) -> bytes:
    return b"".join(b"<n%d>a</n%d><n%d/>" % (k, k, k) for k in range(n))


_FEEDS: dict[str, Callable[[int], bytes]] = {
    "end tags in a comment": lambda n: _feed(b"<job><!--" + b"</job>" * n + b"--><a>b</a></job>"),
    "end tags in a section": lambda n: _feed(
        b"<job><a><![CDATA[" + b"</job>" * n + b"]]></a></job>"
    ),
    "end tags in an attribute": lambda n: _feed(b"<job a='" + b"/job>" * n + b"'></job>"),
    "end tags in many jobs": lambda n: _feed(b"<job><!--</job>--><a>b</a></job>" * (n // 4)),
    "an open comment": lambda n: b"<source><job><!--" + b"</job>" * n,
    "an open tag": lambda n: b"<source><job a='" + b"</job>" * n,
    "comments": lambda n: _feed(b"<!---->" * n + b"<job/>"),
    "instructions": lambda n: _feed(b"<?a b?>" * n + b"<job/>"),
    "sections": lambda n: _feed(b"<![CDATA[a]]>" * n + b"<job/>"),
    "empty jobs": lambda n: _feed(b"<job/>" * n),
    "other nodes": lambda n: _feed(b"<a></a>" * n + b"<job/>"),
    "brackets": lambda n: _feed(b"<job><a>" + b"]]&gt;" * n + b"</a></job>"),
    "quotes": lambda n: b"<source><job " + b"\"'" * n,
    "spaces in end tags": lambda n: _feed(b"<job><a>b</a></job" + b" " * n + b">"),
    "lines": lambda n: _feed(b"\n" * n + b"<job>" + b"\r\n" * n + b"</job>"),
    "nodes that repeat": lambda n: _feed(b"<job>" + _repeats(n // 40) + b"</job>"),
    "one node that repeats": lambda n: _feed(b"<job>" + b"<a>b</a>" * (n // 20) + b"</job>"),
    "attributes": lambda n: _feed(
        b"<job>" + b"<a b='c' d='e' f='g'/>" * (n // 40) + b"</job>"
    ),
    "deep text": lambda n: _feed(b"<job>" + b"<a>" * 14 + b"t" * n + b"</a>" * 14 + b"</job>"),
    "marked nodes": lambda n: _feed(b"<job>" + b"<m><p>a</p><x/></m>" * (n // 40) + b"</job>"),
}  # fmt: skip


@pytest.mark.parametrize("name", _FEEDS)
def test_a_feed_costs_what_it_is_long(name: str) -> None:
    def cost(n: int) -> int:
        reader = _Counting({"m"})
        raw = _FEEDS[name](n)
        chunks = [raw[at : at + 4_096] for at in range(0, len(raw), 4_096)]

        def work() -> None:
            with suppress(Malformed):
                for _ in scan(as_utf8(chunks), "job", reader, collection="source"):
                    pass

        return _calls(work) + reader.touched // 10

    _holds(cost, 20_000)


def _holds(cost: Callable[[int], int], n: int) -> None:
    once, twice = cost(n), cost(2 * n)
    assert twice <= max(once, _FLOOR) * MOST_GROWTH, f"{once:,} → {twice:,}"


@pytest.mark.parametrize(
    "piece", [b"<!---->", b"<job/>", b"<?a b?>", b"<!--" + b"x" * 300_000 + b"-->"], ids=len
)
def test_what_lies_between_jobs_is_not_gathered(piece: bytes) -> None:
    """Also where no window ends between two of them."""

    def chunks() -> Iterator[bytes]:
        yield b"<source>"
        for _ in range(_MB // max(len(piece), 8_192)):
            yield piece * max(1, 8_192 // len(piece))
        yield b"</source>"

    tracemalloc.start()
    for _ in scan(chunks(), "job", ItemReader(), collection="source"):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * _MB


def test_a_text_that_lies_deep_is_refused() -> None:
    """Each node has the text of those within it: sixteen deep that would be sixteen times."""
    text = b"t" * (3 * _MB) + "😀".encode()
    raw = _feed(b"<job>" + b"<a>" * 14 + text + b"</a>" * 14 + b"</job>")
    tracemalloc.start()
    with pytest.raises(Malformed, match="too deep"):
        list(scan([raw], "job", ItemReader(), collection="source"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * _MB


_TEXTS: dict[str, Callable[[int], Any]] = {
    "entities": lambda n: unescaped("&amp;" * n),
    "half entities": lambda n: unescaped("&a" * n + ";"),
    "ampersands": lambda n: link_of("&amp;" + "amp;" * n),
    "tags": lambda n: html_text("&lt;a" * n),
    "escaped": lambda n: html_text("&lt;b&gt;&amp;" * n),
    "values": lambda n: listed("\x1e".join(map(str, range(n)))),
    "nodes": lambda n: html_of("<x>a</x><p>b</p>" * n),
    "open nodes": lambda n: html_of("<x a='b' " * n),
    "addresses": lambda n: _list_of("192.0.2.1/32\n" * n),
    "comments": lambda n: _list_of("#" * n + "\n" + "# a\n" * n),
}


def _list_of(text: str) -> None:
    with suppress(NotAddresses):
        read_prefixes(text)


@pytest.mark.parametrize("name", _TEXTS)
def test_a_text_costs_what_it_is_long(name: str) -> None:
    _holds(lambda n: _calls(lambda: _TEXTS[name](n)), 2_000)


def test_what_is_of_no_encoding_is_repaired_in_one_go() -> None:
    def cost(n: int) -> int:
        raw = b"<a>" + b"\xff\xe4b" * n
        chunks = [raw[at : at + 512] for at in range(0, len(raw), 512)]

        def work() -> None:
            with suppress(UnknownEncoding):
                for _ in as_utf8(chunks):
                    pass

        return _calls(work)

    _holds(cost, 250)


def _wrong(value: Any, n: int) -> Any:
    """A body of the same shape with each list n long, and what is in it wrong in every key."""
    if isinstance(value, dict):
        return {key: _wrong(one, n) for key, one in value.items()}
    if isinstance(value, list):
        return [_spoilt(value[0] if value else {})] * n
    return value


def _spoilt(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _spoilt(one) for key, one in value.items()}
    return {"\x00": []}


def _bodies(sample: Any) -> list[Callable[[int], Any]]:
    base = {} if sample is NOT_GIVEN else sample
    one = base[0] if isinstance(base, list) and base else base
    return [
        lambda n: _wrong(base, n),
        lambda n: [_spoilt(one)] * n,
        lambda n: [{}] * n,
        lambda n: {f"k{k}": k for k in range(n)},
    ]


@pytest.mark.parametrize(
    "operation", [one for one in operations() if one.body is not None], ids=lambda one: one.name
)
def test_a_body_costs_what_it_is_long(operation: Any) -> None:
    def cost(body: Any) -> int:
        faults: list[Fault] = []

        def work() -> None:
            with suppress(Refused):
                operation.body.read(body, "", faults)

        calls = _calls(work)
        assert len(faults) <= 2 * MOST_FAULTS
        return calls

    for body in _bodies(operation.sample):
        _holds(lambda n, body=body: cost(body(n)), 250)  # type: ignore[misc]
