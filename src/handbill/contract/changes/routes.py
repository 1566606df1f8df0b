"""Additions to the contract: who changed what, and when."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from handbill.campaigns import service as campaigns
from handbill.changes import service
from handbill.changes.service import ChangeFilter
from handbill.contract.changes.models import (
    ChangePage,
    ChangesAsked,
    ChangesBelow,
    UndoAsked,
    UndoDone,
    change_told,
    fields_told,
    names_told,
)
from handbill.feeds import service as feeds
from handbill.groups import service as groups
from handbill.http.kinds import Look
from handbill.http.operations import Answer, Call, Operation
from handbill.jobs import service as jobs
from handbill.publishers import service as publishers
from handbill.undoing import service as undoing
from handbill.undoing.service import number_of

_ABOUT: Final = (
    "One entry for each change: who made it, why, and each field before and after, as stored, "
    "but for instants. Newest first, kept for 400 days. Jobs that a feed import changes are not "
    "listed; see the feed's runs. Requires a token with write scope, because entries name API "
    "clients and people."
)


def _page(call: Call, entity_id: str | None, client_no: int | None = None) -> Answer:
    query: ChangesBelow = call.query
    asked = ChangeFilter(
        agency_no=call.caller.agency_no,
        client_no=client_no,
        entity_id=entity_id,
        actor=query.actor,
        actor_id=query.actor_id,
        since_at=query.since_at,
        until_at=query.until_at,
    )
    changes = service.page(call.tx, asked, query.limit + 1, query.before)
    some = changes[: query.limit]
    bars = undoing.bars(call.tx, call.now, some, can_locate=_can_locate(call))
    goes_on = f"{some[-1].at}-{some[-1].no}" if len(changes) > query.limit else None
    answer = ChangePage.of(
        rows=list(map(change_told, some, bars)),
        next=goes_on,
        named=names_told(call.tx, some, asked.agency_no),
    )
    links = {"first": query.told() | {"cursor": None}}
    if goes_on:
        links["next"] = query.told() | {"cursor": goes_on}
    return Answer(answer, headers={"link": ", ".join(_link(call, *one) for one in links.items())})


def _can_locate(call: Call) -> bool:
    return bool(call.settings.geo_file)


def _undo(call: Call) -> UndoDone:
    asked: UndoAsked = call.body
    done = undoing.undo(
        call.tx,
        call.now,
        number_of(call.path["change_id"]),
        call.caller.agency_no,
        can_locate=_can_locate(call),
        only_looks=asked.only_looks,
    )
    message = "Change can be undone" if asked.only_looks else "Change undone"
    return UndoDone.of(result=True, message=message, fields_changed=fields_told(done))


def _link(call: Call, rel: str, query: dict[str, Any]) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f'<{call.url}{"?" if given else ""}{urlencode(given)}>; rel="{rel}"'


def _every(call: Call) -> Answer:
    client = call.maybe_client
    return _page(call, call.query.entity_id, client.no if client else None)


def _of_client(call: Call) -> Answer:
    return _page(call, None, call.client.no)


def _campaign(call: Call) -> str:
    return campaigns.campaign_of(call.tx, call.client.no, call.path["campaign_id"]).id


def _group(call: Call) -> str:
    campaign = campaigns.campaign_of(call.tx, call.client.no, call.path["campaign_id"])
    return groups.group_under(call.tx, campaign, call.path["jobgroup_id"]).id


def _job(call: Call) -> str:
    return jobs.job_of(call.tx, call.client.no, call.path["job_reference"]).id


def _feed(call: Call) -> str:
    return feeds.feed_of(call.tx, call.client.no, call.path["feed_id"]).id


def _publisher(call: Call) -> str:
    publisher = publishers.publisher_of(call.tx, call.caller.agency_no, call.path["publisher_id"])
    return publisher.id


def _of(entity: Callable[[Call], str]) -> Callable[[Call], Answer]:
    """The changes of an entity that the path names."""
    return lambda call: _page(call, entity(call))


_CLIENT: Final = "/clients/{client_id}"
_CAMPAIGN: Final = f"{_CLIENT}/campaigns/{{campaign_id}}"
_BELOW: Final[list[tuple[str, str, Callable[[Call], Answer], str]]] = [
    ("client", _CLIENT, _of_client, " Includes everything below the client."),
    ("campaign", _CAMPAIGN, _of(_campaign), ""),
    ("jobgroup", f"{_CAMPAIGN}/jobgroups/{{jobgroup_id}}", _of(_group), ""),
    ("job", f"{_CLIENT}/jobs/{{job_reference}}", _of(_job), ""),
    ("feed", f"{_CLIENT}/feeds/{{feed_id}}", _of(_feed), ""),
    (
        "publisher",
        "/publishers/{publisher_id}",
        _of(_publisher),
        " Includes its click definitions.",
    ),
]
_SAMPLE: Final[dict[str, Any]] = {
    "data": [
        {
            "id": 17,
            "at": "2019-11-29T10:00:00.000Z",
            "agencyId": "acme",
            "clientId": "40194b3f-7b49-41e8-b235-4d93a50330f3",
            "entity": {"kind": "JOB_GROUP", "id": "df8285cd-2ab4-44ab-8861-9ff3be0c4970"},
            "act": "CHANGE",
            "actor": {"kind": "API_CLIENT", "id": "k3v9x2m7q1z5n8d4s6h0a2c4e"},
            "requestId": "q7w2e9r4t1y6u3i8o5p0",
            "cause": "update_jobgroup",
            "undoes": None,
            "undo": {"possible": True, "why": None, "fields": []},
            "fields": [{"field": "/cpc_bid_micros", "before": 500_000, "after": 700_000}],
        }
    ],
    "next": None,
    "names": {
        "40194b3f-7b49-41e8-b235-4d93a50330f3": "External API-789",
        "df8285cd-2ab4-44ab-8861-9ff3be0c4970": "Nurses",
    },
}
OPERATIONS: Final = [
    Operation(
        name="list_changes",
        verb="GET",
        path="/changes",
        title="Get changes.",
        about=f"Changes of the agency and everything below it. {_ABOUT}",
        work=_every,
        kind=Look(needs="write"),
        query=ChangesAsked,
        answer=ChangePage,
        sample_answer=_SAMPLE,
    ),
    *(
        Operation(
            name=f"list_changes_of_{what}",
            verb="GET",
            path=f"{path}/changes",
            title=f"Get the changes of a {what.replace('jobg', 'job g')}.",
            about=f"{_ABOUT}{more}",
            work=work,
            kind=Look(needs="write"),
            query=ChangesBelow,
            answer=ChangePage,
            sample_answer=_SAMPLE,
        )
        for what, path, work, more in _BELOW
    ),
    Operation(
        name="undo_change",
        verb="POST",
        path="/changes/{change_id}/undo",
        title="Undo a change.",
        about="Restores the fields of a change to their former values, as an update would. It is "
        "refused if an update could not set them now, or if one of them was changed since; the "
        "answer names those fields. An undo is a change, and can be undone.",
        work=_undo,
        body=UndoAsked,
        must_have_body=False,
        answer=UndoDone,
        sample={"validateOnly": True},
        sample_answer={
            "result": True,
            "message": "Change can be undone",
            "fields": [{"field": "/cpc_bid_micros", "before": 700_000, "after": 500_000}],
        },
    ),
]
