"""Operations 34 to 38: inbound feeds of a client; and, added, their switch and their runs."""

from typing import Any

from handbill.core.nouns import Feed
from handbill.feeds import previewing, service
from handbill.feeds.collecting import place_of
from handbill.feeds.importing import asked_of
from handbill.feeds.rows import Run
from handbill.http.kinds import Ask, Look
from handbill.http.operations import PAGED, Call, Operation, done, page_schema, result_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.instants import iso_of
from handbill.wire import room_samples
from handbill.wire.feeds import (
    COUNTS,
    CREATE,
    FEED,
    RUN,
    UPDATE,
    RunQuery,
    spell_feed,
    spell_mappings,
)
from handbill.wire.previews import FEED_PREVIEW_SAMPLE, FEED_PREVIEWED
from handbill.wire.spelled_jobs import spell_job
from handbill.wire.spelling import TEXT, described

_TAG = "Feeds"
_PATH = "/clients/{client_id}/feeds"
_ONE = f"{_PATH}/{{feed_id}}"


def _feed(call: Call) -> Feed:
    return service.feed_of(call.tx, call.client.no, call.path["feed_id"])


def _create(call: Call) -> dict[str, Any]:
    feed = service.create(call.tx, call.ids, call.now, call.client, call.body)
    return done("Feed created", feed.id)


def _list(call: Call) -> Any:
    found, total = service.page(call.tx, call.client.no, *skip_and_limit(call))
    return with_links(call, {"data": [spell_feed(feed, call.client.id) for feed in found]}, total)


def _get(call: Call) -> dict[str, Any]:
    return spell_feed(_feed(call), call.client.id)


def _delete(call: Call) -> dict[str, Any]:
    service.delete(call.tx, call.now, call.client, _feed(call))
    return done("Feed deleted")


def _update(call: Call) -> dict[str, Any]:
    feed = _feed(call)
    service.update(call.tx, call.now, call.client, feed, call.body)
    return done("Feed updated", feed.id)


def _pause(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, _feed(call), "P")
    return done("Feed paused")


def _enable(call: Call) -> dict[str, Any]:
    service.switch(call.tx, call.now, call.client, _feed(call), "A")
    return done("Feed enabled")


def _run(call: Call) -> dict[str, Any]:
    force = call.query.force
    run = service.run_now(call.tx, call.ids, call.now, _feed(call), force=force)
    return done("Feed run started", run.id)


def _runs(call: Call) -> Any:
    found, total = service.runs_page(call.tx, _feed(call).no, *skip_and_limit(call))
    return with_links(call, {"data": [spell_run(run) for run in found]}, total)


def _one_run(call: Call) -> dict[str, Any]:
    return spell_run(service.run_of(call.tx, _feed(call).no, call.path["run_id"]))


def _preview(call: Call) -> dict[str, Any]:
    feed, password = service.draft(call.body)
    asked = asked_of(feed, password or "")
    at = (call.client, place_of(call.tx, call.client))
    most_bytes = call.settings.feed_most_bytes
    tried = previewing.preview(call.desk.egress, at, call.now, feed, asked, most_bytes)
    found, failure = tried.found, tried.failure
    return {
        "status": "SUCCESS" if failure is None else "FAILED",
        "reason": "" if failure is None else failure.reason,
        "message": tried.body.message if failure is None else failure.message,
        "line": 0 if failure is None else failure.line,
        "stoppedBy": tried.stopped,
        "bytes": tried.body.size,
        "counts": {
            "total": found.total,
            "valid": tried.valid,
            "invalid": len(found.spool) - tried.valid,
            "duplicates": found.duplicates,
            "skipped": found.skipped,
        },
        "faultCounts": found.fault_counts,
        "faults": found.faults,
        "schemaMappings": spell_mappings(found.mappings),
        "proposedMappings": spell_mappings(tried.proposal) if tried.proposal else None,
        "nodes": tried.nodes,
        "fields": list(found.fields),
        "jobs": [spell_job(job, call.client.id, call.now) for job in tried.jobs],
    }


def spell_run(run: Run) -> dict[str, Any]:
    """A run as it is answered."""
    body = run.body
    return {
        "id": run.id,
        "status": run.state,
        "percent": run.percent,
        "reason": body.reason,
        "message": body.message,
        "line": body.line,
        "createdOn": iso_of(run.created_at),
        "endedOn": None if run.ended_at is None else iso_of(run.ended_at),
        "bytes": body.bytes,
        "counts": {name: body.counts.get(name, 0) for name in COUNTS},
        "faultCounts": body.fault_counts,
        "faults": body.faults,
    }


OPERATIONS = [
    Operation(
        name="create_feed",
        number=34,
        verb="POST",
        path=_PATH,
        title="Create a feed.",
        about="Creates an inbound feed of the client; it is fetched at once, and then as often as "
        "the client says. Mappings left empty are found by the first run in the shapes of "
        "well-known boards; mappings that are given must hold every mandatory field.",
        tag=_TAG,
        work=_create,
        body=CREATE,
        answer=result_schema(described(TEXT, "The new feed's id.")),
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
        tag=_TAG,
        work=_list,
        query=PAGED,
        answer=page_schema(FEED),
        sample_answer={"data": [room_samples.FEED]},
    ),
    Operation(
        name="preview_feed",
        verb="POST",
        path=f"{_PATH}/preview",
        title="Try a feed.",
        about="Fetches the beginning of a feed, reads it as a run would, and tells what it found: "
        "counts, the first faults by line and field, the mapping that its nodes propose, and the "
        "first jobs as they would be kept. Nothing is saved. At most 500 items or 5 MB are read, "
        "within 10 seconds.",
        tag=_TAG,
        work=_preview,
        body=CREATE,
        kind=Ask(),
        lane="slow",
        answer=FEED_PREVIEWED,
        sample={"xmlFeedUrl": "https://feeds.example.com/jobs.xml", "schemaMappings": {}},
        sample_answer=FEED_PREVIEW_SAMPLE,
    ),
    Operation(
        name="get_feed",
        number=36,
        verb="GET",
        path=_ONE,
        title="Get a feed.",
        about="One feed of the client.",
        tag=_TAG,
        work=_get,
        kind=Look(timeless=True),
        answer=FEED,
        sample_answer=room_samples.FEED,
    ),
    Operation(
        name="delete_feed",
        number=37,
        verb="DELETE",
        path=_ONE,
        title="Delete a feed.",
        about="Deletes the feed. Its jobs leave, but for those that another feed of the client "
        "carries.",
        tag=_TAG,
        work=_delete,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Feed deleted"},
    ),
    Operation(
        name="update_feed",
        number=38,
        verb="PUT",
        path=_ONE,
        title="Update a feed.",
        about="Changes the feed: what is absent stays, null clears what is optional; mappings that "
        "are given replace the former ones. The feed is run at once when something changed.",
        tag=_TAG,
        work=_update,
        body=UPDATE,
        answer=result_schema(described(TEXT, "The feed's id.")),
        sample={},
        sample_answer={
            "result": "277bc914-a6eb-44a4-beea-cb1c2bd60d24",
            "message": "Feed updated",
        },
    ),
    Operation(
        name="pause_feed",
        verb="PUT",
        path=f"{_ONE}/pause",
        title="Pause a feed.",
        about="The feed is no longer fetched on schedule; its jobs stand. A paused one stays so.",
        tag=_TAG,
        work=_pause,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Feed paused"},
    ),
    Operation(
        name="enable_feed",
        verb="PUT",
        path=f"{_ONE}/enable",
        title="Enable a feed.",
        about="The feed is fetched at once and on schedule again. An active one stays so.",
        tag=_TAG,
        work=_enable,
        answer=result_schema(),
        sample_answer={"result": True, "message": "Feed enabled"},
    ),
    Operation(
        name="run_feed",
        verb="POST",
        path=f"{_ONE}/run",
        title="Run a feed now.",
        about="Asks for a run; the answer names it. With force, a feed that is empty or has lost "
        "more than half of its jobs is taken over all the same.",
        tag=_TAG,
        work=_run,
        query=RunQuery,
        answer=result_schema(described(TEXT, "The run's id.")),
        sample_answer=room_samples.RUN_STARTED,
    ),
    Operation(
        name="get_feed_runs",
        verb="GET",
        path=f"{_ONE}/runs",
        title="Get all runs of a feed.",
        about="The feed's runs, newest first: what became of its items, and why one failed.",
        tag=_TAG,
        work=_runs,
        query=PAGED,
        answer=page_schema(RUN),
        sample_answer={"data": [room_samples.FEED_RUN]},
    ),
    Operation(
        name="get_feed_run",
        verb="GET",
        path=f"{_ONE}/runs/{{run_id}}",
        title="Get a run of a feed.",
        about="One run of the feed.",
        tag=_TAG,
        work=_one_run,
        answer=RUN,
        sample_answer=room_samples.FEED_RUN,
    ),
]
