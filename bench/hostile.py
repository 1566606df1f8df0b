"""Documents and requests as somebody would make them who wishes us ill. Nothing here is done."""

import gzip
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

from handbill.http.operations import Operation
from handbill.wire.queries import parameters

_MB = 1024 * 1024
_WHOLE = 480_000
_LARGE = 4 * _MB - 200  # a job that is just small enough
_BOMB = 98 * 1024
_JOB = b"<job><referencenumber>%d</referencenumber><title>t</title><description>"
_LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))

_SHAPES: dict[str, Callable[[int], bytes]] = {
    "end tags in a comment": lambda n: b"<job><!--" + b"</job>" * (n // 6) + b"--></job>",
    "end tags in a section": lambda n: b"<job><![CDATA[" + b"</job>" * (n // 6) + b"]]></job>",
    "end tags in an attribute": lambda n: b"<job a='" + b"/job>" * (n // 5) + b"'/>",
    "comments of jobs": lambda n: b"<job><!--</job>--></job>" * (n // 24),
    "an open comment": lambda n: b"<job><!--" + b"</job>" * (n // 6),
    "an open tag": lambda n: b"<job a='" + b"</job>" * (n // 6),
    "empty jobs": lambda n: b"<job/>" * (n // 6),
    "small jobs": lambda n: b"<job><referencenumber>1</referencenumber></job>" * (n // 47),
    "jobs with faults": lambda n: b"".join(
        _JOB % k + b"d</description><url>::</url></job>" for k in range(n // 100)
    ),
    "other nodes": lambda n: b"<a></a>" * (n // 7),
    "names": lambda n: b"".join(b"<n%d/>" % k for k in range(n // 10)),
    "deep nodes": lambda n: b"<a>" * (n // 3),
    "a deep text": lambda n: b"<job>" + b"<a>" * 14 + b"t" * n + b"</a>" * 14 + b"</job>",
    "repeats": lambda n: (b"<job>" + b"<a>b</a>" * 1_000 + b"</job>") * (n // 8_011),
    "giant attributes": lambda n: b"<job" + b" a='%b' c='%b'/>" % ((b"b" * (n // 2),) * 2),
    "attributes": lambda n: b"".join(b"<job b%d='c' d=''/>" % k for k in range(n // 20)),
    "broken jobs": lambda n: (
        (
            (_JOB % 1 + b"</description></job>") * 9
            + _JOB % 2
            + b"</description><b>"
            + b" " * 1_500
            + b"</a></job>"
        )
        * (n // 2_400)
    ),
    "no encoding": lambda n: b"<job><a>" + b"\xff\xe4b" * (n // 3) + b"</a></job>",
    "lines": lambda n: b"\r\n" * (n // 2) + b"<job>" + b"\n" * (n // 2) + b"</job>",
}
_TEXTS_OF_JOBS: dict[str, bytes] = {
    "letters": b"t",
    "references": b"&amp;&#x1F600;",
    "tags escaped twice": b"&amp;lt;p&amp;gt;",
    "bare signs": b"a & b &nbsp; ",
    "half references": b"&a",
    "nodes": b"<p>a</p>",
    "sections": b"<![CDATA[<p>a]]>",
    "comments": b"<!---->",
    "control characters": b"a\x01",
    "signs beyond ASCII": "😀ǘ".encode(),
    "spaces": b" \t\n",
}
_EMPTY: dict[str, bytes] = {
    "comments": b"<!---->",
    "instructions": b"<?a b?>",
    "sections": b"<![CDATA[]]>",
    "all of these": b"<!----><?a?><![CDATA[]]>",
    "blanks": b" ",
    "text": b"x",
    "zeros": b"\0",
    "lines of comments": b"<!--\n-->\n",
}


class Document(NamedTuple):
    name: str
    raw: bytes


def documents() -> Iterator[Document]:
    """Feeds: shapes as they are, in UTF-16 and as gzip; large jobs; what unfolds; bombs of gzip."""
    for name, make in _SHAPES.items():
        raw = b"<source>" + make(_WHOLE) + b"</source>"
        yield Document(name, raw)
        yield Document(f"{name}, gzip", gzip.compress(raw, 9))
        if name != "no encoding":
            yield Document(f"{name}, UTF-16", raw.decode("latin-1").encode("utf-16"))
    nodes = b"".join(b"<n%d>x</n%d>" % (n, n) for n in range(_LARGE // 24))
    blanks = b"<b>" + b" " * _LARGE
    for name, inner in {"nodes": nodes, "blanks": blanks}.items():
        raw = b"<source><job>" + inner + b"<x></job></source>"
        yield Document(f"a broken job of {name}", raw)
    for name, piece in _TEXTS_OF_JOBS.items():
        text = piece * ((1_900 * len(piece) if name == "nodes" else _LARGE - 200) // len(piece))
        raw = b"<source>" + _JOB % 1 + text + b"</description></job></source>"
        yield Document(f"a large job of {name}", raw)
    head = b"<?xml version='1.0'?>"
    yield Document(
        "a billion laughs",
        head + b'<!DOCTYPE s [<!ENTITY l0 "l">' + _LAUGHS + b"]><source><job>&l9;</job></source>",
    )
    yield Document(
        "an entity of the outside",
        head + b'<!DOCTYPE s [<!ENTITY l SYSTEM "file:///etc/passwd">]><source>&l;</source>',
    )
    yield Document(
        "an endless document type", head + b"<!DOCTYPE s [" + b"<!ENTITY a 'b'>" * 32_000
    )
    yield Document(
        "an encoding that is none", b"<?xml version='1.0' encoding='zip'?>" + b"x" * _WHOLE
    )
    yield Document(
        "another encoding",
        b"<?xml version='1.0' encoding='iso-2022-jp'?><source>" + b"\x1b$B" * 160_000,
    )
    yield Document("gzip within gzip", gzip.compress(gzip.compress(bytes(50 * _MB), 9), 9))
    yield Document("members of gzip", gzip.compress(b"") * (_WHOLE // 20))
    for name, piece in _EMPTY.items():
        yield Document(f"a bomb of {name}", bomb(piece))


def bomb(piece: bytes) -> bytes:
    """98 KB of gzip that hold as much of this as they can: 50 to 100 MB."""
    sample = len(gzip.compress(piece * (4 * _MB // len(piece)), 9)) / (4 * _MB)
    count = min(100 * _MB, int(_BOMB / sample)) // len(piece)
    return gzip.compress(b"<source>" + piece * count + b"</source>", 9)


# ── requests ────────────────────────────────────────────────────────────────────────────────────
_PATHS = (
    "/c/",
    "/c/AAAA",
    "/c/AgEk9mDq6V0nJb0hWlPzYwAGQ2l4",
    "/px.gif?c=a&a=3",
    "/px.js",
    "/f/a.xml",
    "/f/aaaaaaaaaaaaaaaaaaaaaaaaaa.xml.gz",
    "/livez",
    "/metrics",
    "/robots.txt",
    "*",
    "//",
    "/%00",
    "/clients/../..",
    "http://a/clients",
    "/token?",
    "/openapi.json",
    "/docs",
)
_TEXTS = (
    "",
    "\x00",
    "\xff\xfe",
    "%",
    "%zz",
    "A" * 5_000,
    "99999999999999999999",
    "-1",
    "NaN",
    "'",
    '"',
    "Mon, 02 Nov 99999999999 10:00:00 GMT",
    "::ffff:1.2.3.4",
    "{}",
    "[",
    "\t",
    "a\r\n b",
    "*/*",
    "1970-01-01",
    "٣",
    "=1+1",
    "../../x",
    "a" * 300,
    "0x1p3",
    "1e999",
)
_NAMES = (
    "If-Modified-Since",
    "If-None-Match",
    "If-Match",
    "X-Forwarded-For",
    "Cookie",
    "User-Agent",
    "Range",
    "Expect",
    "Upgrade",
    "Content-Type",
    "Transfer-Encoding",
    "Content-Length",
    "Host",
    "Idempotency-Key",
    "x-request-id",
    "Accept-Encoding",
    "Connection",
    "x-client-id",
    "client_id",
    "x-api-key",
    "x-authorization-key",
)
_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    2**200,
    1e308,
    "",
    "\x00",
    "\ud800",
    "a" * 2_000,
    [],
    {},
    [[]],
    [None],
    {"": ""},
    "9999-99-99",
    "12/31/9999",
    "٣",
    [{}] * 50,
    {"cap": 1},
    {"operator": "AND"},
)
_ODD_BODIES = (
    b"",
    b"{",
    b"[" * 5_000,
    b'{"a":' * 5_000,
    b"NaN",
    b"\xff",
    b'"\\ud800"',
    b"1" * 5_000,
    b"[1e999]",
    b'{"a":1,"a":2}',
    b"\xef\xbb\xbf{}",
    b"null",
    b"[]",
    b"{}",
    b"0",
)


class Mischief:
    """Requests, drawn by a seed: rows of the table of operations with odd ids, queries and bodies,
    by callers of all kinds; and what is hardly HTTP.
    """

    def __init__(
        self, operations: list[Operation], seed: int, headers: dict[str, str], ids: list[str]
    ) -> None:
        """``headers``: an agency's credentials; ``ids``: of what is there."""
        self._operations = operations
        self._chance = Random(seed)
        self._headers = headers
        self._ids = ids

    def of_api(self) -> bytes:
        return self._odd() if self._chance.random() < 0.3 else self._nearly_sound()

    def of_edge(self) -> bytes:
        return self._odd()

    def _some(self, values: Any) -> Any:
        return self._chance.choice(values)

    def _nearly_sound(self) -> bytes:
        operation = self._some(self._operations)
        parts = [self._id() if part.startswith("{") else part for part in operation.path.split("/")]
        given = [
            (name, self._id())
            for name in parameters(operation.query)
            if self._chance.random() < 0.8
        ]
        query = "&".join(f"{name}={value}" for name, value in given)
        body = self._body(operation)
        lines = [f"{operation.verb} {'/'.join(parts)}?{query} HTTP/1.1", "Host: a"]
        if self._chance.random() < 0.9:
            lines += [f"{name}: {value}" for name, value in self._headers.items()]
        lines += self._odd_headers(1)
        lines += ["Connection: close", f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body

    def _id(self) -> str:
        if self._chance.random() < 0.5:
            return str(self._some(self._ids))
        return quote(self._some(_TEXTS).encode("utf-8", "replace"))

    def _body(self, operation: Operation) -> bytes:
        if self._chance.random() < 0.2:
            return bytes(self._some(_ODD_BODIES))
        sample = operation.sample
        if isinstance(sample, list) and sample:
            return json.dumps([self._bent(sample[0])]).encode()
        return json.dumps(self._bent(sample)).encode()

    def _bent(self, sample: Any) -> Any:
        """The operation's own sample, with something in it that does not belong there."""
        if not isinstance(sample, dict) or not sample or self._chance.random() < 0.1:
            return self._some(_VALUES)
        name = self._some(list(sample))
        value = sample[name]
        deeper = isinstance(value, dict) and self._chance.random() < 0.5
        return sample | {name: self._bent(value) if deeper else self._some(_VALUES)}

    def _odd(self) -> bytes:
        verb = self._some(("GET", "GET", "POST", "PUT", "HEAD", "DELETE", "OPTIONS", "BREW"))
        path = self._some(_PATHS) + self._some(("", "", "?", "&x=")) + self._text()
        lines = [f"{verb} {path} HTTP/1.{self._some('1110')}"]
        if self._chance.random() < 0.9:
            lines.append("Host: a")
        lines += self._odd_headers(3)
        lines.append("Connection: close")
        end = "\n" if self._chance.random() < 0.02 else "\r\n"
        return (end.join(lines) + end * 2 + self._text()).encode("latin-1", "replace")

    def _odd_headers(self, most: int) -> list[str]:
        count = self._chance.randrange(most + 1)
        return [f"{self._some(_NAMES)}: {self._text()}" for _ in range(count)]

    def _text(self) -> str:
        return "" if self._chance.random() < 0.5 else str(self._some(_TEXTS))
