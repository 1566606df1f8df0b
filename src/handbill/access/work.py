"""Background work of access: deletes stored answers of retried requests after a day, and logs
security events in a process that has a log.
"""

from handbill.host import security
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools


def sweep(tools: Tools, task: Task) -> None:  # noqa: ARG001 - one for the whole installation
    from handbill.http import idempotency  # it imports everything that reads bodies

    now = tools.clock.now()
    tools.records.in_steps(lambda tx, most: idempotency.sweep(tx, now, most))


def tell_event(tools: Tools, task: Task) -> None:  # noqa: ARG001 - the task says all
    security.note(task.payload["event"], **task.payload["facts"])


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SWEEP_ACCESS, "all", now)


TASKS: dict[str, Run] = {kinds.SWEEP_ACCESS: sweep, kinds.TELL_EVENT: tell_event}
SCHEDULE: list[Schedule] = [("access.sweep", 3_600, ask_to_sweep)]
