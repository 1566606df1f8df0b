"""What answers on loopback: a site that serves feeds, and a receiver of callbacks."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any, NamedTuple

MAPPINGS = {
    "schemaMappingsJobCollection": "jobs",
    "schemaMappingsJob": "job",
    "schemaMappingsTitle": "title",
    "schemaMappingsDescription": "description",
    "schemaMappingsURL": "url",
    "schemaMappingsRefNumber": "id",
    "schemaMappingsCity": "city",
    "schemaMappingsDatePosted": "date",
    "schemaMappingsCPCBid": "cpc",
    "schemaMappingAdditional": {"shift": "shift"},
}


def item(ref: str, **nodes: str) -> str:
    said = {
        "id": ref,
        "title": f"Nurse {ref}",
        "description": "<![CDATA[<p>Care</p>]]>",
        "url": f"https://jobs.example/{ref}",
        "city": "Austin",
    } | nodes
    return "<job>" + "".join(f"<{name}>{text}</{name}>" for name, text in said.items()) + "</job>\n"


def document(*items: str) -> bytes:
    return ("<?xml version='1.0'?>\n<jobs>\n" + "".join(items) + "</jobs>\n").encode()


@dataclass
class Site:
    """What is served: path → body; ``marks``: path → ETag; ``redirects``: path → another address;
    ``asked``: the requests' headers.
    """

    port: int = 0
    pages: dict[str, bytes | tuple[bytes, ...]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def url(self, path: str = "/feed.xml") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(dict(self.headers))
            page, mark = site.pages.get(self.path), site.marks.get(self.path, "")
            same = bool(mark) and self.headers.get("If-None-Match") == mark
            to = site.redirects.get(self.path)
            self.send_response(302 if to else 404 if page is None else 304 if same else 200)
            told = {"ETag": mark, "Location": to or ""}
            for name, value in (site.headers | {k: v for k, v in told.items() if v}).items():
                self.send_header(name, value)
            self.end_headers()
            if page is not None and not same:
                for piece in (page,) if isinstance(page, bytes) else page:
                    self.wfile.write(piece)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Said(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers with the statuses it is given, the last one again and again."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.statuses = [200]
        said, statuses = self.said, self.statuses

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                said.append(Said(self.path, headers, body))
                self.send_response(statuses.pop(0) if len(statuses) > 1 else statuses[0])
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self._server = HTTPServer(("127.0.0.1", 0), Answering)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def answer(self, *statuses: int) -> None:
        self.statuses[:] = statuses

    def close(self) -> None:
        """A second time nothing happens."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class HoldingOn(socketserver.ThreadingTCPServer):
    """Lets nobody go who asks: ``drips`` a feed for ever, or says nothing. ``there`` and ``gone``
    count connections.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *, drips: bool) -> None:
        super().__init__(("127.0.0.1", 0), _HeldOn)
        self.drips, self.port = drips, self.server_address[1]
        self.there, self.gone = threading.Semaphore(0), threading.Semaphore(0)
        self.ended = threading.Event()


class _HeldOn(socketserver.BaseRequestHandler):
    server: HoldingOn
    request: socket.socket

    def handle(self) -> None:
        self.request.recv(65_536)
        if self.server.drips:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n<jobs>")
        self.server.there.release()
        try:
            while not self.server.ended.wait(0.1):
                self.request.sendall(b" " * 1_000 if self.server.drips else b"")
        except OSError:
            self.server.gone.release()


@contextmanager
def holding_on(*, drips: bool) -> Iterator[HoldingOn]:
    with HoldingOn(drips=drips) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()
