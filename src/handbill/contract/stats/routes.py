"""Operations 49 to 51, and the public link to a report's files."""

from handbill.access.keys import secret
from handbill.contract import examples
from handbill.contract.reports.models import StatsReportRequest
from handbill.contract.reports.repeats import TOLD, headers_of, wants_new
from handbill.contract.stats.models import StatsLine, StatsQuestion, StatsStatus, StatsSubmitted
from handbill.host.ids import new_name
from handbill.http.kinds import Ask, Public
from handbill.http.operations import Answer, Call, Operation
from handbill.stats import reporting, service, streaming
from handbill.stats.answering import Answering
from handbill.stats.files import MEDIA_TYPE
from handbill.stats.service import SUBMITTED, SUCCESS

_CHUNK = 256 * 1024
_FILE_TYPES = (*(kind.partition(";")[0] for kind in MEDIA_TYPE.values()), "application/gzip")


def _submit(call: Call) -> Answer:
    question, is_new = call.body.noun(), wants_new(call)
    made = service.submit(call.tx, call.client, question, call.ids, call.now, is_new=is_new)
    service.require_room(call.tx, made, call.settings.reports_waiting)
    headers = {"location": f"/stats/{made.id}"} | headers_of(is_repeated=made.is_repeated)
    if call.headers.get("accept", "").partition(";")[0].strip().lower() == "text/plain":
        return Answer(None, 202, headers, b"NO_CONTENT", "text/plain; charset=utf-8")
    return Answer(StatsSubmitted.of(task_id=made.id, status=SUBMITTED), 202, headers)


def _poll(call: Call) -> StatsStatus:
    report = service.report_of(call.tx, call.client.no, call.path["taskId"], call.now)
    tokens = service.tokens_of(report, secret(call.tx, "link"), call.now) if report.parts else []
    return StatsStatus.of(
        status=report.state,
        location=[service.url_of(call.settings, token) for token in tokens],
        message=service.message_of(report) or None,
    )


def _stream(call: Call) -> Answer:
    asked = call.body.noun()
    plan = reporting.grouped_plan(call.tx, call.client, asked, call.now)
    desk, key_no, holder = call.desk, call.caller.key_no, new_name(call.ids)
    streaming.hold(call.tx, key_no, holder, call.now, call.settings.streams_at_once)
    if asked.call_back_url:
        # Whoever is to be called back gets the report as a file too.
        made = reporting.ask_grouped(call.tx, call.client, asked, call.ids, call.now)
        service.require_room(call.tx, made, call.settings.reports_waiting)

    def release() -> None:
        with desk.records.write() as tx:
            streaming.let_go(tx, key_no, holder)

    scratch = desk.settings.scratch_folder
    answering = Answering(desk.records, desk.blobs, desk.ids, scratch)
    stream = streaming.StatsLines(answering, plan, desk.clock, release)
    headers = {"x-first-day": plan.first_on} if plan.cut else {}
    return Answer(headers=headers, media_type="application/x-ndjson; charset=utf-8", chunks=stream)


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


OPERATIONS = [
    Operation(
        name="submit_stats_report",
        number=49,
        verb="POST",
        path="/stats",
        title="Submit a request for generating a stats report.",
        about="Requests a report of clicks, applies and spend, by up to three levels. It is made "
        "in the background: poll GET /stats/{taskId}. Ratios (cpc, cpa, cta) must not be summed. "
        f"{TOLD}",
        kind=Ask(notes=True),
        client_header="x-client-id",
        work=_submit,
        body=StatsQuestion,
        success=202,
        media_types=("application/json", "text/plain"),
        answer=StatsSubmitted,
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
        about="Returns the state of a report and, when it is ready, the links to its files. "
        "NO_RECORDS_FOUND: there was no activity in those days.",
        client_header="x-client-id",
        work=_poll,
        answer=StatsStatus,
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
        about="The signed link from a report's location. No key is needed: anyone who has the "
        "link can read the file until the link expires.",
        kind=Public(),
        work=_file,
        answer={
            "description": "The file: CSV, JSONL or Parquet, compressed with gzip if requested."
        },
        media_types=_FILE_TYPES,
    ),
    Operation(
        name="stream_stats_report",
        number=51,
        verb="POST",
        path="/stats/stream",
        title="Stream a stats report.",
        about="Returns the report itself as lines of JSON (NDJSON), about one per second or per "
        "1,000 rows, until it is complete. One stream at a time per API key, for ten minutes at "
        "most; a client that reads nothing for 30 seconds is disconnected. With a callBackUrl, "
        "the report is also made as a file, as by POST /reports/stats. Ratios (cpc, cpa, cta) "
        "must not be summed.",
        client_header="x-client-id",
        work=_stream,
        body=StatsReportRequest,
        lane="stream",
        kind=Ask(notes=True),
        media_types=("application/x-ndjson",),
        answer=StatsLine,
        sample=examples.REPORT_ASKED,
        sample_answer={"streamNumber": 5, "stats": []},
    ),
]
