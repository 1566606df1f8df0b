"""Background work of stats: answering reports, and deleting old ones."""

import logging

import duckdb
import msgspec

from handbill.access.keys import secret
from handbill.callbacks import service as callbacks
from handbill.kit.instants import DAY, Instant
from handbill.stats import rows, service
from handbill.stats.answering import Answering, AnswerTooLarge
from handbill.stats.questions import Plan
from handbill.stats.rows import (
    FAILED,
    IN_PROGRESS,
    NO_RECORDS,
    SUBMITTED,
    SUCCESS,
    Report,
    ReportFile,
)
from handbill.store import holds
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import MOST_ATTEMPTS, Task, enqueue
from handbill.work.tools import Run, Schedule, Tools

_log = logging.getLogger("handbill.stats")
_PLAN = msgspec.json.Decoder(Plan)


def report(tools: Tools, task: Task) -> None:
    """Answer a report: parts first, durable, then SUCCESS. Running it twice gives the same result.

    The last try only reports failure: a report that kills its workers could not do so itself.
    """
    with tools.records.read() as tx:
        asked = rows.by_id(tx, task.key)
    if asked is None or asked.state not in {SUBMITTED, IN_PROGRESS}:
        return
    if task.attempts >= MOST_ATTEMPTS:
        _fail(tools, asked, "The report could not be made")
        return

    def progress(percent: int) -> None:
        with tools.records.write() as tx:
            rows.change(tx, asked.no, state=IN_PROGRESS, percent=percent)

    progress(5)
    answering = Answering(tools.records, tools.blobs, tools.ids, tools.scratch)
    try:
        parts = answering.answer(_PLAN.decode(asked.question), tools.clock.now(), progress)
    except AnswerTooLarge as large:
        _fail(tools, asked, str(large))
        return
    except duckdb.OutOfMemoryException:
        _log.exception("report %s needs more memory than allowed", asked.id)
        _fail(tools, asked, "The report is too large; request fewer levels or days")
        return
    _succeed(tools, asked, parts)


def _succeed(tools: Tools, asked: Report, parts: list[ReportFile]) -> None:
    now = tools.clock.now()
    with tools.records.write() as tx:
        is_ours = rows.change(
            tx,
            asked.no,
            state=SUCCESS if parts else NO_RECORDS,
            percent=100,
            parts=rows.encode_parts(parts),
            ended_at=now,
        )
        if is_ours and callbacks.is_awaited(tx, asked.id):
            made = msgspec.structs.replace(asked, parts=tuple(parts))
            # The link must still be valid at the last try of the callback.
            token, *_ = service.tokens_of(made, secret(tx, "link"), now, callbacks.LASTS + DAY)
            url = service.url_of(tools.settings, token)
            notice = {"reportId": asked.id, "status": SUCCESS, "url": url}
            callbacks.tell(tx, asked.id, notice, now)


def _fail(tools: Tools, asked: Report, message: str) -> None:
    now = tools.clock.now()
    with tools.records.write() as tx:
        if rows.change(tx, asked.no, state=FAILED, message=message, ended_at=now):
            callbacks.tell(tx, asked.id, {"reportId": asked.id, "status": FAILED}, now)


def sweep(tools: Tools, task: Task) -> None:  # noqa: ARG001
    """Delete reports kept for a week, and files that a crash left without a report."""
    now = tools.clock.now()
    with tools.records.write() as tx:
        if holds.stand(tx, now):
            return
        service.sweep(tx, tools.blobs, now)
    before = now - service.KEPT_FOR - DAY
    for path in tools.blobs.paths(service.FOLDER):
        head = path.rpartition("/")[2].partition("-")[0]
        if head.isdigit() and int(head) < before:
            tools.blobs.delete(path)


def ask_to_sweep(tx: Tx, now: Instant) -> None:
    enqueue(tx, kinds.SWEEP_REPORTS, "", now)


TASKS: dict[str, Run] = {kinds.REPORT: report, kinds.SWEEP_REPORTS: sweep}
SCHEDULE: list[Schedule] = [(kinds.SWEEP_REPORTS, 3_600, ask_to_sweep)]
