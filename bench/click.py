"""Clicks: the edge beside a minimal C server that does the same work, in interleaved rounds.

Both check a keyed mark, look a job up, draw and mark a click id, make a record durable in groups
and answer 302, for the same requests on 256 connections.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Figure
from handbill.core.listing_tokens import Listing, listing_token
from handbill.store.index import EdgeIndex

JOBS = 100_000
GROUPS = 400
PUBLISHERS = 20
LINKS = 50_000
CONNECTIONS = 256
ROUNDS = 3
SECONDS = 3.0
LEAST_RATIO = 0.40
_KEY = hashlib.sha256(b"bench").digest()
_FLOOR = Path(__file__).parent / "floor"
_OUT = Path(__file__).parent / "out"
_TICK = os.sysconf("SC_CLK_TCK")
_EDGE = (
    "import sys; from handbill.edge import main; from handbill.host.settings import Settings;"
    "main(Settings(data=sys.argv[1], edge_port=int(sys.argv[2])), 0)"
)


@dataclass
class _Side:
    """One server: how it is started, and what its rounds gave."""

    name: str
    command: list[str]
    port: int
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)


def run() -> list[Figure]:
    """The edge's rate and CPU time per click, and its share of the floor's."""
    _OUT.mkdir(exist_ok=True)
    # Not in the system's temporary folder, which may be memory: a sync must be a sync.
    folder = Path(tempfile.mkdtemp(prefix="click-", dir=_OUT))
    try:
        _build(folder)
        _prepare(folder)
        floor, edge = _sides(folder)
        for number in range(ROUNDS + 1):
            for side in (floor, edge):
                _round(side, folder, is_warm_up=number == 0)
        return _figures(floor, edge)
    finally:
        shutil.rmtree(folder)


def _build(folder: Path) -> None:
    for name in ("floor", "load"):
        flags = ["-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE"]
        source = str(_FLOOR / f"{name}.c")
        subprocess.run(["gcc", *flags, "-o", str(folder / name), source], check=True)


def _prepare(folder: Path) -> None:
    """The same jobs, links and key for both."""
    chance = random.Random(1)
    jobs = [chance.randbytes(16) for _ in range(JOBS)]
    urls = [f"https://careers.example.test/jobs/{number}?source=feed" for number in range(JOBS)]
    index = EdgeIndex(folder / "index", writable=True)
    index.put_urls((job, url.encode()) for job, url in zip(jobs, urls, strict=True))
    index.put_keys({1: _KEY})
    index.close()
    table = "".join(f"{job.hex()} {url}\n" for job, url in zip(jobs, urls, strict=True))
    (folder / "table").write_text(table, encoding="ascii")
    groups = [[chance.randrange(1, most) for most in (300, 5000, 20_000)] for _ in range(GROUPS)]
    tokens = []
    for place in chance.choices(range(JOBS), k=LINKS):
        client, campaign, group = groups[place % GROUPS]
        publisher = chance.randrange(1, PUBLISHERS + 1)
        bid = 100_000 + 1000 * (group * publisher % 3000)
        listing = Listing(client, campaign, group, publisher, jobs[place], "CPC", bid, bid)
        tokens.append(listing_token(listing, 1, _KEY))
    (folder / "links").write_text("".join(f"/c/{one}\n" for one in tokens), encoding="ascii")


def _sides(folder: Path) -> tuple[_Side, _Side]:
    ports = [_free_port() for _ in range(2)]
    files = [str(folder / "table"), str(folder / "floor.log")]
    floor = [str(folder / "floor"), str(ports[0]), _KEY.hex(), *files]
    edge = [sys.executable, "-c", _EDGE, str(folder), str(ports[1])]
    return _Side("floor", floor, ports[0]), _Side("edge", edge, ports[1])


def _round(side: _Side, folder: Path, *, is_warm_up: bool) -> None:
    server = subprocess.Popen(side.command)
    try:
        _await_listening(side.port, server)
        before = _cpu_seconds(server.pid)
        seconds = 0.5 if is_warm_up else SECONDS
        load = [str(folder / "load"), str(side.port), str(CONNECTIONS), str(seconds)]
        said = subprocess.run(
            [*load, str(folder / "links")], check=True, capture_output=True, timeout=60
        )
        cpu = _cpu_seconds(server.pid) - before
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
    result = json.loads(said.stdout)
    if result["bad"]:
        raise RuntimeError(f"{side.name}: {result['bad']} answers were no redirects")
    if not is_warm_up:
        side.rates.append(result["rate"])
        side.cpu_us.append(cpu / result["answers"] * 1e6)
        side.p99_ms.append(result["p99_us"] / 1000)


def _cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _await_listening(port: int, server: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    for _ in range(500):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            pause.wait(0.02)
        else:
            return
    raise TimeoutError("the server does not listen")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _figures(floor: _Side, edge: _Side) -> list[Figure]:
    middle = statistics.median
    by_cpu = middle(f / e for f, e in zip(floor.cpu_us, edge.cpu_us, strict=True))
    by_rate = middle(e / f for f, e in zip(floor.rates, edge.rates, strict=True))
    limit = f">= {LEAST_RATIO:.2f}"
    note = f"floor {middle(floor.cpu_us):.1f} us, edge {middle(edge.cpu_us):.1f} us a click"
    rates = f"floor {middle(floor.rates):,.0f}/s, {CONNECTIONS} connections"
    return [
        Figure("click: CPU time, share of the C floor", by_cpu, "x", limit,
               by_cpu >= LEAST_RATIO, note),
        Figure("click: throughput, share of the C floor", by_rate, "x", limit,
               by_rate >= LEAST_RATIO, rates),
        Figure("click: durable redirects", middle(edge.rates), "/s", "", met=True,
               note=f"p99 {middle(edge.p99_ms):.1f} ms, floor {middle(floor.p99_ms):.1f} ms"),
    ]  # fmt: skip
