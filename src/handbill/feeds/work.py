"""Background work of feeds: imports, when asked for and when their time has come."""

from handbill.feeds import rows
from handbill.feeds.importing import import_feed
from handbill.feeds.service import IMPORT, enqueue_due
from handbill.jobs.service import HURRY
from handbill.work.queue import Task
from handbill.work.tools import Run, Schedule, Tools


def run_import(tools: Tools, task: Task) -> None:
    """Run a feed. A run that fails is a run that ended: the task is done."""
    import_feed(tools, task.key)


def hurry(tools: Tools, task: Task) -> None:
    """Another feed has left it jobs: it is to be read anew."""
    with tools.records.write() as tx:
        rows.hurry(tx, {int(task.key)}, tools.clock.now())


TASKS: dict[str, Run] = {IMPORT: run_import, HURRY: hurry}
SCHEDULE: list[Schedule] = [("feeds.due", 30, enqueue_due)]
