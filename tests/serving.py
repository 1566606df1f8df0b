"""A real ``handbill serve`` for tests: its ready line, its log, its children, and how to end it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TextIO, TypeVar
from urllib.parse import urlsplit

from forked import Forked, handbill_forked

LONG = 240
"""What a test waits at most, on a machine that has much else to do. **Units**: seconds."""
_PAUSE = 0.1
_Found = TypeVar("_Found")


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDBILL_")}
    return kept | {f"HANDBILL_{name.upper()}": value for name, value in settings.items()}


def until(what: str, ask: Callable[[], _Found | None], seconds: float = LONG) -> _Found:
    """Ask until there is an answer; fails when there is none in time."""
    pause = threading.Event()
    for _ in range(int(seconds / _PAUSE)):
        found = ask()
        if found is not None:
            return found
        pause.wait(_PAUSE)
    raise AssertionError(f"{what}: not after {seconds} seconds")


def handbill(*words: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command beside the server."""
    return handbill_forked((*words, "--data", str(data)), environment(**settings), LONG)


def beside(*words: str, data: Path, **settings: str) -> Forked:
    """A command that goes on meanwhile; nobody hears what it says."""
    with Path(os.devnull).open("wb") as nowhere:
        out = nowhere.fileno()
        return Forked((*words, "--data", str(data)), environment(**settings), out, out)


class Server:
    """A running tree, with one fetcher unless more are asked for, and patient with children that
    get no turn. ``log``: the JSON lines so far; ``wait_for`` waits for one. ``begins``: "anew" as
    a person begins it, who waits for all imports.
    """

    def __init__(self, data: Path, *, begins: str = "forked", **given: str) -> None:
        settings = {"fetchers": "1", "probe_seconds": "60"} | given
        self.data, self.settings = data, settings
        self.log: list[dict[str, Any]] = []
        self._news = threading.Condition()
        ports = {f"--{door}-port": settings.get(f"{door}_port", "0") for door in ("api", "edge")}
        words = ("serve", "--data", str(data), *(word for port in ports.items() for word in port))
        self.process, self._out, self._err = _begun(words, environment(**settings), begins)
        self._reader = threading.Thread(target=self._read_log)
        self._reader.start()
        timer = threading.Timer(LONG, self.process.kill)
        timer.start()
        self.ready_line = self._out.readline()
        timer.cancel()
        if not self.ready_line:
            self.process.kill()
            self.wait()
            raise AssertionError(f"not ready: {self.log[-5:]}")
        ready = json.loads(self.ready_line)
        assert ready["ready"] is True
        self.api, self.edge = ready["api"], ready["edge"]

    def _read_log(self) -> None:
        for line in self._err:
            assert line.startswith("{"), f"not a line of the log: {line}{self._err.read()}"
            with self._news:
                self.log.append(json.loads(line))
                self._news.notify_all()

    def wait_for(
        self, message: str, child: str, after: int = 0, seconds: float = LONG
    ) -> dict[str, Any]:
        """The first line of that message about a child, from line ``after`` on."""

        def found() -> dict[str, Any] | None:
            for line in self.log[after:]:
                if line["message"] == message and line.get("child") == child:
                    return line
            return None

        with self._news:
            assert self._news.wait_for(lambda: found() is not None, seconds), (message, child)
            line = found()
        assert line is not None
        return line

    def told(self, event: str) -> list[dict[str, Any]]:
        """The lines about an event."""
        return [line for line in self.log if line.get("event") == event]

    def children(self) -> dict[str, int]:
        """The newest process number of each child."""
        started = [line for line in self.log if line["message"] == "started"]
        return {line["child"]: line["pid"] for line in started}

    def at_work(self, child: str) -> int:
        """The process that does a child's work: of the API, the one that it watches."""
        pid = self.children()[child]
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(below[0]) if child.startswith("api-") else pid

    def kill(self, child: str, *, at_work: bool = False) -> None:
        """SIGKILL for one child, or the one at its work; wait until there is a new one."""
        after = len(self.log)
        os.kill(self.at_work(child) if at_work else self.children()[child], signal.SIGKILL)
        self.wait_for("started", child, after)

    def stop(self, seconds: float = LONG) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds: float = LONG) -> int:
        status = self.process.wait(seconds)
        self._reader.join(seconds)
        self._out.close()
        self._err.close()
        return status


def _begun(
    words: tuple[str, ...], settings: dict[str, str], begins: str
) -> tuple[Forked | subprocess.Popen[bytes], TextIO, TextIO]:
    """A process, what it prints, and its standard error."""
    (out, to), (err, errors) = os.pipe(), os.pipe()
    try:
        process: Forked | subprocess.Popen[bytes]
        if begins == "anew":
            program = (sys.executable, "-P", "-m", "handbill", *words)
            process = subprocess.Popen(program, env=settings, stdout=to, stderr=errors)
        else:
            process = Forked(words, settings, to, errors)
    finally:
        os.close(to)
        os.close(errors)
    return process, os.fdopen(out), os.fdopen(err)


@contextmanager
def serving(data: Path, *, begins: str = "forked", **settings: str) -> Iterator[Server]:
    server = Server(data, begins=begins, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def asked(
    url: str, verb: str = "GET", body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One request: status, headers by lower-case name, body."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=LONG)
    try:
        sent = dict(headers or {})
        raw = None
        if body is not None:
            raw = json.dumps(body).encode()
            sent["content-type"] = "application/json"
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(verb, path, raw, sent)
        answer = connection.getresponse()
        given = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, given, answer.read()
    finally:
        connection.close()


class Office:
    """An agency's program at a running server."""

    def __init__(self, server: Server, agency: str = "acme") -> None:
        named = ("agency", "create", agency, "--name", "Acme", "--json")
        made = handbill(*named, data=server.data, **server.settings)
        assert made.returncode == 0, made.stderr
        self.credentials = json.loads(made.stdout)
        self._api = server.api
        self.headers = {"x-api-key": self.credentials["apiKey"]}
        token = self.ask("POST", "/token", {"client_id": self.credentials["apiClientId"]})
        self.headers["x-authorization-key"] = token["access_token"]

    def ask(self, verb: str, path: str, body: Any = None, **headers: str) -> Any:
        """A call that must succeed; its JSON."""
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        status, _, raw = asked(self._api + path, verb, body, sent)
        assert status in {200, 202}, (verb, path, status, raw)
        return json.loads(raw)


@contextmanager
def hosted(files: dict[str, bytes]) -> Iterator[str]:
    """Serve files on loopback, as a careers site would; the address."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = files.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.send_header("content-length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=site.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{site.server_port}"
    finally:
        site.shutdown()
        thread.join()
        site.server_close()
