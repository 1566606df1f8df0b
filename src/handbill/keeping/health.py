"""How an installation runs now: its processes, the judge, queued work, disk, schema, last backup;
each with a verdict and what to do. Nothing is changed.

``doctor`` looks deeper and takes longer; this is asked every minute.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from handbill.core import health
from handbill.core.health import CheckResult, Late
from handbill.host.beats import LifeSign, signs
from handbill.host.folders import room_of
from handbill.host.settings import Settings
from handbill.keeping import manifest
from handbill.keeping.manifest import FinishedBackup
from handbill.kit.figures import counted
from handbill.kit.instants import DAY, SECOND, Instant, instant_of_iso
from handbill.ledger.service import waiting_since
from handbill.store import asides, installation, marks
from handbill.store.journal_folder import reader_here, unread_bytes
from handbill.store.migrations import NEWEST
from handbill.store.records import Tx
from handbill.store.records.opening import ForeignRecords, require_ours
from handbill.work import depths, schedule
from handbill.work.depths import Queued
from handbill.work.tools import Schedule

_SILENT_SECONDS: Final = 15.0
"""A process strikes each second; a busy machine delays that."""
_ENDED_SECONDS: Final = 3_600.0
"""Whoever has been silent for so long was ended: by a restart with fewer processes."""
_LATE_QUEUE: Final = 900 * SECOND
_BACKUP_AGE: Final = 2 * DAY
_MOST_FILES: Final = 500_000


class JudgeProgress(NamedTuple):
    """How far the judge is. ``oldest_at`` None: nothing waits. ``damaged``: sources of the journal
    at which it cannot go on; ``aside``: how many clients are set aside.
    """

    oldest_at: Instant | None
    lag_seconds: int
    unjudged_bytes: int
    damaged: Sequence[str]
    aside: int


class Disk(NamedTuple):
    """**Units**: bytes. ``used`` None: there are too many files to look at each."""

    free: int
    whole: int
    used: int | None


class Health(NamedTuple):
    """``revision``: of the schema; ``needed``: the one of this version."""

    version: str
    revision: str
    needed: str
    at: Instant
    processes: Sequence[LifeSign]
    judged: JudgeProgress
    queued: Queued
    disk: Disk
    backup: FinishedBackup | None
    checks: Sequence[CheckResult]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


def health_of(tx: Tx, settings: Settings, items: Sequence[Schedule], now: Instant) -> Health:
    """How the installation runs. ``items``: of the schedule of this release."""
    revision = installation.revision_of(tx)
    processes = [one for one in signs(settings.beats_folder) if one.silence < _ENDED_SECONDS]
    judged = _judged(tx, settings, now)
    queued = depths.queued(tx, now)
    late = [Late(one.name, one.late) for one in schedule.standings(tx, items, now)]
    folder = settings.data_folder
    space = shutil.disk_usage(folder)
    disk = Disk(space.free, space.total, _used(folder))
    backup = manifest.last_made(folder)
    silence = next((one.silence for one in processes if one.name == "judge-0"), None)
    checks = [
        _processes(processes),
        health.judge(silence, judged.oldest_at, now, settings.judge_lag_seconds),
        health.damages(judged.damaged),
        _aside(judged.aside),
        _queue(queued, now),
        health.schedule(late, settings.schedule_late_seconds),
        health.disk(space.free, room_of(folder).files, settings.least_free_bytes),
        _schema(revision),
        _backup(backup, now),
    ]
    here = version("handbill")
    return Health(here, revision, NEWEST, now, processes, judged, queued, disk, backup, checks)


def _judged(tx: Tx, settings: Settings, now: Instant) -> JudgeProgress:
    journal = reader_here(settings.journal_folder)
    oldest, damages = waiting_since(tx, journal, now)
    return JudgeProgress(
        oldest_at=oldest,
        lag_seconds=int(health.lag_seconds(oldest, now)),
        unjudged_bytes=unread_bytes(settings.journal_folder, marks.read(tx).of),
        damaged=sorted({damage.source for damage in damages}),
        aside=len(asides.every(tx)),
    )


def _used(folder: Path) -> int | None:
    """Bytes of all files in the data folder. Files that go meanwhile count nothing."""
    whole = 0
    for nth, size in enumerate(_sizes(folder)):
        if nth == _MOST_FILES:
            return None
        whole += size
    return whole


def _sizes(folder: Path) -> Iterator[int]:
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                yield os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118 - of many files
            except FileNotFoundError:
                continue


def _processes(some: Sequence[LifeSign]) -> CheckResult:
    silent = [one for one in some if one.silence > _SILENT_SECONDS]
    if not some:
        says = "No process has shown a sign of life here; start `handbill serve`."
        return CheckResult("processes", False, says)
    if silent:
        names = ", ".join(f"{one.name} for {one.silence:.0f} s" for one in silent)
        says = f"No sign of life of {names}. See its log; the supervisor restarts what hangs."
        return CheckResult("processes", False, says)
    others = {one.version for one in some} - {version("handbill")}
    if others:
        says = "Some processes are of another version; restart `handbill serve`."
        return CheckResult("processes", False, says)
    return CheckResult("processes", True, f"All {len(some)} processes show signs of life.")


def _aside(count: int) -> CheckResult:
    if not count:
        return CheckResult("set aside", True, "The events of all clients are judged.")
    says = f"The events of {counted(count, 'client')} cannot be judged and are set aside; "
    says += "nothing is lost."
    return CheckResult("set aside", False, f"{says} `handbill doctor` names them and the reason.")


def _queue(found: Queued, now: Instant) -> CheckResult:
    dead = [one for one in found.failing if one.dead_at is not None]
    if dead:
        says = f"{counted(found.dead, 'task')} failed for the last time, {dead[0].kind} among them."
        do = "Remove the cause; each is tried again once an hour. `handbill doctor` names all."
        return CheckResult("queue", False, f"{says} {do}")
    late = 0 if found.oldest_due_at is None else now - found.oldest_due_at
    if late > _LATE_QUEUE:
        says = f"{_tasks_due(found.due)}, the oldest for {late // SECOND} s."
        return CheckResult(
            "queue", False, f"{says} Check that workers and fetchers run, and their log."
        )
    return CheckResult("queue", True, f"{_tasks_due(found.due)}, {found.running} running.")


def _tasks_due(count: int) -> str:
    return f"{counted(count, 'task')} {'is' if count == 1 else 'are'} due"


def _schema(revision: str) -> CheckResult:
    if revision == NEWEST:
        return CheckResult("schema", True, f"The records are of revision {revision}.")
    try:
        require_ours(revision)
    except ForeignRecords as other:
        return CheckResult("schema", False, f"The records {other}: run that version instead.")
    says = f"The records are of revision {revision}, and this version needs {NEWEST}."
    return CheckResult(
        "schema", False, f"{says} Use `handbill migrate`, or restart `handbill serve`."
    )


def _backup(last: FinishedBackup | None, now: Instant) -> CheckResult:
    if last is None:
        says = "No backup has been made from this data folder."
        return CheckResult(
            "backup", False, f"{says} Use `handbill backup DEST --verify`, every day."
        )
    age = now - instant_of_iso(last.taken_at)
    says = f"The last backup is {counted(age // DAY, 'day')} old, in {last.folder}"
    if age > _BACKUP_AGE:
        return CheckResult(
            "backup", False, f"{says}. Use `handbill backup DEST --verify`, every day."
        )
    if not last.verified:
        return CheckResult("backup", True, f"{says}; it was not read again (`--verify`).")
    return CheckResult("backup", True, f"{says}; each file was read again and is right.")
