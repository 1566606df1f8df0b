"""Background work of changes: those older than 400 days are deleted, some at a time."""

from handbill.changes import service
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools


def sweep(tools: Tools, task: Task) -> None:  # noqa: ARG001 - one for the whole installation
    now = tools.clock.now()
    tools.records.in_steps(lambda tx, most: service.forget(tx, now, most))


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SWEEP_CHANGES, "", now)


TASKS: dict[str, Run] = {kinds.SWEEP_CHANGES: sweep}
SCHEDULE: list[Schedule] = [(kinds.SWEEP_CHANGES, 3_600, ask_to_sweep)]
