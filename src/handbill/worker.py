"""Composition root of workers and fetchers: every room's tasks on the chosen engines.

Work that waits for other people's servers runs in processes of its own, the fetchers: a slow feed
must not hold up matching, outbound feeds or reports. In a fetcher each kind of work has threads of
its own, and imports have many: a slow feed holds up no callback and no other feed.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType

from handbill.access import work as access
from handbill.callbacks import work as callbacks
from handbill.changes import work as changes
from handbill.control import work as control
from handbill.definitions import work as definitions
from handbill.feeds import work as feeds
from handbill.funnel import work as funnel
from handbill.groups import work as groups
from handbill.host import figures
from handbill.host.beats import beating
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.ledger import work as ledger
from handbill.listings import indexing
from handbill.listings import service as listing_service
from handbill.listings import work as listings
from handbill.mail import work as mail
from handbill.mailings import work as mailings
from handbill.opening import open_tools
from handbill.people import work as people
from handbill.postings import work as postings
from handbill.stats import work as stats
from handbill.store.index import mend
from handbill.work import kinds
from handbill.work.loop import SideThread, Worker, beside
from handbill.work.queue import revive
from handbill.work.tools import Run, Schedule, Tools

_LOG = logging.getLogger("handbill.work")

ROOMS: tuple[ModuleType, ...] = (
    changes,
    access,
    people,
    callbacks,
    mail,
    definitions,
    feeds,
    groups,
    postings,
    control,
    listings,
    funnel,
    ledger,
    stats,
    mailings,
)


FETCHED = frozenset(
    {kinds.IMPORT, kinds.SEND_CALLBACK, kinds.SEND_MAIL, kinds.READ_LIST, kinds.DELIVER}
)
"""The kinds of task that talk to others' servers: each has threads of its own in each fetcher."""
_LANE_IDLE = 0.5
_MIND_SECONDS = 1.0
_CALLBACK_LANES = 3  # besides the fetcher's own: a server that hangs holds one for 15 seconds


def tasks() -> Mapping[str, Run]:
    """The function of every kind of task."""
    every: dict[str, Run] = {}
    for room in ROOMS:
        twice = every.keys() & room.TASKS.keys()
        assert not twice, f"two rooms run {twice}"
        every |= room.TASKS
    return every


def schedule() -> Sequence[Schedule]:
    """What is enqueued by the clock; not every room has a schedule."""
    of_rooms = [item for room in ROOMS for item in getattr(room, "SCHEDULE", ())]
    return [("work.revive", 600, revive), *of_rooms]


def main(settings: Settings, outside: Outside, number: int = 0, *, fetches: bool = False) -> None:
    """Work until SIGTERM or SIGINT; a task under way is broken off, and run again later.

    ``fetches``: take only tasks that talk to others' servers; otherwise take all other tasks. Both
    kinds of process run the schedule, which only enqueues.
    """
    name = f"{'fetcher' if fetches else 'worker'}-{number}"
    figures.share(settings.figures_folder, name)
    if mend(settings.index_folder):
        _LOG.error("the edge's index was damaged, and is being rebuilt")
    tools = replace(open_tools(settings, outside), worker=name)
    every = tasks()
    mine = {kind: run for kind, run in every.items() if kind not in FETCHED}
    lanes, workers = lanes_of(tools, name) if fetches else [], settings.workers
    if fetches:
        workers = settings.fetchers * (1 + _CALLBACK_LANES)
        mine = {kinds.SEND_CALLBACK: every[kinds.SEND_CALLBACK]}
    try:
        if not fetches:
            _take_over_address(tools)
        minding = SideThread("index", _MIND_SECONDS, partial(indexing.mind, tools))
        with beating(settings.beats_folder, name), beside(lanes), minding:
            Worker(tools, name, mine, schedule(), workers=workers).run()
    finally:
        if not fetches:  # a fetch may still be under way in its thread, until the process ends
            tools.index.close()
            tools.records.close()


def lanes_of(tools: Tools, name: str) -> list[Worker]:
    """The threads beside a fetcher's callbacks: more for callbacks, several for imports, and one
    for each other kind.
    """
    every, imports = tasks(), tools.settings.fetches
    counts = {
        kinds.SEND_CALLBACK: _CALLBACK_LANES,
        kinds.IMPORT: imports,
        **dict.fromkeys(sorted(FETCHED - {kinds.SEND_CALLBACK, kinds.IMPORT}), 1),
    }
    return [
        Worker(
            tools,
            f"{name}-{kind}-{lane}",
            {kind: every[kind]},
            workers=tools.settings.fetchers * (count + (kind == kinds.SEND_CALLBACK)),
            idle_seconds=_LANE_IDLE,
        )
        for kind, count in counts.items()
        for lane in range(count)
    ]


def _take_over_address(tools: Tools) -> None:
    """After a change of the edge's address, write all outbound feeds again before anything else is
    published: else old and new links would be mixed in one file.
    """
    with tools.records.write() as tx:
        taken = listing_service.take_over_address(tx, tools.settings, tools.clock.now())
    if taken is not None:
        former, count = taken
        _LOG.warning(
            "the edge's address changed from %s to %s: the outbound feeds of %d clients are "
            "written again; published links lead to the former address, so keep it working",
            former,
            tools.settings.public_edge,
            count,
        )
