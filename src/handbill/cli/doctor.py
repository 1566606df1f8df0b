"""``doctor``."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say, settings_with
from handbill.host.folders import UNFINISHED
from handbill.host.outside import of_this_machine
from handbill.host.settings import Settings


def doctor(
    running: Annotated[
        bool,
        typer.Option(
            "--running",
            help="Tell instead how it runs now: processes, judge, queue, disk, last backup.",
        ),
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Examine an installation, also beside a running server; report problems and their remedies.

    Nothing is changed. Exit status 0 if there are none, else 1.
    """
    from handbill.keeping.doctor import Patient, examine
    from handbill.opening import stores_at
    from handbill.worker import schedule

    settings = settings_with(data=data)
    _require_folder(settings)
    if running:
        _tell_running(settings, as_json=json)
        return
    findings = []
    it = stores_at(settings, of_this_machine(settings))
    with closing(it.records):
        patient = Patient(settings, it.records, it.blobs, it.clock, schedule())
        for name, problems in examine(patient):
            findings += [{"check": name, "what": one.what, "do": one.do} for one in problems]
            if not json:
                lines = [f"{name}: {one.what}\n    do: {one.do}" for one in problems]
                sys.stdout.write("\n".join(lines or [f"{name}: well"]) + "\n")
    if json:
        say({"healthy": not findings, "findings": findings}, as_json=True)
    if findings:
        raise typer.Exit(1)


def _tell_running(settings: Settings, *, as_json: bool) -> None:
    """What GET /health answers. **Refuses** records of other tables (BadSettings)."""
    from handbill.contract.health.models import health_told
    from handbill.keeping.health import health_of
    from handbill.opening import opened, require_own_records
    from handbill.wire.models import spelled
    from handbill.worker import schedule

    with opened(settings, of_this_machine(settings)) as it:
        require_own_records(it)
        with it.records.read() as tx:
            health = health_of(tx, settings, schedule(), it.clock.now())
    if as_json:
        say(spelled(health_told(health)), as_json=True)
    else:
        lines = [f"{one.name}: {'' if one.ok else 'NOT WELL: '}{one.says}" for one in health.checks]
        sys.stdout.write("\n".join(lines) + "\n")
    if not health.ok:
        raise typer.Exit(1)


def _require_folder(settings: Settings) -> None:
    """**Refuses** a folder that holds nothing of ours (Mistaken): a mistyped one is not made."""
    if (settings.data_folder / UNFINISHED).exists():
        return
    kept = settings.records_address.removeprefix("sqlite:///")
    is_file = kept != settings.records_address
    if not settings.data_folder.is_dir() or (is_file and not Path(kept).exists()):
        raise Mistaken(
            f"there is no installation at {settings.data_folder}; name its folder with --data"
        )
