"""Background work of job groups: matching, after changes of jobs, groups or the day."""

from handbill.access import service as access
from handbill.clients import service as clients
from handbill.core.nouns import Client
from handbill.core.trail import Occasion
from handbill.groups import days, matching, remembered
from handbill.groups import service as groups
from handbill.host.acting import acting
from handbill.jobs import abroad
from handbill.jobs.taking_over import settle
from handbill.kit.instants import Instant
from handbill.publishers import service as publishers
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools

_AT_ONCE = 1_000


def rematch(tools: Tools, task: Task) -> None:
    """Make a client's matches true; then have its caps evaluated and its listings published."""
    with tools.records.read() as tx:
        at_work = clients.client_at_work(tx, task.key)
    if at_work is None:
        return
    client, live = at_work
    settle(tools.records, client)
    if live:
        matching.rematch(tools.records, client, tools.clock.now())
    with tools.records.write() as tx:
        if not live:
            remembered.forget(tx, client.no)
        enqueue(tx, kinds.FOLLOW, client.id, tools.clock.now())


def look(tools: Tools, _: Task) -> None:
    """Enqueue a rematch of clients whose day has changed, or whose jobs have ended. Finding them
    may take long, so it is done while nobody waits for a transaction.
    """
    now = tools.clock.now()
    with tools.records.read() as tx:
        ids = {*days.clients_of_new_day(tx, now), *days.clients_of_ended_jobs(tx, now)}

    def ask(tx: Tx, some: list[str]) -> None:
        for client_id in some:
            enqueue(tx, kinds.REMATCH, client_id, now)

    tools.records.in_parts(sorted(ids), ask)


def delete_rest(tools: Tools, task: Task) -> None:
    """Delete the job groups of a deleted campaign, as the actor who deleted it."""
    with acting(Occasion(*task.payload["by"])):
        groups.delete_rest(tools.records, int(task.key), task.payload["at"])


def look_at_rates(tools: Tools, task: Task) -> None:
    """Enqueue matching and publishing for the clients that new rates affect: of one agency, or of
    all, if a feed bids in another currency or a job group places such a publisher.
    """
    now, agency_no = tools.clock.now(), int(task.key)
    with tools.records.read() as tx:
        ids = _concerned(tx, agency_no)

    def ask(tx: Tx, some: list[str]) -> None:
        for client_id in some:
            enqueue(tx, kinds.REMATCH, client_id, now)

    tools.records.in_parts(ids, ask)


def _concerned(tx: Tx, agency_no: int) -> list[str]:
    """The ids of these clients. ``agency_no`` 0: of every agency."""
    bidding = abroad.clients(tx)
    ids: list[str] = []
    for agency in access.agencies_of_all(tx):
        if agency_no not in {0, agency.no}:
            continue
        foreign = {
            one.id
            for one in publishers.publishers_of(tx, agency.no)
            if one.body.currency != agency.currency
        }
        skip = 0
        while some := clients.page(tx, agency.no, skip, _AT_ONCE)[0]:
            ids += [
                client.id
                for client in some
                if client.no in bidding or (foreign and _places(tx, client, foreign))
            ]
            skip += len(some)
    return ids


def _places(tx: Tx, client: Client, publisher_ids: set[str]) -> bool:
    return any(
        placement.publisher_id in publisher_ids
        for group in groups.groups_of(tx, client.no)
        for placement in group.body.placements
    )


def ask_to_look(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_AT_DAYS, "", now)


TASKS: dict[str, Run] = {
    kinds.REMATCH: rematch,
    kinds.LOOK_AT_DAYS: look,
    kinds.LOOK_AT_RATES: look_at_rates,
    kinds.DELETE_REST: delete_rest,
}
SCHEDULE: list[Schedule] = [(kinds.LOOK_AT_DAYS, 60, ask_to_look)]
