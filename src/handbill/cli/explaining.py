"""``explain job``, and what else there is to explain."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from handbill.cli.explaining_clicks import explain_click
from handbill.cli.explaining_entities import (
    explain_campaign,
    explain_cap,
    explain_client,
    explain_group,
)
from handbill.cli.speaking import DataOption, JsonOption, say_lines
from handbill.cli.standing import client_named, missing_told, standing
from handbill.host.outside import of_this_machine
from handbill.kit.instants import iso_of
from handbill.kit.jsons import encode
from handbill.kit.money import number_of
from handbill.opening import opened

if TYPE_CHECKING:
    from handbill.contract.explain.models import (
        ExplainedGroup,
        ExplainedJob,
        ExplainedLevel,
        ExplainedPublisher,
        Explanation,
    )
    from handbill.contract.explain.traces import FilterTrace

explain = typer.Typer(no_args_is_help=True, help="Explain the state of things.")
explain.command("click")(explain_click)
explain.command("client")(explain_client)
explain.command("campaign")(explain_campaign)
explain.command("group")(explain_group)
explain.command("cap")(explain_cap)
_WIDTH = 24
_LOSES = {
    "NOT_ACTIVE": "not active",
    "NO_FILTER": "has no filter",
    "NO_MATCH": "does not match",
    "LOWER_RANK": "matches, but ranks lower",
}


@explain.command("job")
def explain_job(
    client_id: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id.")],
    ref: Annotated[str, typer.Argument(metavar="REF", help="The job's reference number.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Explain why a job is, or is not, in each publisher's feed."""
    from handbill.contract.explain.models import explanation_of
    from handbill.listings import explaining
    from handbill.wire.models import spelled

    settings = standing(data)
    with opened(settings, of_this_machine(settings)) as stores, stores.records.read() as tx:
        client = client_named(tx, client_id)
        with missing_told(f"the client has no live job {ref!r}"):
            explained = explaining.explain(tx, stores.blobs, client, ref, stores.clock.now())
        answer = explanation_of(tx, settings, client, explained)
    say_lines([encode(spelled(answer))] if json else (line.encode() for line in lines_of(answer)))


def lines_of(told: "Explanation") -> Iterator[str]:
    """An explanation for people."""
    yield f"{'job':<{_WIDTH}}{told.ref}  {told.job_id}"
    yield f"{'':<{_WIDTH}}{told.job.status.lower()}, {_fit(told.job)}"
    yield _level("client", told.client)
    if told.campaign is not None:
        yield _level("campaign", told.campaign)
    if told.group is None:
        yield f"{'job group':<{_WIDTH}}none"
    else:
        yield _level("job group", told.group)
        yield from _filter(told.group.trace, "no other job group matches: it is the default one")
    if told.pending:
        yield f"{'':<{_WIDTH}}a change is still being matched"
    for one in told.others:
        why = one.state.description if one.reason == "NOT_ACTIVE" else _LOSES[one.reason]
        yield f"{'not in job group':<{_WIDTH}}{one.name}: {why}"
        if one.reason == "NO_MATCH":
            yield from _filter(one.trace, "")
    if rest := told.other_count - len(told.others):
        yield f"{'':<{_WIDTH}}and {rest} more"
    for publisher in told.publishers:
        yield from _publisher(publisher)


def _fit(job: "ExplainedJob") -> str:
    if job.listable:
        return "may be listed"
    lacks = f" (lacks {', '.join(job.missing)})" if job.missing else ""
    return f"cannot be listed: {', '.join(job.reasons)}{lacks}"


def _level(what: str, level: "ExplainedLevel | ExplainedGroup") -> str:
    from handbill.wire.models import spelled

    caps = ", ".join(
        f"{name} {cap['value']} {cap['cap']}" for name, cap in sorted(spelled(level.caps).items())
    )
    capped = f"; caps: {caps}" if caps else ""
    state = level.state
    return f"{what:<{_WIDTH}}{level.name}: {state.status} ({state.description}){capped}"


def _filter(found: "FilterTrace | None", otherwise: str) -> Iterator[str]:
    if found is None:
        yield f"{'':<{_WIDTH}}{otherwise}"
        return
    for one in found.deciding:
        says = "holds" if one.holds else "does not hold"
        terms = ", ".join(one.terms) if isinstance(one.terms, list) else one.terms
        yield (
            f"{'':<{_WIDTH}}{one.field} {one.operator} {terms!r} {says}: "
            f"the job has {'nothing' if one.value is None else repr(str(one.value))}"
        )


def _publisher(one: "ExplainedPublisher") -> Iterator[str]:
    there = one.published
    bid = None if one.bid_micros is None else f"bid {number_of(one.bid_micros)} ({one.bid_source})"
    if one.listed:
        price = one.price_micros and f"{number_of(one.price_micros)} {one.currency}"
        yield f"{one.id:<{_WIDTH}}is to be listed: {f'{bid}, price {price}' if bid else 'posted'}"
    else:
        yield f"{one.id:<{_WIDTH}}is not to be listed: {', '.join(one.reasons)}"
        if bid:
            yield f"{'':<{_WIDTH}}{bid}, least {number_of(one.min_bid_micros)} {one.currency}"
    now = {
        True: "is in its feed",
        False: "is not in its feed",
        None: "not known, its feed is too large to be searched here",
    }
    written = "never" if there.written_at is None else iso_of(there.written_at)
    lags = "" if there.current else "; the file will be written again"
    yield f"{'':<{_WIDTH}}right now: {now[there.listed]} (written {written}{lags})"
