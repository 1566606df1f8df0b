"""The application at an address on loopback, for a browser: in this process, without a server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from contract.asgi import call


@contextmanager
def served(app: Callable[..., Any]) -> Iterator[str]:
    """The address of an application while it is served."""

    async def asked(scope: dict[str, Any], receive: Any, send: Any) -> None:
        own = scope["headers"][1:]  # the first one is the host that calls have without a server
        await app({**scope, "headers": own}, receive, send)

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = [(name, value) for name, value in self.headers.items()]
            reply = call(asked, self.command, self.path, headers=headers, raw=sent)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                if name != "content-length":
                    self.send_header(name, value)
            self.send_header("content-length", str(len(reply.raw)))
            self.end_headers()
            self.wfile.write(reply.raw)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = Thread(target=site.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{site.server_port}"
    finally:
        site.shutdown()
        thread.join()
        site.server_close()
