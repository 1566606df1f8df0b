"""``explain client``, ``explain campaign``, ``explain group``, ``explain cap``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from handbill.campaigns import service as campaigns
from handbill.cli.budgets import status_lines
from handbill.cli.speaking import DataOption, JsonOption, Mistaken, say_lines
from handbill.cli.standing import client_named, missing_told, opened_standing
from handbill.groups import service as groups
from handbill.kit.instants import iso_of
from handbill.kit.jsons import encode
from handbill.listings.resolving import ResolvedEntity, of_lowest
from handbill.opening import Opened
from handbill.publishers import service as publishers
from handbill.store.records import Tx

if TYPE_CHECKING:
    from handbill.contract.explain.entities import CapExplanation, EntityExplanation

_WIDTH: Final = 24
_WHAT: Final = {"CLIENT": "client", "CAMPAIGN": "campaign", "JOBGROUP": "job group"}
_Cap = Literal["budget", "clicks", "applies"]
_ClientArgument = Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id.")]
_ClientOption = Annotated[str, typer.Option("--client", metavar="C", help="The client's id.")]
_CampaignOption = Annotated[
    str | None, typer.Option("--campaign", metavar="K", help="Of this campaign.")
]
_GroupOption = Annotated[
    str | None, typer.Option("--group", metavar="G", help="Of this job group.")
]


def explain_client(
    client_id: _ClientArgument, data: DataOption = None, json: JsonOption = False
) -> None:
    """Explain how a client stands, what is listed of it, and its caps."""
    _explain(data, client_id, None, None, json=json)


def explain_campaign(
    campaign_id: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")],
    client_id: _ClientOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Explain how a campaign stands, what is listed of it, and its caps."""
    _explain(data, client_id, campaign_id, None, json=json)


def explain_group(
    group_id: Annotated[str, typer.Argument(metavar="GROUP", help="The job group's id.")],
    client_id: _ClientOption,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Explain how a job group stands, what is listed of it, and its caps."""
    _explain(data, client_id, None, group_id, json=json)


def explain_cap(
    cap: Annotated[_Cap, typer.Argument(metavar="CAP", help="budget, clicks or applies.")],
    client_id: _ClientOption,
    campaign_id: _CampaignOption = None,
    group_id: _GroupOption = None,
    publisher_id: Annotated[
        str | None, typer.Option("--publisher", metavar="P", help="At this publisher.")
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Explain a cap of a client, or of its campaign or job group: who uses it, since when it is
    set.
    """
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        stands = _stands(tx, stores, client_id, campaign_id, group_id)
        if publisher_id is not None:
            with missing_told(f"the agency has no publisher {publisher_id!r}"):
                publishers.publisher_of(tx, stands.around[0].agency_no, publisher_id)
        answer = _explained(tx, stores, stands)
    caps = [
        one for one in answer.caps if (one.measure, one.publisher_id) == (cap, publisher_id or "")
    ]
    if not caps:
        at = f" at {publisher_id!r}" if publisher_id else ""
        raise Mistaken(f"{answer.name} has no cap of {cap}{at}; `handbill explain` names its caps")
    if json:
        say_lines([encode(spelled(caps[0]))])
        return
    say_lines(line.encode() for line in _cap_lines(caps[0], answer.name))


def _explain(
    data: str | None, client_id: str, campaign_id: str | None, group_id: str | None, *, json: bool
) -> None:
    from handbill.wire.models import spelled

    with opened_standing(data) as stores, stores.records.read() as tx:
        stands = _stands(tx, stores, client_id, campaign_id, group_id)
        answer = _explained(tx, stores, stands)
    lines = (line.encode() for line in lines_of(stands, answer))
    say_lines([encode(spelled(answer))] if json else lines)


def _stands(
    tx: Tx, stores: Opened, client_id: str, campaign_id: str | None, group_id: str | None
) -> ResolvedEntity:
    """How the lowest that is named stands. **Refuses** unknown ones (Mistaken)."""
    client = client_named(tx, client_id)
    group, campaign = None, None
    if group_id is not None:
        with missing_told(f"the client has no job group {group_id!r}"):
            group = groups.group_of(tx, client.no, group_id)
            campaign = campaigns.campaigns_by_number(tx, [group.campaign_no])[group.campaign_no]
    elif campaign_id is not None:
        with missing_told(f"the client has no campaign {campaign_id!r}"):
            campaign = campaigns.campaign_of(tx, client.no, campaign_id)
    return of_lowest(tx, client, campaign, group, stores.clock.now())


def _explained(tx: Tx, stores: Opened, stands: ResolvedEntity) -> "EntityExplanation":
    from handbill.contract.explain.entities import explain_entity

    now = stores.clock.now()
    return explain_entity(tx, stores.blobs, stores.settings.ceiling_ppm, now, stands)


def lines_of(stands: ResolvedEntity, told: "EntityExplanation") -> Iterator[str]:
    """An explanation for people."""
    yield from status_lines(_WHAT[told.level], told.name, stands.resolved, told.state)
    for one in told.listings:
        count = "too many to be counted here" if one.listings is None else f"{one.listings}"
        state = f"; {one.state.status} ({one.state.description})" if one.state else ""
        yield f"{'listings':<{_WIDTH}}{one.id}: {count}{state}"
    for cap in told.caps:
        yield from _cap_lines(cap, told.name)


def _cap_lines(cap: "CapExplanation", name: str) -> Iterator[str]:
    at = f" at {cap.publisher_id}" if cap.publisher_id else ""
    yield (
        f"{'cap':<{_WIDTH}}{cap.period} {cap.measure} of {name}{at}: {cap.used} of {cap.value} "
        f"used, {cap.in_flight} in flight, {cap.felt}"
    )
    more = []
    if cap.share is not None:
        more.append(f"today's share {cap.share}, used today {cap.used_today}")
    if cap.reserved:
        more.append(f"{cap.reserved} kept for locked placements")
    if cap.locked:
        more.append("locked: others cannot use it")
    if cap.limited_since is not None:
        more.append(f"limits since {iso_of(cap.limited_since)}")
    set_at = "before changes were kept" if cap.set_at is None else iso_of(cap.set_at)
    more.append(f"set as it is since {set_at}")
    yield f"{'':<{_WIDTH}}{'; '.join(more)}"
    for one in cap.drawn:
        yield f"{'':<{_WIDTH}}{one.used} by {one.name}"
    if cap.by_others:
        yield f"{'':<{_WIDTH}}{cap.by_others} by what is deleted"
