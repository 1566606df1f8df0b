"""Background work of the funnel: waiting items are judged again."""

from handbill.clients import service as clients
from handbill.core.funnel_stages import PARKED, UNMAPPED
from handbill.core.nouns import Client
from handbill.funnel import service
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import EVERYBODY, Task, enqueue
from handbill.work.tools import Run, Schedule, Tools, ask_for_each

_SECONDS, _SECONDS_OF_ALL = 60, 900


def settle(tools: Tools, task: Task) -> None:
    """Judge all waiting items of one client, a batch per transaction; or enqueue that for each."""
    if task.key == EVERYBODY:
        ask_for_each(tools, kinds.SETTLE, service.clients_waiting)
        return
    client = _client(tools, task)
    if client is not None:
        for disposition in (PARKED, UNMAPPED):
            _walk(tools, client, disposition, 0)


def settle_latest(tools: Tools, task: Task) -> None:
    """Judge the latest parked items of one client, since most can be judged a moment later; or
    enqueue that for each client.
    """
    if task.key == EVERYBODY:
        ask_for_each(tools, kinds.SETTLE_LATEST, service.clients_waiting)
        return
    client = _client(tools, task)
    if client is not None:
        with tools.records.read() as tx:
            after = service.lately(tx, client)
        _walk(tools, client, PARKED, after)


def _client(tools: Tools, task: Task) -> Client | None:
    with tools.records.read() as tx:
        at_work = clients.client_at_work(tx, task.key)
    return None if at_work is None else at_work[0]


def _walk(tools: Tools, client: Client, disposition: str, after: int) -> None:
    """Numbers only grow, so this ends when no more items wait."""
    at: int | None = after
    while at is not None:
        with tools.records.write() as tx:
            at = service.settle(tx, client, disposition, at, tools.clock.now())
        tools.records.give_way()


def enqueue_latest(tx: Tx, now: Instant) -> None:
    _enqueue_all(tx, kinds.SETTLE_LATEST, now)


def enqueue_waiting(tx: Tx, now: Instant) -> None:
    _enqueue_all(tx, kinds.SETTLE, now)


def _enqueue_all(tx: Tx, kind: str, now: Instant) -> None:
    if service.clients_waiting(tx):
        enqueue(tx, kind, EVERYBODY, now)


TASKS: dict[str, Run] = {kinds.SETTLE: settle, kinds.SETTLE_LATEST: settle_latest}
SCHEDULE: list[Schedule] = [
    (kinds.SETTLE_LATEST, _SECONDS, enqueue_latest),
    ("funnel.waiting", _SECONDS_OF_ALL, enqueue_waiting),
]
