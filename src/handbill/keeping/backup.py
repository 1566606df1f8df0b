"""Makes a backup beside a running server: records, journal and blobs as they were at one moment.

Nothing that the moment needs is deleted meanwhile (``store.holds``). The records are read in one
transaction; the journal is copied from the records' marks on, as long as it was at that moment;
then the blobs, which include all that those records list, as listed blobs never change.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from handbill.host.clock import Clock
from handbill.host.ids import Ids, new_name
from handbill.keeping import manifest as manifests
from handbill.keeping import tables
from handbill.keeping.manifest import (
    BLOBS,
    JOURNAL,
    RECORDS,
    BackedUpFile,
    BackedUpTable,
    Manifest,
    More,
    NotWhole,
)
from handbill.kit.faults import Unavailable
from handbill.kit.instants import iso_of
from handbill.store import holds, installation, marks, sealed, segments
from handbill.store.blobs import Blobs
from handbill.store.journal_folder import Piece, gaps, pieces
from handbill.store.journal_streams import StreamMark
from handbill.store.migrations import NEWEST
from handbill.store.records import Records
from handbill.store.segments import Segment

_CHUNK = 1024**2
_EXTEND_SECONDS = 60.0
Step = Callable[[str, int], AbstractContextManager[More]]
"""Shows a step of the work: what it is, and how many bytes it has (0: not known)."""


class BackupSource:
    """The sources of a backup. ``key_file``: where its master keys are, if that is a file."""

    key_file = ""

    def __init__(
        self, records: Records, blobs: Blobs, journal: Path, clock: Clock, ids: Ids
    ) -> None:
        self.records = records
        self.blobs = blobs
        self.journal = journal
        self.clock = clock
        self.ids = ids


def back_up(source: BackupSource, folder: Path, step: Step) -> Manifest:
    """Make the backup; it is complete and durable on return.

    **Refuses** (NotWhole) a folder that is not empty, and a backup that would be incomplete:
    nothing of it stays then. Killed, it leaves a folder without a manifest.
    """
    manifests.require_empty(folder, "a backup")
    is_new = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return _made(source, folder, step)
    except BaseException as failure:
        for made in folder.iterdir():
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        if is_new:
            folder.rmdir()
        if isinstance(failure, OSError) and not isinstance(failure, Unavailable):
            raise NotWhole(f"no backup was made: {failure}") from failure
        raise


def _made(source: BackupSource, folder: Path, step: Step) -> Manifest:
    with _held(source) as still_held:
        manifest, listed, journal = _records(source, folder, step)
        files = list(manifest.files)
        files += _journal(source.journal, journal, folder, step)
        files += _blobs(source.blobs, listed, folder, step)
        still_held()
        whole = Manifest(
            version=manifest.version,
            revision=manifest.revision,
            engine=manifest.engine,
            installation=manifest.installation,
            master_keys=manifest.master_keys,
            key_file=source.key_file,
            taken_at=manifest.taken_at,
            tables=manifest.tables,
            files=tuple(files),
        )
        manifests.write(folder, whole)
    return whole


@contextmanager
def _held(source: BackupSource) -> Iterator[Callable[[], None]]:
    """Prevent deletions until the block ends; yields a function that refuses (NotWhole) if the hold
    has lapsed, because this process was stopped for longer than a lease.
    """
    name = new_name(source.ids)
    ended, lapsed = threading.Event(), threading.Event()

    def extend() -> None:
        with source.records.write() as tx:
            if not holds.extend(tx, name, source.clock.now()):
                lapsed.set()

    def keep() -> None:
        while not ended.wait(_EXTEND_SECONDS):
            # Records that do not answer are asked again: the lease outlasts some of these attempts.
            with suppress(Unavailable):
                extend()

    def still_held() -> None:
        extend()
        if lapsed.is_set():
            raise NotWhole(
                "no backup was made: it was stopped for so long that what it copies may have been "
                "deleted meanwhile; try again"
            )

    with source.records.write() as tx:
        holds.take(tx, name, source.clock.now())
    keeper = threading.Thread(target=keep, name="hold", daemon=True)
    keeper.start()
    try:
        yield still_held
    finally:
        ended.set()
        keeper.join()
        with source.records.write() as tx:
            holds.release(tx, name)


def _records(
    source: BackupSource, folder: Path, step: Step
) -> tuple[Manifest, list[Segment], list[Piece]]:
    """Copy the records, and whatever else existed at the moment that they show."""
    kept: list[BackedUpFile] = []
    listed: list[BackedUpTable] = []
    with source.records.read() as tx:
        of = installation.name_of(tx)  # the first read is the moment
        under = tuple(sorted(name.hex() for name in sealed.names_needed(tx)))
        of_journal = marks.read(tx).of
        journal = pieces(source.journal, of_journal)
        now = source.clock.now()
        _require_journal(source.journal, of_journal)
        listed_segments = segments.every_segment(tx)
        with step("records", 0) as more:
            for table in tables.kept_tables():
                path = f"{RECORDS}/{table.name}.rows"
                kept.append(manifests.copy(tables.rows_of(tx, table), folder / path, path, more))
                listed.append(tables.described(tx, table))
    manifest = Manifest(
        version=version("handbill"),
        revision=NEWEST,
        engine=source.records.dialect.sqlalchemy.name,
        installation=of,
        master_keys=under,
        taken_at=iso_of(now),
        tables=tuple(listed),
        files=tuple(kept),
    )
    return manifest, listed_segments, journal


def _require_journal(folder: Path, judged: dict[str, StreamMark]) -> None:
    missing = gaps(folder, judged)
    if missing:
        raise NotWhole(
            f"no backup was made, because it would be incomplete: {'; '.join(missing)}. "
            "`handbill doctor` says what to do"
        )


def _journal(folder: Path, journal: list[Piece], into: Path, step: Step) -> list[BackedUpFile]:
    kept = []
    with step("journal", sum(piece.size for piece in journal)) as more:
        for piece in journal:
            path = f"{JOURNAL}/{piece.path}"
            chunks = manifests.chunks_of(folder / piece.path, piece.size)
            kept.append(manifests.copy(chunks, into / path, path, more))
            if kept[-1].bytes != piece.size:
                raise NotWhole(f"no backup was made: {folder / piece.path} was cut meanwhile")
    return kept


def _blobs(blobs: Blobs, listed: list[Segment], folder: Path, step: Step) -> list[BackedUpFile]:
    """Copy every blob; those that the records list as segments must exist as listed."""
    wanted = {segment.path: segment for segment in listed}
    sizes = _sizes(blobs)
    missing = sorted(wanted.keys() - sizes.keys())
    if missing:
        raise NotWhole(_unlisted(missing[0], "is not there", len(missing)))
    total = sum(sizes.values())
    free = shutil.disk_usage(folder).free
    if total > free:
        raise NotWhole(f"no backup was made: {folder} has {free} bytes free, and needs {total}")
    kept = []
    with step("blobs", total) as more:
        for path in sizes:
            segment = wanted.get(path)
            at = f"{BLOBS}/{path}"
            try:
                one = manifests.copy(blobs.chunks(path, _CHUNK), folder / at, at, more)
            except FileNotFoundError:
                if segment is not None:
                    raise
                (folder / at).unlink()
                continue  # no record lists it any more
            if segment is not None and one.digest != segment.digest.hex():
                raise NotWhole(_unlisted(path, "is damaged"))
            kept.append(one)
    return kept


def _sizes(blobs: Blobs) -> dict[str, int]:
    sizes = {}
    for path in blobs.paths():
        with suppress(FileNotFoundError):
            sizes[path] = blobs.size(path)
    return sizes


def _unlisted(path: str, what: str, count: int = 1) -> str:
    more = f" (and {count - 1} more)" if count > 1 else ""
    return (
        f"no backup was made, because it would be incomplete: judged entries {path} {what}{more}. "
        "`handbill ledger check` names all; restore them from an earlier backup"
    )
