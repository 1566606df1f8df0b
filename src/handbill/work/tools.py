"""What the function of a task may use; all of it is handed in."""

from collections.abc import Callable
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
from handbill.work.queue import Task


@dataclass(frozen=True, slots=True)
class Tools:
    """``scratch``: a folder on this machine for caches and temporary files. ``callback_egress``:
    the way out for callbacks, which has exceptions of its own.
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


Run = Callable[[Tools, Task], None]
"""The function of a kind of task. It opens its own transactions, none of them around the whole."""

Schedule = tuple[str, int, Callable[[Tx, Instant], None]]
"""A name, every how many seconds, and the function that enqueues what is due."""
