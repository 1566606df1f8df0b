"""Background work of changes: those of 400 days ago are forgotten, some at a time."""

from handbill.changes import service
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools

AT_ONCE = 1_000
_MOST_ROUNDS = 1_000


def sweep(tools: Tools, task: Task) -> None:  # noqa: ARG001 - one for the whole installation
    for _ in range(_MOST_ROUNDS):
        with tools.records.write() as tx:
            if service.forget(tx, tools.clock.now(), AT_ONCE) < AT_ONCE:
                break
        tools.records.give_way()


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SWEEP_CHANGES, "", now)


TASKS: dict[str, Run] = {kinds.SWEEP_CHANGES: sweep}
SCHEDULE: list[Schedule] = [(kinds.SWEEP_CHANGES, 3_600, ask_to_sweep)]
