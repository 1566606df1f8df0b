"""Background work of feeds: imports, on request and on schedule."""

from handbill.feeds import rows, service
from handbill.feeds.importing import import_feed
from handbill.feeds.service import enqueue_due
from handbill.feeds.turns import FetchTurns
from handbill.jobs.taking_over import Amid
from handbill.kit.instants import SECOND
from handbill.work import kinds
from handbill.work.loop import NotYet
from handbill.work.queue import Task
from handbill.work.tools import Run, Schedule, Tools

_TURNS = FetchTurns()
_WAIT = 2 * SECOND


def run_import(tools: Tools, task: Task) -> None:
    """Run a feed. The task is done even if the run fails.

    **Refuses** (NotYet) while too many feeds of its agency, or of its server, are being fetched
    here, and while another feed of its client is being taken over.
    """
    with tools.records.read() as tx:
        origin = service.origin_of(tx, task.key)
    if origin is None:
        return
    agency_no, host = origin
    bounds = {
        f"agency {agency_no}": tools.settings.fetches_of_agency,
        f"host {host}": tools.settings.fetches_of_host,
    }
    with _TURNS.taken(bounds) as has_room:
        if not has_room:
            raise NotYet(_WAIT)
        try:
            import_feed(tools, task.key)
        except Amid as amid:
            raise NotYet(_WAIT) from amid


def hurry(tools: Tools, task: Task) -> None:
    """Another feed has left jobs to this one: have it read anew."""
    with tools.records.write() as tx:
        rows.hurry(tx, {int(task.key)}, tools.clock.now())


TASKS: dict[str, Run] = {kinds.IMPORT: run_import, kinds.HURRY: hurry}
SCHEDULE: list[Schedule] = [("feeds.due", 30, enqueue_due)]
