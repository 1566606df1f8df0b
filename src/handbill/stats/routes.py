"""Operations 49 to 51 and 54 to 60 of reports, and the public link to a report's files."""

from typing import Any

from handbill.access.keys import secret
from handbill.http.kinds import Ask, Public
from handbill.http.operations import Answer, Call, Operation
from handbill.stats import service
from handbill.stats.files import MEDIA_TYPE
from handbill.stats.questions import QUESTION
from handbill.stats.repeats import TOLD, headers_of, wants_new
from handbill.stats.rows import FAILED, IN_PROGRESS, NO_RECORDS, SUBMITTED, SUCCESS
from handbill.wire.shapes import Schema
from handbill.wire.spelling import TEXT, described

_TAG = "Stats"
_CHUNK = 256 * 1024
_STATES = [SUBMITTED, IN_PROGRESS, SUCCESS, FAILED, NO_RECORDS]


def _submit(call: Call) -> Answer:
    made = service.submit(
        call.tx, call.client, call.body, call.ids, call.now, is_new=wants_new(call)
    )
    service.require_room(call.tx, made, call.settings.reports_waiting)
    task_id, is_repeated = made
    headers = {"location": f"/stats/{task_id}"} | headers_of(is_repeated=is_repeated)
    if call.headers.get("accept", "").partition(";")[0].strip().lower() == "text/plain":
        return Answer(None, 202, headers, b"NO_CONTENT", "text/plain; charset=utf-8")
    return Answer({"taskId": task_id, "status": SUBMITTED}, 202, headers)


def _poll(call: Call) -> dict[str, Any]:
    report = service.report_of(call.tx, call.client.no, call.path["taskId"], call.now)
    tokens = service.tokens_of(report, secret(call.tx, "link"), call.now) if report.parts else []
    told: dict[str, Any] = {
        "status": report.state,
        "location": [service.url_of(call.settings, token) for token in tokens],
    }
    if message := service.message_of(report):
        told["message"] = message
    return told


def _file(call: Call) -> Answer:
    report, part = service.linked_part(
        call.tx, call.path["token"], secret(call.tx, "link"), call.now
    )
    name = part.path.rpartition("/")[2]
    suffix = name[name.index(".") :]
    place = report.parts.index(part) + 1
    headers = {
        "content-disposition": f'attachment; filename="{report.kind}-{report.id}-{place}{suffix}"',
        "referrer-policy": "no-referrer",
        "content-length": str(part.bytes),
    }
    chunks = call.desk.blobs.chunks(part.path, _CHUNK)
    return Answer(headers=headers, media_type=part.media_type, chunks=chunks)


_FILE_TYPES = (*(kind.partition(";")[0] for kind in MEDIA_TYPE.values()), "application/gzip")
_SUBMITTED: Schema = {
    "type": "object",
    "properties": {
        "taskId": described(TEXT, "What to poll: GET /stats/{taskId}."),
        "status": {
            "const": SUBMITTED,
            "description": "The question is sound and will be answered.",
        },
    },
    "required": ["taskId", "status"],
}
_STATUS: Schema = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": _STATES, "description": "How far the report is."},
        "location": {
            "type": "array",
            "items": TEXT,
            "description": "Links to the files, one per 100,000 rows; each is good for 24 hours.",
        },
        "message": described(TEXT, "Why it failed, or which days it leaves out as too old."),
    },
    "required": ["status", "location"],
}  # fmt: skip

OPERATIONS = [
    Operation(
        name="submit_stats_report",
        number=49,
        verb="POST",
        path="/stats",
        title="Submit a request for generating a stats report.",
        about="Asks for a report of clicks, applies and spend, by up to three levels. A sound "
        "question is answered in the background: poll GET /stats/{taskId}. Ratios (cpc, cpa, cta) "
        f"must not be summed. {TOLD}",
        tag=_TAG,
        kind=Ask(notes=True),
        client_header="x-client-id",
        work=_submit,
        body=QUESTION,
        success=202,
        media_types=("application/json", "text/plain"),
        answer=_SUBMITTED,
        sample={
            "filters": {"startDate": "2026-11-01", "endDate": "2026-11-22"},
            "aggregationLevel": {"primaryLevel": "JOBGROUP", "secondaryLevel": "DATE"},
        },
        sample_answer={"taskId": "1f0c2f5e-6c1f-4b1a-9d0e-0d6a8c8e6f1b", "status": SUBMITTED},
    ),
    Operation(
        name="get_stats_report",
        number=50,
        verb="GET",
        path="/stats/{taskId}",
        title="Poll the status of a stats report.",
        about="Tells how far a report is; when it is done, where its files are. "
        "NO_RECORDS_FOUND: nothing happened in those days.",
        tag=_TAG,
        client_header="x-client-id",
        work=_poll,
        answer=_STATUS,
        sample_answer={
            "status": SUCCESS,
            "location": ["https://api.example.com/files/AQEAoJ3q"],
        },
    ),
    Operation(
        name="get_stats_file",
        verb="GET",
        path="/files/{token}",
        title="Fetch a file of a stats report.",
        about="The signed link from a report's location. No key is needed; the link is the right "
        "to read this file, and expires.",
        tag=_TAG,
        kind=Public(),
        work=_file,
        answer={"description": "The file: CSV, JSONL or Parquet, gzipped if so asked."},
        media_types=_FILE_TYPES,
    ),
]
