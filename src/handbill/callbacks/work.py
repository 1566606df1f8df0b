"""Background work of callbacks: trying each once, and deleting old ones."""

from handbill.callbacks import rows, service
from handbill.callbacks.rows import SENDING, Callback
from handbill.callbacks.signatures import headers_of
from handbill.host.egress import EgressFailed, EgressRefused, FetchLimits
from handbill.host.figures import CALLBACKS
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import Task, enqueue
from handbill.work.tools import Run, Schedule, Tools, run_all_due

_LEASE_SECONDS = 120  # longer than a try can take
_LIMITS = FetchLimits(connect_seconds=10, idle_seconds=15, total_seconds=30, most_bytes=0)


def send(tools: Tools, task: Task) -> None:
    """One try. If the worker dies between the answer and storing it, there is one more try."""
    with tools.records.read() as tx:
        callback = rows.by_id(tx, task.key)
        if callback is None or callback.state != SENDING:
            return
        keys = rows.signing_keys(tx, callback.agency_no)
    _try(tools, callback, keys)


def _try(tools: Tools, callback: Callback, keys: list[bytes]) -> None:
    body = (callback.body or "").encode()
    headers = headers_of(callback.id, body, keys, tools.clock.now())
    status, failure = None, ""
    try:
        status = tools.callback_egress.post(callback.url, body, headers, _LIMITS)
        failure = f"the address answered with status {status}"
    except EgressRefused as refused:
        with tools.records.write() as tx:
            service.refuse(tx, callback, tools.clock.now(), str(refused))
        CALLBACKS.labels("refused").inc()
        return
    except EgressFailed as failed:
        failure = str(failed)
    with tools.records.write() as tx:
        state = service.note(tx, callback, tools.clock.now(), status, failure)
    CALLBACKS.labels("retrying" if state == SENDING else state.lower()).inc()


def run_due(tools: Tools, name: str, most: int = 1_000) -> int:
    """Try those that are due, at once, beside any worker; how many were tried."""
    return run_all_due(tools, kinds.SEND_CALLBACK, send, name, _LEASE_SECONDS, most)


def sweep(tools: Tools, task: Task) -> None:  # noqa: ARG001
    now = tools.clock.now()
    tools.records.in_steps(lambda tx, most: service.sweep(tx, now, most))


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SWEEP_CALLBACKS, "", now)


TASKS: dict[str, Run] = {kinds.SEND_CALLBACK: send, kinds.SWEEP_CALLBACKS: sweep}
SCHEDULE: list[Schedule] = [(kinds.SWEEP_CALLBACKS, 86_400, ask_to_sweep)]
