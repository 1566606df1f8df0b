"""The API beside a bare handler of a framework: reads, creates, lists, the token's cost.

Reads and creates go over sockets to two servers of the same kind, Granian: ours, and Starlette with
a handler that runs one SQLite statement and nothing else. They are asked in turn, and the CPU time
of each server's process is compared. Reads are of one client again and again, which may be answered
from memory, and of ever another one, which is not. Lists and the token's cost are measured in this
process.
"""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import sqlalchemy as sa
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from sqlalchemy import bindparam as b
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.figures import Figure
from bench.masters import new_records
from bench.serving import below
from handbill.access.keys import ensure_secrets
from handbill.access.service import create_agency
from handbill.api import ApiDoors, build
from handbill.contract.events.models import EVENTS
from handbill.host.clock import SystemClock
from handbill.host.ids import SystemIds
from handbill.host.settings import Settings
from handbill.http.operations import Desk
from handbill.kit.faults import Fault
from handbill.kit.jsons import encode
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalWriter
from handbill.store.records import Records
from handbill.store.records.tables import agencies, clients, jobs

_JOBS = 10_000
_READS = 4_000
_CREATES = 400
_TURNS = 7
_CONNECTIONS = 4
_OTHERS = 3_000  # more than are kept
_BARE_READ = sa.select(clients.c.id, clients.c.status, clients.c.body).where(
    clients.c.id == b("id")
)
_App = Callable[..., Any]


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name, _desk(Path(name), "api-9") as desk:
        return _measured(desk, Path(name))


@contextlib.contextmanager
def _desk(folder: Path, source: str) -> Iterator[Desk]:
    records = new_records(folder)
    settings = Settings()
    journal = JournalWriter(folder / "journal", source, SystemIds())
    blobs = open_blobs(str(folder / "blobs"))
    yield Desk(records, blobs, journal, SystemClock(), SystemIds(), settings, ApiDoors(settings))
    journal.close()
    records.close()


def _measured(desk: Desk, folder: Path) -> list[Figure]:
    app = build(desk)
    with desk.records.write() as tx:
        ensure_secrets(tx, desk.ids, desk.clock.now())
        _, api_key, api_client_id = create_agency(
            tx, desk.ids, desk.clock.now(), agency_id="acme", name="Acme", currency="USD"
        )
    key = {"x-api-key": api_key}
    token = _json(app, "POST", "/token", key, {"client_id": api_client_id})["access_token"]
    both = key | {"x-authorization-key": token}
    body = {"companyName": "Mills", "caps": {"budget": {"cap": "Monthly", "value": 1000}}}
    client_id = _json(app, "POST", "/clients", both, body)["result"]
    others = [_json(app, "POST", "/clients", both, body)["result"] for _ in range(_OTHERS)]
    return [
        *_reads_and_creates(folder, both, client_id, others),
        *_token_cost(desk, both),
        *_lists(app, desk, both, client_id),
        _batch(),
    ]


def _reads_and_creates(
    folder: Path, both: dict[str, str], client_id: str, others: list[str]
) -> list[Figure]:
    """The client that is read stays small; campaigns are created under one of the others."""
    body = encode({"name": "autumn", "startDate": "01/10/2026", "endDate": "07/30/2030"})
    read = [_request("GET", f"/clients/{client_id}", both, b"")]
    reads = [_request("GET", f"/clients/{other}", both, b"") for other in others[1:]]
    creates = {
        "ours": [_request("POST", f"/clients/{others[0]}/campaigns", both, body)],
        "bare": [_request("POST", "/agencies", both, body)],
    }
    costs: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(_served(name, folder)) for name in creates}
        for _ in range(_TURNS):
            for kind, of, count in (
                ("read", {"ours": read, "bare": read}, _READS),
                ("read of others", {"ours": reads, "bare": reads}, _READS),
                ("create", creates, _CREATES),
            ):
                for name, (pid, port) in servers.items():
                    cost = _server_cpu(pid, port, of[name], count)
                    costs.setdefault((kind, name), []).append(cost)
    limits = {"read": 0.55, "read of others": 0.0, "create": 0.7}
    return [_beside(kind, least, costs) for kind, least in limits.items()]


def _beside(kind: str, least: float, costs: dict[tuple[str, str], list[float]]) -> Figure:
    """The median of what both took one right after the other: others load the machine too."""
    pairs = list(zip(costs[kind, "bare"], costs[kind, "ours"], strict=True))
    bare, ours = (median(some) * 1e6 for some in zip(*pairs, strict=True))
    ratio = median(one / other for one, other in pairs)
    note = f"{ours:.0f} against {bare:.0f} µs CPU a call"
    limit = f">= {least:.2f}" if least else ""
    return Figure(f"API {kind} / bare handler", ratio, "of bare", limit, ratio >= least, note)


@contextlib.contextmanager
def _served(name: str, folder: Path) -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its pid and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bench.api", name, str(folder), str(port)]
    with subprocess.Popen(command, cwd=Path(__file__).parent.parent) as process:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        try:
            yield process.pid, port
        finally:
            process.terminate()


def _server_cpu(pid: int, port: int, requests: list[bytes], count: int) -> float:
    """CPU seconds of the server per call, over ``count`` calls on a few connections."""
    asyncio.run(_drive(port, requests, count // 10))
    before = _cpu_of(pid)
    asyncio.run(_drive(port, requests, count))
    return (_cpu_of(pid) - before) / count


def _cpu_of(pid: int) -> float:
    """CPU seconds of a server: of the process that watches, and of the one at work."""
    return sum(_cpu_of_one(one) for one in (pid, *below(pid)))


def _cpu_of_one(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _drive(port: int, requests: list[bytes], count: int) -> None:
    following = cycle(requests)

    async def one(calls: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(calls):
            writer.write(next(following))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()

    await asyncio.gather(*(one(count // _CONNECTIONS) for _ in range(_CONNECTIONS)))


def _request(verb: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", "host: bench", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _token_cost(desk: Desk, both: dict[str, str]) -> list[Figure]:
    """What the gates of key and token take, measured by themselves."""
    doors, now = desk.doors, desk.clock.now()
    with desk.records.read() as tx:

        def gates() -> None:
            caller = doors.caller(tx, both["x-api-key"], now)
            assert caller is not None
            assert doors.admits(tx, caller, both["x-authorization-key"], now)

        gates()
        start = time.process_time()
        for _ in range(_READS):
            gates()
        cost = (time.process_time() - start) / _READS * 1e6
    return [Figure("key and token check", cost, "µs CPU", "<= 60", cost <= 60)]


def _batch() -> Figure:
    """What it takes to read the events of a whole batch, once they are decoded."""
    one = {"clickId": "AgEk9mDq6V0nJb0hWlPzYwAGQ2l4" * 3, "a": "3"}
    said = [one | {"candidateId": f"c-{n}", "jobApplicationId": f"a-{n}"} for n in range(1_000)]
    costs = []
    for _ in range(50):
        start = time.process_time()
        faults: list[Fault] = []
        EVENTS.read(said, "", faults)
        costs.append((time.process_time() - start) * 1e3)
        assert not faults
    cost = median(costs)
    return Figure("S2S batch of 1,000 read", cost, "ms CPU", "<= 1.50", cost <= 1.5)


def _lists(app: _App, desk: Desk, both: dict[str, str], client_id: str) -> list[Figure]:
    for start in range(0, _JOBS, 500):
        for n in range(start, start + 500):
            job = {
                "refNumber": f"r-{n}",
                "title": f"Nurse {n}",
                "company": "Mills",
                "city": "Austin",
                "description": "Care for people. " * 20,
                "url": f"https://jobs.example.com/{n}",
                "state": "TX",
                "country": "US",
                "zip": "73301",
                "category": "Health",
            }
            _json(app, "POST", f"/clients/{client_id}/jobs", both, job)
    path = f"/clients/{client_id}/jobs?limit=1000&page="
    pairs, last = [], []
    rows = _json(app, "GET", f"{path}1", both, None)
    statement = (
        sa.select(jobs).where(jobs.c.client_no == b("client_no")).limit(b("most", type_=sa.Integer))
    )
    with desk.records.read() as tx:
        client_no = tx.value(sa.select(clients.c.no).where(clients.c.id == b("id")), id=client_id)
    for page in (1, 10):  # any of ten threads may answer, each by its own connection's cache
        _cpu(app, "GET", f"{path}{page}", both, None, 40)
    for _ in range(_TURNS):
        first = _cpu(app, "GET", f"{path}1", both, None, 5)
        pairs.append((_bare_list(desk.records, statement, client_no, rows), first))
        last.append(_cpu(app, "GET", f"{path}10", both, None, 5) / first)
    ratio, slower = median(bare / ours for bare, ours in pairs), median(last)
    return [
        Figure(
            "list of 1,000 jobs / query and JSON alone",
            ratio,
            "of bare",
            ">= 0.50",
            ratio >= 0.5,
            f"{median(ours for _, ours in pairs) * 1e3:.1f} ms CPU",
        ),
        Figure("job page 10 / page 1", slower, "times", "<= 1.50", slower <= 1.5),
    ]


def _bare_list(records: Records, statement: Any, client_no: int, rows: Any) -> float:
    start = time.process_time()
    for _ in range(5):
        with records.read() as tx:
            tx.all(statement, client_no=client_no, most=1_000)
        encode(rows)
    return (time.process_time() - start) / 5


def _bare(records: Records) -> Starlette:
    """One SQLite statement behind the same framework, with nothing else."""

    async def read(request: Request) -> Response:
        with records.read() as tx:
            row = tx.one(_BARE_READ, id=request.path_params["client_id"])
        return Response(msgspec.json.encode(row), media_type="application/json")

    async def create(request: Request) -> Response:
        given = msgspec.json.decode(await request.body())

        def put() -> None:
            with records.write() as tx:
                count = str(time.monotonic_ns())
                tx.put(agencies, id=count, name=given["name"], currency="USD", created_at=1)

        await asyncio.get_running_loop().run_in_executor(None, put)
        return Response(b'{"result":"x"}', media_type="application/json")

    return Starlette(
        routes=[
            Route("/clients/{client_id}", read),
            Route("/agencies", create, methods=["POST"]),
        ]
    )


def _scope(verb: str, url: str, headers: dict[str, str]) -> dict[str, Any]:
    path, _, query = url.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": verb,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }


async def _call(app: _App, scope: dict[str, Any], sent: bytes) -> bytes:
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 300:
            raise AssertionError(message["status"])
        parts.append(message.get("body", b""))

    await app(dict(scope), receive, send)
    return b"".join(parts)


def _json(app: _App, verb: str, url: str, headers: dict[str, str], body: Any) -> Any:
    sent = b"" if body is None else encode(body)
    return msgspec.json.decode(asyncio.run(_call(app, _scope(verb, url, headers), sent)))


def _cpu(app: _App, verb: str, url: str, headers: dict[str, str], body: Any, count: int) -> float:
    """CPU seconds of one call, over many."""
    scope, sent = _scope(verb, url, headers), b"" if body is None else encode(body)

    async def calls() -> float:
        await _call(app, scope, sent)
        start = time.process_time()
        for _ in range(count):
            await _call(app, scope, sent)
        return (time.process_time() - start) / count

    return asyncio.run(calls())


def _serve(name: str, folder: Path, port: int) -> None:
    server = Granian(
        "bench.api", port=port, interface=Interfaces.ASGINL, http=HTTPModes.http1, websockets=False
    )
    server.serve(target_loader=partial(_served_app, name, folder), wrap_loader=False)


def _served_app(name: str, folder: Path) -> _App:
    """In the worker: one of the two applications, until it ends."""
    desk = ExitStack().enter_context(_desk(folder, f"bench-{name}"))
    return build(desk) if name == "ours" else _bare(desk.records)


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
