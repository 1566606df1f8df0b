"""Diagnoses an installation, and says what to do: a list of small checks that change nothing.

A check is a function that returns findings, none when all is well. To add one, write it and name it
in ``CHECKS``. A finding may say that no further check is possible; then the rest is left out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from handbill.access import keys
from handbill.clients.service import clients_by_number
from handbill.core import health
from handbill.host.clock import Clock
from handbill.host.folders import Unusable, refuse_unfinished, require_usable, room_of
from handbill.host.masters import Masters, file_of, where
from handbill.host.settings import Settings
from handbill.kit.faults import Unavailable
from handbill.kit.figures import counted
from handbill.kit.instants import MINUTE, iso_of
from handbill.ledger import quarantining
from handbill.listings import copies, indexing
from handbill.listings.indexing import LISTING_KEYS
from handbill.publishers import service as publishers
from handbill.store import asides, installation, sealed, segments
from handbill.store.blobs import Blobs
from handbill.store.index import EdgeIndex, is_sound
from handbill.store.journal_folder import reader_here
from handbill.store.migrations import NEWEST
from handbill.store.records import Records
from handbill.store.records.opening import ForeignRecords, require_ours
from handbill.work.depths import dead_tasks
from handbill.work.schedule import standings
from handbill.work.tools import Schedule

_LEAST_FREE = 1024**3
_LATEST = 15 * MINUTE
_MOST_TOLD = 20
_OTHERS = 0o077


class DoctorFinding(NamedTuple):
    """``what`` is wrong, and what to ``do``. ``is_last``: no further check is possible."""

    what: str
    do: str
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Patient:
    settings: Settings
    records: Records
    blobs: Blobs
    clock: Clock
    schedule: Sequence[Schedule]


Check = Callable[[Patient], Iterator[DoctorFinding]]


def examine(patient: Patient) -> Iterator[tuple[str, list[DoctorFinding]]]:
    """Every check's name with its findings, one after the other."""
    for name, check in CHECKS.items():
        findings = list(check(patient))
        yield name, findings
        if any(finding.is_last for finding in findings):
            return


def _folder(patient: Patient) -> Iterator[DoctorFinding]:
    folder = patient.settings.data_folder
    try:
        refuse_unfinished(folder)
        inside = ("records.db", "journal", "blobs", "index", "index/data.mdb", "scratch")
        require_usable([folder, *(folder / name for name in inside)])
    except Unusable as refused:
        yield DoctorFinding(str(refused), "see there", is_last=True)
        return
    if folder.stat().st_mode & _OTHERS:
        yield DoctorFinding(f"{folder} is open to other users", f"chmod -R go-rwx {folder}")


def _disk(patient: Patient) -> Iterator[DoctorFinding]:
    free, files = room_of(patient.settings.data_folder)
    if free < max(_LEAST_FREE, patient.settings.least_free_bytes):
        yield DoctorFinding(
            f"{patient.settings.data_folder} has {free // 1024**2} MiB free",
            "free disk space: without any, clicks are answered with 503",
        )
    elif files is not None and files < health.LEAST_FILES:
        yield DoctorFinding(
            f"{patient.settings.data_folder} has room for {counted(files, 'more file')} (inodes)",
            "delete files that nobody needs: without any, clicks are answered with 503",
        )


def _records(patient: Patient) -> Iterator[DoctorFinding]:
    try:
        revision = patient.records.revision()
    except Unavailable as away:
        yield DoctorFinding(
            str(away), "start the database, or correct HANDBILL_RECORDS_URL", is_last=True
        )
        return
    try:
        require_ours(revision)
    except ForeignRecords as other:
        yield DoctorFinding(
            f"the records {other}",
            "run the version that made them, which still reads them; this one cannot",
            is_last=True,
        )
        return
    if revision is None:
        yield DoctorFinding(
            "the records contain no tables",
            "if they contained data, restore a backup; `handbill serve` creates new tables",
            is_last=True,
        )
    elif revision != NEWEST:
        yield DoctorFinding(
            f"the records are of revision {revision}, and this release needs {NEWEST}",
            "`handbill migrate` brings them up to date, and so does a start of `handbill serve`",
            is_last=True,
        )


def _master(patient: Patient) -> Iterator[DoctorFinding]:
    settings = patient.settings
    try:
        here = set(Masters(settings).names())
    except Unusable as unreadable:
        yield DoctorFinding(str(unreadable), "see there", is_last=True)
        return
    with patient.records.read() as tx:
        needed, used, newest = sealed.names_needed(tx), sealed.names_used(tx), sealed.in_force(tx)
    missing = sorted(name.hex() for name in needed - here)
    if missing:
        text = (
            f"secrets are encrypted with the master key {' and '.join(missing)}, which is missing"
        )
        yield DoctorFinding(text, where(settings), is_last=True)
        return
    file = file_of(settings)
    if not settings.secrets_key and file.exists() and file.stat().st_mode & _OTHERS:
        yield DoctorFinding(f"{file} is open to other users", f"chmod go-rwx {file}")
    rest = sum(count for name, count in used.items() if name != newest)
    if rest:
        yield DoctorFinding(
            f"{rest} secrets are encrypted with a former master key",
            "`handbill keys rotate master`",
        )


def _keys(patient: Patient) -> Iterator[DoctorFinding]:
    with patient.records.read() as tx:
        missing = [name for name in (*keys.RANDOM, keys.SIGNING) if not keys.has(tx, name)]
        is_named = bool(installation.name_of(tx))
    if missing or not is_named:
        yield DoctorFinding(
            f"keys are missing: {', '.join(missing) or 'the name of the installation'}",
            "restore a backup before any other command creates new keys: links and tokens in use "
            "are signed by the lost ones",
            is_last=True,
        )


def _index(patient: Patient) -> Iterator[DoctorFinding]:
    folder = patient.settings.index_folder
    do = "`handbill index rebuild`; the next start of `handbill serve` does so too"
    if not (folder / "data.mdb").exists():
        yield DoctorFinding(f"the edge's index {folder} is not there", do)
        return
    try:
        if is_sound(folder):
            yield from _in_index(patient, do)
        else:
            yield DoctorFinding(f"the edge's index {folder} is damaged", do)
    except Unusable as unreadable:
        yield DoctorFinding(str(unreadable), "raise the limit, or run this as the user who serves")


def _in_index(patient: Patient, do: str) -> Iterator[DoctorFinding]:
    folder = patient.settings.index_folder
    index = EdgeIndex(folder, writable=False)
    try:
        with patient.records.read() as tx:
            turn, listing = installation.turn_of(tx), keys.sealed_ones(tx, LISTING_KEYS)
            differing = indexing.differing(tx, index) if index.is_whole() else 0
        if not index.is_of(turn):
            yield DoctorFinding(f"the edge's index {folder} belongs to other or older records", do)
        elif not index.is_whole():
            yield DoctorFinding(
                "the edge's index is being filled: links that it lacks are answered with 503",
                "wait; if no worker runs, start the server, or `handbill index rebuild`",
            )
        elif index.kept_keys() != listing:
            yield DoctorFinding("the edge's index lacks keys of the records", do)
        elif differing:
            what = (
                f"the edge's index sends visitors of {counted(differing, 'job')} to a wrong address"
            )
            yield DoctorFinding(what, do)
    finally:
        index.close()


def _journal(patient: Patient) -> Iterator[DoctorFinding]:
    reader = reader_here(patient.settings.journal_folder)
    for damage in quarantining.damages(patient.records, reader, patient.clock.now()):
        yield DoctorFinding(
            f"the journal of {damage.source} is damaged: {damage.reason}",
            "restore its files if you can, wait if its events lie in the future, or quarantine "
            "what cannot be judged: handbill journal quarantine",
        )


def _asides(patient: Patient) -> Iterator[DoctorFinding]:
    with patient.records.read() as tx:
        aside, counts = asides.every(tx), asides.counts(tx)
        ids = {
            no: it.id for no, it in clients_by_number(tx, (it.client_no for it in aside)).items()
        }
    for one in aside:
        yield DoctorFinding(
            f"{counted(counts.get(one.client_no, 0), 'event')} of client "
            f"{ids.get(one.client_no, one.client_no)} are set aside, because they cannot be "
            f"judged: {one.reason}",
            "report the log of judge-0; nothing is lost or charged, and they are tried again "
            f"automatically, next at {iso_of(one.again_at)}",
        )


def _segments(patient: Patient) -> Iterator[DoctorFinding]:
    try:
        patient.blobs.require()
    except Unavailable as away:
        yield DoctorFinding(
            str(away),
            "check that the store runs, that the bucket exists, HANDBILL_BLOBS_URL and the AWS_ "
            "variables; until it answers, events wait in the journal",
        )
        return
    with patient.records.read() as tx:
        listed = segments.every_segment(tx)
    do = "restore it from a backup; `handbill ledger check` names every damaged one"
    damaged = 0
    for segment in listed:
        if damaged == _MOST_TOLD:
            break
        try:
            size = patient.blobs.size(segment.path)
        except FileNotFoundError:
            damaged += 1
            yield DoctorFinding(f"judged entries {segment.path} are not there", do)
            continue
        if size != segment.bytes:
            damaged += 1
            yield DoctorFinding(f"judged entries {segment.path} were cut or changed", do)


def _tasks(patient: Patient) -> Iterator[DoctorFinding]:
    with patient.records.read() as tx:
        dead = dead_tasks(tx, _MOST_TOLD)
    for task in dead:
        yield DoctorFinding(
            f"task {task.kind} {task.key} failed for the last time at {iso_of(task.dead_at)}: "
            f"{task.failure}",
            "remove the cause; the task is tried again once an hour automatically",
        )


def _schedule(patient: Patient) -> Iterator[DoctorFinding]:
    with patient.records.read() as tx:
        kept = standings(tx, patient.schedule, patient.clock.now())
    for standing in kept:
        if standing.late > _LATEST and standing.ran_at is not None:
            yield DoctorFinding(
                f"{standing.name} is late by {standing.late // MINUTE} minutes"
                + (f": {standing.failure}" if standing.failure else ""),
                "check that the server and its workers run, and their log",
            )


def _fetches(patient: Patient) -> Iterator[DoctorFinding]:
    with patient.records.read() as tx:
        lost = copies.lost(tx, patient.clock.now())
        known = publishers.publishers_by_number(tx, {copy.publisher_no for copy in lost})
    active = [copy for copy in lost if known[copy.publisher_no].status == "A"]
    for copy in active[:_MOST_TOLD]:
        since = iso_of(copy.held.fetched_at) if copy.held.fetched_at else ""
        yield DoctorFinding(
            f"publisher {known[copy.publisher_no].id} has {counted(copy.job_count, 'job')} "
            "in its feed and "
            + (f"has not fetched it since {since}" if since else "never fetched it"),
            "ask the publisher; `handbill publisher rhythms` shows all of an agency's",
        )


CHECKS: dict[str, Check] = {
    "folder": _folder,
    "disk": _disk,
    "records": _records,
    "master key": _master,
    "keys": _keys,
    "index": _index,
    "journal": _journal,
    "set aside": _asides,
    "judged entries": _segments,
    "tasks": _tasks,
    "schedule": _schedule,
    "fetches of feeds": _fetches,
}
