"""Composition root of an edge process: chooses the engines, and serves."""

import asyncio
import resource
import signal
import socket
from collections.abc import Callable
from functools import partial
from logging import getLogger
from pathlib import Path

import msgspec
import uvloop

from handbill.core import health
from handbill.core.health import CheckResult
from handbill.host import figures
from handbill.host.beats import BEAT_SECONDS, Beat
from handbill.host.folders import Unusable, has_room, make_private, room_of
from handbill.host.garbage import spare_what_stays
from handbill.host.identity import source_of
from handbill.host.masters import Masters
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.http1.connection import Connection
from handbill.http1.server import Server, ServerLimits
from handbill.kit.faults import Unavailable
from handbill.store.index import EdgeIndex, IndexFailed, key_place, mend
from handbill.store.journal_turns import GATHER_SECONDS, TurnWriter
from handbill.tracking.addresses import Proxies
from handbill.tracking.edge import Edge
from handbill.tracking.files import MOST_OPEN
from handbill.tracking.telling import logged_answers

_LOG = getLogger("handbill.edge")

DRAIN_S = 8.0
BACKLOG = 2048
_KEYS_EVERY = 60  # beats
_BROKEN_S = 1.0  # callers are told of a broken journal for so long, before the restart
_OTHER_FILES = MOST_OPEN + 128  # file descriptors for everything but connections


def main(settings: Settings, outside: Outside, number: int) -> None:
    """Serve as edge process ``number`` until SIGTERM or SIGINT, then finish in order.

    Ends with status 1 when the journal is broken and there is room for a new segment, so that the
    supervisor starts a new process, which begins one. **Refuses** to start while another process
    has the same number.
    """
    make_private(settings.data_folder)
    if mend(settings.index_folder):
        _LOG.error("the index was damaged, and is being rebuilt by a worker")
    figures.share(settings.figures_folder, f"edge-{number}")
    uvloop.run(_serve(settings, outside, number))


def listening(host: str, port: int) -> socket.socket:
    """A socket that any number of edge processes may share."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    opened.bind(address)
    opened.setblocking(False)
    return opened


async def _serve(settings: Settings, outside: Outside, number: int) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    broken = partial(end_with_room, stop, partial(has_room, settings.journal_folder))
    proxies = Proxies(settings.trusted_proxies)
    masters = Masters(settings)
    index = EdgeIndex(
        settings.index_folder,
        writable=False,
        open_key=lambda kid, kept: masters.opened(kept, *key_place(kid)),
    )
    edge, journal = edge_of(settings, outside, index, number, broken)
    answer = logged_answers(edge.answer) if settings.log_level == "debug" else edge.answer
    server = Server(answer, outside.clock, outside.ids, _limits(), proxies.has)
    for number_of_signal in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number_of_signal, stop.set)
    door = await loop.create_server(
        partial(Connection, server),
        sock=listening(settings.host, settings.edge_port),
        backlog=BACKLOG,
    )
    spare_what_stays()
    _LOG.info("edge %d serves", number)
    beat = Beat(settings.beats_folder, f"edge-{number}")
    living = asyncio.create_task(_live(beat, edge, server))
    try:
        await stop.wait()
    finally:
        living.cancel()
        door.close()
        await server.drain(DRAIN_S)
        journal.close()
        index.close()
        edge.telling.tell()
    if not edge.is_ready:
        raise SystemExit(1)


def end_with_room(
    stop: asyncio.Event, is_there_room: Callable[[], bool], seconds: float = _BROKEN_S
) -> None:
    """Ask for the end once a new process could begin: on a full disk it could not, and nobody would
    answer links with 503 and publishers with their feeds.
    """

    def look() -> None:
        if is_there_room():
            stop.set()
        else:
            end_with_room(stop, is_there_room, seconds)

    asyncio.get_running_loop().call_later(seconds, look)


def edge_of(
    settings: Settings,
    outside: Outside,
    index: EdgeIndex,
    number: int,
    broken: Callable[[], object],
    *,
    gather_seconds: float = GATHER_SECONDS,
) -> tuple[Edge, TurnWriter]:
    """An edge and its journal, which under load gathers records for so long; the caller closes the
    journal after the edge.
    """
    source = source_of(settings.data_folder, outside.ids, f"edge-{number}")
    journal = TurnWriter(
        settings.journal_folder, source, outside.ids, gather_seconds=gather_seconds
    )
    feeds = settings.nearby_folder / "feeds"
    checks = partial(_checks, settings, index, feeds)
    proxies = Proxies(settings.trusted_proxies)
    return Edge(journal, index, outside.clock, proxies, feeds, broken, checks), journal


def _checks(settings: Settings, index: EdgeIndex, feeds: Path) -> list[CheckResult]:
    """What an edge needs besides its journal."""
    free, files = room_of(settings.data_folder)
    return [
        health.index(index.is_whole()),
        health.disk(free, files, settings.least_free_bytes),
        health.feeds(int(index.has_urls() and not feeds.is_dir())),
    ]


async def _live(beat: Beat, edge: Edge, server: Server) -> None:
    """Show that the process is alive while the event loop runs, and report the counts."""
    turns = 0
    while True:
        beat.strike(answered=server.has_answered)
        server.has_answered = False
        edge.telling.tell()
        _renew(edge.renew_index)
        turns += 1
        if turns % _KEYS_EVERY == 0:
            _renew(edge.refresh_keys)
        await asyncio.sleep(BEAT_SECONDS)


def _renew(renew: Callable[[], None]) -> None:
    """Look for a new index, and read the keys again. A file that cannot be opened, or a missing
    master key, must not stop clicks.
    """
    try:
        renew()
    except (Unavailable, Unusable, IndexFailed, OSError) as missing:
        _LOG.error("the index or its keys could not be reloaded: %s", missing)


def _limits() -> ServerLimits:
    """The default limits, with no more connections than the system allows this process to open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    default = ServerLimits()
    wanted = default.most_connections + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    most = max(1, min(default.most_connections, soft - _OTHER_FILES))
    return msgspec.structs.replace(default, most_connections=most)
