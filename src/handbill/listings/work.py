"""Background work of listings: a client's parts, then the files of each publisher that changed,
then their delivery where a publisher wants it.
"""

from logging import getLogger

from handbill.clients import service as clients
from handbill.host.figures import gauge
from handbill.kit.faults import Unavailable
from handbill.kit.instants import MINUTE, Instant
from handbill.listings import (
    assembly,
    copies,
    delivering,
    indexing,
    nearby,
    publishing,
    rows,
    service,
)
from handbill.store.records import Tx
from handbill.work import kinds, queue
from handbill.work.queue import EVERYBODY, Task, enqueue, fail, finish, lease_named, put_back
from handbill.work.tools import Run, Schedule, Tools, ask_for_each

_LOG = getLogger("handbill.listings")
_LONG = MINUTE
_AHEAD = 10 * MINUTE  # fetched within this time: half of it should be left when the file is written
_LONGEST_SECONDS = int(delivering.LIMITS.total_seconds) + 120  # more than a delivery can take


def publish(tools: Tools, task: Task) -> None:
    if task.key == EVERYBODY:
        ask_for_each(tools, kinds.PUBLISH, rows.clients_in_files)
        return
    with tools.records.read() as tx:
        at_work = clients.client_at_work(tx, task.key)
    if at_work is not None:
        client, live = at_work
        publishing.publish(tools, client, live=live)


def republish(tools: Tools, task: Task) -> None:
    """Have a publisher's files decided again for each client, of which there may be very many."""
    ask_for_each(tools, kinds.FOLLOW, lambda tx: rows.clients_with_part(tx, int(task.key)))


def assemble(tools: Tools, task: Task) -> None:
    assembly.assemble(tools, int(task.key))


def refill(tools: Tools, task: Task) -> None:  # noqa: ARG001
    count = indexing.refill(tools)
    _LOG.info("the edge's index is filled again", extra={"jobs": count})


def deliver(tools: Tools, task: Task) -> None:
    delivering.deliver(tools, int(task.key), task.attempts)


def deliver_now(tools: Tools, publisher_no: int, name: str) -> bool:
    """Deliver all of a publisher's files at once, beside any worker; False when a worker is doing
    so, and will do it again. The result is stored, also of failures.
    """
    now, key = tools.clock.now(), str(publisher_no)
    with tools.records.write() as tx:
        service.deliver_all(tx, publisher_no, now)
    with tools.records.write() as tx:
        task = lease_named(tx, kinds.DELIVER, key, name, _LONGEST_SECONDS)
    if task is None:
        return False
    try:
        deliver(tools, task)
    except Unavailable as failed:
        with tools.records.write() as tx:
            fail(tx, task, tools.clock.now(), str(failed))
    except BaseException:
        with tools.records.write() as tx:
            put_back(tx, task, tools.clock.now(), "the command was stopped")
        raise
    else:
        with tools.records.write() as tx:
            finish(tx, task)
    return True


def enqueue_new_days(tx: Tx, now: Instant) -> None:
    for publisher_no in delivering.of_new_days(tx, now):
        enqueue(tx, kinds.DELIVER, str(publisher_no), now)


def look_nearby(tools: Tools, _: Task) -> None:
    """Have files fetched that the edge lacks: this host is new, or another host wrote them. Have
    those written again that are not the ones on record.
    """
    with tools.records.read() as tx:
        files = rows.written_files(tx)
    far = {file.publisher_no for file in files if not nearby.is_near(tools, file)}
    strange = [file for file in files if nearby.is_strange(tools, file)]
    now = tools.clock.now()
    with tools.records.write() as tx:
        far.update(file.publisher_no for file in strange if rows.forget_same(tx, file))
        for publisher_no in sorted(far):
            enqueue(tx, kinds.ASSEMBLE, str(publisher_no), now)


def hurry(tx: Tx, now: Instant) -> None:
    """Let work that has waited for a while go first in its agency's turn, if it changes a file that
    will soon be fetched: so the file is written before.
    """
    waiting = queue.waiting(tx, (kinds.ASSEMBLE, kinds.PUBLISH), now - _LONG)
    if not waiting:
        return
    shown = rows.publishers_shown(tx, [key for kind, key in waiting if kind == kinds.PUBLISH])
    assembled = {int(key) for kind, key in waiting if kind == kinds.ASSEMBLE}
    near = copies.near(tx, assembled.union(*shown.values()), now, now + _AHEAD)
    publishers = [str(no) for no in assembled & near]
    queue.put_first(tx, kinds.ASSEMBLE, publishers, now)
    queue.put_first(tx, kinds.PUBLISH, [one for one, nos in shown.items() if nos & near], now)


def enqueue_look(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_NEARBY, "", now)


def look_at_copies(tools: Tools, _: Task) -> None:
    """Delete old fetches, and report how many files are not fetched."""
    tools.records.in_steps(copies.forget)
    with tools.records.read() as tx:
        count = len(copies.lost(tx, tools.clock.now()))
    gauge("handbill_feeds_not_fetched", "Feed files with jobs that no publisher fetches").set(count)


def enqueue_copies(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.LOOK_AT_COPIES, "", now)


TASKS: dict[str, Run] = {
    kinds.PUBLISH: publish,
    kinds.ASSEMBLE: assemble,
    kinds.DELIVER: deliver,
    kinds.LOOK_NEARBY: look_nearby,
    kinds.REFILL: refill,
    kinds.LOOK_AT_COPIES: look_at_copies,
    kinds.REPUBLISH: republish,
}
SCHEDULE: list[Schedule] = [
    ("listings.new_days", 300, enqueue_new_days),
    (kinds.LOOK_NEARBY, 60, enqueue_look),
    (kinds.LOOK_AT_COPIES, 900, enqueue_copies),
    ("listings.hurry", 60, hurry),
]
