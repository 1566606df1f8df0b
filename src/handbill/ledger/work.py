"""Background work of the ledger: many small segments made one, and the floor swept."""

from handbill.kit.instants import DAY, Instant
from handbill.ledger import rows
from handbill.store import events
from handbill.store.records import Tx
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools

_MOST_ROUNDS = 50
_CLICKS_KEPT = 120 * DAY  # the longest window is 90 days; a later apply needs no click to be late
_CLICKS_AT_ONCE = 10_000
_MOST_SWEEPS = 1_000


def compact(tools: Tools, task: Task) -> None:
    """Merge a client's small segments until few are left; the former ones are deleted later."""
    client_no = int(task.key)
    for _ in range(_MOST_ROUNDS):
        with tools.records.read() as tx:
            former = events.chosen(events.segments_of(tx, client_no))
        if not former:
            return
        now = tools.clock.now()
        path = events.path_of(client_no, former[0].month, now, tools.ids)
        made = events.merge(tools.blobs, tools.scratch, former, path)
        try:
            with tools.records.write() as tx:
                events.replace(tx, former, made, tools.clock.now())
        except events.Replaced:
            tools.blobs.delete(path)
            return


def sweep(tools: Tools, task: Task) -> None:  # noqa: ARG001
    """Delete files that nothing lists any more, and clicks that no window reaches."""
    now = tools.clock.now()
    events.sweep(tools.records, tools.blobs, now)
    for _ in range(_MOST_SWEEPS):
        with tools.records.write() as tx:
            if rows.forget_clicks(tx, now - _CLICKS_KEPT, _CLICKS_AT_ONCE) < _CLICKS_AT_ONCE:
                return


def ask_to_compact(tx: Tx, now: Instant) -> None:
    for client_no in events.clients_to_compact(tx):
        enqueue(tx, "ledger.compact", str(client_no), now)


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, "ledger.sweep", "", now)


TASKS: dict[str, Run] = {"ledger.compact": compact, "ledger.sweep": sweep}
SCHEDULE: list[Schedule] = [
    ("ledger.compact", 60, ask_to_compact),
    ("ledger.sweep", 3_600, ask_to_sweep),
]
