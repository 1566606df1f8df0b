"""What strangers send to the API's own port: odd requests, bodies nobody asked for, slow bodies."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from resource import RLIM_INFINITY
from urllib.parse import urlsplit

import pytest

from handbill.api import most_connections
from serving import Office, Server, serving

HOST = b"Host: api\r\nConnection: close\r\n"
ODD = {
    "no host": b"GET /clients HTTP/1.1\r\n\r\n",
    "no host at a probe": b"GET /livez HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /clients HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a host that is none": b"GET /clients HTTP/1.1\r\nHost: a b\r\n\r\n",
    "gzip": b"POST /token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "gzip and chunked": b"POST /token HTTP/1.1\r\nHost: a\r\n"
    b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"POST /token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": b"POST /token HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
    b"Content-Length: 3\r\n\r\n{}",
    "a length with a sign": b"POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}",
    "a folded header": b"GET /clients HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "a space before the colon": b"GET /clients HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n",
    "no colon": b"GET /clients HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
    "NUL": b"GET /clients HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
}
"""What could be read in two ways; each is 400, and the connection ends."""
NEXT = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
_CHUNKED = b"POST /token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
HIDDEN = {
    "chunked and a length": _CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
    "a length and chunked": b"POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 44\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "of a look-up": b"GET /clients HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "behind a bare line feed": b"POST /token HTTP/1.1\r\nHost: a\r\nX: a\n"
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "a size in hexadecimal spelling": _CHUNKED + b"\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "a size with a sign": _CHUNKED + b"\r\n+2\r\n{}\r\n0\r\n\r\n",
    "chunks that end in line feeds": _CHUNKED + b"\r\n2\n{}\n0\n\n",
    "an extension with a line feed": _CHUNKED + b"\r\n2;a\nxx\r\n{}\r\n0\r\n\r\n",
}
"""Whose end one reader sees here and another there: what follows is never read as a request."""
WHOLE = {
    "a length": b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345",
    "chunks": b"GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n0\r\n\r\n",
    "a body that is not asked for": b"POST /clients HTTP/1.1\r\nHost: a\r\n"
    b"Content-Length: 26\r\n\r\nGET /livez HTTP/1.1\r\nHost:",
}
"""Whose end is plain, and what follows is the next request."""
FORM = b"Origin: http://api\r\nContent-Type: application/x-www-form-urlencoded\r\n"
UNREAD = {
    b"POST /clients": b"401",
    b"POST /nowhere": b"404",
    b"POST /livez": b"405",
    b"POST /token": b"401",
}
"""Answered from the headers: the body is told and never sent."""


def _said(server: Server, raw: bytes, more: bytes = b"") -> bytes:
    """All that is answered until the connection ends."""
    place = urlsplit(server.api)
    with closing(socket.create_connection((place.hostname, place.port or 0), 30)) as connection:
        connection.sendall(raw + more)
        said = b""
        while piece := connection.recv(65_536):
            said += piece
        return said


def _status(said: bytes) -> bytes:
    return said.partition(b" ")[2][:3]


def test_the_api_reads_no_more_than_it_must(tmp_path: Path) -> None:
    with serving(tmp_path / "data", edges="0", workers="1", fetchers="1") as server:
        found = {name: _status(_said(server, raw)) for name, raw in ODD.items()}
        assert found == dict.fromkeys(ODD, b"400")
        for name, raw in HIDDEN.items():
            assert _said(server, raw, NEXT).count(b"HTTP/1.1 ") == 1, name
        last = NEXT.replace(b"a\r\n\r\n", b"a\r\nConnection: close\r\n\r\n")
        for name, raw in WHOLE.items():
            assert _said(server, raw, last).count(b"HTTP/1.1 ") == 2, name
        told = HOST + b"Content-Length: 900000\r\n\r\n"
        for target, status in UNREAD.items():
            assert _status(_said(server, target + b" HTTP/1.1\r\n" + told)) == status, target
        office = Office(server)
        key = b"x-api-key: " + office.credentials["apiKey"].encode() + b"\r\n"
        bare = b"POST /token HTTP/1.1\r\n" + HOST + key
        assert _status(_said(server, bare + b"Content-Length: 9000000\r\n\r\n")) == b"413"
        begun = b"POST /clients HTTP/1.1\r\n" + HOST + key + b"Content-Length: 9\r\n\r\n{"
        assert _status(_said(server, begun)) == b"403", "the key alone does not do"
        form = b"POST /app/sign-in HTTP/1.1\r\n" + HOST + FORM
        with ThreadPoolExecutor(2) as both:
            begun = [one + b"Content-Length: 9\r\n\r\n{" for one in (bare, form)]
            for slow in both.map(partial(_said, server), begun):
                assert _status(slow) == b"408", "ten seconds for a body, and for a form"
                assert b"did not arrive" in slow
        office.ask("GET", "/clients?page=0&limit=1")


@pytest.mark.parametrize(
    ("files", "most"),
    [(256, 128), (1_024, 768), (20_000, 16_384), (RLIM_INFINITY, 16_384)],
)
def test_connections_leave_files_for_the_journal_and_the_records(files: int, most: int) -> None:
    """What strangers hold open must not be all that the system allows the API to open."""
    assert most_connections(files) == most
