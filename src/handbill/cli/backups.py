"""``backup``, ``restore``, ``index rebuild``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say, settings_with, warn
from handbill.cli.standing import standing, tools_standing
from handbill.host import masters
from handbill.host.outside import of_this_machine
from handbill.opening import opened

if TYPE_CHECKING:
    from rich.progress import Progress

index = typer.Typer(no_args_is_help=True, help="The edge's index, from which clicks are answered.")
_DEST = typer.Argument(metavar="DEST", help="The backup's folder.")
_KEY = typer.Option(
    help="File of the master key; it is copied into the new data folder. Default: the file in "
    "which it was, if that is still on this machine."
)
_WORDS = {"records": "Records", "journal": "Journal", "blobs": "Files"}
_GOOD_AGAIN = (
    "good again, if ended or used since the backup: keys, API clients, people, mails that people "
    "had chosen, recovery codes"
)


def backup(
    dest: Annotated[Path, _DEST],
    verify: Annotated[
        bool, typer.Option("--verify", help="Read the backup again and compare each file.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Back up an installation, also while it runs, into a new folder DEST, as of one moment.

    DEST must be empty or absent. Secrets in it are encrypted, and the master key is not included:
    keep a copy of that key elsewhere.
    """
    from handbill.keeping import manifest as manifests
    from handbill.keeping.backup import BackupSource, back_up
    from handbill.keeping.manifest import NotWhole

    settings = standing(data)
    if dest.absolute().is_relative_to(settings.data_folder):
        raise Mistaken(f"{dest} is in the data folder: it would be lost together with it")
    with opened(settings, of_this_machine(settings)) as it, _steps() as step:
        source = BackupSource(it.records, it.blobs, settings.journal_folder, it.clock, it.ids)
        source.key_file = "" if settings.secrets_key else str(masters.file_of(settings))
        try:
            manifest = back_up(source, dest, step)
            if verify:
                manifests.verify(dest, manifest)
        except NotWhole as refused:
            raise Mistaken(str(refused)) from refused
    size = sum(kept.bytes for kept in manifest.files)
    made = manifests.FinishedBackup(
        folder=str(dest.absolute()), taken_at=manifest.taken_at, bytes=size, verified=verify
    )
    manifests.note_made(settings.data_folder, made)
    say(
        {
            "backup": str(dest),
            "takenAt": manifest.taken_at,
            "installation": manifest.installation,
            "files": len(manifest.files),
            "bytes": size,
            "verified": verify,
            "masterKeys": list(manifest.master_keys),
        },
        as_json=json,
    )
    if not json:
        kept = f"the master key in {manifest.key_file}" if manifest.key_file else "the master key"
        warn(f"not in it: {kept}. Without it, or a copy kept apart, this cannot be restored")


def restore(
    dest: Annotated[Path, _DEST],
    key: Annotated[Path | None, _KEY] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Restore a backup into a new data folder, ready for `serve`; every file is verified.

    Records go to SQLite in the folder, or to an empty PostgreSQL database if HANDBILL_RECORDS_URL
    names one, whichever they came from. Nothing is ever overwritten.
    """
    from handbill.keeping.manifest import NotWhole, require_empty
    from handbill.keeping.restore import (
        RestorePlace,
        key_left,
        read_backup,
        require_keys,
        restore,
        under_way,
    )

    settings = settings_with(data=data)
    try:
        manifest = read_backup(dest)
        key = key or key_left(manifest, settings)
        keys = masters.keys_of(replace(settings, secrets_key_file=str(key)) if key else settings)
        require_keys(manifest, keys, settings)
        require_empty(settings.data_folder, "restore")
        with (
            under_way(settings.data_folder),
            opened(settings, of_this_machine(settings)) as it,
            _steps() as step,
        ):
            if key is not None and not (settings.secrets_key or settings.secrets_key_file):
                masters.write(masters.file_of(settings), list(map(masters.written, keys)))
            settings.scratch_folder.mkdir(mode=0o700)
            target = RestorePlace(
                it.records,
                it.blobs,
                settings.journal_folder,
                settings.scratch_folder,
                it.clock,
                it.ids,
            )
            first = restore(dest, manifest, target, step)
    except NotWhole as refused:
        raise Mistaken(str(refused)) from refused
    say(
        {
            "restored": str(settings.data_folder),
            "takenAt": manifest.taken_at,
            "installation": manifest.installation,
            "files": len(manifest.files),
            "rows": sum(table.rows for table in manifest.tables),
            "numbersFrom": first,
        },
        as_json=json,
    )
    if not json:
        warn(f"{_GOOD_AGAIN}\nnow: handbill serve --data {settings.data}")


@index.command("rebuild")
def rebuild_index(data: DataOption = None, json: JsonOption = False) -> None:
    """Rebuild the edge's index from the records, beside a running server too: edges use the former
    one until the new one is complete.
    """
    from handbill.listings.indexing import begin_refill, refill

    tools = tools_standing(data)
    try:
        with tools.records.write() as tx:
            begin_refill(tx, tools.index, tools.clock.now())
        count = refill(tools)
    finally:
        tools.index.close()
        tools.records.close()
    say({"jobs": count}, as_json=json)


@contextmanager
def _steps() -> Iterator[Callable[..., "_Step"]]:
    """Steps of so many bytes: bars on a terminal, a line for each anywhere else."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(file=sys.stderr)
    progress = Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with progress:
        yield lambda what, total: _Step(progress, what, total)


class _Step:
    """One step, while it is under way."""

    def __init__(self, progress: "Progress", what: str, total: int) -> None:
        self._progress = progress
        self._what = _WORDS[what]
        self._total = total
        self._done = 0

    def __enter__(self) -> Callable[[int], None]:
        self._bar = self._progress.add_task(self._what, total=self._total or None)
        return self._more

    def __exit__(self, failure: object, *_: object) -> None:
        if failure is None:
            self._progress.update(self._bar, total=self._done, completed=self._done)
            if not self._progress.console.is_terminal:
                warn(f"{self._what}: {self._done} bytes")

    def _more(self, count: int) -> None:
        self._done += count
        self._progress.update(self._bar, completed=self._done)
