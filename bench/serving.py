"""A whole server for a bench: its doors, agencies at it, requests as bytes, who measures them."""

import asyncio
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qs, urlsplit

_ROOT = Path(__file__).parent.parent
_PAUSE_SECONDS = 0.005
CLIENT = {"companyName": "Mills", "caps": {"budget": {"cap": "Monthly", "value": 1000}}}
Found = TypeVar("Found")
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"}
_ALWAYS = {"startDate": "01/01/2024", "endDate": "01/01/2044"}


class Asked(NamedTuple):
    """One request. ``body``: as JSON, unless it is None."""

    verb: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})


class Server(NamedTuple):
    """A running tree. ``api``, ``edge``: addresses; ``pid``: the supervisor's."""

    data: Path
    api: str
    edge: str
    pid: int

    def resident(self, child: str) -> int:
        """Bytes of memory that this process of the tree, or the one at its work, holds."""
        for pid in (grandchild for one in below(self.pid) for grandchild in below(one)):
            if Path(f"/proc/{pid}/comm").read_text(encoding="ascii").startswith(f"{child}-"):
                return max(_resident(one) for one in (pid, *below(pid)))
        raise LookupError(child)


def below(pid: int) -> list[int]:
    """The children of a process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(word) for path in tasks for word in path.read_text().split()]


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


@contextmanager
def served(data: Path) -> Iterator[Server]:
    words = ("serve", "--data", str(data), "--api-port", "0", "--edge-port", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "handbill", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        try:
            yield Server(data, ready["api"], ready["edge"], server.pid)
        finally:
            server.terminate()


def office(server: Server, agency: str) -> dict[str, str]:
    """A new agency's headers, and its API client beside them."""
    words = ("agency", "create", agency, "--name", agency, "--data", str(server.data), "--json")
    made = subprocess.run(
        [sys.executable, "-m", "handbill", *words], capture_output=True, check=True
    )
    told = json.loads(made.stdout)
    key = {"x-api-key": told["apiKey"], "apiClientId": told["apiClientId"]}
    told = {"client_id": told["apiClientId"]}
    token = ask(server.api, key, "POST", "/token", told)["access_token"]
    return key | {"x-authorization-key": token}


def ask(api: str, headers: dict[str, str], verb: str, path: str, body: Any = None) -> Any:
    """The JSON that is answered."""
    return json.loads(_asked(api, headers, verb, path, body))


def _asked(url: str, headers: dict[str, str], verb: str, path: str, body: Any) -> bytes:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request(
            verb, path, json.dumps(body), {"content-type": "application/json"} | headers
        )
        return connection.getresponse().read()
    finally:
        connection.close()


def program(server: Server, headers: dict[str, str], name: str, **group: Any) -> str:
    """A new client whose one job group takes all its jobs, and lists them on Board; its id.
    ``group``: settings of that job group other than the usual.
    """

    def made(path: str, body: Any) -> str:
        return str(ask(server.api, headers, "POST", path, body)["result"])

    client_id = made("/clients", CLIENT | {"exportedName": name.lower(), "companyName": name})
    of = f"/clients/{client_id}"
    add_job(server, headers, client_id, name)
    campaign = made(f"{of}/campaigns", {"name": "All"} | _ALWAYS)
    rule = {"field": "title", "operator": "NOT_EQUAL", "data": "none"}
    made(
        f"{of}/campaigns/{campaign}/jobgroups",
        {
            "name": "All",
            "cpcBid": 0.5,
            "priority": 1,
            "placements": [{"value": "Board"}],
            "filters": {"operator": "AND", "rules": [rule]},
            "caps": CLIENT["caps"],
        }
        | _ALWAYS
        | group,
    )
    return client_id


def add_job(server: Server, headers: dict[str, str], client_id: str, name: str) -> None:
    """A job of that company."""
    body = {
        "title": "Miller",
        "description": "To mill",
        "url": f"https://{name.lower()}.example/1",
        "refNumber": name,
        "company": name,
        "category": "Mills",
        "city": "Mill",
        "state": "TX",
        "country": "US",
    }
    ask(server.api, headers, "POST", f"/clients/{client_id}/jobs", body)


def board(server: Server, headers: dict[str, str]) -> Callable[[], bytes]:
    """A new publisher, Board; what reads its outbound feed."""
    body = {"id": "Board", "name": "Board", "bidType": "CPC"}
    ask(server.api, headers, "POST", "/publishers", body)
    feed = urlsplit(ask(server.api, headers, "GET", "/publishers/Board")["feedUrl"]).path
    return lambda: _asked(server.edge, {}, "GET", feed, None)


def tracked_link(server: Server, headers: dict[str, str]) -> str:
    """The path of a link in a new publisher's outbound feed, to the one job of a new client."""
    feed = board(server, headers)
    program(server, headers, "Mills")
    return until(lambda: link_in(feed()))


def until(look: Callable[[], Found], *, seconds: float = 60.0) -> Found:
    """What is seen as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(look)
        time.sleep(0.2)
    return found


def link_in(raw: bytes) -> str:
    """The path of the first tracked link; empty if there is none."""
    found = re.search(rb"/c/[^]<]+", raw)
    return found[0].decode() if found else ""


def click_id(edge: str, link: str) -> str:
    """A visitor follows a tracked link; the click's id."""
    parts = urlsplit(edge)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("GET", link, headers=BROWSER)
        location = connection.getresponse().headers["location"]
    finally:
        connection.close()
    (found,) = parse_qs(urlsplit(location).query)["jClickId"]
    return found


def request(asked: Asked) -> bytes:
    raw = b"" if asked.body is None else json.dumps(asked.body).encode()
    lines = [f"{asked.verb} {asked.path} HTTP/1.1", "host: bench", f"content-length: {len(raw)}"]
    lines += [f"{name}: {value}" for name, value in asked.headers.items() if name != "apiClientId"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


async def answer(reader: asyncio.StreamReader) -> int:
    """Read one answer whole; its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length:" in head:
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
    elif b"transfer-encoding: chunked" in head:
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    return int(head[9:12])


def times(url: str, asked: Asked, count: int, seconds: float) -> list[float]:
    """Seconds of so many requests, one after the other on a connection, and for so long at most."""
    return asyncio.run(_driven(url, [request(asked)], count, seconds))


async def _driven(url: str, requests: list[bytes], count: int, seconds: float) -> list[float]:
    parts, took, following = urlsplit(url), list[float](), cycle(requests)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    end = time.perf_counter() + seconds
    for _ in range(count):
        began = time.perf_counter()
        if began > end:
            break
        writer.write(next(following))
        await answer(reader)
        took.append(time.perf_counter() - began)
        await asyncio.sleep(_PAUSE_SECONDS)
    writer.close()
    return took


def p99_ms(took: list[float]) -> float:
    return sorted(took)[max(0, int(len(took) * 0.99) - 1)] * 1e3


class Visitor:
    """In a process of its own: follows a link, each time on a new connection, until it is asked
    what that took.
    """

    def __init__(self, edge: str, path: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.serving", edge, path],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def told(self) -> tuple[list[float], int]:
        """Seconds of each visit, and how many were not led on."""
        out, _ = self._process.communicate()
        took, failed = json.loads(out)
        return took, failed


async def _visits(edge: str, path: str) -> tuple[list[float], int]:
    parts, took, failed = urlsplit(edge), list[float](), 0
    raw = request(Asked("GET", path, None, BROWSER | {"connection": "close"}))
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not ended.done():
        began = time.perf_counter()
        try:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(raw)
            failed += await answer(reader) != 302
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            failed += 1
        took.append(time.perf_counter() - began)
        await asyncio.sleep(_PAUSE_SECONDS)
    return took, failed


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_visits(*sys.argv[1:]))))
