"""Background work of postings: turns that are due."""

from handbill.kit.instants import Instant
from handbill.postings import slots
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools

_AT_ONCE = 1_000
_SECONDS = 60


def turn(tools: Tools, task: Task) -> None:
    """Take the turn of one purchase; running it again changes nothing."""
    with tools.records.write() as tx:
        slots.turn(tx, task.key, tools.clock.now())


def enqueue_due(tx: Tx, now: Instant) -> None:
    """Enqueue turns that are due, a thousand at most; the others are found a minute later."""
    for config_id in slots.due(tx, now, _AT_ONCE):
        enqueue(tx, kinds.TURN, config_id, now)


TASKS: dict[str, Run] = {kinds.TURN: turn}
SCHEDULE: list[Schedule] = [("postings.due", _SECONDS, enqueue_due)]
