"""``rates set``, ``rates import``, ``rates list``, ``rates delete``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from handbill.cli.speaking import (
    DataOption,
    JsonOption,
    Misspoken,
    bytes_in,
    decimal_in,
    read_body,
    say,
    say_rows,
    told_of,
)
from handbill.cli.standing import agency_named, missing_told, writing
from handbill.host.clock import Clock
from handbill.store.records import Tx

rates = typer.Typer(
    no_args_is_help=True,
    help="Rates of exchange, by day: the operator's, for all agencies; or one agency's own.",
)
AgencyOption = Annotated[
    str | None,
    typer.Option("--agency", help="The agency to which they apply. Default: all agencies."),
]
_MOST_RATES = 10_000


@rates.command("set")
def set_rate(
    day: Annotated[str, typer.Option("--date", help="First day on which it applies.")],
    source: Annotated[
        str, typer.Option("--from", help="ISO 4217 code of the currency that is converted.")
    ],
    target: Annotated[
        str, typer.Option("--to", help="ISO 4217 code of the currency that it is converted to.")
    ],
    rate: Annotated[str, typer.Option(help="Value of one unit, such as 1.0825.")],
    agency_id: AgencyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Set the value of one unit of a currency in another one."""
    row = {"date": day, "from": source, "to": target, "rate": decimal_in(rate, "--rate")}
    _put([row], agency_id, data, as_json=json)


@rates.command("import")
def import_rates(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file; - reads standard input.")],
    agency_id: AgencyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Set the rates of a file: CSV under date,from,to,rate, or the ECB's reference rates (XML or
    CSV). Sets all of them, or none.
    """
    from handbill.dialects.rates import NotRates, rates_in

    try:
        every = rates_in(bytes_in(file))
    except NotRates as bad:
        raise Misspoken(f"{file} {bad}") from bad
    _put(every, agency_id, data, as_json=json)


@rates.command("list")
def list_rates(
    agency_id: Annotated[str, typer.Option("--agency", help="The agency.")],
    limit: Annotated[int, typer.Option(min=1, max=_MOST_RATES)] = 100,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Print the rates that an agency sees, the latest day first."""
    from handbill.contract.rates.models import shown_rate
    from handbill.rates.service import page
    from handbill.wire.models import spelled

    with _office(agency_id, data) as (tx, agency_no, _):
        rows = [spelled(shown_rate(*one)) for one in page(tx, agency_no, 0, limit)[0]]
    say_rows(rows, ("id", "rate", "own", "lastUpdated"), as_json=json)


@rates.command("delete")
def delete_rate(
    rate_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the rate, such as 2026-11-27-EUR-USD.")
    ],
    agency_id: AgencyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Delete a rate. Links and booked entries keep it."""
    from handbill.rates.service import delete

    with (
        _office(agency_id, data) as (tx, agency_no, clock),
        missing_told(f"there is no such rate {rate_id!r}; `handbill rates list` names them"),
    ):
        delete(tx, clock.now(), agency_no, rate_id)
    say({"rateId": rate_id, "deleted": True}, as_json=json)


# ── what they share ─────────────────────────────────────────────────────────────────────────────
def _put(
    every: list[dict[str, Any]], agency_id: str | None, data: str | None, *, as_json: bool
) -> None:
    from handbill.contract.rates.models import NewRate
    from handbill.rates.service import put
    from handbill.wire.bodies import OneOrMany

    new = read_body(OneOrMany(NewRate, _MOST_RATES), every, "No rate was set")
    with _office(agency_id, data) as (tx, agency_no, clock), told_of(new):
        changed = put(tx, clock.now(), agency_no, [one.noun() for one in new.items])
    say({"rates": len(every), "changed": changed}, as_json=as_json)


@contextmanager
def _office(agency_id: str | None, data: str | None) -> Iterator[tuple[Tx, int, Clock]]:
    """A transaction for an agency, or the house (0). **Refuses** an unknown one (Mistaken)."""
    with writing(data) as (tx, stores):
        agency_no = 0 if agency_id is None else agency_named(tx, agency_id).no
        yield tx, agency_no, stores.clock
