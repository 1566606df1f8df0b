"""``handbill demo``: fill an empty data folder with a market, play traffic, print the report."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp
import msgspec
from rich.console import Console

from handbill.config import environment_of
from handbill.demo import market, outlets, story
from handbill.demo.calls import AgencyProgram, DemoFailed, until
from handbill.demo.inviting import invited
from handbill.demo.past import DemoPast, lived
from handbill.demo.progress import Showing
from handbill.demo.report import COUNTS, printed, reported, total_of
from handbill.demo.server import Addresses, careers_sites, hosted_feeds, served
from handbill.demo.traffic import plan_of
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.kit.figures import counted
from handbill.ledger.books import Books
from handbill.ledger.checking import check
from handbill.opening import locked, opened, prepare

_NOTE = "demo.json"
_LOG = "demo.log"
_JUDGED_SECONDS = 60
_WIDTH = 110  # of lines that are written to a file


class Note(msgspec.Struct):
    """What the demo stores about itself in its data folder. The key opens nothing but the demo."""

    state: Literal["playing", "played", "failed"]
    seed: int
    feeds_port: int
    days: int = 0
    api_key: str = ""
    api_client_id: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class DemoScene:
    """What the whole demo uses."""

    settings: Settings
    note: Note
    console: Console
    outside: Outside
    as_json: bool

    @property
    def feeds_at(self) -> str:
        return f"http://127.0.0.1:{self.note.feeds_port}"

    def remember(self) -> None:
        path = self.settings.data_folder / _NOTE
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self.note), indent=2))


def note_of(folder: Path) -> Note | None:
    """The demo in a folder. **Refuses** a folder with anything else in it (DemoFailed)."""
    path = folder / _NOTE
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Note)
    if folder.exists() and any(folder.iterdir()):
        raise DemoFailed(
            f"{folder} is not empty and holds no demo; name an empty folder with --data"
        )
    return None


def play(
    settings: Settings, outside: Outside, seed: int, days: int, *, stay: bool, as_json: bool
) -> int:
    """Play the demo, or serve an existing one. The exit status: 1 if it did not add up.

    ``days``: the length of its past. ``as_json``: the result is one JSON line, and text for people
    goes to standard error.
    """
    folder = settings.data_folder
    console = Console(stderr=as_json)
    if not console.is_terminal:
        console.width = _WIDTH
    note = note_of(folder)
    if note is not None and (stay or note.state == "playing"):
        _refuse_served(folder)
    if note is not None and note.state == "playing":
        console.print(f"The demo in {folder} was broken off; it is played again from the start.")
        shutil.rmtree(folder)
        note = None
    if note is not None and not stay:
        raise DemoFailed(
            f"{folder} already holds a demo. `handbill demo --data {folder} --stay` serves it; "
            f"`rm -r {folder}` makes room for a new one"
        )
    if note is None:
        scene = DemoScene(
            settings, Note("playing", seed, _free_port(), days), console, outside, as_json
        )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        scene.remember()
    else:
        console.print(f"The demo in {folder} is served again (`rm -r {folder}` to start afresh).")
        scene = DemoScene(settings, note, console, outside, as_json)
    own, past = _own(scene), None
    if scene.note.state == "playing":
        past = lived(own, outside, scene.feeds_at, seed, days, Showing())
        scene.note.api_key, scene.note.api_client_id = past.api_key, past.api_client_id
    prepare(own, outside)
    return asyncio.run(_run(scene, own, past, stay=stay))


def _own(scene: DemoScene) -> Settings:
    """The settings that the demo runs with: fetching from its own sites is allowed."""
    settings = scene.settings
    return msgspec.structs.replace(
        settings,
        egress_allow=(*settings.egress_allow, f"127.0.0.1:{scene.note.feeds_port}"),
        trusted_proxies=(*settings.trusted_proxies, "127.0.0.1"),
    )


async def _run(scene: DemoScene, own: Settings, past: DemoPast | None, *, stay: bool) -> int:
    """``past``: the days just lived; None if the demo was played before."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()
    assert main is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _told_to_stop, stop, main)
    note = scene.note
    try:
        async with (
            careers_sites(hosted_feeds(note.seed), note.feeds_port),
            served(os.environ | environment_of(own), own.data_folder / _LOG) as tree,
        ):
            addresses, process = tree
            status = await _play(scene, addresses, past) if past is not None else 0
            if stay and status == 0:
                link = await asyncio.to_thread(invited, own, scene.outside, addresses.api)
                _say_where(scene.console, addresses, note, link)
                await _until_stopped(stop, process)
            return status
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        return 1 if note.state == "playing" else 0


def _refuse_served(folder: Path) -> None:
    try:
        with locked(folder / "serve.lock", wait=False):
            return
    except BlockingIOError as held:
        raise DemoFailed(f"another handbill plays or serves {folder}; stop it first") from held


def _told_to_stop(stop: asyncio.Event, main: "asyncio.Task[int]") -> None:
    if not stop.is_set():
        stop.set()
        main.cancel()


async def _until_stopped(stop: asyncio.Event, process: Process) -> None:
    """Wait for a signal, or for the server to end by itself (DemoFailed)."""
    asked = asyncio.create_task(stop.wait())
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait({asked, ended}, return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            raise DemoFailed(f"the server ended by itself with status {ended.result()}")
    finally:
        asked.cancel()
        ended.cancel()


async def _play(scene: DemoScene, addresses: Addresses, past: DemoPast) -> int:
    note, console = scene.note, scene.console
    now = scene.outside.clock.now()
    before = await asyncio.to_thread(_books, scene)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        agency = AgencyProgram(session, addresses.api, note.api_key, note.api_client_id)
        showing = Showing()
        with showing.shown():
            await agency.sign_in()
            offers = await story.read_outbound(agency, showing)
            plan = plan_of(offers, note.seed)
            heard = await story.click(session, plan, showing)
            await story.apply(agency, addresses.edge, past.clients, plan, heard, showing)
            received = heard.clicks.total() + heard.conversions
            with showing.step("Judging", received) as done:
                books = await _judged(scene, before.sums["received"] + received)
                done(received)
            rows = [
                (one.name, await reported(agency, one.id, now, note.days + 2))
                for one in past.clients
            ]
    for name, some in rows:
        printed(console, name, some, "USD")
    every = [row for _, some in rows for row in some]
    note.client_id = past.clients[0].id
    clicks, bots = total_of(every, COUNTS), total_of(every, ["botClicks"])
    faults = _faults(heard, past, clicks, bots, books)
    note.state = "failed" if faults else "played"
    scene.remember()
    _say_sum(scene, heard, past, len(offers), books)
    for fault in faults:
        console.print(f"[bold red]{fault}[/]")
    return 1 if faults else 0


async def _judged(scene: DemoScene, received: int) -> Books:
    """Wait until the judge has booked all that was acknowledged; returns the books."""

    async def ask() -> Books | None:
        books = await asyncio.to_thread(_books, scene)
        return books if books.sums["received"] >= received else None

    return await until("the judge", ask, _JUDGED_SECONDS)


def _books(scene: DemoScene) -> Books:
    with opened(scene.settings, scene.outside) as stores:
        return check(stores.records, stores.blobs, scene.settings.scratch_folder)


def _faults(
    heard: story.DemoAcknowledged, past: DemoPast, clicks: int, bots: int, books: Books
) -> list[str]:
    """What does not add up: acknowledged against reported, bots, and the books themselves."""
    faults = list(books.faults)
    counted, bots_seen = past.clicks + heard.clicks.total(), past.bots + heard.bots
    if clicks != counted:
        faults.append(f"{counted} clicks were acknowledged, {clicks} are reported")
    if bots != bots_seen:
        faults.append(f"{bots_seen} bots clicked, {bots} are reported")
    return faults


def _say_sum(
    scene: DemoScene, heard: story.DemoAcknowledged, past: DemoPast, listings: int, books: Books
) -> None:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(heard.clicks.items()))
    days = counted(scene.note.days, "day")
    scene.console.print(
        f"{market.JOBS:,} jobs, {listings:,} listings in {len(outlets.OUTLETS)} publishers' feeds. "
        f"In {days}: {past.clicks:,} clicks, {past.conversions:,} conversions. "
        f"Today: {kinds}; {heard.conversions} conversions."
    )
    sums = ", ".join(f"{name} {value:,}" for name, value in books.sums.items())
    state = "balanced" if books.balanced else "NOT balanced"
    scene.console.print(f"ledger check: {state} ({sums})")
    if scene.as_json:
        summary = {
            "jobs": market.JOBS,
            "listings": listings,
            "past": {
                "days": scene.note.days,
                "clicks": past.clicks,
                "conversions": past.conversions,
            },
            "visits": dict(heard.clicks),
            "conversions": heard.conversions,
            "balanced": books.balanced,
            "sums": dict(books.sums),
        }
        sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")


def _say_where(console: Console, addresses: Addresses, note: Note, link: str) -> None:
    console.print(
        f"Pages    {addresses.api}/app\n"
        f"Sign in  {link}   (sets your password; good once, for 48 hours)\n"
        f"API      {addresses.api}   documents: {addresses.api}/docs\n"
        f"Edge     {addresses.edge}\n"
        f"API key  {note.api_key}   API client id  {note.api_client_id}\n"
        "Try:\n"
        f"  TOKEN=$(curl -s {addresses.api}/token -H 'x-api-key: {note.api_key}' "
        f"-H 'content-type: application/json' -d '{{\"client_id\": \"{note.api_client_id}\"}}' "
        '| sed \'s/.*"access_token":"\\([^"]*\\)".*/\\1/\')\n'
        f"  curl '{addresses.api}/clients?page=0&limit=10' -H 'x-api-key: {note.api_key}' "
        '-H "x-authorization-key: $TOKEN"\n'
        "Ctrl-C ends it.",
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
