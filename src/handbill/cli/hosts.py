"""``hosts``: which host serves these records, and what to do when it is gone."""

from pathlib import Path
from typing import Annotated, Any

import typer

from handbill.changes import service as changes
from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say, say_rows
from handbill.cli.standing import standing, writing
from handbill.core.trail import TrailEntity
from handbill.host.identity import host_in, host_of, kept_id
from handbill.host.outside import chance, of_this_machine
from handbill.host.settings import Settings
from handbill.kit.instants import Instant, iso_of
from handbill.opening import opened
from handbill.work import hosts as service
from handbill.work.hosts import HeldByOther, Host

hosts = typer.Typer(no_args_is_help=True, help="Hosts of these records; one serves them at a time.")
_COLUMNS = ("id", "name", "holds", "startedAt", "seenAt", "endedAt", "successor")


@hosts.command("list")
def list_hosts(data: DataOption = None, json: JsonOption = False) -> None:
    """List all hosts that have served these records, oldest first, and the current one."""
    with writing(data) as (tx, _):
        now = tx.now()
        rows = [_spell(host, now) for host in service.every(tx)]
    say_rows(rows, _COLUMNS, as_json=json)


@hosts.command("release")
def release(
    host_id: Annotated[str, typer.Argument(metavar="HOST_ID", help="The id, from `hosts list`.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Release a host that is gone for good, so that another may serve at once. If it still runs, it
    ends within seconds.
    """
    with writing(data) as (tx, stores):
        held = service.holder(tx)
        if not service.end(tx, host_id):
            raise Mistaken(f"there is no host {host_id!r}; `handbill hosts list` names them")
        before = {"holds": held is not None and held.id == host_id}
        changes.tell(tx, stores.clock.now(), TrailEntity("HOST", host_id), before, {"holds": False})
    say({"released": host_id}, as_json=json)


@hosts.command("adopt")
def adopt(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The former host's data folder, or a copy.")
    ],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Judge the events that a former host has left in its journal.

    Events already judged are not judged again. Works beside a running server.
    """
    settings = standing(data)
    own = host_of(settings.data_folder, chance())
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

    with opened(settings, of_this_machine(settings)) as stores:
        with stores.records.read() as tx:
            known = {host.id: host for host in service.every(tx)}
            service.refuse_holding(tx, former)
        if former not in known:
            raise Mistaken(f"host {former} of {folder} never served these records")
        brought = bring(_sources(folder, known.keys() - {own}), settings.journal_folder)
        with stores.records.write() as tx:
            service.succeed(tx, former, own)
            before, after = {"successor": known[former].successor}, {"successor": own}
            changes.tell(tx, stores.clock.now(), TrailEntity("HOST", former), before, after)
    return brought


def _sources(folder: Path, known: set[str]) -> list[Path]:
    """The journal's sources in a data folder that are of hosts of these records."""
    journal = folder / "journal"
    if not journal.is_dir():
        raise Mistaken(f"there is no journal in {folder}; bring the journal's folder there first")
    return [path for path in journal.iterdir() if path.is_dir() and host_in(path.name) in known]


def _spell(host: Host, now: Instant) -> dict[str, Any]:
    return {
        "id": host.id,
        "name": host.name,
        "holds": service.is_holding(host, now),
        "startedAt": iso_of(host.started_at),
        "seenAt": iso_of(host.seen_at),
        "endedAt": None if host.ended_at is None else iso_of(host.ended_at),
        "successor": host.successor,
    }
