"""Background work of the ledger: merging small segments, and deleting what is no longer needed."""

from handbill.kit.instants import Instant
from handbill.ledger import rejudging, rejudgings, retiring
from handbill.store import compaction, segment_files, segments
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools

_MOST_ROUNDS = 50


def compact(tools: Tools, task: Task) -> None:
    """Merge a month's small segments until few are left; the former ones are deleted later."""
    for _ in range(_MOST_ROUNDS):
        with tools.records.read() as tx:
            chosen = compaction.chosen(compaction.segments_in(tx, task.key))
            former = segments.with_parts(tx, chosen)
        if not former:
            return
        now = tools.clock.now()
        assert {one.month for one in chosen} == {task.key}, "a segment is of one month"
        path = segments.path_of(task.key, now, tools.ids)
        made = segment_files.merge(tools.blobs, tools.scratch, former, path)
        try:
            with tools.records.write() as tx:
                compaction.replace(tx, chosen, made, tools.clock.now())
        except segments.Replaced:
            tools.blobs.delete(path)
            return


def sweep(tools: Tools, task: Task) -> None:  # noqa: ARG001
    """Retire what is older than the retention, and delete files that are no longer listed."""
    now = tools.clock.now()
    retiring.retire(tools, now)
    retiring.forget(tools, now)
    segments.sweep(tools.records, tools.blobs, now)


def rejudge(tools: Tools, task: Task) -> None:
    """Judge a month again that was asked for."""
    desk = rejudging.desk_of(tools.records, tools.blobs, tools.clock, tools.ids, tools.settings)
    rejudgings.run(desk, task.key)


def seal(tools: Tools, task: Task) -> None:  # noqa: ARG001
    """Seal the closed days of each counter in one row."""
    retiring.seal(tools, tools.clock.now())


def ask_to_seal(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SEAL_COUNTERS, "", now)


def ask_to_compact(tx: Tx, now: Instant) -> None:
    for month in compaction.months_to_compact(tx):
        enqueue(tx, kinds.COMPACT, month, now)


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SWEEP_LEDGER, "", now)


TASKS: dict[str, Run] = {
    kinds.COMPACT: compact,
    kinds.REJUDGE: rejudge,
    kinds.SEAL_COUNTERS: seal,
    kinds.SWEEP_LEDGER: sweep,
}
SCHEDULE: list[Schedule] = [
    (kinds.COMPACT, 60, ask_to_compact),
    (kinds.SEAL_COUNTERS, 86_400, ask_to_seal),
    (kinds.SWEEP_LEDGER, 3_600, ask_to_sweep),
]
