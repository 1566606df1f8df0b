"""What strangers can cost: memory, CPU, others' places, answers of 500 and above.

By name only (``make bench NAMES=attack``): some minutes. Beside each attack on a running server a
visitor, in a process of its own, follows a tracked link again and again.
"""

import asyncio
import multiprocessing
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import NamedTuple
from urllib.parse import urlsplit

from bench.figures import Figure
from bench.hostile import Mischief, documents
from bench.serving import CLIENT, Server, Visitor, ask, office, p99_ms, served, tracked_link
from handbill.api import operations
from handbill.core.feeds import FeedBody
from handbill.feeds.collecting import collect
from handbill.feeds.known_jobs import KnownJobs
from handbill.feeds.reading import FeedLocale, FeedPage, ImportFailed
from handbill.feeds.spools import Spool
from handbill.host.inflate import NotGzip, unpacked

_MB = 1024 * 1024
_STRANGERS, _BODY = 500, 8_000_000
_REQUESTS, _AT_ONCE = 25_000, 50
_HOSTS = [f"127.0.{n}.{n}" for n in range(2, 34)]
"""Addresses of strangers; each stands for one address of IPv4, or one /64 of IPv6."""
_LAST_SECONDS = 3.0
_CPU, _MEMORY, _VISIT, _FOR_ALL = 2.0, 64.0, 100.0, 150.0
_MAPPINGS = (
    {"schemaMappingsJobCollection": "source", "schemaMappingsJob": "job"}
    | {
        f"schemaMappings{name}": name.lower()
        for name in ("Title", "Description", "URL", "RefNumber", "Category", "City", "DatePosted")
    }
    | {"schemaMappingsRefNumber": "referencenumber"}
)


class Target(NamedTuple):
    """A server with a market on it. ``headers``: an agency's; ``link``: leads on to a job."""

    server: Server
    headers: dict[str, str]
    client_id: str
    link: str


Attack = Callable[[Target], Coroutine[None, None, list[Figure]]]


def run(requests: int = _REQUESTS) -> list[Figure]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        figures = hostile_documents()
        with TemporaryDirectory(prefix="handbill-attack-") as name, served(Path(name)) as server:
            headers = office(server, "there")
            client_id = ask(server.api, headers, "POST", "/clients", CLIENT)["result"]
            target = Target(server, headers, client_id, tracked_link(server, headers))
            attacks: dict[str, Attack] = {
                "nothing": nothing,
                "strangers with bodies": strangers_with_bodies,
                "half-open connections": lambda target: many_connections(target, 1_000),
                "8,400 connections of one /64": lambda target: many_connections(target, 8_400),
                "hostile requests": lambda target: hostile_requests(target, requests),
            }
            for what, attack in attacks.items():
                figures += _beside(target, what, attack)
        return figures
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _beside(target: Target, what: str, attack: Attack) -> list[Figure]:
    """An attack, and what a visitor waits meanwhile."""
    print(f"{what} …", file=sys.stderr, flush=True)
    visitor = Visitor(target.server.edge, target.link)
    try:
        figures = asyncio.run(attack(target))
    finally:
        took, failed = visitor.told()
    p99 = p99_ms(took)
    note = f"{len(took):,} visits, median {sorted(took)[len(took) // 2] * 1e3:.1f} ms"
    return [
        *figures,
        Figure(f"redirects beside {what}", p99, "ms p99", f"<= {_VISIT:g}", p99 <= _VISIT, note),
        Figure(f"visitors not led on beside {what}", failed, "", "= 0", failed == 0),
    ]


async def nothing(target: Target) -> list[Figure]:  # noqa: ARG001
    """What the machine does to a visitor by itself."""
    await asyncio.sleep(_LAST_SECONDS)
    return []


# ── documents ───────────────────────────────────────────────────────────────────────────────────
def hostile_documents() -> list[Figure]:
    """Each read as an import reads it, up to where jobs are put into the records."""
    worst_cpu, worst_held, count = ("", 0.0), ("", 0), 0
    context = multiprocessing.get_context("forkserver")  # what we hold here is no base
    context.set_forkserver_preload(["bench.attack"])
    for document in documents():
        with context.Pool(1) as pool:
            cpu, held, came = pool.apply(_read, (document.raw,))
        print(f"{document.name}: {cpu:.2f} s, {held / _MB:.1f} MB, {came}", file=sys.stderr)
        worst_cpu = max(worst_cpu, (document.name, cpu), key=lambda one: one[1])
        worst_held = max(worst_held, (document.name, held), key=lambda one: one[1])
        count += 1
    mb = worst_held[1] / _MB
    return [
        Figure(
            f"the worst of {count} hostile documents, CPU",
            worst_cpu[1],
            "s",
            f"<= {_CPU:g}",
            worst_cpu[1] <= _CPU,
            worst_cpu[0],
        ),
        Figure(
            f"the worst of {count} hostile documents, memory above base",
            mb,
            "MB",
            f"<= {_MEMORY:g}",
            mb <= _MEMORY,
            worst_held[0],
        ),
    ]


def _read(raw: bytes) -> tuple[float, int, str]:
    """CPU seconds, bytes held beyond what was held before, and what came of it."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest mark begins anew
    before, began = _highest(), time.process_time()
    chunks = (raw[at : at + 65_536] for at in range(0, len(raw), 65_536))
    feed = FeedBody("https://e.example", _MAPPINGS)
    try:
        with TemporaryFile(buffering=_MB) as file:
            page, locale = FeedPage(unpacked(chunks)), FeedLocale("UTC", "USD")
            found = collect(page, feed, locale, KnownJobs([]), Spool(file))
            came = f"{len(found.spool):,} of {found.total:,} jobs"
    except (ImportFailed, NotGzip) as failed:
        came = str(failed)
    return time.process_time() - began, _highest() - before, came


def _highest() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────
async def strangers_with_bodies(target: Target) -> list[Figure]:
    """At once, each with 8 MB and a key that is none; then once more with a key that is one."""
    head = f"POST /s2s/events HTTP/1.1\r\nHost: api\r\nContent-Length: {_BODY}\r\n"
    key = {"x-api-key": "hb_aaaaaaaaaaaa_x", "x-authorization-key": "x"}
    figures = await _bodies(target, "strangers", head, key)
    ours = {name: target.headers[name] for name in key} | {"client_id": target.client_id}
    return figures + await _bodies(target, "callers", head, ours)


async def _bodies(target: Target, who: str, head: str, key: dict[str, str]) -> list[Figure]:
    server, statuses = target.server, Counter[int]()
    base = highest = server.resident("api")
    raw = "".join([head, *(f"{name}: {value}\r\n" for name, value in key.items()), "\r\n"]).encode()

    async def send(host: str) -> None:
        statuses[await _said(server.api, raw, host, _BODY)] += 1

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, server.resident("api"))
            await asyncio.sleep(0.05)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(send(host) for host, _ in zip(cycle(_HOSTS), range(_STRANGERS))))
    watching.cancel()
    await asyncio.sleep(1)
    above, left = (highest - base) / _MB, (server.resident("api") - base) / _MB
    note = f"{left:.0f} MB a second later; {_told(statuses)}"
    name = f"{_STRANGERS} {who} with 8 MB at once, memory above base"
    return [Figure(name, above, "MB", f"<= {_FOR_ALL:g}", above <= _FOR_ALL, note)]


# ── connections ─────────────────────────────────────────────────────────────────────────────────
async def many_connections(target: Target, count: int) -> list[Figure]:
    """Half a request on each, all of one address, at both doors; visitors come from another."""
    doors = [target.server.edge, target.server.api]
    with _opened() as opened:
        for n in range(count):
            with suppress(OSError):
                parts = urlsplit(doors[n % 8 == 0])
                _, writer = await asyncio.open_connection(
                    parts.hostname, parts.port, local_addr=(_HOSTS[0], 0)
                )
                writer.write(b"GET /c/half HTTP/1.1\r\nHost: a\r\nX:")
                opened.append(writer)
        await asyncio.sleep(_LAST_SECONDS)
        status = await _said(
            target.server.api, b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n", _HOSTS[1]
        )
    return [Figure(f"the API beside {count:,} connections", status, "", "= 200", status == 200)]


@contextmanager
def _opened() -> Iterator[list[asyncio.StreamWriter]]:
    opened: list[asyncio.StreamWriter] = []
    try:
        yield opened
    finally:
        for writer in opened:
            writer.transport.abort()


# ── requests ────────────────────────────────────────────────────────────────────────────────────
async def hostile_requests(target: Target, count: int) -> list[Figure]:
    """Made up by a fixed seed, half to each door."""
    server, statuses = target.server, Counter[int]()
    headers = {name: value for name, value in target.headers.items() if name != "apiClientId"}
    ids = [target.client_id, "Board", "1"]
    mischief = Mischief(operations(), 7, headers | {"x-client-id": target.client_id}, ids)
    wanted = iter(
        [(server.api, mischief.of_api()), (server.edge, mischief.of_edge())][n % 2]
        for n in range(count)
    )
    bad: list[bytes] = []

    async def ask_on(host: str) -> None:
        for url, raw in wanted:
            status = await _said(url, raw, host)
            statuses[status] += 1
            if status >= 500:
                bad.append(raw)

    await asyncio.gather(*(ask_on(host) for host, _ in zip(cycle(_HOSTS), range(_AT_ONCE))))
    for raw in bad[:5]:
        print(raw[:2_000], file=sys.stderr)
    name = f"{count:,} hostile requests, answers of 500 and above"
    return [Figure(name, len(bad), "", "= 0", not bad, _told(statuses))]


async def _said(url: str, raw: bytes, host: str, size: int = 0) -> int:
    """The status that is answered, while a body of that size is being sent; 0: nothing is."""
    parts, piece = urlsplit(url), b"x" * 65_536
    try:
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port, local_addr=(host, 0)
        )
    except OSError:
        return 0
    try:
        writer.write(raw)
        said = asyncio.create_task(reader.readline())
        with suppress(OSError):
            for _ in range(size // len(piece)):
                if said.done():
                    break
                writer.write(piece)
                await writer.drain()
        line = await asyncio.wait_for(said, 30)
        return int(line.split()[1]) if line else 0
    except (OSError, TimeoutError):
        return 0
    finally:
        writer.transport.abort()


def _told(statuses: Counter[int]) -> str:
    return ", ".join(
        f"{count:,} × {status or 'closed'}" for status, count in sorted(statuses.items())
    )
