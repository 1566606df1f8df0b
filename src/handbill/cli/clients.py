"""``client list``, ``stage-map show`` and ``stage-map set``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from handbill.cli.speaking import (
    DataOption,
    JsonOption,
    Misspoken,
    body_in,
    read_body,
    say,
    say_rows,
)
from handbill.cli.standing import (
    agency_named,
    client_named,
    client_to_change,
    opened_standing,
)
from handbill.clients import service as clients
from handbill.funnel import service as funnel

client = typer.Typer(no_args_is_help=True, help="Clients: the employers of an agency.")
stage_map = typer.Typer(
    no_args_is_help=True, help="Stage maps: which stages a client's status texts mean."
)
ClientArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id.")]
_SHOWN = ("id", "companyName", "activeStatus", "timeZone", "startDate", "endDate", "pixelId")
_AT_ONCE = 1_000


@client.command("list")
def list_clients(
    agency_id: Annotated[str, typer.Option("--agency", metavar="A", help="The agency's id.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List an agency's clients, oldest first."""
    from handbill.contract.clients.models import row_told
    from handbill.wire.models import spelled

    rows: list[dict[str, Any]] = []
    with opened_standing(data) as stores, stores.records.read() as tx:
        agency_no = agency_named(tx, agency_id).no
        while True:
            batch, total = clients.page(tx, agency_no, len(rows), _AT_ONCE)
            answers = [spelled(row_told(one, [])) for one in batch]
            rows += [{name: one[name] for name in _SHOWN} for one in answers]
            if not batch or len(rows) >= total:
                break
    say_rows(rows, _SHOWN, as_json=json)


@stage_map.command("show")
def show_stage_map(
    client_id: ClientArgument, data: DataOption = None, json: JsonOption = False
) -> None:
    """Print the map, and the received texts that have no stage yet."""
    with opened_standing(data) as stores, stores.records.read() as tx:
        stages, unmapped = funnel.stage_map(tx, client_named(tx, client_id))
    if json:
        say({"stageMap": stages, "unmapped": unmapped}, as_json=True)
        return
    mapped = [{"status": text, "stage": stage, "items": None} for text, stage in stages.items()]
    waiting = [{"status": text, "stage": None, "items": n} for text, n in unmapped.items()]
    say_rows([*mapped, *waiting], ("status", "stage", "items"), as_json=False)


@stage_map.command("set")
def set_stage_map(
    client_id: ClientArgument,
    stage: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT=STAGE", help="Stage of a text; may be repeated."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="JSON: {text: stage}, or the body of the API; - is standard input."
        ),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Replace the map, as PUT …/stage-map does; items without a stage get theirs."""
    if stage is None and file is None:
        raise typer.BadParameter("give the map: --stage TEXT=STAGE, or --file FILE")
    given = _of_file(file) if file is not None else {}
    for pair in stage or ():
        text, equals, named = pair.rpartition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r} is not TEXT=STAGE", param_hint="--stage")
        given[text] = named
    from handbill.contract.funnel.models import NewStageMap

    body: NewStageMap = read_body(NewStageMap, {"stageMap": given}, "The stage map was not set")
    stages = body.named()
    with opened_standing(data) as stores, stores.records.write() as tx:
        found_client = client_to_change(tx, client_id)
        funnel.set_stage_map(tx, stores.clock.now(), found_client, stages)
    say({"clientId": client_id, "texts": len(stages)}, as_json=json)


def _of_file(path: Path) -> dict[str, Any]:
    """The map of a JSON file. **Refuses** what cannot be read or is no object (Mistaken)."""
    given = body_in(str(path))
    if isinstance(given, dict) and isinstance(given.get("stageMap"), dict):
        given = given["stageMap"]
    if not isinstance(given, dict):
        raise Misspoken(f"{path} must hold an object: {{text: stage}}")
    return given
