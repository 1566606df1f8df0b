"""``ledger export``, ``ledger check``, ``ledger rejudge``."""

import re
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from handbill.cli.speaking import (
    DataOption,
    JsonOption,
    Misspoken,
    Mistaken,
    say,
    warn,
)
from handbill.cli.standing import client_named, opened_standing, standing
from handbill.host.outside import of_this_machine
from handbill.host.settings import Settings
from handbill.opening import opened
from handbill.store.records import Records
from handbill.wire.values import read_day

ledger = typer.Typer(no_args_is_help=True, help="The ledger: all judged events.")


_MONTH = re.compile(r"20[0-9]{2}-(?:0[1-9]|1[0-2])")


def _scratch(settings: Settings) -> Path:
    settings.scratch_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings.scratch_folder


class EntryFormat(StrEnum):
    """How entries are written."""

    JSONL = "jsonl"
    CSV = "csv"


@ledger.command("export")
def export_ledger(
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this client's entries.")
    ] = None,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="First day, in each client's zone."),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last day, inclusive.")
    ] = None,
    form: Annotated[
        EntryFormat, typer.Option("--format", help="JSON lines, or CSV with headings.")
    ] = EntryFormat.JSONL,
    data: DataOption = None,
    json: JsonOption = True,  # noqa: ARG001 - scripts may say so
) -> None:
    """Write entries to standard output, one per line, by client and time."""
    from handbill.ledger.service import NAMES, Wanted, export
    from handbill.stats.files import lines_into

    first_on, last_on = _day_in(first, "--from", date.min), _day_in(last, "--to", date.max)
    if first_on > last_on:
        raise Misspoken(f"--from {first_on} is after --to {last_on}")
    settings = standing(data)
    with opened(settings, of_this_machine(settings)) as stores:
        client_no = None if client is None else _client_no(stores.records, client)
        wanted = Wanted(client_no, first_on, last_on)
        entries = export(stores.records, stores.blobs, _scratch(settings), wanted)
        out = sys.stdout.buffer
        with lines_into(out, NAMES, form.name) as put:
            for entry in entries:
                put(tuple(entry.values()))
        out.flush()


def _day_in(text: str | None, option: str, otherwise: date) -> date:
    """The day that an option says. **Refuses** what is none (Misspoken)."""
    if text is None:
        return otherwise
    iso = read_day(text)
    if iso is None:
        raise Misspoken(f"{option} {text!r} is not a day, such as 2026-11-27")
    return date.fromisoformat(iso)


def _client_no(records: Records, client_id: str) -> int:
    """A client's number, also of one that was deleted. **Refuses** others (Mistaken)."""
    from handbill.clients.service import client_at_work

    with records.read() as tx:
        at_work = client_at_work(tx, client_id)
    if at_work is None:
        raise Mistaken(f"there is no client {client_id}; see: handbill client list")
    return at_work[0].no


@ledger.command("check")
def check_ledger(data: DataOption = None, json: JsonOption = False) -> None:
    """Check that the books balance, and print the sums. Exit status 0 if they do, else 1."""
    from handbill.ledger.checking import check

    settings = standing(data)
    with opened(settings, of_this_machine(settings)) as stores:
        books = check(stores.records, stores.blobs, _scratch(settings), settings.journal_folder)
    if json:
        answer = {"balanced": books.balanced, "sums": dict(books.sums), "faults": books.faults}
        say(answer, as_json=True)
    else:
        say(dict(books.sums), as_json=False)
        warn("the books balance" if books.balanced else "the books DO NOT balance")
    if not books.balanced:
        for fault in books.faults:
            warn(fault)
        raise typer.Exit(1)


@ledger.command("rejudge")
def rejudge_month(
    client: Annotated[str, typer.Option(metavar="ID", help="The client's id.")],
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Month in the client's zone.")],
    validate_only: Annotated[
        bool, typer.Option("--validate-only", help="Only tell what would be corrected.")
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Judge the clicks of an open month again, and correct what differs."""
    from handbill.contract.rejudgings.models import rejudged_told
    from handbill.ledger import rejudging, rejudgings
    from handbill.wire.models import spelled

    if not _MONTH.fullmatch(month):
        raise Misspoken(f"--month {month!r} is not a month, such as 2026-11")
    with opened_standing(data) as stores:
        with stores.records.write() as tx:
            asked = rejudgings.ask(
                tx,
                stores.clock.now(),
                stores.ids,
                client_named(tx, client),
                month,
                only_looks=validate_only,
            )
        desk = rejudging.desk_of(
            stores.records, stores.blobs, stores.clock, stores.ids, stores.settings
        )
        done = rejudgings.run(desk, asked)
    assert done is not None, "what was asked for is there"
    answer = spelled(rejudged_told(done))
    if json or done.state != "SUCCESS":
        say(answer, as_json=json)
    else:
        say({name: answer["outcome"][name] for name in answer["outcome"]}, as_json=False)
    if done.state != "SUCCESS":
        raise typer.Exit(1)
