"""``agency``, ``publisher create``, ``publisher-family create``."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say, say_rows, settings_with
from handbill.cli.standing import agency_named, standing
from handbill.kit.faults import Fault, Refused, bad_request
from handbill.opening import opened, prepare

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The agency's id.")]
agency = typer.Typer(no_args_is_help=True, help="Agencies: the tenants of this installation.")


@agency.command("create")
def create_agency(
    agency_id: Annotated[str, typer.Argument(metavar="ID", help="Letters, digits, - and _.")],
    name: Annotated[str, typer.Option(help="Its name; the id if absent.")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217 code.")] = "USD",
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create an agency; prints its id, its API key (shown this once) and its API client id."""
    from handbill.access.service import create_agency as create

    settings = settings_with(data=data)
    prepare(settings)
    with opened(settings) as stores, stores.records.write() as tx:
        made = create(
            tx, stores.ids, stores.clock.now(),
            agency_id=agency_id, name=name or agency_id, currency=currency,
        )  # fmt: skip
    say(dict(zip(("agencyId", "apiKey", "apiClientId"), made, strict=True)), as_json=json)


@agency.command("list")
def list_agencies(data: DataOption = None, json: JsonOption = False) -> None:
    """List the agencies of this installation, oldest first."""
    from handbill.access.routes import spell_agency
    from handbill.access.service import agencies_of_all

    with opened(standing(data)) as stores, stores.records.read() as tx:
        rows = [spell_agency(one) for one in agencies_of_all(tx)]
    say_rows(rows, ("id", "name", "currency", "createdOn"), as_json=json)


@agency.command("show")
def show_agency(agency_id: IdArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """Print an agency."""
    from handbill.access.routes import spell_agency

    with opened(standing(data)) as stores, stores.records.read() as tx:
        found = spell_agency(agency_named(tx, agency_id))
    say(found, as_json=json)


@agency.command("update")
def update_agency(
    agency_id: IdArgument,
    name: Annotated[str, typer.Option(help="Its new name. Id and currency stay.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Give an agency another name."""
    from handbill.access.routes import AGENCY_UPDATE
    from handbill.access.service import update_agency as update

    faults: list[Fault] = []
    given = AGENCY_UPDATE.read({"name": name}, "", faults)
    if faults:
        raise bad_request(faults, "The agency was not updated")
    with opened(standing(data)) as stores, stores.records.write() as tx:
        update(tx, agency_named(tx, agency_id), given)
    say({"agencyId": agency_id, "name": given["name"].strip()}, as_json=json)


publisher = typer.Typer(no_args_is_help=True, help="Publishers: where jobs are advertised.")
family = typer.Typer(no_args_is_help=True, help="Publisher families: vendors of publishers.")


@publisher.command("create")
def create_publisher(
    publisher_id: Annotated[str, typer.Argument(metavar="ID", help="As job groups name it.")],
    agency_id: Annotated[str, typer.Option("--agency", help="The agency that uses it.")],
    bid_type: Annotated[str, typer.Option(help="CPC, CPA, FLAT_CPC, Organic or PPP.")] = "CPC",
    min_bid: Annotated[str, typer.Option(help="Least bid that it takes.")] = "0",
    flat_bid: Annotated[str | None, typer.Option(help="The bid of a FLAT_CPC publisher.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217; the agency's if absent.")] = None,
    name: Annotated[str | None, typer.Option(help="Display name; the id if absent.")] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create a publisher of an agency; everything else about it is set by PUT /publishers/{id}."""
    from handbill.access.service import agency_of
    from handbill.publishers.service import create
    from handbill.wire.publishers import CREATE

    said = {
        "id": publisher_id, "name": name or publisher_id, "bidType": bid_type,
        "minBid": _number(min_bid, "--min-bid"), "currency": currency,
        "flatBidValue": None if flat_bid is None else _number(flat_bid, "--flat-bid"),
    }  # fmt: skip
    faults: list[Fault] = []
    given = CREATE.read(
        {key: value for key, value in said.items() if value is not None}, "", faults
    )
    if faults:
        raise bad_request(faults, "The publisher was not created")
    settings = settings_with(data=data)
    prepare(settings)
    with opened(settings) as stores, stores.records.write() as tx:
        try:
            agency_no = agency_of(tx, agency_id).no
        except Refused as unknown:
            raise Mistaken(
                f"there is no agency {agency_id!r}; `handbill agency create` makes one"
            ) from unknown
        made = create(tx, stores.clock.now(), agency_no, given)
    say({"publisherId": made.id, "agencyId": agency_id}, as_json=json)


@family.command("create")
def create_family(
    publishers: Annotated[str, typer.Option(help="Publisher ids, a comma list.")],
    agency_id: Annotated[
        str | None, typer.Option("--agency", help="Only this agency's publishers of those ids.")
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Create a family; prints its id, its API key (shown this once) and its API client id."""
    from handbill.publishers.service import create_family as create

    ids = [part.strip() for part in publishers.split(",") if part.strip()]
    settings = settings_with(data=data)
    prepare(settings)
    with opened(settings) as stores, stores.records.write() as tx:
        made = create(tx, stores.ids, stores.clock.now(), ids, agency_id)
    say(dict(zip(("publisherFamilyId", "apiKey", "apiClientId"), made, strict=True)), as_json=json)


def _number(text: str, option: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Mistaken(f"{option} {text!r} is not a number, such as 0.25") from None
