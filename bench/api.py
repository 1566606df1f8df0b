"""The API beside a bare handler of the same framework: reads, creates, lists, the token's cost.

Both run in this process and are called through ASGI without sockets, in turn, so that only the
work is compared. Figures are CPU time of the main thread and the pool.
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.figures import Figure
from handbill.access.keys import ensure_secrets
from handbill.access.service import create_agency
from handbill.api import Doors, build
from handbill.host.clock import SystemClock
from handbill.host.ids import SystemIds
from handbill.host.settings import Settings
from handbill.http.operations import Desk
from handbill.kit.jsons import encode
from handbill.store.blobs import open_blobs
from handbill.store.journal import JournalWriter
from handbill.store.records import Records, open_records
from handbill.store.records.opening import migrate
from handbill.store.records.tables import agencies, clients, jobs

_JOBS = 10_000
_READS = 1_500
_CREATES = 150
_ROUNDS = 5
_BARE_READ = sa.select(clients.c.id, clients.c.status, clients.c.body).where(
    clients.c.id == b("id")
)
_App = Callable[..., Any]


def run() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, _desk(Path(folder)) as desk:
        return _measured(desk)


@contextlib.contextmanager
def _desk(folder: Path) -> Iterator[Desk]:
    records = open_records(f"sqlite:///{folder}/records.db")
    migrate(records)
    settings = Settings()
    journal = JournalWriter(folder / "journal", "api-0")
    blobs = open_blobs(str(folder / "blobs"))
    yield Desk(records, blobs, journal, SystemClock(), SystemIds(), settings, Doors(settings))
    journal.close()
    records.close()


def _measured(desk: Desk) -> list[Figure]:
    app, bare = build(desk), _bare(desk.records)
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
    busy_id = _json(app, "POST", "/clients", both, body)["result"]
    return [
        *_reads_and_creates(app, bare, both, (client_id, busy_id)),
        *_token_cost(desk, both),
        *_lists(app, desk, both, client_id),
    ]


def _reads_and_creates(
    app: _App, bare: _App, both: dict[str, str], client_ids: tuple[str, str]
) -> list[Figure]:
    """The client that is read stays small; campaigns are created under the other."""
    path, busy = (f"/clients/{client_id}" for client_id in client_ids)
    campaign = {"name": "autumn", "startDate": "01/10/2026", "endDate": "07/30/2030"}
    ours, theirs, made, put = [], [], [], []
    for _ in range(_ROUNDS):
        ours.append(_cpu(app, "GET", path, both, None, _READS))
        theirs.append(_cpu(bare, "GET", path, both, None, _READS))
        made.append(_cpu(app, "POST", f"{busy}/campaigns", both, campaign, _CREATES))
        put.append(_cpu(bare, "POST", "/agencies", both, campaign, _CREATES))
    read, create = median(theirs) / median(ours), median(put) / median(made)
    return [
        Figure(
            "API read / bare handler", read, "of bare", ">= 0.60", read >= 0.6,
            f"{median(ours) * 1e6:.0f} against {median(theirs) * 1e6:.0f} µs CPU",
        ),
        Figure(
            "API create / bare handler", create, "of bare", ">= 0.60", create >= 0.6,
            f"{median(made) * 1e6:.0f} against {median(put) * 1e6:.0f} µs CPU",
        ),
    ]  # fmt: skip


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


def _lists(app: _App, desk: Desk, both: dict[str, str], client_id: str) -> list[Figure]:
    for start in range(0, _JOBS, 500):
        for n in range(start, start + 500):
            job = {
                "refNumber": f"r-{n}", "title": f"Nurse {n}", "company": "Mills", "city": "Austin",
                "description": "Care for people. " * 20, "url": f"https://jobs.example.com/{n}",
                "state": "TX", "country": "US", "zip": "73301", "category": "Health",
            }  # fmt: skip
            _json(app, "POST", f"/clients/{client_id}/jobs", both, job)
    path = f"/clients/{client_id}/jobs?limit=1000&page="
    first, last, bare = [], [], []
    rows = _json(app, "GET", f"{path}1", both, None)
    statement = (
        sa.select(jobs).where(jobs.c.client_no == b("client_no")).limit(b("most", type_=sa.Integer))
    )
    with desk.records.read() as tx:
        client_no = tx.value(sa.select(clients.c.no).where(clients.c.id == b("id")), id=client_id)
    for _ in range(_ROUNDS):
        first.append(_cpu(app, "GET", f"{path}1", both, None, 5))
        last.append(_cpu(app, "GET", f"{path}10", both, None, 5))
        bare.append(_bare_list(desk.records, statement, client_no, rows))
    ratio, slower = median(bare) / median(first), median(last) / median(first)
    return [
        Figure(
            "list of 1,000 jobs / query and JSON alone", ratio, "of bare", ">= 0.50", ratio >= 0.5,
            f"{median(first) * 1e3:.1f} ms CPU",
        ),
        Figure("job page 10 / page 1", slower, "times", "<= 1.50", slower <= 1.5),
    ]  # fmt: skip


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
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": verb,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip


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
