"""``ledger export``, ``ledger check``."""

from pathlib import Path

import msgspec
import typer

from handbill.cli.speaking import DataOption, JsonOption, say, say_lines, warn
from handbill.cli.standing import standing
from handbill.host.settings import Settings
from handbill.opening import opened

ledger = typer.Typer(no_args_is_help=True, help="The ledger: every event, judged once.")


def _scratch(settings: Settings) -> Path:
    settings.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings.scratch_folder


@ledger.command("export")
def export_ledger(data: DataOption = None, json: JsonOption = True) -> None:  # noqa: ARG001
    """Write every booked entry to standard output, a JSON object per line, client by client."""
    from handbill.ledger.service import export

    settings = standing(data)
    with opened(settings) as stores:
        lines = export(stores.records, stores.blobs, _scratch(settings))
        say_lines(map(msgspec.json.encode, lines))


@ledger.command("check")
def check_ledger(data: DataOption = None, json: JsonOption = False) -> None:
    """Check that the books balance, and print the sums. Exit status 0: they do; 1: they do not."""
    from handbill.ledger.checking import check

    settings = standing(data)
    with opened(settings) as stores:
        books = check(stores.records, stores.blobs, _scratch(settings), settings.journal_folder)
    if json:
        told = {"balanced": books.balanced, "sums": dict(books.sums), "faults": books.faults}
        say(told, as_json=True)
    else:
        say(dict(books.sums), as_json=False)
        warn("the books balance" if books.balanced else "the books DO NOT balance")
    if not books.balanced:
        for fault in books.faults:
            warn(fault)
        raise typer.Exit(1)
