"""Background work of job groups: matching, when jobs or groups or the day have changed."""

from handbill.clients import service as clients
from handbill.groups import matching
from handbill.jobs.taking_over import settle
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools


def rematch(tools: Tools, task: Task) -> None:
    """Make a client's matches true, then have its listings published."""
    with tools.records.read() as tx:
        found = clients.client_at_work(tx, task.key)
    if found is None:
        return
    client, live = found
    settle(tools.records, client)
    if live:
        matching.rematch(tools.records, client, tools.clock.now())
    with tools.records.write() as tx:
        if not live:
            matching.forget(tx, client.no)
        enqueue(tx, kinds.PUBLISH, client.id, tools.clock.now())


def enqueue_new_days(tx: Tx, now: Instant) -> None:
    for client_id in matching.clients_of_new_day(tx, now):
        enqueue(tx, kinds.REMATCH, client_id, now)


def enqueue_ended_jobs(tx: Tx, now: Instant) -> None:
    for client_id in matching.clients_of_ended_jobs(tx, now):
        enqueue(tx, kinds.REMATCH, client_id, now)


TASKS: dict[str, Run] = {kinds.REMATCH: rematch}
SCHEDULE: list[Schedule] = [
    ("groups.new_days", 60, enqueue_new_days),
    ("groups.ended_jobs", 60, enqueue_ended_jobs),
]
