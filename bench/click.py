"""Clicks: the edge beside a minimal C server that does the same work, in interleaved rounds.

Both check a token, look a job up, draw and make a click id, make a record durable in groups and
answer 302, for requests of the same links on 256 connections. The floor signs its tokens, the edge
seals them, which costs it more. Clicks fall on links as words do in a
text (Zipf); a second figure has them fall evenly, so that hardly a link is clicked twice.
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
from base64 import urlsafe_b64encode
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from bench.figures import Figure
from bench.masters import MASTER_KEY, MASTERS
from handbill.core.listing_tokens import Listing, listing_token
from handbill.kit.signing import mac, put_number
from handbill.store.index import EdgeIndex, key_place

JOBS = 100_000
GROUPS = 400
PUBLISHERS = 20
LINKS = JOBS * PUBLISHERS
CLICKS = 300_000
CONNECTIONS = 256
ROUNDS = 3
SECONDS = 3.0
WARM_UP_SECONDS = 1.5
LEAST_RATIO = 0.40
KINDS = {"zipf": "some links get most clicks", "even": "hardly a link is clicked twice"}
_KEY = hashlib.sha256(b"bench").digest()
_FLOOR = Path(__file__).parent / "floor"
_OUT = Path(__file__).parent / "out"
_TICK = os.sysconf("SC_CLK_TCK")
_EDGE = (
    "import sys; from handbill.edge import main; from handbill.host.settings import Settings;"
    "from handbill.host.outside import of_this_machine;"
    "settings = Settings(data=sys.argv[1], edge_port=int(sys.argv[2]), "
    f"secrets_key={MASTER_KEY!r}); main(settings, of_this_machine(settings), 0)"
)


@dataclass
class _Side:
    """One server: how it is started, and what its rounds gave for each kind of clicks."""

    name: str
    command: list[str]
    port: int
    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu_us: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    p99_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def run() -> list[Figure]:
    """The edge's rate and CPU time per click, and its share of the floor's."""
    _OUT.mkdir(exist_ok=True)
    # Not in the system's temporary folder, which may be memory: a sync must be a sync.
    folder = Path(tempfile.mkdtemp(prefix="click-", dir=_OUT))
    try:
        _build(folder)
        _prepare(folder)
        floor, edge = _sides(folder)
        for _ in range(ROUNDS):
            for kind in KINDS:
                for side in (floor, edge):
                    _round(side, folder, kind)
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
    index.put_keys({1: MASTERS.seal(MASTERS.newest(), _KEY, *key_place(1))})
    index.finish()
    index.close()
    table = "".join(f"{job.hex()} {url}\n" for job, url in zip(jobs, urls, strict=True))
    (folder / "table").write_text(table, encoding="ascii")
    groups = [[chance.randrange(1, most) for most in (300, 5000, 20_000)] for _ in range(GROUPS)]
    weights = list(accumulate(1 / rank for rank in range(1, LINKS + 1)))
    for name, skew in (("zipf", weights), ("even", None)):
        drawn = chance.choices(range(LINKS), cum_weights=skew, k=CLICKS)
        listings = {link: _listing(jobs, groups, link) for link in set(drawn)}
        for side, token in (("floor", _signed), ("edge", _sealed)):
            tokens = {link: token(listing) for link, listing in listings.items()}
            lines = "".join(f"/c/{tokens[link]}\n" for link in drawn)
            (folder / f"{name}-{side}").write_text(lines, encoding="ascii")


def _listing(jobs: list[bytes], groups: list[list[int]], link: int) -> Listing:
    """A link is one job at one publisher; jobs of a group have its bid there."""
    publisher, place = divmod(link, JOBS)
    client, campaign, group = groups[place % GROUPS]
    bid = 100_000 + 1000 * (group * publisher % 3000)
    return Listing(
        client_no=client,
        campaign_no=campaign,
        group_no=group,
        publisher_no=publisher + 1,
        job_id=jobs[place],
        bid_type="CPC",
        bid_micros=bid,
        price_micros=bid,
    )


def _sealed(listing: Listing) -> str:
    return listing_token(listing, 1, _KEY)


def _signed(listing: Listing) -> str:
    """What the floor reads: all in the open, under a mark."""
    numbers = (
        listing.client_no,
        listing.campaign_no,
        listing.group_no,
        listing.publisher_no,
        listing.bid_micros,
        listing.price_micros,
    )
    said = bytes((1, 1, 0)) + listing.job_id + b"".join(map(put_number, numbers))
    return urlsafe_b64encode(said + mac(_KEY, said)).rstrip(b"=").decode()


def _sides(folder: Path) -> tuple[_Side, _Side]:
    ports = [_free_port() for _ in range(2)]
    files = [str(folder / "table"), str(folder / "floor.log")]
    floor = [str(folder / "floor"), str(ports[0]), _KEY.hex(), *files]
    edge = [sys.executable, "-c", _EDGE, str(folder), str(ports[1])]
    return _Side("floor", floor, ports[0]), _Side("edge", edge, ports[1])


def _round(side: _Side, folder: Path, kind: str) -> None:
    """A fresh server, warmed up with clicks that are not those it is measured with."""
    server = subprocess.Popen(side.command)
    try:
        _await_listening(side.port, server)
        _load(side, folder, kind, WARM_UP_SECONDS, first=CLICKS // 2)
        before = _cpu_seconds(server.pid)
        result = _load(side, folder, kind, SECONDS, first=0)
        cpu = _cpu_seconds(server.pid) - before
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
    side.rates[kind].append(result["rate"])
    side.cpu_us[kind].append(cpu / result["answers"] * 1e6)
    side.p99_ms[kind].append(result["p99_us"] / 1000)


def _load(side: _Side, folder: Path, kind: str, seconds: float, first: int) -> dict[str, float]:
    said = subprocess.run(
        [
            str(folder / "load"),
            str(side.port),
            str(CONNECTIONS),
            str(seconds),
            str(folder / f"{kind}-{side.name}"),
            str(first),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    result: dict[str, float] = json.loads(said.stdout)
    if result["bad"]:
        raise RuntimeError(f"{side.name}: {result['bad']} answers were no redirects")
    return result


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
    found = []
    for kind, meaning in KINDS.items():
        costs = [floor.cpu_us[kind], edge.cpu_us[kind]]
        rates = [edge.rates[kind], floor.rates[kind]]
        notes = [
            f"floor {middle(costs[0]):.1f} us, edge {middle(costs[1]):.1f} us a click; {meaning}",
            f"edge {middle(rates[0]):,.0f}/s, floor {middle(rates[1]):,.0f}/s; {meaning}",
        ]
        for name, (over, under), note in zip(("CPU", "rate"), (costs, rates), notes, strict=True):
            share = middle(one / other for one, other in zip(over, under, strict=True))
            title = f"click: {name}, share of the C floor"
            limit = f">= {LEAST_RATIO:.2f}"
            found.append(Figure(title, share, "x", limit, share >= LEAST_RATIO, note))
    kind = next(iter(KINDS))
    p99 = f"p99 {middle(edge.p99_ms[kind]):.1f} ms, floor {middle(floor.p99_ms[kind]):.1f} ms"
    note = f"{CONNECTIONS} connections; {p99}"
    found.append(
        Figure("click: durable redirects", middle(edge.rates[kind]), "/s", "", met=True, note=note)
    )
    return found
