"""Hostile documents and texts of twice the size cost twice the CPU, and little memory."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC
from logging import makeLogRecord
from typing import Any

import pytest

from growing import Work, grows_by_its_size, most_held
from handbill.contract.funnel.models import FunnelDetails
from handbill.core.address_lists import NotAddresses, read_prefixes
from handbill.core.amounts import read_amount
from handbill.core.countries import country_code
from handbill.core.feed_text import cleaned, each_of, html_text, link_of, unescaped
from handbill.core.feeds import FeedBody
from handbill.core.mapping import compile_mapping
from handbill.core.place_names import differs
from handbill.dialects.inbound.dates import read_instant
from handbill.dialects.inbound.encodings import UnknownEncoding, as_utf8
from handbill.dialects.inbound.items import ItemReader
from handbill.dialects.inbound.known import look
from handbill.dialects.inbound.markup import html_of
from handbill.dialects.inbound.scanner import Malformed, scan
from handbill.host.inflate import unpacked
from handbill.host.logs import JsonLines
from handbill.kit.cells import neutral
from handbill.kit.faults import Fault
from handbill.kit.jsons import NotJson, decode
from handbill.kit.urls import NotUrl, canonical_url, strip_params
from handbill.tracking.pixel import report_of

pytestmark = pytest.mark.no_cover  # it measures CPU itself

_MB = 1024 * 1024


def _feed(inner: bytes) -> bytes:
    return b"<s>" + inner + b"</s>"


def _repeats(n: int) -> bytes:
    return b"".join(b"<n%d>a</n%d><n%d/>" % (k, k, k) for k in range(n))


_FEEDS: dict[str, Callable[[int], bytes]] = {
    "end tags in a comment": lambda n: _feed(b"<job><!--" + b"</job>" * n + b"--><a>b</a></job>"),
    "end tags in a section": lambda n: _feed(
        b"<job><a><![CDATA[" + b"</job>" * n + b"]]></a></job>"
    ),
    "end tags in an attribute": lambda n: _feed(b"<job a='" + b"/job>" * n + b"'></job>"),
    "end tags in many jobs": lambda n: _feed(b"<job><!--</job>--><a>b</a></job>" * (n // 8)),
    "an open comment": lambda n: b"<s><job><!--" + b"</job>" * n,
    "an open tag": lambda n: b"<s><job a='" + b"</job>" * n,
    "comments": lambda n: _feed(b"<!---->" * n + b"<job/>"),
    "instructions": lambda n: _feed(b"<?a b?>" * n + b"<job/>"),
    "sections": lambda n: _feed(b"<![CDATA[a]]>" * n + b"<job/>"),
    "empty jobs": lambda n: _feed(b"<job/>" * (n // 2)),
    "open tags between jobs": lambda n: b"<s>" + b"<a " * n,
    "slashes between jobs": lambda n: b"<s><a " + b"/ " * n,
    "addresses between jobs": lambda n: b"<s>" + b"<![CDATA[/a]]>" * (n // 14),
    "other nodes": lambda n: _feed(b"<a></a>" * (n // 2) + b"<job/>"),
    "sections of a broken job": lambda n: _feed(b"<job>& " + b"<![CDATA[" * (n // 9) + b"</job>"),
    "brackets": lambda n: _feed(b"<job><a>" + b"]]&gt;" * n + b"</a></job>"),
    "quotes": lambda n: b"<s><job " + b"\"'" * n,
    "spaces in end tags": lambda n: _feed(b"<job><a>b</a></job" + b" " * n + b">"),
    "lines": lambda n: _feed(b"\n" * n + b"<job>" + b"\r\n" * n + b"</job>"),
    "nodes that repeat": lambda n: _feed(b"<job>" + _repeats(n // 40) + b"</job>"),
    "one node that repeats": lambda n: _feed(b"<job>" + b"<a>b</a>" * (n // 20) + b"</job>"),
    "attributes": lambda n: _feed(b"<job>" + b"<a b='c' d='e' f='g'/>" * (n // 40) + b"</job>"),
    "deep text": lambda n: _feed(b"<job>" + b"<a>" * 14 + b"t" * n + b"</a>" * 14 + b"</job>"),
    "nodes of a broken job": lambda n: _feed(b"<job>" + _repeats(n // 20) + b"<x></job>"),
    "blanks of a broken job": lambda n: _feed(b"<job><a>" + b" " * n + b"<x></job>"),
    "tags of a broken job": lambda n: _feed(b"<job>" + b"<a b= <a>" * (n // 9) + b"</job>"),
    "marked nodes": lambda n: _feed(b"<job>" + b"<m><p>a</p><x/></m>" * (n // 40) + b"</job>"),
}


def _read(raw: bytes) -> Work:
    """An import as far as it needs no records: unpacked, decoded, cut into items, mapped."""
    packed = gzip.compress(raw, 1)
    chunks = [packed[at : at + 4_096] for at in range(0, len(packed), 4_096)]

    def work() -> None:
        look(raw[:262_144])
        with suppress(Malformed, UnknownEncoding):
            for item in scan(
                as_utf8(unpacked(chunks)),
                "job",
                ItemReader({"m"}),
                collection="s",
                passes_broken=True,
            ):
                _MAP(item.fields or {})

    return work


_NODES = [
    "Title",
    "Company",
    "City",
    "State",
    "Country",
    "Zip",
    "Category",
    "DatePosted",
    "URL",
    "RefNumber",
    "ModifiedDate",
    "PublishedDate",
    "CPCBid",
    "Type",
    "ExpirationDate",
    "Description",
]
_MAP = compile_mapping(
    FeedBody(
        "https://e.example",
        {f"schemaMappings{name}": name for name in _NODES}
        | {"schemaMappingPublisher": "boards", "schemaMappingAdditional": {"own": "own"}},
        url_params_to_strip=["utm"],
    ),
    UTC,
    "USD",
    read_instant,
)


@pytest.mark.parametrize("name", _FEEDS)
def test_a_feed_costs_what_it_is_long(name: str) -> None:
    grows_by_its_size(lambda n: _read(_FEEDS[name](n)), 40_000)


_PUMPS = [
    " ",
    "\x1e",
    ",",
    "1",
    ".",
    "1 ",
    " ,",
    "&amp;",
    "&lt;a ",
    "<![CDATA[ ]]>",
    "a@",
    "\u0301é",
    "?utm=1&",
    "Ã¶",
    "http://",
    "%20",
    "=",
    "\n",
    "ﬃ",
    "/",
    "\u200b",
]


@pytest.mark.parametrize("pump", _PUMPS, ids=ascii)
def test_a_job_costs_what_its_fields_are_long(pump: str) -> None:
    """Whatever its nodes are full of: each is cleaned, parted, read as a date, as an amount."""

    def work_of(n: int) -> Work:
        text = "1" + pump.replace("\x1e", "|") * (n // len(pump)) + "!"
        fields = {name: text.replace("|", "\x1e") for name in (*_NODES, "boards", "own")}
        fields["RefNumber"] = "1"
        nodes = "".join(f"<{name}>{text}</{name}>" for name in (*_NODES, "boards", "own"))

        def work() -> None:
            _MAP(fields)
            _read(_feed(f"<job>{nodes}</job>".encode()))()

        return work

    grows_by_its_size(work_of, 10_000)


@pytest.mark.parametrize(
    "piece",
    [b"<!---->", b"<?a b?>", b"<![CDATA[a]]>", b"<!---->a<?b?>", b"<!--" + b"x" * 300_000 + b"-->"],
    ids=len,
)
def test_what_lies_between_jobs_is_not_gathered(piece: bytes) -> None:
    """Also where no window ends between two of them."""

    def chunks() -> Iterator[bytes]:
        yield b"<s>"
        for _ in range(_MB // 2 // max(len(piece), 8_192)):
            yield piece * max(1, 8_192 // len(piece))
        yield b"</s>"

    def work() -> None:
        for _ in scan(chunks(), "job", ItemReader(), collection="s"):
            pass

    assert most_held(work) < 2 * _MB


def test_a_job_full_of_slips_holds_little() -> None:
    """What is put right is held piece by piece: of two million of them, 400 MB."""
    raw = _feed(b"<job><a>" + b"&a" * (2 * _MB - 100) + b"</a></job>")

    def work() -> None:
        with pytest.raises(Malformed):
            list(scan([raw], "job", ItemReader(), collection="s"))

    assert most_held(work) < 64 * _MB


def test_a_text_that_lies_deep_is_refused() -> None:
    """Each node has the text of those within it: sixteen deep that would be sixteen times."""
    text = b"t" * (3 * _MB) + "😀".encode()
    raw = _feed(b"<job>" + b"<x>" * 14 + text + b"</x>" * 14 + b"</job>")

    def work() -> None:
        with pytest.raises(Malformed, match="too deep"):
            list(scan([raw], "job", ItemReader(), collection="s"))

    assert most_held(work) < 64 * _MB


_TEXTS: dict[str, Callable[[int], Any]] = {
    "entities": lambda n: unescaped("&amp;" * n),
    "half entities": lambda n: unescaped("&a" * n + ";"),
    "ampersands": lambda n: link_of("&amp;" + "amp;" * n),
    "tags": lambda n: html_text("&lt;a" * n),
    "escaped": lambda n: html_text("&lt;b&gt;&amp;" * n),
    "values": lambda n: each_of("\x1e".join(map(str, range(n)))),
    "nodes": lambda n: html_of("<x>a</x><p>b</p>" * n),
    "open nodes": lambda n: html_of("<x a='b' " * n),
    "addresses": lambda n: _list_of("192.0.2.1/32\n" * n),
    "comments": lambda n: _list_of("#" * n + "\n" + "# a\n" * n),
    "digits": lambda n: _list_of("1" * n),
    "an amount": lambda n: read_amount("1" + " " * n + "x1"),
    "a date": lambda n: read_instant("2026 " + "1 " * n, UTC),
    "a place": lambda n: differs(" ,".join(["new york"] * n), frozenset({"Boston"})),
    "a country": lambda n: country_code("(" * n + ", of)"),
    "accents": lambda n: cleaned("e" + "\u0301" * n),
    "a host": lambda n: _url_of("http://" + "a." * n),
    "signs of a host": lambda n: _url_of("http://" + "ü" * n + ".example"),
    "a path": lambda n: _url_of("http://e.example/" + "ü" * n),
    "parameters": lambda n: strip_params("http://e.example/?" + "utm=1&" * n, ["utm"]),
    "a cell": lambda n: neutral(" " * n + "\u200b" * n),
    "words of a log": lambda n: _logged("-eyJ" * n),
    "passwords of a log": lambda n: _logged("://a:" * n),
    "a pixel's query": lambda n: report_of(b"c=a&a=3&r=" + b"%20" * n, b""),
    "a pixel's cookies": lambda n: report_of(b"c=a&a=3", b"; " * n + b"jClickId" * n),
    "details of a candidate": lambda n: _detailed("a" * 900, n // 50),
    "signs of a candidate": lambda n: _detailed("a@" * 450, n // 50),
    "points of a candidate": lambda n: _detailed("a@" + "." * 900, n // 50),
    "nested JSON": lambda n: _decoded("[" * n),
    "keys of JSON": lambda n: _decoded("{" + ",".join(f'"{k}":1' for k in range(n)) + "}"),
    "the last key of JSON twice": lambda n: _decoded(
        "{" + ",".join(f'"{k}":1' for k in range(n)) + ',"0":1}'
    ),
    "escapes of JSON": lambda n: _decoded('"' + "\\u00e9" * n + '"'),
    "figures of JSON": lambda n: _decoded("1" * n),
    "decimals of JSON": lambda n: _decoded("0." + "1" * n),
}
_LINES = JsonLines("test")


def _logged(text: str) -> None:
    _LINES.format(makeLogRecord({"msg": "m", "said": text}))


def _url_of(text: str) -> None:
    with suppress(NotUrl):
        canonical_url(text)


def _decoded(text: str) -> None:
    with suppress(NotJson):
        decode(text.encode())


def _detailed(text: str, count: int) -> None:
    faults: list[Fault] = []
    for _ in range(count):
        FunnelDetails.read({"custom": {f"k{k}": text for k in range(40)}}, "/x", faults)


def _list_of(text: str) -> None:
    with suppress(NotAddresses):
        read_prefixes(text)


@pytest.mark.parametrize("name", _TEXTS)
def test_a_text_costs_what_it_is_long(name: str) -> None:
    grows_by_its_size(lambda n: lambda: _TEXTS[name](n), 5_000)


def test_what_is_of_no_encoding_is_repaired_in_one_go() -> None:
    grows_by_its_size(lambda n: _read(b"<a>" + b"\xff\xe4b" * n), 50_000)


@pytest.mark.parametrize("chunk", [4_096, 10**9])
def test_members_of_gzip_cost_what_they_are_long(chunk: int) -> None:
    def work_of(n: int) -> Work:
        raw = gzip.compress(b"a") * n
        chunks = [raw[at : at + chunk] for at in range(0, len(raw), chunk)]
        return lambda: sum(map(len, unpacked(chunks)))

    grows_by_its_size(work_of, 20_000)
