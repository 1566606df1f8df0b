"""Operations 34 to 38: inbound feeds of a client; and, added, their switch and their runs."""

from typing import Any

from handbill.contract.envelopes import Done, Made, Status, done
from handbill.contract.feeds.models import (
    Feed,
    FeedChange,
    FeedPage,
    FeedPreview,
    NewFeed,
    PreviewCounts,
    Run,
    RunPage,
    RunQuery,
    feed_told,
    run_told,
)
from handbill.contract.feeds.samples import FEED, PREVIEW, RUN
from handbill.contract.jobs.answers import example, jobs_told
from handbill.contract.switches import switches
from handbill.core import feeds
from handbill.feeds import previewing, service
from handbill.feeds.importing import asked_of
from handbill.feeds.reading import locale_of
from handbill.http.kinds import Ask, Look
from handbill.http.operations import PAGED, Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.wire.models import spelled

_PATH = "/clients/{client_id}/feeds"
_ONE = f"{_PATH}/{{feed_id}}"


def _feed(call: Call) -> feeds.Feed:
    return service.feed_of(call.tx, call.client.no, call.path["feed_id"])


def _create(call: Call) -> Made:
    feed = service.create(call.tx, call.ids, call.now, call.client, call.body.given())
    return Made.of(result=feed.id, message="Feed created")


def _list(call: Call) -> Answer:
    some, total = service.page(call.tx, call.client.no, *skip_and_limit(call))
    rows = [feed_told(feed, call.client.id) for feed in some]
    return with_links(call, FeedPage.of(rows=rows), total)


def _get(call: Call) -> Feed:
    return feed_told(_feed(call), call.client.id)


def _delete(call: Call) -> Done:
    service.delete(call.tx, call.now, call.client, _feed(call))
    return done("Feed deleted")


def _update(call: Call) -> Made:
    feed = _feed(call)
    service.update(call.tx, call.now, call.client, feed, call.body.given())
    return Made.of(result=feed.id, message="Feed updated")


def _switch(call: Call, status: Status) -> None:
    service.switch(call.tx, call.now, call.client, _feed(call), status)


def _run(call: Call) -> Made:
    run = service.run_now(call.tx, call.ids, call.now, _feed(call), force=call.query.force)
    return Made.of(result=run.id, message="Feed run started")


def _runs(call: Call) -> Answer:
    runs, total = service.runs_page(call.tx, _feed(call).no, *skip_and_limit(call))
    return with_links(call, RunPage.of(rows=list(map(run_told, runs))), total)


def _one_run(call: Call) -> Run:
    return run_told(service.run_of(call.tx, _feed(call).no, call.path["run_id"]))


def _preview(call: Call) -> dict[str, Any]:
    feed, password = service.draft(call.body.given())
    asked = asked_of(feed, password or "")
    at = (call.client, locale_of(call.tx, call.client, call.now))
    most_bytes = call.settings.feed_most_bytes
    tried = previewing.preview(call.desk.egress, at, call.now, feed, asked, most_bytes)
    found, failure = tried.found, tried.failure
    answer = FeedPreview.of(
        found,
        status="SUCCESS" if failure is None else "FAILED",
        reason="" if failure is None else failure.reason,
        message=tried.body.message or found.lacks if failure is None else failure.message,
        line=0 if failure is None else failure.line,
        stopped=tried.stopped,
        bytes=tried.body.size,
        counts=PreviewCounts.of(found, valid=tried.valid, invalid=len(found.spool) - tried.valid),
        proposal=tried.proposal or None,
        nodes=tried.nodes,
        fields=list(found.fields),
        jobs=[],
    )
    rows: dict[str, Any] = spelled(answer)
    return rows | {"jobs": jobs_told(tried.jobs, call.client.id, call.now)}


OPERATIONS = [
    Operation(
        name="create_feed",
        number=34,
        verb="POST",
        path=_PATH,
        title="Create a feed.",
        about="Creates an inbound feed of the client. It is fetched at once, and then at the "
        "client's frequency. If mappings are empty, the first run recognises the formats of "
        "well-known boards. Mappings that are given must contain every mandatory field.",
        work=_create,
        body=NewFeed,
        answer=Made,
        sample={"xmlFeedUrl": "string", "schemaMappings": {}},
        sample_answer={
            "result": "36e90f46-9d9e-42ac-accb-559de107bbc8",
            "message": "Feed created",
        },
    ),
    Operation(
        name="get_feeds",
        number=35,
        verb="GET",
        path=_PATH,
        title="Get all feeds.",
        about="The client's feeds, oldest first.",
        work=_list,
        query=PAGED,
        answer=FeedPage,
        sample_answer={"data": [FEED]},
    ),
    Operation(
        name="preview_feed",
        verb="POST",
        path=f"{_PATH}/preview",
        title="Try a feed.",
        about="Fetches the beginning of a feed and reads it as a run would. Returns counts, the "
        "first faults by line and field, the mapping that its nodes suggest, and the first jobs as "
        "they would be stored. Nothing is saved. At most 500 items or 5 MB are read, "
        "within 10 seconds.",
        work=_preview,
        body=NewFeed,
        kind=Ask(),
        lane="slow",
        answer=FeedPreview,
        sample={"xmlFeedUrl": "https://feeds.example.com/jobs.xml", "schemaMappings": {}},
        sample_answer=PREVIEW | {"jobs": [example()]},
    ),
    Operation(
        name="get_feed",
        number=36,
        verb="GET",
        path=_ONE,
        title="Get a feed.",
        about="A feed of the client.",
        work=_get,
        kind=Look(timeless=True),
        answer=Feed,
        sample_answer=FEED,
    ),
    Operation(
        name="delete_feed",
        number=37,
        verb="DELETE",
        path=_ONE,
        title="Delete a feed.",
        about="Deletes the feed and its jobs, except jobs that another feed of the client also "
        "contains.",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Feed deleted"},
    ),
    Operation(
        name="update_feed",
        number=38,
        verb="PUT",
        path=_ONE,
        title="Update a feed.",
        about="Changes the feed. Absent fields stay, null clears an optional field. Mappings that "
        "are given replace the former ones. If anything changed, the feed is run at once.",
        work=_update,
        body=FeedChange,
        answer=Made,
        sample={},
        sample_answer={
            "result": "277bc914-a6eb-44a4-beea-cb1c2bd60d24",
            "message": "Feed updated",
        },
    ),
    *switches(
        "feed",
        _ONE,
        _switch,
        pause="Stops scheduled fetches of the feed. Its jobs stay. Pausing a paused feed changes "
        "nothing.",
        enable="Fetches the feed at once and then on schedule again. Enabling an active feed "
        "changes nothing.",
    ),
    Operation(
        name="run_feed",
        verb="POST",
        path=f"{_ONE}/run",
        title="Run a feed now.",
        about="Starts a run and returns its id. With force, the feed is imported even if it is "
        "empty or has lost more than half of its jobs.",
        work=_run,
        query=RunQuery,
        answer=Made,
        sample_answer={
            "result": "bb30b2fb-253c-449d-8de3-da970d560394",
            "message": "Feed run started",
        },
    ),
    Operation(
        name="get_feed_runs",
        verb="GET",
        path=f"{_ONE}/runs",
        title="Get all runs of a feed.",
        about="The feed's runs, newest first, with the results for its items and the cause of a "
        f"failure. The newest {service.MOST_RUNS} are kept.",
        work=_runs,
        query=PAGED,
        answer=RunPage,
        sample_answer={"data": [RUN]},
    ),
    Operation(
        name="get_feed_run",
        verb="GET",
        path=f"{_ONE}/runs/{{run_id}}",
        title="Get a run of a feed.",
        about="One run of the feed.",
        work=_one_run,
        answer=Run,
        sample_answer=RUN,
    ),
]
