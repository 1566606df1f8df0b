"""The public pages about the API itself: /openapi.json, /docs, /livez, /readyz, /metrics."""

import asyncio
import threading
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from handbill.core import health
from handbill.host import figures
from handbill.http.kinds import Public
from handbill.http.openapi import text
from handbill.http.operations import Answer, Call, Operation
from handbill.kit.faults import not_found

_RETRY_SECONDS = 5
_SCRIPT = "scalar-1.46.4.js.gz"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Handbill API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"></head>
<body><div id="api"><noscript>This page needs JavaScript;
<a href="/openapi.json">openapi.json</a> does not.</noscript></div>
<script src="/docs/scalar.js"></script>
<script src="/docs/start.js"></script>
</body></html>
"""
_START = """Scalar.createApiReference('#api', {
  url: '/openapi.json', withDefaultFonts: false, hideClientButton: true, telemetry: false,
  agent: { disabled: true }, mcp: { disabled: true }, showDeveloperTools: 'never',
  defaultOpenAllTags: false, metaData: { title: 'Handbill API' }
})
"""
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "script-src 'self' 'unsafe-eval'; connect-src 'self'; font-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_ROBOTS = b"User-agent: *\nDisallow: /\n"
_DAY_CACHE = {"cache-control": "public, max-age=86400"}


@lru_cache(maxsize=1)
def _script() -> bytes:
    return (files("handbill.http") / "assets" / _SCRIPT).read_bytes()


def _docs(_: Call) -> Answer:
    headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
    return Answer(raw=_PAGE.encode(), media_type="text/html; charset=utf-8", headers=headers)


def _docs_script(_: Call) -> Answer:
    headers = _DAY_CACHE | {"content-encoding": "gzip"}
    return Answer(raw=_script(), media_type="text/javascript; charset=utf-8", headers=headers)


def _docs_start(_: Call) -> Answer:
    headers = {"cache-control": "no-cache"}
    return Answer(raw=_START.encode(), media_type="text/javascript; charset=utf-8", headers=headers)


def _alive(_: Call) -> Any:
    return {"status": "alive"}


async def _ready(call: Call) -> Answer:
    """503 with what is missing, and what to do about it."""
    desk = call.desk
    checks = [health.journal(desk.journal.broken), *(await desk.watch() if desk.watch else [])]
    if all(check.ok for check in checks):
        return Answer(health.report(checks))
    return Answer(health.report(checks), 503, {"retry-after": str(_RETRY_SECONDS)})


def _metrics(_: Call) -> Answer:
    return Answer(raw=figures.text(), media_type=figures.MEDIA_TYPE)


def _root(call: Call) -> Answer:
    """Redirects a person who opens the bare address to the pages; a program gets a 404."""
    if "text/html" not in call.headers.get("accept", "").lower():
        raise not_found()
    return Answer(raw=b"", status=302, headers={"location": "/app"})


def _robots(_: Call) -> Answer:
    return Answer(raw=_ROBOTS, media_type="text/plain; charset=utf-8", headers=_DAY_CACHE)


def _public(name: str, path: str, about: str, work: Any) -> Operation:
    return Operation(
        name=name,
        verb="GET",
        path=path,
        title=about,
        about=about,
        tag="Service",
        kind=Public(bare=True),
        work=work,
        answer={},
    )


class _Document:
    """The document of a table, written when it is first requested: this takes half a second, and
    most processes of the API are never asked for it.
    """

    def __init__(self, operations: list[Operation]) -> None:
        self._operations = operations
        self._lock = threading.Lock()
        self._text: bytes | None = None

    async def answer(self, _: Call) -> Answer:
        raw = self._text or await asyncio.to_thread(self._written)
        headers = {"cache-control": "no-cache", "access-control-allow-origin": "*"}
        return Answer(raw=raw, headers=headers)

    def _written(self) -> bytes:
        """In a thread, so that others are answered meanwhile."""
        with self._lock:
            if self._text is None:
                self._text = text(self._operations, version("handbill"))
            return self._text


def with_pages(operations: list[Operation]) -> list[Operation]:
    """The table of operations and the public pages about it; the document omits these pages."""
    return [
        *operations,
        _public("root", "/", "The way to the pages.", _root),
        _public("robots", "/robots.txt", "Nothing here is for search engines.", _robots),
        _public("openapi", "/openapi.json", "The OpenAPI document.", _Document(operations).answer),
        _public("docs", "/docs", "The API, to read and try.", _docs),
        _public("docs_script", "/docs/scalar.js", "Script of the page.", _docs_script),
        _public("docs_start", "/docs/start.js", "Start of the page.", _docs_start),
        _public("livez", "/livez", "The process lives.", _alive),
        _public("readyz", "/readyz", "The process can work.", _ready),
        _public("metrics", "/metrics", "Counters for Prometheus.", _metrics),
    ]
