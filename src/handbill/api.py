"""Composition root of the API: every room's operations on Granian, which keeps one worker."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from functools import partial
from logging import getLogger
from multiprocessing import parent_process, set_start_method
from typing import Any, Literal

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from starlette.types import ASGIApp, Lifespan

from handbill.access.doors import AccessDoors
from handbill.clients import service as client_reads
from handbill.contract.access import routes as access
from handbill.contract.bids import routes as bids
from handbill.contract.budget import routes as budget
from handbill.contract.callbacks import routes as callbacks
from handbill.contract.campaigns import routes as campaigns
from handbill.contract.changes import routes as changes
from handbill.contract.clients import routes as clients
from handbill.contract.definitions import routes as definitions
from handbill.contract.deliveries import routes as deliveries
from handbill.contract.events import routes as events
from handbill.contract.explain import routes as explain
from handbill.contract.feeds import routes as feeds
from handbill.contract.funnel import routes as funnel
from handbill.contract.health import routes as health
from handbill.contract.jobgroups import routes as jobgroups
from handbill.contract.jobs import routes as jobs
from handbill.contract.mailings import routes as mailings
from handbill.contract.markups import routes as markups
from handbill.contract.meta import routes as meta
from handbill.contract.needs import routes as needs
from handbill.contract.overview import routes as overview
from handbill.contract.partners import routes as partners
from handbill.contract.people import entering, minding, providers, sign_ins
from handbill.contract.people import factors as second_factors
from handbill.contract.people import routes as people
from handbill.contract.postings import jobs as posting_jobs
from handbill.contract.postings import routes as postings
from handbill.contract.publisher_families import routes as publisher_families
from handbill.contract.publishers import routes as publishers
from handbill.contract.questions import routes as questions
from handbill.contract.rates import routes as rates
from handbill.contract.rejudgings import routes as rejudgings
from handbill.contract.reports import routes as reports
from handbill.contract.rules import routes as rules
from handbill.contract.rules import running as rules_that_run
from handbill.contract.standing import routes as standing
from handbill.contract.stats import routes as stats
from handbill.core.nouns import Client
from handbill.host import figures, security
from handbill.host.beats import BEAT_SECONDS, Beat
from handbill.host.clock import measure_by
from handbill.host.egress import Egress
from handbill.host.folders import has_room
from handbill.host.garbage import spare_what_stays
from handbill.host.identity import source_of
from handbill.host.logs import log_json_lines, set_level
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.host.tie import end_when
from handbill.http.app import Application
from handbill.http.aside import Deputy, PipedAnswer, Work
from handbill.http.docs import with_pages
from handbill.http.front import Front, dated
from handbill.http.gates import Arrival
from handbill.http.lanes import Deputies
from handbill.http.operations import NO_JOURNAL, Caller, Desk, Operation
from handbill.http.witness import Witness
from handbill.kit.instants import Instant
from handbill.opening import open_stores
from handbill.pages.app import Pages
from handbill.people import sessions
from handbill.store.journal import JournalWriter
from handbill.store.records import Tx
from handbill.tracking.addresses import Proxies
from handbill.watching import Readiness
from handbill.worker import schedule

_log = getLogger("handbill.api")
Begun = Callable[[Settings], Outside]
"""Makes time and chance in each process of the API, once it has begun."""
_FIGURES_BYTES = 512 * 1024  # some hundred operations, each with its buckets
_HEADER_MS = 10_000
_BUFFER_BYTES = 65_536
_BACKLOG = 1_024
_MOST_CONNECTIONS = 16_384  # half-open ones too, until the header time is over
_OTHER_FILES = 256  # file descriptors for everything but connections
_SWITCH_SECONDS = 0.0005  # so soon the event loop gets the interpreter back from a thread
_ASIDE_SECONDS = 60.0
_END_SECONDS = 18  # the tree waits 20
_BULK_THREADS = 2
_LOOKUPS_OF_ONE = 2
_LOGS = {"loggers": {"_granian": {"level": "INFO", "propagate": True}}}  # as JSON, like the rest


def operations() -> list[Operation]:
    """Every operation of every room, by chapter of the document, in the contract's order."""
    chapters: Sequence[tuple[str, list[Operation]]] = (
        ("Access", access.OPERATIONS),
        ("People", people.OPERATIONS),
        ("People", entering.OPERATIONS),
        ("People", second_factors.OPERATIONS),
        ("People", minding.OPERATIONS),
        ("People", mailings.OPERATIONS),
        ("People", providers.OPERATIONS),
        ("People", sign_ins.OPERATIONS),
        ("Clients", clients.OPERATIONS),
        ("Jobs", jobs.OPERATIONS),
        ("Campaigns", campaigns.OPERATIONS),
        ("Job groups", jobgroups.OPERATIONS),
        ("Meta", meta.OPERATIONS),
        ("Feeds", feeds.OPERATIONS),
        ("Publishers", publishers.OPERATIONS),
        ("Publishers", publisher_families.OPERATIONS),
        ("Click definitions", definitions.OPERATIONS),
        ("Click definitions", rejudgings.OPERATIONS),
        ("Posting configs", postings.OPERATIONS),
        ("Posting jobs", posting_jobs.OPERATIONS),
        ("", explain.OPERATIONS),
        ("", standing.OPERATIONS),
        ("Job groups", bids.OPERATIONS),
        ("Clients", budget.OPERATIONS),
        ("Stats", overview.OPERATIONS),
        ("Stats", needs.OPERATIONS),
        ("Publishers", deliveries.OPERATIONS),
        ("Stats", stats.OPERATIONS),
        ("Rules", rules.OPERATIONS),
        ("Rules", rules_that_run.OPERATIONS),
        ("Funnel", funnel.OPERATIONS),
        ("Reports", reports.OPERATIONS),
        ("Reports", partners.OPERATIONS),
        ("Reports", questions.OPERATIONS),
        ("Reports", callbacks.OPERATIONS),
        ("Markups", markups.OPERATIONS),
        ("Rates", rates.OPERATIONS),
        ("Changes", changes.OPERATIONS),
        ("Events", events.OPERATIONS),
        ("Installation", health.OPERATIONS),
    )
    return [replace(one, tag=one.tag or tag) for tag, room in chapters for one in room]


class ApiDoors(AccessDoors):
    """The doors of the access room, of the people room and of the clients room."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._session_keys: dict[int, bytes] = {}

    def person(self, tx: Tx, session: str, now: Instant) -> Caller | None:
        live = sessions.proved(tx, session, self._session_keys, now)
        if live is None:
            return None
        role: Literal["agency", "partner"] = "partner"
        owner_no = live.family_no
        if live.agency_no is not None:
            role, owner_no = "agency", live.agency_no
        assert owner_no is not None, "its agency or family was found"
        return Caller(role, owner_no, live.owner_id, -live.person_no, standing=live)

    def client(
        self, tx: Tx, caller: Caller, client_id: str, *, hold: bool = False
    ) -> Client | None:
        find = client_reads.hold if hold else client_reads.find_client
        client = find(tx, caller.agency_no, client_id)
        only = caller.only_clients
        return client if client is None or only is None or client.no in only else None


def open_desk(settings: Settings, outside: Outside, process: str | None) -> Desk:
    """Open what operations work with. ``process`` is its name as a source of this host's journal;
    None if nothing is received here, so that there is no journal.
    """
    stores = open_stores(settings, outside, hurried=True)
    journal = NO_JOURNAL
    if process is not None:
        source = source_of(settings.data_folder, stores.ids, process)
        journal = JournalWriter(settings.journal_folder, source, stores.ids)
    return Desk(
        stores.records,
        stores.blobs,
        journal,
        stores.clock,
        stores.ids,
        settings,
        ApiDoors(settings),
        Egress(settings.egress_allow),
        schedule=schedule(),
    )


def build(
    desk: Desk, deputies: Deputies | None = None, lifespan: Lifespan[Any] | None = None
) -> Application:
    """The whole application on the engines of a desk."""
    return Application(with_pages(operations()), desk, deputies, lifespan)


def deputies_of(settings: Settings, begun: Begun) -> Deputies:
    """The processes for bulk and slow work, so that it does not hold up the event loop."""

    def deputy(places: int) -> Deputy:
        return Deputy(deputising, (begun, settings), places, _ASIDE_SECONDS)

    some = -(-settings.lookups_at_once // _LOOKUPS_OF_ONE)
    return {
        "bulk": [deputy(_BULK_THREADS)],
        "slow": [deputy(_LOOKUPS_OF_ONE) for _ in range(some)],
        "stream": [deputy(settings.streams_at_once)],
    }


def deputising(given: tuple[Begun, Settings]) -> Work:
    """What a deputy process does with a request that it is given."""
    begun, settings = given
    log_json_lines("api-deputy")
    set_level(settings.log_level)
    app = build(open_desk(settings, begun(settings), None))

    def work(asked: tuple[str, Arrival]) -> tuple[PipedAnswer, Iterator[bytes] | None]:
        return app.done_aside(asked)

    return work


def fronted(desk: Desk, app: Application | None = None) -> Front:
    """The application and the pages behind their limits, as they are served."""
    proxies = Proxies(desk.settings.trusted_proxies)
    return Front(
        Pages(app or build(desk), desk.ids, desk.settings.public_api),
        desk.clock,
        desk.ids,
        proxies.client_of,
        failures_per_minute=desk.settings.failures_per_minute,
        requests_at_once=desk.settings.requests_at_once,
    )


def main(settings: Settings, begun: Begun, number: int = 0, ahead: int | None = None) -> None:
    """Serve the API until SIGTERM; requests under way are answered first.

    Granian's own process holds the port and watches one worker, which does the work. When one of
    them dies, both end with status 1, so that the supervisor starts new ones.
    """
    set_start_method("fork", force=True)  # else Granian has its worker import everything again
    Granian(
        "handbill.api",
        address=settings.host,
        port=settings.api_port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=most_connections(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MS, max_buffer_size=_BUFFER_BYTES),
        log_access=False,
        log_dictconfig=_LOGS,
        workers_kill_timeout=_END_SECONDS,
    ).serve(target_loader=partial(working, settings, begun, number, ahead), wrap_loader=False)


def most_connections(files: int) -> int:
    """How many connections are accepted where this process may open so many files: strangers must
    not take those that journal and records need.
    """
    if files == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return min(_MOST_CONNECTIONS, max(files // 2, files - _OTHER_FILES))


def working(settings: Settings, begun: Begun, number: int, ahead: int | None) -> ASGIApp:
    """In the worker: serve the application. The worker ends with the process that watches it."""
    watcher = parent_process()
    assert watcher is not None, "a worker is another's child"
    end_when(watcher.join)
    log_json_lines(f"api-{number}")
    set_level(settings.log_level)
    if ahead is not None:
        measure_by(ahead)
    try:
        return _served(settings, begun, number)
    except Exception:  # noqa: BLE001 - whoever watches sees the status
        _log.critical("the API cannot be opened", exc_info=True)
        raise SystemExit(1) from None


def _served(settings: Settings, begun: Begun, number: int) -> ASGIApp:
    figures.share(settings.figures_folder, f"api-{number}", _FIGURES_BYTES)
    sys.setswitchinterval(_SWITCH_SECONDS)
    desk = open_desk(settings, begun(settings), f"api-{number}")
    watch = Readiness(desk, desk.schedule)
    desk = replace(desk, watch=watch.checks)

    async def live() -> None:
        beat = Beat(settings.beats_folder, f"api-{number}")
        # On a full disk a new process could not begin, and nobody would answer what can be read.
        while not desk.journal.broken or not has_room(settings.journal_folder):
            beat.strike(answered=app.has_answered)
            app.has_answered = False
            security.settle()
            await asyncio.sleep(BEAT_SECONDS)
        _log.error("the journal is broken: a new process begins a new segment")
        os.kill(os.getpid(), signal.SIGTERM)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        application.begin()
        spare_what_stays()
        with closing(application), closing(desk.egress), closing(desk.journal):
            tasks = [asyncio.create_task(live()), asyncio.create_task(watch.go_on())]
            yield
            for task in tasks:
                task.cancel()
            security.settle(every=True)

    application = build(desk, deputies_of(settings, begun), lifespan)
    front = fronted(desk, application)
    app = Witness(front, front.named)
    return dated(app, desk.clock) if settings.clock_file else app
