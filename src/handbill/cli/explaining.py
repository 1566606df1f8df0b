"""``explain job``."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from handbill.cli.speaking import DataOption, JsonOption, say_lines
from handbill.cli.standing import client_named, missing_told, standing
from handbill.kit.jsons import encode
from handbill.opening import opened

explain = typer.Typer(no_args_is_help=True, help="Explain the state of things.")
_WIDTH = 24
_LOSES = {
    "NOT_ACTIVE": "not active", "NO_FILTER": "has no filter", "NO_MATCH": "does not match",
    "LOWER_RANK": "matches, but ranks lower",
}  # fmt: skip


@explain.command("job")
def explain_job(
    client_id: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's id.")],
    ref: Annotated[str, typer.Argument(metavar="REF", help="The job's reference number.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Explain why a job is, or is not, in each publisher's feed."""
    from handbill.listings import explaining
    from handbill.listings.explain_routes import spell_explained

    settings = standing(data)
    with opened(settings) as stores, stores.records.read() as tx:
        client = client_named(tx, client_id)
        with missing_told(f"the client has no live job {ref!r}"):
            told = explaining.explain(tx, stores.blobs, client, ref, stores.clock.now())
        spelled = spell_explained(tx, settings, client, told)
    say_lines([encode(spelled)] if json else (line.encode() for line in lines_of(spelled)))


def lines_of(told: dict[str, Any]) -> Iterator[str]:
    """An explanation (``wire.explained``) for people."""
    job, group = told["job"], told["jobGroup"]
    yield f"{'job':<{_WIDTH}}{told['refNumber']}  {told['jobId']}"
    yield f"{'':<{_WIDTH}}{job['status'].lower()}, {_fit(job)}"
    for name in ("client", "campaign"):
        if told[name] is not None:
            yield _level(name, told[name])
    if group is None:
        yield f"{'job group':<{_WIDTH}}none"
    else:
        yield _level("job group", group)
        yield from _filter(group["filter"], "no other job group matches: it is the default one")
    if told["pending"]:
        yield f"{'':<{_WIDTH}}a change is still to be matched"
    for one in told["otherJobGroups"]:
        why = _LOSES[one["reason"]]
        if one["reason"] == "NOT_ACTIVE":
            why = one["state"]["description"]
        yield f"{'not in job group':<{_WIDTH}}{one['name']}: {why}"
        if one["reason"] == "NO_MATCH":
            yield from _filter(one["filter"], "")
    rest = told["otherJobGroupsTotal"] - len(told["otherJobGroups"])
    if rest:
        yield f"{'':<{_WIDTH}}and {rest} more"
    for one in told["publishers"]:
        yield from _publisher(one)


def _fit(job: dict[str, Any]) -> str:
    if job["listable"]:
        return "may be listed"
    missing = ", ".join(job["missingFields"])
    lacks = f" (lacks {missing})" if missing else ""
    return f"cannot be listed: {', '.join(job['reasons'])}{lacks}"


def _level(what: str, level: dict[str, Any]) -> str:
    state = level["state"]
    caps = ", ".join(
        f"{name} {cap['value']} {cap['cap']}" for name, cap in sorted(level["caps"].items())
    )
    capped = f"; caps: {caps}" if caps else ""
    return f"{what:<{_WIDTH}}{level['name']}: {state['status']} ({state['description']}){capped}"


def _filter(found: dict[str, Any] | None, otherwise: str) -> Iterator[str]:
    if found is None:
        yield f"{'':<{_WIDTH}}{otherwise}"
        return
    for one in found["decidedBy"]:
        says = "holds" if one["holds"] else "does not hold"
        terms = ", ".join(one["data"]) if isinstance(one["data"], list) else one["data"]
        yield (
            f"{'':<{_WIDTH}}{one['field']} {one['operator']} {terms!r} {says}: "
            f"the job has {'nothing' if one['value'] is None else repr(str(one['value']))}"
        )


def _publisher(one: dict[str, Any]) -> Iterator[str]:
    there = one["published"]
    if one["listed"]:
        terms = "posted"
        if one["bid"] is not None:
            terms = f"bid {one['bid']} ({one['bidSource']}), price {one['price']}"
        yield f"{one['id']:<{_WIDTH}}is to be listed: {terms}"
    else:
        yield f"{one['id']:<{_WIDTH}}is not to be listed: {', '.join(one['reasons'])}"
        if one["bid"] is not None:
            yield f"{'':<{_WIDTH}}bid {one['bid']} ({one['bidSource']}), least {one['minBid']}"
    now = {
        True: "is in its feed", False: "is not in its feed",
        None: "not known, its feed is too large to be searched here",
    }  # fmt: skip
    written = there["writtenOn"] or "never"
    lags = "" if there["current"] else "; the file is still to be written again"
    yield f"{'':<{_WIDTH}}right now: {now[there['listed']]} (written {written}{lags})"
