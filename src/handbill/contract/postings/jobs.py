"""Operations 39, 40, 46 and 47, and the additions by which posted jobs are pinned, paused and
taken out.
"""

from collections.abc import Callable
from typing import Any

from handbill.contract.postings.job_models import (
    PinnedPage,
    PostedJob,
    PostedJobPage,
    PostingJob,
    PostingJobFilter,
    PostingJobs,
    Processed,
    ReferenceResult,
)
from handbill.contract.postings.models import References
from handbill.core import postings as core
from handbill.core.nouns import Publisher
from handbill.http.operations import Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.postings import service, slots
from handbill.publishers.service import publisher_of
from handbill.wire.bodies import Array

OF_CLIENT = "/clients/{client_id}/configs"
OF_PUBLISHER = "/clients/{client_id}/publishers/{publisher_id}/configs"


def publisher(call: Call) -> Publisher:
    """The publisher that the path names. **Refuses** any but the agency's live one (404)."""
    return publisher_of(call.tx, call.caller.agency_no, call.path["publisher_id"])


def posting(call: Call) -> core.Posting:
    """The purchase that the path names: the client's, and the publisher's where it names one."""
    at = publisher(call) if "publisher_id" in call.path else None
    return service.posting_of(call.tx, call.client, call.path["config_id"], at)


def _rows(call: Call, job: core.PostingJob, at: Publisher) -> dict[str, Any]:
    """Rows that are no attributes of a posting's job."""
    status = "A" if job.able(call.now) else "P"
    return {"client_id": call.client.id, "publisher_id": at.id, "status": status}


def _posting_job(call: Call, job: core.PostingJob, at: Publisher) -> PostingJob:
    return PostingJob.of(job, **_rows(call, job, at))


def _posted(call: Call) -> Answer:
    at, window = publisher(call), skip_and_limit(call)
    pairs, total = service.posted_page(call.tx, call.client, at, call.query.pinned, *window)
    rows = [
        PostedJob.of(job, **_rows(call, job, at), posting_id=posting_id)
        for job, posting_id in pairs
    ]
    return with_links(call, PostedJobPage.of(rows=rows), total)


def _jobs_of(call: Call) -> PostingJobs:
    here, at, wanted = posting(call), publisher(call), call.query.given()
    rows = [_posting_job(call, job, at) for job in service.jobs_of(call.tx, here, call.client)]
    return PostingJobs.of(rows=[job for job in rows if wanted.items() <= vars(job).items()])


def _job(call: Call) -> PostingJob:
    here, at = posting(call), publisher(call)
    job = service.job_of(call.tx, here, call.client, call.path["job_reference"])
    return _posting_job(call, job, at)


def _processed(what: str, results: list[slots.Result]) -> Processed:
    by_ref = {one.ref: ReferenceResult.of(one) for one in results}
    return Processed.of(result=by_ref, message=f"{what} request processed")


def _add(call: Call) -> Processed:
    here = posting(call)
    return _processed(
        "Create", slots.add(call.tx, call.ids, call.now, call.client, here, call.body)
    )


def _remove(call: Call) -> Processed:
    here = posting(call)
    return _processed("Delete", slots.remove(call.tx, call.now, call.client, here, call.body))


def _switch(word: str) -> Callable[[Call], Processed]:
    switch = slots.pin if word in {"pin", "unpin"} else slots.pause

    def work(call: Call) -> Processed:
        here, on = posting(call), word in {"pin", "pause"}
        results = switch(call.tx, call.now, call.client, here, call.body, on=on)
        return _processed(word.capitalize(), results)

    return work


_REFERENCES = Array(References)
_CLIENT_ID = "3788ba55-a0c5-43ec-9982-65bb1344fa2b"
_CONFIG_ID = "d21ba8ff-c7f5-4b25-b5fc-5fbd1ba7f8fe"
_JOB = {
    "id": "f4f71332-5013-44f3-9e66-1e732149aa09",
    "clientId": _CLIENT_ID,
    "jobId": "1b123575a6037f46f0c2327e2cfad81b",
    "placement": "TestExp1",
    "refNumber": "test-job-ref-number-19",
    "isPosted": True,
    "isPinned": True,
    "isPaused": True,
    "lastModified": "2021-05-03T08:58:42.000Z",
    "createdOn": "2021-05-03T08:58:42.000Z",
    "status": "A",
}
_POSTED = _JOB | {"isPaused": False, "configId": _CONFIG_ID}


def _processed_sample(word: str) -> dict[str, Any]:
    """What became of two references: one was done, one is not in the posting."""
    return {
        "result": {
            "test-job-ref-number-108": {"success": True, "id": _JOB["id"]},
            "test-job-ref-number-109": {"success": False, "message": "JOB_NOT_FOUND"},
        },
        "message": f"{word} request processed",
    }


_REFS = ["test-job-ref-number-108", "test-job-ref-number-109"]
_ABOUT_SWITCH = {
    "pin": "Pinned jobs keep their slot and are first to get one. There cannot be more pins than "
    "slots.",
    "unpin": "Unpins the jobs, so that they take turns again. A paused job gives up its slot.",
    "pause": "Stops publishing the jobs at the publisher. A pinned job keeps its slot, others "
    "give it up.",
    "enable": "Lets paused jobs have a slot again, at once if one is free.",
}


def _additions(base: str, suffix: str) -> list[Operation]:
    """Taking out, pinning and pausing jobs; the contract leaves open under which of two paths."""
    remove = Operation(
        name=f"remove_posting_jobs{suffix}",
        verb="DELETE",
        path=f"{base}/{{config_id}}/jobs",
        title="Take jobs out of a posting.",
        about="Removes jobs from the posting and returns the result for each. Free slots go to "
        "waiting jobs. Consumed credits are not returned.",
        work=_remove,
        body=_REFERENCES,
        answer=Processed,
        sample=_REFS,
        sample_answer=_processed_sample("Delete"),
    )
    switches = [
        Operation(
            name=f"{word}_posting_jobs{suffix}",
            verb="PUT",
            path=f"{base}/{{config_id}}/jobs/{word}",
            title=f"{word.capitalize()} jobs of a posting.",
            about=about,
            work=_switch(word),
            body=_REFERENCES,
            answer=Processed,
            sample=_REFS,
            sample_answer=_processed_sample(word.capitalize()),
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
        work=_posted,
        lane="bulk",
        query=PinnedPage,
        answer=PostedJobPage,
        sample_answer={"data": [_POSTED]},
    ),
    Operation(
        name="add_posting_jobs",
        number=40,
        verb="POST",
        path=f"{OF_CLIENT}/{{config_id}}/jobs",
        title="Get all jobs of specific posting.",
        about="Adds jobs to the posting, despite the title, and returns the result for each "
        "reference. A job without a free slot waits for one, and is returned with NO_SLOT and its "
        "id.",
        work=_add,
        body=_REFERENCES,
        answer=Processed,
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
        work=_jobs_of,
        lane="bulk",
        query=PostingJobFilter,
        answer=PostingJobs,
        sample_answer={"data": [_JOB]},
    ),
    Operation(
        name="get_posting_job",
        number=47,
        verb="GET",
        path=f"{OF_PUBLISHER}/{{config_id}}/jobs/{{job_reference}}",
        title="Get the specific job posted over publisher of a specific config/posting.",
        about="One job of the posting, by its reference.",
        work=_job,
        answer=PostingJob,
        sample_answer=_JOB,
    ),
    *_additions(OF_CLIENT, ""),
    *_additions(OF_PUBLISHER, "_at_publisher"),
]
