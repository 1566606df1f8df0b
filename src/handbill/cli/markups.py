"""``markup create``, ``markup list``, ``markup show``, ``markup update``, ``markup delete``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NamedTuple

import typer

from handbill.cli.speaking import (
    DataOption,
    JsonOption,
    Misspoken,
    body_in,
    decimal_in,
    read_body,
    say,
    say_lines,
    told_of,
)
from handbill.cli.standing import missing_told, writing_for
from handbill.host.clock import Clock
from handbill.host.ids import Ids
from handbill.kit.jsons import encode
from handbill.store.records import Tx

markup = typer.Typer(no_args_is_help=True, help="Markups on customers' spend.")

_NOT_THEIRS = (
    "an id is not the agency's, or not of that level or client; `handbill markup list` shows the "
    "markups, GET /meta a client's campaigns and job groups"
)
AgencyOption = Annotated[str, typer.Option("--agency", help="The agency whose markups they are.")]
MarkupId = Annotated[str, typer.Argument(metavar="ID", help="The markup's id.")]
NameOption = Annotated[str | None, typer.Option(help="A display name.")]
ValueOption = Annotated[str | None, typer.Option(help="Percent added to the spend, such as 12.5.")]
SinceOption = Annotated[
    str | None,
    typer.Option("--effective-from", help="Begin: seconds since 1970, or ISO 8601."),
]
ClientOption = Annotated[str | None, typer.Option("--client", help="Id of the client.")]
LevelOption = Annotated[
    str | None, typer.Option(help="Client, Campaign or JobGroup; Client if absent.")
]
EntityOption = Annotated[
    str | None, typer.Option(help="Id of the campaign or job group; the client's if absent.")
]
PlacementOption = Annotated[str | None, typer.Option(help="Only at this publisher.")]
BodyOption = Annotated[
    str | None,
    typer.Option(
        "--json-body",
        metavar="FILE",
        help="The body of POST /markups as JSON; - reads standard input.",
    ),
]


@markup.command("create")
def create_markup(
    agency_id: AgencyOption,
    client: ClientOption = None,
    level: LevelOption = None,
    entity: EntityOption = None,
    placement: PlacementOption = None,
    value: ValueOption = None,
    effective_from: SinceOption = None,
    name: NameOption = None,
    json_body: BodyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create a markup for one entity, or for those of a JSON body; print its id."""
    from handbill.contract.markups.models import NewMarkup
    from handbill.markups.service import create

    body = _body_of(
        json_body, value, effective_from, name, MarkupScope(client, level, entity, placement)
    )
    new = read_body(NewMarkup, body, "The markup was not created")
    with _office(agency_id, data) as (tx, agency_no, clock, ids), told_of(new):
        made = create(tx, ids, clock.now(), agency_no, **new.given())
    say({"markupId": made.id, "agencyId": agency_id}, as_json=json)


@markup.command("list")
def list_markups(
    agency_id: AgencyOption,
    client: ClientOption = None,
    data: DataOption = None,
    json: JsonOption = True,  # noqa: ARG001
) -> None:
    """Print the agency's markups, or those of a client, one JSON object per line."""
    from handbill.clients.service import client_of
    from handbill.contract.markups.models import shown_markups
    from handbill.markups.service import MOST_MARKUPS, page, page_of_client
    from handbill.wire.models import spelled

    with _office(agency_id, data) as (tx, agency_no, _, _):
        if client is None:
            markups, _ = page(tx, agency_no, 0, MOST_MARKUPS)
        else:
            client_no = client_of(tx, agency_no, client).no
            markups, _ = page_of_client(tx, client_no, 0, MOST_MARKUPS)
        lines = [encode(spelled(one)) for one in shown_markups(tx, markups)]
    say_lines(lines)


@markup.command("show")
def show_markup(
    markup_id: MarkupId,
    agency_id: AgencyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Print a markup."""
    from handbill.contract.markups.models import shown_markups
    from handbill.markups.service import markup_of
    from handbill.wire.models import spelled

    with _office(agency_id, data) as (tx, agency_no, _, _):
        (row,) = map(spelled, shown_markups(tx, [markup_of(tx, agency_no, markup_id)]))
    if json:
        say_lines([encode(row)])
        return
    entities = row.pop("entities")
    say(row, as_json=False)
    for one in entities:
        at = one["placementId"] or "every publisher"
        say(
            {"holds at": f"{one['level']} {one['entityId']} of client {one['clientId']}, {at}"},
            as_json=False,
        )


@markup.command("update")
def update_markup(
    markup_id: MarkupId,
    agency_id: AgencyOption,
    client: ClientOption = None,
    level: LevelOption = None,
    entity: EntityOption = None,
    placement: PlacementOption = None,
    value: ValueOption = None,
    effective_from: SinceOption = None,
    name: NameOption = None,
    json_body: BodyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Change a markup for events judged from now on; an entity replaces all former ones."""
    from handbill.contract.markups.models import MarkupChange
    from handbill.markups.service import update

    body = _body_of(
        json_body, value, effective_from, name, MarkupScope(client, level, entity, placement)
    )
    change = read_body(MarkupChange, body, "The markup was not changed")
    with _office(agency_id, data) as (tx, agency_no, clock, _), told_of(change):
        update(tx, clock.now(), agency_no, markup_id, change.given())
    say({"markupId": markup_id, "updated": True}, as_json=json)


@markup.command("delete")
def delete_markup(
    markup_id: MarkupId,
    agency_id: AgencyOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Delete a markup. Booked entries do not change."""
    from handbill.markups.service import delete

    with _office(agency_id, data) as (tx, agency_no, clock, _):
        delete(tx, clock.now(), agency_no, markup_id)
    say({"markupId": markup_id, "deleted": True}, as_json=json)


# ── what they share ─────────────────────────────────────────────────────────────────────────────


@contextmanager
def _office(agency_id: str, data: str | None) -> Iterator[tuple[Tx, int, Clock, Ids]]:
    """A transaction for an agency. **Refuses** one that is not there (Mistaken)."""
    with writing_for(data, agency_id) as (tx, stores, agency_no), missing_told(_NOT_THEIRS):
        yield tx, agency_no, stores.clock, stores.ids


class MarkupScope(NamedTuple):
    """Where a markup is to hold, as the options say it."""

    client: str | None
    level: str | None
    entity: str | None
    placement: str | None


def _body_of(
    json_body: str | None,
    value: str | None,
    since: str | None,
    name: str | None,
    held: MarkupScope,
) -> Any:
    """The body that the flags, or a file, say. **Refuses** both at once (Misspoken)."""
    body: dict[str, Any] = {"name": name}
    body["value"] = None if value is None else decimal_in(value, "--value")
    body["effectiveFrom"] = int(since) if since and since.isdecimal() else since
    if any(part is not None for part in held):
        one = {"clientId": held.client, "entityId": held.entity, "placementId": held.placement}
        level = {"level": held.level or "Client"}
        body["entities"] = [{name: part for name, part in one.items() if part} | level]
    flags = {key: given for key, given in body.items() if given is not None}
    if json_body is None:
        return flags
    if flags:
        raise Misspoken("--json-body contains everything; omit the other options")
    return body_in(json_body)
