"""Figures for Prometheus: each process keeps its own in files, and any process reports all of them.

A process continues the figures of its predecessor with the same name, so that a restart resets no
counter. Without ``share`` there are only figures of this process.
"""

import json
import os
from collections.abc import Iterable
from functools import cache, lru_cache, partial
from logging import getLogger
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from handbill.host.clock import ticking

MEDIA_TYPE = CONTENT_TYPE_LATEST
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the library's own
_LOG = getLogger("handbill.figures")
_own = CollectorRegistry()
_counter = partial(Counter, registry=_own)
_gauge = partial(Gauge, registry=_own, multiprocess_mode="mostrecent")

REQUESTS = _counter("handbill_requests", "Requests that the API answered", ["operation", "status"])
REQUEST_SECONDS = Histogram(
    "handbill_request_seconds",
    "From the first byte of a request to the last of its answer",
    ["operation"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
    registry=_own,
)
TASKS = _counter("handbill_tasks", "Runs of tasks", ["kind", "outcome"])
FEED_RUNS = _counter("handbill_feed_runs", "Runs of inbound feeds that ended", ["state"])
DELIVERIES = _counter("handbill_deliveries", "Attempts to deliver a file by FTP", ["state"])
CALLBACKS = _counter("handbill_callbacks", "Attempts of callbacks", ["outcome"])
MAILS = _counter("handbill_mails", "Attempts to send a mail", ["outcome"])
SECURITY = _counter("handbill_security_events", "Security events, as in the log", ["event"])
RESTARTS = _counter("handbill_restarts", "Processes that were started again", ["child", "why"])
QUEUE = _gauge("handbill_queue_tasks", "Tasks by their state", ["kind", "state"])
SCHEDULE_RAN = _gauge(
    "handbill_schedule_last_run_timestamp_seconds",
    "When an item of the schedule ran last",
    ["item"],
)
SCHEDULE_LATE = _gauge(
    "handbill_schedule_lateness_seconds", "By how much an item is overdue", ["item"]
)
READY = _gauge("handbill_ready", "Whether a check of a door's readyz passes", ["door", "check"])


@cache
def counter(name: str, meaning: str) -> Counter:
    """A counter without labels. It is stored where it is first used: call ``share`` before."""
    return _counter(name, meaning)


@cache
def gauge(name: str, meaning: str) -> Gauge:
    """A gauge without labels, likewise."""
    return _gauge(name, meaning)


def share(folder: Path, name: str, size: int = 64 * 1024) -> None:
    """Keep this process's figures in a folder with those of the others; call before counting.

    ``name``: of this process, the same after a restart; no other has it at the same time. Files
    that a power cut has damaged are deleted, and their counters begin anew. ``size``: bytes
    allocated at once for each kind of figure, as a full disk would later kill the process.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.glob("*.db"):
        if not _is_sound(path):
            _LOG.warning("figures are lost: %s is damaged", path.name)
            path.unlink(missing_ok=True)
    for kind in ("counter", "histogram", "gauge_mostrecent"):
        with (folder / f"{kind}_{name}.db").open("ab") as file:
            file.write(bytes(max(0, size - file.tell())))
    os.environ[_FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: name)  # type: ignore[no-untyped-call]


def text() -> bytes:
    """All figures in Prometheus' text format. Those of several processes are merged at most once a
    second: that takes a while, in which the process does nothing else.
    """
    folder = os.environ.get(_FOLDER)
    return generate_latest(_own) if folder is None else _merged(folder, int(ticking()))


@lru_cache(maxsize=1)
def _merged(folder: str, second: int) -> bytes:  # noqa: ARG001
    every = CollectorRegistry()
    every.register(_Every(Path(folder)))
    return generate_latest(every)


class _Every(Collector):
    """The figures of all processes of a folder; a process that is just starting has none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(path) for path in self._folder.glob("*.db") if path.stat().st_size]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return metrics


def _is_sound(path: Path) -> bool:
    try:
        if not path.stat().st_size:
            return True  # of a process that is just starting
        rows = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]
        return all(len(json.loads(key)) == 4 for key, *_ in rows)
    except Exception:  # noqa: BLE001 - the library raises what its struct and JSON readers do
        return False
