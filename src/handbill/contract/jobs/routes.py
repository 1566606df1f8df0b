"""Operations 11 to 18: jobs of a client, from feeds and added by API alike."""

from itertools import islice
from typing import Any

from handbill.contract.envelopes import Done, Made, Status, done
from handbill.contract.jobs.answers import Job, JobPage, example, jobs_told
from handbill.contract.jobs.lines import JobLines, JobLinesAsked, lines_told
from handbill.contract.jobs.models import IDS, JobChange, NewJob
from handbill.contract.switches import switches
from handbill.core import nouns
from handbill.http.kinds import Ask
from handbill.http.operations import Answer, Call, Operation
from handbill.http.paging import skip_and_limit, with_links
from handbill.jobs import editing, service
from handbill.listings.unlisted import unlisted
from handbill.wire.bodies import ListOf
from handbill.wire.queries import OfClient, PagedFromOne

_PATH = "/clients/{client_id}/jobs"
_ONE = f"{_PATH}/{{job_reference}}"
_MOST_REACHED = 10_000


def _job(call: Call) -> nouns.Job:
    return editing.job_to_change(call.tx, call.client, call.path["job_reference"])


def _add(call: Call) -> Made:
    job = editing.add(call.tx, call.now, call.client, call.body.given())
    return Made.of(result=job.id, message="Job created")


def _list(call: Call) -> Answer:
    client = call.client
    skip, limit = skip_and_limit(call, first=1)
    total, expired = service.count(call.tx, client.no, call.now)
    limit = max(0, min(limit, _MOST_REACHED - skip))
    jobs = service.jobs_page(call.tx, client.no, skip, limit) if limit else []
    page = {"data": jobs_told(jobs, client.id, call.now), "summary": total - expired}
    return with_links(call, page, min(total, _MOST_REACHED), first=1)


def _lines(call: Call) -> JobLines:
    asked: JobLinesAsked = call.query
    if asked.show == "ALL":
        most = asked.limit + 1
        lines = service.lines(call.tx, call.client.no, asked.sort, asked.cursor, most)
    else:
        ever, blobs = asked.show == "NEVER_LISTED", call.desk.blobs
        lines = unlisted(call.tx, blobs, call.client, asked.sort, asked.cursor, ever=ever)
    some = list(islice(lines, asked.limit + 1))
    goes_on = some[asked.limit - 1].id if len(some) > asked.limit else None
    shown = some[: asked.limit]
    rows = lines_told(shown, service.lacking(call.tx, shown), call.now)
    return JobLines.of(rows=rows, next=goes_on)


def _get(call: Call) -> Any:
    job = service.job_of(call.tx, call.client.no, call.path["job_reference"])
    return jobs_told([job], call.client.id, call.now)[0]


def _delete(call: Call) -> Done:
    editing.delete(call.tx, call.now, call.client, _job(call))
    return done("Job deleted")


def _update(call: Call) -> Made:
    job = _job(call)
    editing.update(call.tx, call.now, call.client, job, call.body.given())
    return Made.of(result=job.id, message="Job updated")


def _switch(call: Call, status: Status) -> None:
    editing.switch(call.tx, call.now, call.client, _job(call), status)


def _bulk(call: Call) -> list[Any]:
    jobs = service.jobs_by_ids(call.tx, call.client.no, call.body)
    return jobs_told(jobs, call.client.id, call.now)


_SAMPLE = {
    "title": "test title",
    "company": "test company",
    "description": "apply for this single job",
    "category": "Maintenance",
    "alternateURL": "https://www.nxtpreprod.monster.com/job-openings/software-developer-new-york-"
    "city-ny--48e3732b -768b-473d-8fce-11bc1f6b1316",
    "city": "Eluru",
    "state": "Telangana",
    "country": "US",
    "zip": 500081,
    "publishedDate": "2019-11-29T10:00:00.000Z",
    "endAtDate": "2019-11-29T10:00:00.000Z",
    "jobType": "FULL_TIME",
    "additionalFields": {"external-data": "a12"},
    "publisherFields": {"publishers": ["TestExp1"]},
    "jobSetting": {"cpcBid": 0.4},
    "placementSettings": [{"value": "TestExp1", "cpcBid": 0.5}],
}
_SAMPLE_ID = "e13cd1d459a7be781712aa2636a9580c"
_JOB = example()
_BRIEF = {
    "jobId": _SAMPLE_ID,
    "refNumber": "test-job-ref-number-19",
    "title": "test title",
    "company": "test company",
    "city": "Eluru",
    "state": "Telangana",
    "country": "US",
    "status": "ACTIVE",
    "valid": True,
    "missingFields": [],
}

OPERATIONS = [
    Operation(
        name="add_job",
        number=11,
        verb="POST",
        path=_PATH,
        title="Add a job.",
        about="Adds a single job to the client, in addition to those from its feeds. A job "
        "without title, description or address is kept with valid false and is never advertised. "
        "A reference number that is in use, by API or by a feed, is refused; that of an expired "
        "job may be used again.",
        work=_add,
        body=NewJob,
        answer=Made,
        sample={"refNumber": "test-job-ref-number-19"} | _SAMPLE,
        sample_answer={"result": _SAMPLE_ID, "message": "Job created"},
    ),
    Operation(
        name="list_jobs",
        number=12,
        verb="GET",
        path=_PATH,
        title="Get all jobs.",
        about="The client's jobs, oldest first. Pages count from 1; at most the first 10,000 jobs "
        "can be reached. Expired jobs are listed with that status, but the summary does not count "
        "them.",
        work=_list,
        lane="bulk",
        query=PagedFromOne,
        answer=JobPage,
        sample_answer={"data": [_JOB], "summary": 100},
    ),
    Operation(
        name="list_job_lines",
        verb="GET",
        path="/clients/{client_id}/job-lines",
        title="List jobs in brief.",
        about="An addition. All of the client's jobs, however many, in brief: oldest first or by "
        "title; or only those that no publisher's feed lists now. Explain tells why a job is not "
        "listed.",
        work=_lines,
        lane="slow",
        query=JobLinesAsked,
        answer=JobLines,
        sample_answer={"data": [_BRIEF], "next": None},
    ),
    Operation(
        name="get_job",
        number=13,
        verb="GET",
        path=_ONE,
        title="Get a job.",
        about="The job of that reference number. The reference is one whole segment of the path, "
        "percent-decoded once.",
        work=_get,
        answer=Job,
        sample_answer=_JOB,
    ),
    Operation(
        name="delete_job",
        number=14,
        verb="DELETE",
        path=_ONE,
        title="Delete a job.",
        about="Deletes the job; late clicks are still redirected. If a feed still contains the "
        "job, it stays deleted until the feed drops it, or until it is added again by API.",
        work=_delete,
        answer=Done,
        sample_answer={"result": True, "message": "Job deleted"},
    ),
    Operation(
        name="update_job",
        number=15,
        verb="PUT",
        path=_ONE,
        title="Update a job.",
        about="Changes the job, which must be valid. Absent fields stay, null clears an "
        "optional field. On a job from a feed, the change lasts until the feed has new values "
        "for the job; jobSetting and placementSettings always stay.",
        work=_update,
        body=JobChange,
        answer=Made,
        sample=_SAMPLE,
        sample_answer={"result": _SAMPLE_ID, "message": "Job updated"},
    ),
    *switches(
        "job",
        _ONE,
        _switch,
        pause="Pauses the job, which must be valid. It is removed from the outbound feeds and "
        "stays paused, whatever its feed contains.",
        enable="Enables the job, which must be valid. Enabling an active job changes nothing.",
        number=16,
    ),
    Operation(
        name="get_jobs_in_bulk",
        number=18,
        verb="POST",
        path="/jobs/bulk",
        title="Get jobs in bulk.",
        about="The client's jobs with these ids, at most 1000, in the order of the request. "
        "Unknown and foreign ids are left out.",
        work=_bulk,
        query=OfClient,
        body=IDS,
        many=True,
        lane="bulk",
        kind=Ask(),
        answer=ListOf(Job),
        sample=["e13cd1d459a7be781712aa2636a9580c", "e13cd1d459a7be781712aa2636a9580d"],
        sample_answer=[_JOB],
    ),
]
