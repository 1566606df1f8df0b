"""Background work of people: deletes sessions, links and sign-ins that have ended."""

from collections.abc import Callable
from functools import partial

from handbill.kit.instants import Instant
from handbill.people import provider_rows, rows
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools


def sweep(tools: Tools, task: Task) -> None:  # noqa: ARG001 - one for the whole installation
    now = tools.clock.now()
    for some in (rows.sweep_sessions, rows.sweep_links, provider_rows.sweep_finished):
        tools.records.in_steps(partial(_some, some, now))


def _some(sweeping: Callable[[Tx, Instant, int], int], now: Instant, tx: Tx, most: int) -> int:
    return sweeping(tx, now, most)


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SWEEP_SESSIONS, "all", now)


TASKS: dict[str, Run] = {kinds.SWEEP_SESSIONS: sweep}
SCHEDULE: list[Schedule] = [("people.sweep", 3_600, ask_to_sweep)]
