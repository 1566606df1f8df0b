"""Import of 100,000 jobs from a server on loopback: new, unchanged, with few changes.

The server is a process of its own; so is each import, so that its memory can be told. Each is held
against its peer of the same minute: a bare libxml2 pass over the same bytes, just before it and
just after, which builds a tree and reads nothing from it.
"""

import asyncio
import json
import re
import resource
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lxml import etree

from bench.figures import Figure
from bench.masters import records_of
from bench.stock import NOW, add_client, open_tools
from handbill.core.feeds import Feed, FeedBody
from handbill.demo.feeds import feed
from handbill.feeds import rows
from handbill.feeds.importing import import_feed
from handbill.host.clock import SystemClock
from handbill.host.egress import Egress
from handbill.host.ids import SystemIds
from handbill.host.settings import Settings
from handbill.store.blobs import open_blobs
from handbill.store.index import EdgeIndex
from handbill.work.tools import Tools

JOBS = 100_000
NEW_OF_PEER, SAME_OF_PEER, MOST_MB, MOST_WAIT = 0.14, 0.43, 300.0, 0.3
"""20 and 60 MB a CPU second where the peer does 140."""
_FEED = "feed"


def run() -> list[Figure]:
    with TemporaryDirectory(prefix="handbill-bench-") as name:
        folder = Path(name)
        whole = folder / "whole.xml"
        write(whole, JOBS)
        later = {"changed": range(0, JOBS, 100), "without": range(50, JOBS, 200)}
        write(folder / "later.xml", JOBS, **later)
        (folder / "same.xml").write_bytes(
            whole.read_bytes().replace(b"<source>", b"<source ><!-- again -->", 1)
        )
        bare = _bare(whole)
        new, waits = new_jobs(folder, JOBS)
        new |= {"peer": (bare + _bare(whole)) / 2}
        with _serving(folder) as port:
            same = _beside_peer(folder, port, "same.xml")
            changed = _beside_peer(folder, port, "later.xml")
    assert same["counts"]["unchanged"] == JOBS, same
    assert changed["counts"]["changed"] == JOBS // 100, changed
    return [
        *_speed(f"import, {JOBS:,} jobs, all new", new, NEW_OF_PEER),
        *_speed("import again, every job unchanged", same, SAME_OF_PEER),
        *_speed("import again, 1,000 changed, 500 left", changed, 0.0),
        wait(waits, JOBS),
        memory([new, same, changed]),
    ]


def new_jobs(folder: Path, jobs: int) -> tuple[dict[str, Any], list[float]]:
    """Import the folder's ``whole.xml`` into a new installation while another process writes: what
    the import took, and how long each write did, in order.
    """
    _found(folder / "node")
    with _serving(folder) as port, _writing(folder / "node") as waits:
        new = _import(folder, port, "whole.xml")
    assert new["counts"]["added"] == jobs, new
    return new, waits


def wait(waits: list[float], jobs: int) -> Figure:
    note = (
        f"{jobs:,} new jobs, a write each 50 ms, {len(waits):,} writes; "
        f"p99 {waits[len(waits) * 99 // 100] * 1_000:.0f} ms"
    )
    return Figure(
        "longest wait of another writer meanwhile",
        waits[-1],
        "s",
        f"<= {MOST_WAIT}",
        waits[-1] <= MOST_WAIT,
        note,
    )


def memory(found: list[dict[str, Any]]) -> Figure:
    peak = max(one["rss_mb"] for one in found)
    return Figure("import, peak memory of the process", peak, "MB", "<= 300", peak <= MOST_MB)


def _beside_peer(folder: Path, port: int, page: str) -> dict[str, Any]:
    """What an import took, and its peer: the mean of a pass before it and a pass after it."""
    before = _bare(folder / page)
    found = _import(folder, port, page)
    return found | {"peer": (before + _bare(folder / page)) / 2}


def _speed(name: str, found: dict[str, Any], least: float) -> list[Figure]:
    """By the import's own CPU time, which other work on the machine distorts least."""
    size, ratio = found["mb"], found["peer"] / found["cpu"]
    note = (
        f"{size:.0f} MB, {found['cpu']:.2f} CPU s; {found['wall']:.2f} s by the clock, so "
        f"{size / found['wall']:.0f} MB/s"
    )
    limit = f">= {least:.2f}" if least else ""
    return [
        Figure(name, size / found["cpu"], "MB/CPU s", "", met=True, note=note),
        Figure(
            "… of a bare libxml2 pass",
            ratio,
            "×",
            limit,
            ratio >= least,
            f"the pass: {size / found['peer']:.0f} MB/CPU s, the same minute",
        ),
    ]


def write(path: Path, jobs: int, **how: Any) -> None:
    with path.open("wb") as file:
        for chunk in feed("talent", jobs, seed=7, **how):
            file.write(chunk)


def _bare(path: Path) -> float:
    """CPU seconds of libxml2 alone, in C from the file to a tree."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    start = time.process_time()
    etree.parse(path, parser)
    return time.process_time() - start


@contextmanager
def _serving(folder: Path) -> Iterator[int]:
    command = [sys.executable, "-m", "bench.feed_import", "serve", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield int(server.stdout.readline())
    finally:
        server.terminate()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


def _import(folder: Path, port: int, page: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.feed_import", "import", str(folder / "node")]
    found: dict[str, Any] = json.loads(subprocess.check_output([*command, str(port), page]))
    return found | {"mb": (folder / page).stat().st_size / 1e6}


@contextmanager
def _writing(folder: Path) -> Iterator[list[float]]:
    """Another process writes; how long each write took, in order, once the block has ended."""
    command = [sys.executable, "-m", "bench.feed_import", "write", str(folder)]
    waits: list[float] = []
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    yield waits
    told, _ = writer.communicate()
    waits.extend(json.loads(told))


def _write_on(folder: Path) -> None:
    """Write every 50 ms until standard input ends."""
    records, waits = records_of(folder), list[float]()
    print("begun", flush=True)
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        began = time.perf_counter()
        with records.write() as tx:
            tx.run_text("UPDATE feeds SET updated_at = updated_at + 1", {})
        waits.append(time.perf_counter() - began)
    print(json.dumps(sorted(waits)))
    records.close()


async def _serve(folder: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        page = folder / Path(request.split(b" ")[1].decode()).name
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ")
        writer.write(b"%d\r\n\r\n" % page.stat().st_size)
        await writer.drain()
        with page.open("rb") as file:
            await asyncio.get_running_loop().sendfile(writer.transport, file)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _found(folder: Path) -> None:
    """An installation with a client and a feed."""
    folder.mkdir()
    tools = open_tools(folder)
    with tools.records.write() as tx:
        client, _ = add_client(tx)
        body = FeedBody(url="http://127.0.0.1/")
        rows.add(
            tx,
            Feed(
                no=0,
                id=_FEED,
                client_no=client.no,
                status="A",
                body=body,
                created_at=NOW,
                updated_at=NOW,
            ),
        )
    tools.index.close()
    tools.records.close()


def _one_import(folder: Path, port: int, page: str) -> None:
    """Import in this process, and print what it took."""
    tools = Tools(
        records=records_of(folder),
        blobs=open_blobs(str(folder / "blobs")),
        index=EdgeIndex(folder / "index", writable=True),
        clock=SystemClock(),
        ids=SystemIds(),
        egress=Egress((f"127.0.0.1:{port}",)),
        settings=Settings(),
        scratch=folder / "scratch",
    )
    with tools.records.write() as tx:
        known = rows.at_work(tx, _FEED)
        assert known is not None
        known[0].body.url = f"http://127.0.0.1:{port}/{page}"
        rows.save_body(tx, known[0], NOW)
    cpu, wall = time.process_time(), time.perf_counter()
    run = import_feed(tools, _FEED)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert run is not None
    assert run.state == "SUCCESS", run.body
    found = {"wall": wall, "cpu": cpu, "rss_mb": _peak_mb(), "counts": run.body.counts}
    print(json.dumps(found))
    tools.egress.close()
    tools.index.close()
    tools.records.close()


def _peak_mb() -> float:
    """The most memory that this process has had since it began its own program."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(_serve(Path(sys.argv[2])))
    elif sys.argv[1] == "write":
        _write_on(Path(sys.argv[2]))
    else:
        _one_import(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
