"""What the functions of tasks may use; all of it is passed in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from handbill.host.clock import Clock
from handbill.host.egress import Egress
from handbill.host.ids import Ids
from handbill.host.settings import Settings
from handbill.kit.instants import Instant
from handbill.store.blobs import Blobs
from handbill.store.index import EdgeIndex
from handbill.store.records import Records, Tx
from handbill.work.queue import Task, enqueue_all, finish, lease


@dataclass(frozen=True, slots=True)
class Tools:
    """``scratch``: a folder on this machine for caches and temporary files. ``callback_egress``:
    egress for callbacks, which has exceptions of its own. ``worker``: the name of the process.
    """

    records: Records
    blobs: Blobs
    index: EdgeIndex
    clock: Clock
    ids: Ids
    egress: Egress
    settings: Settings
    scratch: Path
    callback_egress: Egress = field(default_factory=Egress)
    worker: str = "worker"

    @property
    def own_scratch(self) -> Path:
        """For files that no other worker may touch, not even one that does the same task after this
        one's lease; what a killed worker has left there, the next one of its name overwrites.
        """
        return self.scratch / self.worker


Run = Callable[[Tools, Task], None]
"""The function of a kind of task. It opens its own transactions, none of them around all of it."""

Schedule = tuple[str, int, Callable[[Tx, Instant], None]]
"""A name, an interval in seconds, and the function that enqueues what is due."""


def ask_for_each(tools: Tools, kind: str, keys_in: Callable[[Tx], Iterable[str]]) -> None:
    """Enqueue a task for each key that is found, in steps, as others must write too."""
    with tools.records.read() as tx:
        keys = list(keys_in(tx))
    now = tools.clock.now()
    tools.records.in_parts(keys, lambda tx, part: enqueue_all(tx, kind, part, now))


def run_all_due(tools: Tools, kind: str, run: Run, name: str, seconds: int, most: int) -> int:
    """Do the tasks of a kind that are due, at once, beside any worker; how many there were.
    ``seconds``: longer than one can take.
    """
    for count in range(most):
        with tools.records.write() as tx:
            task = lease(tx, [kind], name, tools.clock.now(), seconds)
        if task is None:
            return count
        run(tools, task)
        with tools.records.write() as tx:
            finish(tx, task)
    return most
