"""What a neighbour waits while one agency floods each slow operation in turn.

By name only (``make bench NAMES=neighbours``): a whole server, and some minutes. The flood comes
from a process of its own, on as many connections as ``_FLOOD``; the neighbour asks on one.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sa

from bench.figures import Figure
from bench.stock import stock
from handbill.clients.service import clients_by_number
from handbill.core.nouns import Client
from handbill.host.clock import SystemClock
from handbill.host.ids import SystemIds
from handbill.jobs import service as jobs
from handbill.kit.instants import DAY, moment_of
from handbill.store import events
from handbill.store.blobs import open_blobs
from handbill.store.events import Entry
from handbill.store.records import open_records
from handbill.store.records.tables import clients

LIMIT_MS = 50.0
EDGE_LIMIT_MS = 100.0
_JOBS = 50_000
_ENTRIES = 200_000
_FLOOD = 16
_PROBES = 150
_MOST_SECONDS = 5.0
_WARM_SECONDS = 1.0
_CLIENT = {"companyName": "Mills", "caps": {"budget": {"cap": "Monthly", "value": 1000}}}
_DAYS = {"startDate": "2020-01-01", "endDate": "2030-01-01"}
_FILTERS = {"operator": "AND", "rules": [{"field": "title", "operator": "CONTAINS", "data": "e"}]}


class Asked(NamedTuple):
    """One request. ``body``: as JSON, unless it is text, which is sent as it is."""

    verb: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = MappingProxyType({})


def run() -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-neighbours-") as name, _served(Path(name)) as doors:
        api, edge = doors
        busy, calm = _office(Path(name), api, "busy"), _office(Path(name), api, "calm")
        client_id = _ask(api, busy, "POST", "/clients", _CLIENT)["result"]
        _ask(api, calm, "POST", "/clients", _CLIENT)
        ids = _fill(Path(name), client_id)
        floods = _floods(client_id, ids)
        probes = _probes(calm)
        figures = _measured("nothing", api, edge, [], probes, busy)
        for kind, some in floods.items():
            figures += _measured(kind, api, edge, some, probes, busy)
        every = [one for some in floods.values() for one in some[:1]]
        return figures + _measured("everything", api, edge, every, probes, busy)


@contextmanager
def _served(data: Path) -> Iterator[tuple[str, str]]:
    words = ("serve", "--data", str(data), "--api-port", "0", "--edge-port", "0")
    with subprocess.Popen(
        [sys.executable, "-m", "handbill", *words], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        ready = json.loads(server.stdout.readline())
        try:
            yield ready["api"], ready["edge"]
        finally:
            server.terminate()


def _office(data: Path, api: str, agency: str) -> dict[str, str]:
    """An agency's headers, and its API client beside them."""
    words = ("agency", "create", agency, "--name", agency, "--data", str(data), "--json")
    made = subprocess.run(
        [sys.executable, "-m", "handbill", *words], capture_output=True, check=True
    )
    told = json.loads(made.stdout)
    key = {"x-api-key": told["apiKey"], "apiClientId": told["apiClientId"]}
    token = _ask(api, key, "POST", "/token", {"client_id": told["apiClientId"]})["access_token"]
    return key | {"x-authorization-key": token}


def _ask(api: str, office: dict[str, str], verb: str, path: str, body: Any) -> Any:
    parts = urlsplit(api)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.request(verb, path, json.dumps(body), {"content-type": "application/json"} | office)
    answer = connection.getresponse().read()
    connection.close()
    return json.loads(answer)


def _fill(data: Path, client_id: str) -> list[str]:
    """Jobs and judged entries of a client, put beside the running server; ids of some jobs."""
    records, now = open_records(f"sqlite:///{data}/records.db"), SystemClock().now()
    with records.read() as tx:
        no = tx.value(
            sa.select(clients.c.no).where(clients.c.id == sa.bindparam("id")), id=client_id
        )
        client = clients_by_number(tx, [no])[no]
    brought = [
        jobs.written(job, moment_of(job.posted_at or now).date().isoformat(), None)
        for job in stock(_JOBS)
    ]
    for start in range(0, len(brought), 1_000):
        with records.write() as tx:
            jobs.apply(tx, client, None, brought[start : start + 1_000], now)
    ids = [jobs.job_id(client_id, f"JOB-{number:07d}") for number in range(_JOBS)]
    blobs = open_blobs(str(data / "blobs"))
    entries = list(_entries(client, ids, now))
    written = events.write(
        blobs, events.path_of(client.no, events.month_of(now), now, SystemIds()), entries
    )
    with records.write() as tx:
        events.register(tx, [written], now)
    records.close()
    return ids


def _entries(client: Client, ids: list[str], now: int) -> Iterator[Entry]:
    chance = Random(1)
    first = now - 20 * DAY
    for n in range(_ENTRIES):
        at = first + n * (20 * DAY // _ENTRIES)
        yield Entry(
            n.to_bytes(16, "big"), at, "CLICK", "valid", "", client.no, 1, 1, 1, chance.choice(ids),
            "CPC", 400_000, 500_000, "USD", 550_000, 100_000, 0, at, b"", b"", "198.51.100.0", "",
            "edge", "", "",
        )  # fmt: skip


def _probes(calm: dict[str, str]) -> dict[str, Asked]:
    """What the neighbour asks."""
    return {
        "GET /clients": Asked("GET", "/clients?page=0&limit=10", None, calm),
        "POST /token": Asked("POST", "/token", {"client_id": calm["apiClientId"]}, calm),
        "POST /clients": Asked("POST", "/clients", _CLIENT, calm),
    }


def _floods(client_id: str, ids: list[str]) -> dict[str, list[Asked]]:
    """The slow operations, each as its flood; ones that differ, so that no twin is answered."""
    named, of = {"x-client-id": client_id}, f"/clients/{client_id}"
    rules = [{"field": "title", "operator": "CONTAINS", "data": "x" * 20}] * 50
    preview = {"filters": {"operator": "OR", "rules": rules}}
    event = {"clickId": "AgEk9mDq6V0nJb0hWlPzYwAGQ2l4", "a": "3"}
    return {
        "preview of a group": [Asked("POST", f"{of}/jobgroups/preview", {"filters": _FILTERS})],
        "preview, 50 rules": [Asked("POST", f"{of}/jobgroups/preview", preview)],
        "explain": [Asked("GET", f"{of}/jobs/JOB-{n:07d}/explain") for n in range(50)],
        "recent events": [Asked("GET", f"{of}/events/recent?limit=1000")],
        "stats report": [
            Asked("POST", "/stats", {
                "filters": _DAYS | {"refNumbers": [f"JOB-{n:07d}"]},
                "aggregationLevel": {"primaryLevel": "JOB", "secondaryLevel": "DATE"},
            }, named) for n in range(200)
        ],
        "stream": [Asked("POST", "/stats/stream", {"groupBy": "JOB", "filterBy": _DAYS}, named)],
        "list of 1,000 jobs": [
            Asked("GET", f"{of}/jobs?limit=1000&page={n}") for n in range(1, 11)
        ],
        "bulk of 1,000 jobs": [
            Asked("POST", f"/jobs/bulk?client_id={client_id}", ids[n : n + 1_000])
            for n in range(0, 10_000, 1_000)
        ],
        "S2S of 1,000": [Asked("POST", "/s2s/events", [event] * 1_000, {"client_id": client_id})],
        "funnel of 1,000": [
            Asked("POST", "/funnel", [
                {"jobApplicationId": f"{m}-{n}", "candidateStatus": "x", "timestamp": 1_790_000_000}
                for n in range(1_000)
            ], named) for m in range(5)
        ],
        "creates of campaigns": [
            Asked("POST", f"{of}/campaigns",
                  {"name": f"c{n}", "startDate": "01/10/2026", "endDate": "07/30/2030"})
            for n in range(50)
        ],
        "1 MB to rules": [
            Asked("POST", "/rules", {"x": [{"y": n, "z": "q" * 10} for n in range(20_000)]}, named)
        ],
    }  # fmt: skip


def _measured(
    kind: str, api: str, edge: str, flood: list[Asked], probes: dict[str, Asked],
    busy: dict[str, str],
) -> list[Figure]:  # fmt: skip
    """The neighbour's p99 of each probe, and the edge's, while the flood goes on."""
    with _flooding(api, [one._replace(headers={**one.headers, **busy}) for one in flood]) as told:
        time.sleep(_WARM_SECONDS)
        found = {name: _times(api, one) for name, one in probes.items()}
        found["edge"] = _times(edge, Asked("GET", "/c/nothing"))
    figures = []
    for name, times in found.items():
        limit = EDGE_LIMIT_MS if name == "edge" else LIMIT_MS
        bound = name in {"edge", "GET /clients"}
        p99 = sorted(times)[int(len(times) * 0.99) - 1] * 1e3
        note = f"median {sorted(times)[len(times) // 2] * 1e3:.1f} ms; flood: {told}"
        figures.append(
            Figure(f"{name} beside {kind}", p99, "ms p99", f"<= {limit:g}" if bound else "",
                   p99 <= limit, note if name == "GET /clients" else note.partition(";")[0])
        )  # fmt: skip
        print(f"{name} beside {kind}: {p99:.1f} ms; {note}", file=sys.stderr, flush=True)
    return figures


def _times(url: str, asked: Asked) -> list[float]:
    return asyncio.run(_driven(url, [_request(asked)], _PROBES))


async def _driven(url: str, requests: list[bytes], count: int) -> list[float]:
    """Seconds of each of so many requests, one after the other on a connection."""
    parts, times, following = urlsplit(url), list[float](), cycle(requests)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    end = time.perf_counter() + _MOST_SECONDS
    for _ in range(count):
        began = time.perf_counter()
        if began > end:
            break
        writer.write(next(following))
        await _answer(reader)
        times.append(time.perf_counter() - began)
        await asyncio.sleep(0.005)
    writer.close()
    return times


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer whole; its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"content-length:" in head:
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
    elif b"transfer-encoding: chunked" in head:
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
    return int(head[9:12])


def _request(asked: Asked) -> bytes:
    raw = b"" if asked.body is None else json.dumps(asked.body).encode()
    lines = [f"{asked.verb} {asked.path} HTTP/1.1", "host: bench", f"content-length: {len(raw)}"]
    lines += [f"{name}: {value}" for name, value in asked.headers.items() if name != "apiClientId"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


@contextmanager
def _flooding(api: str, flood: list[Asked]) -> Iterator[dict[str, int]]:
    """A process that floods until the block ends; then how often it got which status."""
    told: dict[str, int] = {}
    if not flood:
        yield told
        return
    with subprocess.Popen(
        [sys.executable, "-m", "bench.neighbours", api], cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        sent = [[one.verb, one.path, one.body, dict(one.headers)] for one in flood]
        process.stdin.write(json.dumps(sent) + "\n")
        process.stdin.flush()
        yield told
        process.stdin.close()
        told.update(json.loads(process.stdout.read()))


def _flood(api: str) -> None:
    """In the flooding process: requests on many connections until standard input ends."""
    requests = [_request(Asked(*one)) for one in json.loads(sys.stdin.readline())]
    statuses: Counter[int] = Counter()

    async def one(place: int) -> None:
        parts = urlsplit(api)
        while True:
            try:
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                for number in range(place, sys.maxsize):
                    writer.write(requests[number % len(requests)])
                    statuses[await _answer(reader)] += 1
            except (OSError, asyncio.IncompleteReadError):
                statuses[0] += 1

    async def all_until_told() -> None:
        tasks = [asyncio.create_task(one(place)) for place in range(_FLOOD)]
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()

    asyncio.run(all_until_told())
    print(json.dumps(statuses))


if __name__ == "__main__":
    _flood(sys.argv[1])
