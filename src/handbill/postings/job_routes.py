"""Operations 39, 40, 46 and 47, and the additions by which posted jobs are pinned, paused and
taken out.
"""

from collections.abc import Callable
from typing import Any

from handbill.core.nouns import Publisher
from handbill.http.operations import Call, Operation, done, page_schema
from handbill.http.paging import skip_and_limit, with_links
from handbill.kit.instants import Instant, iso_of
from handbill.postings import service, slots
from handbill.postings.rows import Posting, PostingJob
from handbill.publishers.service import publisher_of
from handbill.wire import postings as wire
from handbill.wire import room_samples

OF_CLIENT = "/clients/{client_id}/configs"
OF_PUBLISHER = "/clients/{client_id}/publishers/{publisher_id}/configs"
_TAG = "Posting jobs"


def publisher(call: Call) -> Publisher:
    """The publisher that the path names. **Refuses** any but the agency's live one (404)."""
    return publisher_of(call.tx, call.caller.agency_no, call.path["publisher_id"])


def posting(call: Call) -> Posting:
    """The purchase that the path names: the client's, and the publisher's where it names one."""
    at = publisher(call) if "publisher_id" in call.path else None
    return service.posting_of(call.tx, call.client, call.path["config_id"], at)


def _spelled_job(job: PostingJob, client_id: str, placement: str, now: Instant) -> dict[str, Any]:
    return {
        "id": job.id,
        "clientId": client_id,
        "jobId": job.job_id,
        "placement": placement,
        "refNumber": job.ref,
        "isPosted": job.posted,
        "isPinned": job.pinned,
        "isPaused": job.paused,
        "lastModified": iso_of(job.updated_at),
        "createdOn": iso_of(job.created_at),
        "status": "A" if job.able(now) else "P",
    }


def _posted(call: Call) -> Any:
    at, pinned = publisher(call), call.query.pinned
    found, total = service.posted_page(
        call.tx, call.client, at, pinned, skip_and_limit(call)
    )  # fmt: skip
    spelled = [
        _spelled_job(job, call.client.id, at.id, call.now) | {"configId": config_id}
        for job, config_id in found
    ]
    return with_links(call, {"data": spelled}, total)


def _jobs_of(call: Call) -> dict[str, Any]:
    here, at, wanted = posting(call), publisher(call), call.query.told()
    spelled = (
        _spelled_job(job, call.client.id, at.id, call.now)
        for job in service.jobs_of(call.tx, here, call.client)
    )
    return {"data": [job for job in spelled if wanted.items() <= job.items()]}


def _job(call: Call) -> dict[str, Any]:
    here, at = posting(call), publisher(call)
    job = service.job_of(call.tx, here, call.client, call.path["job_reference"])
    return _spelled_job(job, call.client.id, at.id, call.now)


def _processed(what: str, results: list[slots.Result]) -> dict[str, Any]:
    return done(f"{what} request processed", wire.spell_results(results))


def _add(call: Call) -> dict[str, Any]:
    place = (call.client, posting(call))
    return _processed("Create", slots.add(call.tx, call.ids, call.now, place, call.body))


def _remove(call: Call) -> dict[str, Any]:
    place = (call.client, posting(call))
    return _processed("Delete", slots.remove(call.tx, call.now, place, call.body))


def _switch(word: str) -> Callable[[Call], dict[str, Any]]:
    switch = slots.pin if word in {"pin", "unpin"} else slots.pause

    def work(call: Call) -> dict[str, Any]:
        place, on = (call.client, posting(call)), word in {"pin", "pause"}
        done_to = switch(call.tx, call.now, place, call.body, on=on)
        return _processed(word.capitalize(), done_to)

    return work


_REFS = ["test-job-ref-number-108", "test-job-ref-number-109"]
_ABOUT_SWITCH = {
    "pin": "Pinned jobs keep their slot and are first to get one. There cannot be more pins than "
    "slots.",
    "unpin": "Jobs take turns again; one that is paused gives up its slot.",
    "pause": "Keeps jobs off the publisher. A pinned one keeps its slot meanwhile, any other gives "
    "it up.",
    "enable": "Lets paused jobs have a slot again, at once where one is free.",
}


def _additions(base: str, suffix: str) -> list[Operation]:
    """Taking out, pinning and pausing jobs; the contract leaves open under which of two paths."""
    remove = Operation(
        name=f"remove_posting_jobs{suffix}",
        verb="DELETE",
        path=f"{base}/{{config_id}}/jobs",
        title="Take jobs out of a posting.",
        about="Takes jobs out of the posting, and answers what became of each. Freed slots go to "
        "waiting jobs; a credit that was used up stays so.",
        tag=_TAG,
        work=_remove,
        body=wire.REFERENCES,
        answer=wire.RESULTS,
        sample=_REFS,
        sample_answer=room_samples.processed("Delete"),
    )
    switches = [
        Operation(
            name=f"{word}_posting_jobs{suffix}",
            verb="PUT",
            path=f"{base}/{{config_id}}/jobs/{word}",
            title=f"{word.capitalize()} jobs of a posting.",
            about=about,
            tag=_TAG,
            work=_switch(word),
            body=wire.REFERENCES,
            answer=wire.RESULTS,
            sample=_REFS,
            sample_answer=room_samples.processed(word.capitalize()),
        )
        for word, about in _ABOUT_SWITCH.items()
    ]
    return [remove, *switches]


OPERATIONS = [
    Operation(
        name="list_posted_jobs",
        number=39,
        verb="GET",
        path="/clients/{client_id}/publishers/{publisher_id}/jobs",
        title="Get jobs posted over publisher.",
        about="The client's jobs that hold a slot at the publisher now, in any of its postings.",
        tag=_TAG,
        work=_posted,
        lane="bulk",
        query=wire.PinnedPage,
        answer=page_schema(wire.POSTED_JOB),
        sample_answer={"data": [room_samples.POSTED_JOB]},
    ),
    Operation(
        name="add_posting_jobs",
        number=40,
        verb="POST",
        path=f"{OF_CLIENT}/{{config_id}}/jobs",
        title="Get all jobs of specific posting.",
        about="Puts jobs into the posting, whatever its title says (the body and the answer are "
        "those of adding), and answers what became of each reference. A job that finds no slot "
        "waits for one, and is told NO_SLOT with its id.",
        tag=_TAG,
        work=_add,
        body=wire.REFERENCES,
        answer=wire.RESULTS,
        sample=_REFS,
        sample_answer={"result": {}, "message": "Create request processed"},
    ),
    Operation(
        name="list_posting_jobs",
        number=46,
        verb="GET",
        path=f"{OF_PUBLISHER}/{{config_id}}/jobs",
        title="Get jobs of a specific config/posting.",
        about="The client's jobs of the posting: posted, waiting and ended ones.",
        tag=_TAG,
        work=_jobs_of,
        lane="bulk",
        query=wire.JobFilter,
        answer=page_schema(wire.POSTING_JOB),
        sample_answer={"data": [room_samples.POSTING_JOB]},
    ),
    Operation(
        name="get_posting_job",
        number=47,
        verb="GET",
        path=f"{OF_PUBLISHER}/{{config_id}}/jobs/{{job_reference}}",
        title="Get the specific job posted over publisher of a specific config/posting.",
        about="One job of the posting, by its reference.",
        tag=_TAG,
        work=_job,
        answer=wire.POSTING_JOB,
        sample_answer=room_samples.POSTING_JOB,
    ),
    *_additions(OF_CLIENT, ""),
    *_additions(OF_PUBLISHER, "_at_publisher"),
]
