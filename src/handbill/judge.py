"""Composition root of the judge process: chooses engines, then books the journal until stopped."""

import signal
import threading
from logging import getLogger
from types import FrameType

from handbill.access.keys import secret
from handbill.host.beats import Beat
from handbill.host.garbage import spare_what_stays
from handbill.host.masters import Masters
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.kit.faults import Unavailable
from handbill.ledger.judge import Judge
from handbill.ledger.runs import rules_of
from handbill.opening import journal_reader
from handbill.store.blobs import open_blobs
from handbill.store.records import Records, open_records

_log = getLogger("handbill.judge")
_MOST_LAST_STEPS = 10_000
_IDLE_STEPS = 3  # one step may do no more than move a mark past an empty segment


def main(settings: Settings, outside: Outside, *, rest: bool = False) -> None:
    """Judge until SIGTERM or SIGINT; what is in the journal by then is booked first.

    ``rest``: book only what is there now, then end.
    """
    stop = threading.Event()
    if rest:
        stop.set()

    def told(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)
    records = open_records(settings.records_address, Masters(settings))
    judge = judge_of(settings, outside, records)
    beat = Beat(settings.beats_folder, "judge-0")
    spare_what_stays()
    try:
        judge.run(stop, beat.strike)
        drain(judge)
    finally:
        beat.close()
        records.close()


def judge_of(settings: Settings, outside: Outside, records: Records) -> Judge:
    """The judge of this host's journal."""
    with records.read() as tx:
        key = list(secret(tx, "visitor").values())[-1]
    rules = rules_of(settings, key)
    return Judge(
        records,
        open_blobs(settings.blobs_address),
        journal_reader(settings, records, outside.ids),
        outside.clock,
        outside.ids,
        rules,
        settings.scratch_folder,
    )


def drain(judge: Judge) -> None:
    """Book the rest. The doors are closed already, so that nothing is added."""
    idle = 0
    try:
        for _ in range(_MOST_LAST_STEPS):
            idle = 0 if judge.step() else idle + 1
            if idle == _IDLE_STEPS:
                return
    except Unavailable as away:
        _log.warning("remaining events are judged at the next start: %s", away)
