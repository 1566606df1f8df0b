"""The server tree that the demo starts, and the careers sites whose feeds it fetches."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from aiohttp import web

from handbill.demo import market
from handbill.demo.calls import DemoFailed
from handbill.demo.feeds import Dialect, feed
from handbill.host.probes import READY_SECONDS

_READY_SECONDS = READY_SECONDS + 30  # then the tree itself has given up
_STOP_SECONDS = 120
_TAIL = 3_000


class Addresses(NamedTuple):
    """The addresses of the tree."""

    api: str
    edge: str


class Hosted(NamedTuple):
    """A feed on a careers site: dialect, number of jobs, seed. ``breaks``: its file has lately
    ended in the middle of a job.
    """

    dialect: Dialect
    jobs: int
    seed: int
    breaks: bool = False

    def feed(self) -> Iterator[bytes]:
        return feed(self.dialect, self.jobs, self.seed)


def torn(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A file without its end."""
    for chunk in chunks:
        yield chunk[: len(chunk) // 2]
        return


def hosted_feeds(seed: int) -> dict[str, Hosted]:
    """The feeds of the careers sites. Each has its own seed, so that no two jobs are equal."""
    sources = [source for employer in market.EMPLOYERS for source in employer.sources]
    return {
        source.name: Hosted(source.dialect, source.jobs, seed + place, source.breaks)
        for place, source in enumerate(sources)
    }


@asynccontextmanager
async def careers_sites(feeds: Mapping[str, Hosted], port: int) -> AsyncIterator[None]:
    """Serve feeds at http://127.0.0.1:{port}/{name}.xml, as their owners' sites would."""

    async def answer(request: web.Request) -> web.StreamResponse:
        hosted = feeds.get(request.match_info["name"])
        if hosted is None:
            raise web.HTTPNotFound
        response = web.StreamResponse(headers={"content-type": "application/xml; charset=utf-8"})
        await response.prepare(request)
        for chunk in torn(hosted.feed()) if hosted.breaks else hosted.feed():
            await response.write(chunk)
        await response.write_eof()
        return response

    app = web.Application()
    app.router.add_get("/{name}.xml", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as taken:
            raise DemoFailed(
                f"port {port}, at which the demo's feeds live, is taken by another program; "
                "end that one, or remove the demo's folder to start afresh"
            ) from taken
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def served(
    environment: Mapping[str, str], log: Path
) -> AsyncIterator[tuple[Addresses, Process]]:
    """A running ``handbill serve``; its logs go to a file, and the block ends it in order.

    It is tied to this process by its standard input, so that it never outlives the demo.
    """
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "handbill",
            "serve",
            "--tied",
            stdin=PIPE,
            stdout=PIPE,
            stderr=file,
            env=environment,
            start_new_session=True,
        )
    try:
        yield await _ready(process, log), process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _ready(process: Process, log: Path) -> Addresses:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _READY_SECONDS)
    except TimeoutError:
        line = b""
    if not line:
        raise DemoFailed(f"the server did not start; the end of {log}:\n{_tail_of(log)}")
    addresses = msgspec.json.decode(line)
    return Addresses(addresses["api"], addresses["edge"])


def _tail_of(log: Path) -> str:
    return log.read_bytes()[-_TAIL:].decode(errors="replace")
