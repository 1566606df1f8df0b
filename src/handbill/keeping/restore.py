"""Restores a backup into empty stores, on either engine, and verifies each file.

The result is the same installation: its links, keys and addresses are valid as before. But new
numbers that links contain start far beyond any that may have been given out since the backup was
made, so that no link of a lost client is ever taken for another's.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from handbill.host.clock import Clock
from handbill.host.folders import UNFINISHED
from handbill.host.ids import Ids
from handbill.host.masters import FILE
from handbill.host.settings import Settings
from handbill.keeping import manifest as manifests
from handbill.keeping import tables
from handbill.keeping.backup import Step
from handbill.keeping.manifest import (
    BLOBS,
    JOURNAL,
    RECORDS,
    BackedUpFile,
    Manifest,
    More,
    NotWhole,
)
from handbill.kit.instants import SECOND
from handbill.kit.sealing import name_of
from handbill.listings import service as listings
from handbill.mail import service as mail
from handbill.people import sessions
from handbill.stats import sharing
from handbill.store import installation
from handbill.store.blobs import Blobs
from handbill.store.durable import sync_folder
from handbill.store.migrations import NEWEST
from handbill.store.records import Records, Tx
from handbill.store.records.opening import migrate
from handbill.work import hosts


@dataclass(frozen=True, slots=True)
class RestorePlace:
    """Where a backup is restored to. ``scratch``: on the same file system as the blobs."""

    records: Records
    blobs: Blobs
    journal: Path
    scratch: Path
    clock: Clock
    ids: Ids


@contextmanager
def under_way(folder: Path) -> Iterator[None]:
    """Mark an empty or missing data folder while it is being filled; no server starts on a marked
    folder. After a failure the folder is as it was.
    """
    is_new = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker = folder / UNFINISHED
    marker.touch()
    sync_folder(folder)
    try:
        yield
    except BaseException:
        for made in folder.iterdir():
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        if is_new:
            folder.rmdir()
        raise
    marker.unlink()
    sync_folder(folder)


def read_backup(folder: Path) -> Manifest:
    """Read a backup's manifest. **Refuses** (NotWhole) a backup that this release cannot
    restore.
    """
    manifest = manifests.read(folder)
    if manifest.revision != NEWEST:
        raise NotWhole(
            f"{folder} was made by Handbill {manifest.version}, whose tables were other ones "
            f"({manifest.revision}, here {NEWEST}): restore it with that version, then upgrade"
        )
    if any(".." in Path(kept.path).parts or kept.path.startswith("/") for kept in manifest.files):
        raise NotWhole(f"{folder} is not a valid backup: it names files outside of the folder")
    missing = [kept.path for kept in manifest.files if not (folder / kept.path).is_file()]
    if missing:
        raise NotWhole(f"{folder} is not whole: {missing[0]} is missing")
    return manifest


def key_left(manifest: Manifest, settings: Settings) -> Path | None:
    """The file in which the master key was when the backup was made, if it is needed, still on this
    machine, and can be read; None also if a setting names another place. Its text is not checked.
    """
    if not manifest.master_keys or settings.secrets_key or settings.secrets_key_file:
        return None
    file = Path(manifest.key_file)
    # A pipe, which a forged manifest may name, would be waited for.
    return file if file.is_file() and os.access(file, os.R_OK) else None


def require_keys(manifest: Manifest, keys: list[bytes], settings: Settings) -> None:
    """**Refuses** (NotWhole) a backup whose secrets cannot be opened here."""
    missing = sorted(set(manifest.master_keys) - {name_of(key).hex() for key in keys})
    if missing:
        raise NotWhole(
            f"secrets in this backup are encrypted with the master key {' and '.join(missing)}, "
            "which is missing. Name its file with --key, HANDBILL_SECRETS_KEY_FILE, or give it in "
            f"HANDBILL_SECRETS_KEY: it was in {FILE} of the data folder that was backed up, if no "
            "setting named another place"
            + ("" if not settings.secrets_key else ". HANDBILL_SECRETS_KEY holds another one")
        )


def require_room(target: RestorePlace) -> None:
    """**Refuses** (NotWhole) stores that hold anything."""
    manifests.require_empty(target.journal, "restore")
    if target.blobs.paths():
        raise NotWhole(
            "the folder or bucket of the blobs is not empty: restore never overwrites anything"
        )
    if target.records.revision() is not None:
        with target.records.read() as tx:
            if not tables.are_empty(tx):
                raise NotWhole("there are records already: restore never overwrites anything")


def restore(folder: Path, manifest: Manifest, target: RestorePlace, step: Step) -> int:
    """Restore everything; returns the first number that will be given out. The records come last,
    in one transaction: an incomplete restore has none.

    **Refuses** (NotWhole) whatever differs from the manifest.
    """
    require_room(target)
    kept = {one.path: one for one in manifest.files}
    with step(BLOBS, _bytes_of(kept, BLOBS)) as more:
        for path in _of(kept, BLOBS):
            _put_blob(folder, kept[path], target, more)
    with step(JOURNAL, _bytes_of(kept, JOURNAL)) as more:
        for path in _of(kept, JOURNAL):
            chunks = manifests.proved(folder, kept[path])
            manifests.copy(chunks, target.journal / path.removeprefix(f"{JOURNAL}/"), path, more)
    if target.journal.is_dir():
        for source in target.journal.iterdir():
            sync_folder(source)
        sync_folder(target.journal)
    migrate(target.records)
    with (
        step(RECORDS, _bytes_of(kept, RECORDS)) as more,
        target.records.write() as tx,
    ):
        if not tables.are_empty(tx):
            raise NotWhole("there are records already: restore never overwrites anything")
        for row in manifest.tables:
            _put_table(tx, folder, kept[f"{RECORDS}/{row.name}.rows"], row, more)
        return _begin_anew(tx, target)


def _put_blob(folder: Path, kept: BackedUpFile, target: RestorePlace, more: More) -> None:
    aside = target.scratch / "restored"
    aside.unlink(missing_ok=True)
    manifests.copy(manifests.proved(folder, kept), aside, kept.path, more)
    target.blobs.put_file(kept.path.removeprefix(f"{BLOBS}/"), aside)
    aside.unlink()


def _put_table(
    tx: Tx, folder: Path, kept: BackedUpFile, listed: manifests.BackedUpTable, more: More
) -> None:
    table = next((t for t in tables.kept_tables() if t.name == listed.name), None)
    if table is None or set(listed.columns) != set(table.columns.keys()):
        raise NotWhole(f"the tables of {folder} are not those of this release ({listed.name})")

    def counted() -> Iterator[bytes]:
        for chunk in manifests.proved(folder, kept):
            more(len(chunk))
            yield chunk

    count = sum(tables.put_rows(tx, table, listed.columns, counted()))
    if count != listed.rows:
        raise NotWhole(f"{folder / kept.path} holds {count} rows, and not {listed.rows}")


def _begin_anew(tx: Tx, target: RestorePlace) -> int:
    """Set the copy apart from its original."""
    now = target.clock.now()
    tables.count_rows_on(tx)
    first = tables.move_numbers_on(tx, now // SECOND)
    hosts.end_all(tx)
    sessions.end_every(tx, now)
    sharing.end_every_link(tx, now)
    mail.drop_every(tx, now)
    installation.note_restored(tx, target.ids.bytes(installation.TURN_BYTES), now)
    # Files were copied a moment later than the records: they may show what the records do not know.
    listings.rewrite_files(tx, now)
    return first


def _of(kept: Mapping[str, BackedUpFile], part: str) -> list[str]:
    return [path for path in kept if path.startswith(f"{part}/")]


def _bytes_of(kept: Mapping[str, BackedUpFile], part: str) -> int:
    return sum(kept[path].bytes for path in _of(kept, part))
