"""Open the stores that the settings name: the same way in every process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import getLogger
from pathlib import Path

from handbill.access.keys import ensure_secrets
from handbill.config import BadSettings, without_password
from handbill.host.clock import Clock
from handbill.host.egress import Egress
from handbill.host.folders import Unusable, make_private, refuse_unfinished, require_usable
from handbill.host.identity import host_in, host_of
from handbill.host.ids import Ids
from handbill.host.locating import NoGeoFile, locator
from handbill.host.masters import FILE, Masters, add_first, drawn, file_of, where
from handbill.host.outside import Outside
from handbill.host.settings import Settings
from handbill.kit.faults import Unavailable
from handbill.listings.indexing import check_index
from handbill.people import invitations
from handbill.store import sealed
from handbill.store.blobs import Blobs, open_blobs
from handbill.store.index import EdgeIndex, key_place, mend
from handbill.store.journal_reading import JournalReader
from handbill.store.records import Records, Tx, open_records
from handbill.store.records.opening import (
    ANSWER_SECONDS,
    PATIENT_SECONDS,
    ForeignRecords,
    migrate,
    require_ours,
)
from handbill.work import hosts
from handbill.work.tools import Tools

_LOG = getLogger("handbill.serve")
_ELSE = (
    "this one cannot read them. Run the version that made them; or move the folder away, or start "
    "with another one (--data), and with another HANDBILL_RECORDS_URL if that is set"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """The open stores that the composition roots build on."""

    settings: Settings
    records: Records
    blobs: Blobs
    clock: Clock
    ids: Ids


def open_stores(settings: Settings, outside: Outside, *, hurried: bool = False) -> Opened:
    """Open the stores. ``hurried``: somebody waits for what is asked of them, so that those that do
    not answer are given up within half a minute.

    **Refuses** an address of an unknown engine (BadSettings) and a folder that cannot be used as
    required (Unusable).
    """
    make_data_folder(settings)
    return stores_at(settings, outside, hurried=hurried)


def stores_at(settings: Settings, outside: Outside, *, hurried: bool = False) -> Opened:
    """The stores of an existing folder: nothing in it is created or closed."""
    named = settings.journal_url
    if "://" in named and not named.startswith("file://"):
        raise BadSettings("HANDBILL_JOURNAL_URL must be a folder on this machine")
    try:
        seconds = ANSWER_SECONDS if hurried else PATIENT_SECONDS
        records = open_records(settings.records_address, Masters(settings), seconds)
        blobs = open_blobs(settings.blobs_address, hurried=hurried)
    except ValueError as unknown:
        raise BadSettings(str(unknown)) from unknown
    return Opened(settings, records, blobs, outside.clock, outside.ids)


@contextmanager
def opened(settings: Settings, outside: Outside, *, hurried: bool = False) -> Iterator[Opened]:
    """The stores, closed when the block ends."""
    stores = open_stores(settings, outside, hurried=hurried)
    try:
        yield stores
    finally:
        stores.records.close()


def open_tools(settings: Settings, outside: Outside) -> Tools:
    """Open what the functions of tasks work with."""
    stores = open_stores(settings, outside)
    scratch = settings.scratch_folder
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    masters = Masters(settings)
    index = EdgeIndex(
        settings.index_folder,
        writable=True,
        open_key=lambda kid, kept: masters.opened(kept, *key_place(kid)),
    )
    return Tools(
        stores.records,
        stores.blobs,
        index,
        stores.clock,
        stores.ids,
        Egress(settings.egress_allow),
        settings,
        scratch,
        Egress(settings.egress_allow_callbacks),
    )


def prepare(settings: Settings, outside: Outside) -> None:
    """Make the stores ready for any process: tables, our own keys, and the edge's copy of them.

    Safe to call at every start, by many processes, and beside a running server. **Refuses** an
    unreadable file of places, records of another version of Handbill, and records whose secrets are
    sealed under a master key that is not here (BadSettings).
    """
    try:
        locator(settings.geo_file)
    except NoGeoFile as unreadable:
        raise BadSettings(str(unreadable)) from unreadable
    refuse_unfinished(settings.data_folder)
    with opened(settings, outside) as stores, locked(settings.data_folder / "prepare.lock"):
        require_own_records(stores)
        migrate(stores.records)
        if mend(settings.index_folder, wholly=False):
            _LOG.error("the edge's index was damaged, and is being rebuilt")
        index = EdgeIndex(settings.index_folder, writable=True)
        try:
            with stores.records.write() as tx:
                now = stores.clock.now()
                _have_master_key(tx, stores)
                ensure_secrets(tx, stores.ids, now)
                check_index(tx, index, now)
        finally:
            index.close()


def require_own_records(stores: Opened) -> None:
    """**Refuses** records that this version of Handbill cannot read (BadSettings)."""
    try:
        require_ours(stores.records.revision())
    except ForeignRecords as other:
        raise BadSettings(f"the records at {_shown(stores.settings)} {other}; {_ELSE}") from other


def ask_blobs(settings: Settings) -> None:
    """Log it if the blobs do not answer. No reason to stay down: links need none of them, and what
    is received waits in the journal.
    """
    try:
        open_blobs(settings.blobs_address).require()
    except Unavailable as away:
        _LOG.error(
            "the blobs at %s do not answer: until they do, nothing is judged, published or "
            "reported; clicks are redirected, and wait in the journal. Check that the store runs, "
            "that the bucket exists, HANDBILL_BLOBS_URL and the AWS_ variables (%s)",
            settings.blobs_address,
            away,
        )


def set_up_link(settings: Settings, outside: Outside) -> str | None:
    """The page where the first person is made, by a link of its own; None: there is one already."""
    with opened(settings, outside) as stores, stores.records.write() as tx:
        return invitations.set_up_link(tx, stores.ids, stores.clock.now(), settings.public_api)


def _have_master_key(tx: Tx, stores: Opened) -> None:
    """Create the first master key, if the records have none and no setting names one. **Refuses**
    records with secrets under a key that is not here (BadSettings); then nothing is created.
    """
    settings = stores.settings
    named = settings.secrets_key or settings.secrets_key_file
    here = Masters(settings).names()
    needed = sealed.names_needed(tx)
    missing = [name.hex() for name in sorted(needed - set(here))]
    if missing:
        raise BadSettings(
            f"the secrets in the records at {_shown(settings)} are encrypted with the master key "
            f"{' and '.join(missing)}, which is missing: {where(settings)}"
        )
    if not here and not named:
        add_first(file_of(settings), drawn(stores.ids))


def require_records(settings: Settings) -> None:
    """**Refuses** a folder without records (Unusable); nothing is created there."""
    kept = settings.records_address.removeprefix("sqlite:///")
    if kept != settings.records_address and not Path(kept).exists():
        raise Unusable(f"there are no records at {kept}; name their folder with --data")


def _shown(settings: Settings) -> str:
    """Where the records are, without the password."""
    path = settings.records_address.removeprefix("sqlite:///")
    return path if path != settings.records_address else without_password(path)


def make_data_folder(settings: Settings) -> None:
    """Make the data folder private, because keys and addresses are in it. **Refuses** one in which
    this user cannot work (Unusable).
    """
    folder = settings.data_folder
    make_private(folder)
    inside = ("records.db", "journal", "blobs", "index", "index/data.mdb", "scratch", FILE)
    require_usable([folder, *(folder / name for name in inside), settings.journal_folder])


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock among the processes of this machine. **Refuses** one that is held, if it may not
    wait (BlockingIOError).
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(file)


def journal_reader(settings: Settings, records: Records, ids: Ids) -> JournalReader:
    """Reads the journals of this host and of those that it took over: only these are expected."""
    own = host_of(settings.data_folder, ids)
    with records.read() as tx:
        ours = {"", own, *(host.id for host in hosts.every(tx) if host.successor == own)}
    return JournalReader(settings.journal_folder, lambda source: host_in(source) in ours)
