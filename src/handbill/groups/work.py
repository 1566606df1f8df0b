"""Background work of job groups: matching, when jobs or groups or the day have changed."""

from handbill.clients import service as clients
from handbill.core.trail import Occasion
from handbill.groups import matching
from handbill.groups import service as groups
from handbill.host.acting import acting
from handbill.jobs.taking_over import settle
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools


def rematch(tools: Tools, task: Task) -> None:
    """Make a client's matches true, then have its caps looked at and its listings published."""
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
        enqueue(tx, kinds.FOLLOW, client.id, tools.clock.now())


def look(tools: Tools, _: Task) -> None:
    """Have matched again whose day has changed, and who has jobs that have ended. To find them may
    take long, so it is done while nobody waits for a transaction.
    """
    now = tools.clock.now()
    with tools.records.read() as tx:
        found = {*matching.clients_of_new_day(tx, now), *matching.clients_of_ended_jobs(tx, now)}

    def ask(tx: Tx, some: list[str]) -> None:
        for client_id in some:
            enqueue(tx, kinds.REMATCH, client_id, now)

    tools.records.in_parts(sorted(found), ask)


def delete_rest(tools: Tools, task: Task) -> None:
    """Whoever deleted the campaign deletes its job groups too."""
    with acting(Occasion(*task.payload["by"])):
        groups.delete_rest(tools.records, int(task.key), task.payload["at"])


def ask_to_look(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_AT_DAYS, "", now)


TASKS: dict[str, Run] = {
    kinds.REMATCH: rematch,
    kinds.LOOK_AT_DAYS: look,
    kinds.DELETE_REST: delete_rest,
}
SCHEDULE: list[Schedule] = [(kinds.LOOK_AT_DAYS, 60, ask_to_look)]
