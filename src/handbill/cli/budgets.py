"""``overview``, ``budget`` and ``status``: figures of all clients, how a client's caps stand, and
what of it does not run freely.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from handbill.cli.clients import ClientArgument
from handbill.cli.speaking import DataOption, JsonOption, say_lines, say_rows
from handbill.cli.standing import agency_named, client_named, opened_standing
from handbill.kit.jsons import encode

if TYPE_CHECKING:
    from handbill.contract.standing.models import ResolvedStatus
    from handbill.core.standing.reasons import FixKind, Resolved
    from handbill.listings.resolving import ResolvedEntity

_COLUMNS: Final = (
    "of",
    "cap",
    "period",
    "value",
    "used",
    "usedToday",
    "share",
    "inFlight",
    "delivery",
    "pace",
    "forecast",
    "timeInBudget",
    "unbilled",
    "unspentBecause",
)
_WIDTH: Final = 24
_LEVELS: Final = {"CLIENT": "client", "CAMPAIGN": "campaign", "JOBGROUP": "job group"}
MENDED: Final[dict["FixKind", str]] = {
    "enable": "switch it on",
    "begin": "let it start now",
    "extend": "let it end later",
    "open_day": "let it advertise on this weekday",
    "raise": "raise the cap",
    "activate": "switch the placement on",
    "bid": "bid more",
    "admit": "admit the publisher",
    "lift": "lift the rule's hold",
}


_METRICS: Final = ("spent", "clicks", "applies", "cpa")
_MOST_CLIENTS: Final = 10_000
_MOST_DAYS: Final = 200


def overview(
    agency_id: Annotated[str, typer.Option("--agency", metavar="A", help="The agency's id.")],
    days: Annotated[
        int, typer.Option(min=1, max=_MOST_DAYS, help="How many days, today included.")
    ] = 30,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Print figures of an agency's clients over the last days, and of as many days before."""
    from handbill.contract.overview.models import overview_told
    from handbill.core.metrics import finished_as, made_of
    from handbill.stats import overviews
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        agency, now = agency_named(tx, agency_id), stores.clock.now()
        wanted = frozenset().union(*map(made_of, _METRICS))
        figures = overviews.overview(tx, agency.no, [days], wanted, 0, _MOST_CLIENTS, now)
        answer = spelled(overview_told(figures, {name: finished_as(name) for name in _METRICS}))
    if json:
        say_lines([encode(answer)])
        return
    every = [*answer["data"], answer | {"name": "all", "resolvedStatus": {"status": ""}}]
    rows = [
        {"client": one["name"], "state": one["resolvedStatus"]["status"]}
        | {"currency": answer["currency"], **one["total"]}
        | {f"{name} before": value for name, value in one["before"].items()}
        for one in every
    ]
    say_rows(rows, tuple(rows[0]), as_json=False)


def budget(client_id: ClientArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """Print how every cap of a client, its campaigns and job groups stands."""
    from handbill.contract.budget.models import budget_told
    from handbill.control.budgets import budget_of
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        client, now = client_named(tx, client_id), stores.clock.now()
        answer = spelled(budget_told(budget_of(tx, client, now, stores.settings.ceiling_ppm)))
    if json:
        say_lines([encode(answer)])
        return
    say_rows(list(_lines(answer)), _COLUMNS, as_json=False)


def _lines(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from _caps("client", told)
    for campaign in told["campaigns"]:
        yield from _caps("campaign", campaign)
        for group in campaign["jobGroups"]:
            yield from _caps("job group", group)


def _caps(what: str, entity: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for cap in entity["caps"]:
        at = f" at {cap['publisherId']}" if "publisherId" in cap else ""
        end = cap["forecastEnd"]
        yield cap | {
            "of": f"{what} {entity['name']}{at}",
            "pace": _percent(cap["pace"]),
            "timeInBudget": _percent(cap["timeInBudget"]),
            "forecast": None if end is None else f"{end['value']} ({end['low']} to {end['high']})",
            "unbilled": cap["unbilled"]["count"],
            "unspentBecause": ", ".join(cap["unspentBecause"]),
        }


def _percent(number: Any) -> str | None:
    return None if number is None else f"{float(number):.1f}%"


def status(client_id: ClientArgument, data: DataOption = None, json: JsonOption = False) -> None:
    """Print what of a client does not run freely: the reason, and what would mend it."""
    from handbill.contract.standing.models import status_told
    from handbill.listings.resolving import of_all
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        client = client_named(tx, client_id)
        standings = [(one, status_told(one)) for one in of_all(tx, client)]
    if json:
        rows = [{**_named(one), "resolvedStatus": spelled(answer)} for one, answer in standings]
        say_lines([encode({"data": rows})])
        return
    shown = [(one, told) for one, told in standings if not _is_as_made(one, told)]
    say_lines(line.encode() for one, told in shown for line in _resolved_lines(one, told))
    if not shown:
        say_lines([b"nothing of it is stopped or limited"])


def _is_as_made(one: "ResolvedEntity", told: "ResolvedStatus") -> bool:
    """A client's default campaign is paused from its beginning, which stops nothing."""
    around = one.around
    is_default = around.campaign is not None and around.campaign.is_default and not around.group
    return is_default and told.status == "PAUSED"


def _named(one: "ResolvedEntity") -> dict[str, str]:
    """The lowest that it is about."""
    around = one.around
    if around.group is not None:
        return {"level": "JOBGROUP", "id": around.group.id, "name": around.group.body.name}
    if around.campaign is not None:
        campaign = around.campaign
        return {"level": "CAMPAIGN", "id": campaign.id, "name": campaign.body.name}
    return {"level": "CLIENT", "id": around.client.id, "name": around.client.body.company_name}


def _resolved_lines(one: "ResolvedEntity", told: "ResolvedStatus") -> Iterator[str]:
    named = _named(one)
    yield from status_lines(_LEVELS[named["level"]], named["name"], one.resolved, told)


def status_lines(
    what: str, name: str, resolved: "Resolved", told: "ResolvedStatus"
) -> Iterator[str]:
    """How a thing stands, for people: its reasons, and what would mend each."""
    yield f"{what:<{_WIDTH}}{name}: {told.status}, {told.delivery}"
    causes = zip(
        [*told.reasons, *told.also_holding],
        [*resolved.reasons, *resolved.also_holding],
        strict=True,
    )
    for reason, cause in causes:
        yield f"{'':<{_WIDTH}}{reason.words} ({reason.code})"
        if reason.fix is not None and cause.fix is not None:
            fix, body = reason.fix, reason.fix.body
            text = "" if body is None else f" {encode(body).decode()}"
            yield f"{'':<{_WIDTH}}to mend it, {MENDED[cause.fix.kind]}:"
            yield f"{'':<{_WIDTH}}{fix.method} {fix.path}{text}"
