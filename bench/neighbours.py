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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bench.booked import book
from bench.figures import Figure
from bench.serving import (
    BROWSER,
    CLIENT,
    Asked,
    Server,
    answer,
    ask,
    click_id,
    office,
    p99_ms,
    request,
    served,
    times,
    tracked_link,
)
from bench.stock import fill_beside
from handbill.core.entries import Entry
from handbill.core.nouns import Client
from handbill.host.clock import SystemClock
from handbill.host.ids import SystemIds
from handbill.jobs import service as jobs
from handbill.kit.instants import DAY
from handbill.store.blobs import open_blobs
from handbill.store.records import open_records

_LIMITS = {"GET /clients": 50.0, "redirect": 100.0}
"""**Units**: ms."""
_JOBS = 50_000
_ENTRIES = 200_000
_FLOOD = 16
_CLICKS = 100
_PROBES = 150
_MOST_SECONDS = 5.0
_WARM_SECONDS = 1.0
_DAYS = {"startDate": "2020-01-01", "endDate": "2030-01-01"}
_FILTERS = {"operator": "AND", "rules": [{"field": "title", "operator": "CONTAINS", "data": "e"}]}


def run(probes: int = _PROBES) -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-neighbours-") as name, served(Path(name)) as server:
        busy, calm = office(server, "busy"), office(server, "calm")
        client_id = ask(server.api, busy, "POST", "/clients", CLIENT)["result"]
        link = tracked_link(server, calm)
        ids = _fill(Path(name), client_id)
        floods = _floods(client_id, ids, _clicked(server, busy, client_id))
        floods["everything"] = [one for some in floods.values() for one in some[:1]]
        asked = _probes(calm, link)
        figures = []
        for kind, some in floods.items():
            flood = [one._replace(headers={**one.headers, **busy}) for one in some]
            figures += _measured(kind, server, flood, asked, probes)
        return figures


def _fill(data: Path, client_id: str) -> list[str]:
    """Jobs and judged entries of a client, put beside the running server; ids of some jobs."""
    records, now = open_records(f"sqlite:///{data}/records.db"), SystemClock().now()
    client = fill_beside(records, client_id, _JOBS, now)
    ids = [jobs.job_id(client_id, f"JOB-{number:07d}") for number in range(_JOBS)]
    blobs = open_blobs(str(data / "blobs"))
    entries = _entries(client, ids, now)
    book(records, blobs, SystemIds(), now, entries, _ENTRIES)
    records.close()
    return ids


def _entries(client: Client, ids: list[str], now: int) -> Iterator[Entry]:
    chance = Random(1)
    first = now - 20 * DAY
    for n in range(_ENTRIES):
        at = first + n * (20 * DAY // _ENTRIES)
        yield Entry(
            id=n.to_bytes(16, "big"),
            at=at,
            kind="CLICK",
            disposition="valid",
            reason="",
            client_no=client.no,
            campaign_no=1,
            group_no=1,
            publisher_no=1,
            job_id=chance.choice(ids),
            bid_type="CPC",
            charge_micros=400_000,
            spend_micros=500_000,
            currency="USD",
            marked_micros=550_000,
            agency_ppm=100_000,
            override_ppm=0,
            click_at=at,
            click_id=b"",
            visitor=b"",
            ip="198.51.100.0",
            agent="",
            source="edge",
            candidate_id="",
            application_id="",
        )


def _probes(calm: dict[str, str], link: str) -> dict[str, Asked]:
    """What the neighbour asks, and its visitor."""
    return {
        "GET /clients": Asked("GET", "/clients?page=0&limit=10", None, calm),
        "POST /token": Asked("POST", "/token", {"client_id": calm["apiClientId"]}, calm),
        "POST /clients": Asked("POST", "/clients", CLIENT, calm),
        "redirect": Asked("GET", link, None, BROWSER),
    }


def _clicked(server: Server, busy: dict[str, str], client_id: str) -> tuple[str, list[str]]:
    """Another client of the busy agency, and clicks of it that the ledger books applies by."""
    link = tracked_link(server, busy)
    listed = ask(server.api, busy, "GET", "/clients?page=0&limit=10")["data"]
    (other,) = [one["id"] for one in listed if one["id"] != client_id]
    return other, [click_id(server.edge, link) for _ in range(_CLICKS)]


def _floods(
    client_id: str, ids: list[str], clicked: tuple[str, list[str]]
) -> dict[str, list[Asked]]:
    """The slow operations, each as its flood; ones that differ, so that no twin is answered."""
    named, of = {"x-client-id": client_id}, f"/clients/{client_id}"
    rules = [{"field": "title", "operator": "CONTAINS", "data": "x" * 20}] * 50
    preview = {"filters": {"operator": "OR", "rules": rules}}
    clicked_client, clicks = clicked
    events = [
        {"clickId": clicks[n % len(clicks)], "a": "3", "jobApplicationId": f"applied-{n}"}
        for n in range(1_000)
    ]
    return {
        "preview of a group": [Asked("POST", f"{of}/jobgroups/preview", {"filters": _FILTERS})],
        "preview, 50 rules": [Asked("POST", f"{of}/jobgroups/preview", preview)],
        "explain": [Asked("GET", f"{of}/jobs/JOB-{n:07d}/explain") for n in range(50)],
        "recent events": [Asked("GET", f"{of}/events/recent?limit=1000")],
        "stats report": [
            Asked(
                "POST",
                "/stats",
                {
                    "filters": _DAYS | {"refNumbers": [f"JOB-{n:07d}"]},
                    "aggregationLevel": {"primaryLevel": "JOB", "secondaryLevel": "DATE"},
                },
                named,
            )
            for n in range(200)
        ],
        "stream": [Asked("POST", "/stats/stream", {"groupBy": "JOB", "filterBy": _DAYS}, named)],
        "list of 1,000 jobs": [
            Asked("GET", f"{of}/jobs?limit=1000&page={n}") for n in range(1, 11)
        ],
        "bulk of 1,000 jobs": [
            Asked("POST", f"/jobs/bulk?client_id={client_id}", ids[n : n + 1_000])
            for n in range(0, 10_000, 1_000)
        ],
        "S2S of 1,000": [Asked("POST", "/s2s/events", events, {"client_id": clicked_client})],
        "funnel of 1,000": [
            Asked(
                "POST",
                "/funnel",
                [
                    {
                        "jobApplicationId": f"{m}-{n}",
                        "candidateStatus": "x",
                        "timestamp": 1_790_000_000,
                    }
                    for n in range(1_000)
                ],
                named,
            )
            for m in range(5)
        ],
        "creates of campaigns": [
            Asked(
                "POST",
                f"{of}/campaigns",
                {"name": f"c{n}", "startDate": "01/10/2026", "endDate": "07/30/2030"},
            )
            for n in range(50)
        ],
        "1 MB to rules": [
            Asked("POST", "/rules", {"x": [{"y": n, "z": "q" * 10} for n in range(20_000)]}, named)
        ],
    }


def _measured(
    kind: str, server: Server, flood: list[Asked], probes: dict[str, Asked], count: int
) -> list[Figure]:
    """The p99 of each probe while the flood goes on, and what it was just before."""
    doors = {name: server.edge if name == "redirect" else server.api for name in probes}

    def waited() -> dict[str, list[float]]:
        return {name: times(doors[name], one, count, _MOST_SECONDS) for name, one in probes.items()}

    before = waited()
    with _flooding(server.api, flood) as told:
        time.sleep(_WARM_SECONDS)
        found = waited()
    figures = []
    for name, took in found.items():
        limit, p99 = _LIMITS.get(name), p99_ms(took)
        note = (
            f"{p99_ms(before[name]):.1f} ms before; median {sorted(took)[len(took) // 2] * 1e3:.1f}"
        )
        if name == "GET /clients":
            note += f"; flood: {told}"
        is_met = limit is None or p99 <= limit
        bound = "" if limit is None else f"<= {limit:g}"
        figures.append(Figure(f"{name} beside {kind}", p99, "ms p99", bound, is_met, note))
        print(f"{name} beside {kind}: {p99:.1f} ms; {note}", file=sys.stderr, flush=True)
    return figures


@contextmanager
def _flooding(api: str, flood: list[Asked]) -> Iterator[dict[str, int]]:
    """A process that floods until the block ends; then how often it got which status."""
    told: dict[str, int] = {}
    with subprocess.Popen(
        [sys.executable, "-m", "bench.neighbours", api],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
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
    requests = [request(Asked(*one)) for one in json.loads(sys.stdin.readline())]
    statuses: Counter[int] = Counter()

    async def one(place: int) -> None:
        parts = urlsplit(api)
        while True:
            try:
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                for number in range(place, sys.maxsize):
                    writer.write(requests[number % len(requests)])
                    statuses[await answer(reader)] += 1
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
