"""``agency create``."""

from typing import Annotated

import typer

from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say, settings_with
from handbill.kit.faults import Refused
from handbill.opening import opened, prepare
from handbill.store.records import Tx

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


def agency_no_of(tx: Tx, agency_id: str) -> int:
    """The row number of an agency that a command names. **Refuses** an unknown one (Mistaken)."""
    from handbill.access.service import agency_of

    try:
        return agency_of(tx, agency_id).no
    except Refused as unknown:
        raise Mistaken(
            f"there is no agency {agency_id!r}; `handbill agency create` makes one"
        ) from unknown
