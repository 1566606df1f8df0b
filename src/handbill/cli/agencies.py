"""``agency create``, ``list``, ``show`` and ``update``."""

from typing import Annotated

import typer

from handbill.cli.speaking import (
    DataOption,
    JsonOption,
    act,
    read_body,
    say,
    say_rows,
    settings_with,
)
from handbill.cli.standing import agency_named, opened_standing
from handbill.host.outside import of_this_machine
from handbill.opening import opened, prepare

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The agency's id.")]
agency = typer.Typer(no_args_is_help=True, help="Agencies: the tenants of this installation.")


@agency.command("create")
def create_agency(
    agency_id: Annotated[str, typer.Argument(metavar="ID", help="Letters, digits, - and _.")],
    name: Annotated[str, typer.Option(help="Display name; the id if absent.")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "USD",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create an agency; print its id, its API key (shown only this once) and its API client id."""
    from handbill.access.service import create_agency as create

    settings = settings_with(data=data)
    act()
    prepare(settings, of_this_machine(settings))
    with opened(settings, of_this_machine(settings)) as stores, stores.records.write() as tx:
        made = create(
            tx,
            stores.ids,
            stores.clock.now(),
            agency_id=agency_id,
            name=name or agency_id,
            currency=currency.upper(),
        )
    say(dict(zip(("agencyId", "apiKey", "apiClientId"), made, strict=True)), as_json=json)


@agency.command("list")
def list_agencies(data: DataOption = None, json: JsonOption = False) -> None:
    """List the agencies of this installation, oldest first."""
    from handbill.access.service import agencies_of_all
    from handbill.contract.access.models import Agency
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        rows = [spelled(Agency.of(one)) for one in agencies_of_all(tx)]
    say_rows(rows, ("id", "name", "currency", "createdOn"), as_json=json)


@agency.command("show")
def show_agency(agency_id: IdArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """Print an agency."""
    from handbill.contract.access.models import Agency
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        row = Agency.of(agency_named(tx, agency_id))
    say(spelled(row), as_json=json)


@agency.command("update")
def update_agency(
    agency_id: IdArgument,
    name: Annotated[str, typer.Option(help="The new name. Id and currency do not change.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Rename an agency."""
    from handbill.access.service import update_agency as update
    from handbill.contract.access.models import AgencyChange

    change = read_body(AgencyChange, {"name": name}, "The agency was not updated")
    with opened_standing(data) as stores, stores.records.write() as tx:
        update(tx, stores.clock.now(), agency_named(tx, agency_id), change.given())
    say({"agencyId": agency_id, "name": name.strip()}, as_json=json)
