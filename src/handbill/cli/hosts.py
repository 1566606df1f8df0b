"""``hosts``: which host serves these records, and what to do when it is gone."""

from pathlib import Path
from typing import Annotated, Any

import typer

from handbill.changes import service as changes
from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say, say_rows
from handbill.cli.standing import standing, writing
from handbill.core.trail import Entity
from handbill.host.identity import host_in, host_of, kept_id
from handbill.host.ids import SystemIds
from handbill.host.settings import Settings
from handbill.kit.instants import Instant, iso_of
from handbill.opening import opened
from handbill.work import hosts as service
from handbill.work.hosts import HeldByOther, Host

hosts = typer.Typer(
    no_args_is_help=True, help="The hosts of these records: one serves them at a time."
)
_COLUMNS = ("id", "name", "holds", "startedAt", "seenAt", "endedAt", "successor")


@hosts.command("list")
def list_hosts(data: DataOption = None, json: JsonOption = False) -> None:
    """List the hosts that ever served these records, the oldest first, and which one does now."""
    with writing(data) as (tx, _):
        now = tx.now()
        rows = [_spell(host, now) for host in service.every(tx)]
    say_rows(rows, _COLUMNS, as_json=json)


@hosts.command("release")
def release(
    host_id: Annotated[str, typer.Argument(metavar="HOST_ID", help="`hosts list` names it.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Let another host serve at once, when this one is gone for good. If it lives after all, it
    ends by itself a few seconds later.
    """
    with writing(data) as (tx, stores):
        held = service.holder(tx)
        if not service.end(tx, host_id):
            raise Mistaken(f"there is no host {host_id!r}; `handbill hosts list` names them")
        before = {"holds": held is not None and held.id == host_id}
        changes.tell(tx, stores.clock.now(), Entity("HOST", host_id), before, {"holds": False})
    say({"released": host_id}, as_json=json)


@hosts.command("adopt")
def adopt(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Its data folder, or a copy.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Take over what a host that is gone has left in its journal, so that it is judged here.

    What was judged of it already is not judged again. Works beside a running server.
    """
    settings = standing(data)
    own = host_of(settings.data_folder, SystemIds())
    former = kept_id(folder)
    if former is None:
        raise Mistaken(f"{folder} is not the data folder of a host: it has no host.json")
    if former == own:
        raise Mistaken(f"{folder} is this host's own data folder")
    try:
        brought = _taken_over(settings, folder, former, own)
    except HeldByOther as held:
        raise Mistaken(
            f"host {former} ({held.host.name}) still serves; stop it first, or if it is gone: "
            f"handbill hosts release {former}"
        ) from held
    say({"host": former, "sources": brought}, as_json=json)


def _taken_over(settings: Settings, folder: Path, former: str, own: str) -> list[str]:
    from handbill.store.journal_moves import bring

    with opened(settings) as stores:
        with stores.records.read() as tx:
            known = {host.id: host for host in service.every(tx)}
            service.refuse_holding(tx, former)
        if former not in known:
            raise Mistaken(f"host {former} of {folder} never served these records")
        brought = bring(_sources(folder, known.keys() - {own}), settings.journal_folder)
        with stores.records.write() as tx:
            service.succeed(tx, former, own)
            before, after = {"successor": known[former].successor}, {"successor": own}
            changes.tell(tx, stores.clock.now(), Entity("HOST", former), before, after)
    return brought


def _sources(folder: Path, known: set[str]) -> list[Path]:
    """The journal's sources in a data folder that are of hosts of these records."""
    journal = folder / "journal"
    if not journal.is_dir():
        raise Mistaken(f"there is no journal in {folder}; bring the journal's folder there first")
    return [path for path in journal.iterdir() if path.is_dir() and host_in(path.name) in known]


def _spell(host: Host, now: Instant) -> dict[str, Any]:
    return {
        "id": host.id, "name": host.name, "holds": service.is_holding(host, now),
        "startedAt": iso_of(host.started_at), "seenAt": iso_of(host.seen_at),
        "endedAt": None if host.ended_at is None else iso_of(host.ended_at),
        "successor": host.successor,
    }  # fmt: skip
