"""Operations 51 (streamed), 54, 55, 56 (an agency's reports) and 59, 60 (a publisher family's)."""

from collections.abc import Callable
from typing import Any

from handbill.access.keys import secret
from handbill.callbacks import service as callbacks
from handbill.host.ids import new_name
from handbill.http.kinds import Ask
from handbill.http.operations import Answer, Call, Operation
from handbill.kit.faults import Fault, bad_request, not_found
from handbill.kit.instants import iso_of
from handbill.stats import reporting, rows, service, streaming
from handbill.stats.answering import Answering
from handbill.stats.questions import FILTERS
from handbill.stats.repeats import TOLD, headers_of, wants_new
from handbill.stats.rows import FAILED, SUCCESS, Report
from handbill.wire.reports import ASKED, ASKED_BY_FAMILY, FOR_FAMILY, REPORT, by_address, grouped
from handbill.wire.spelling import TEXT, WHOLE, described, listed, whole

_TAG = "Reports"
_PARTNERS = "Publisher partners"
_FILTER_SAMPLE = {"startDate": "2026-11-01", "endDate": "2026-11-22"}
_ID = "eba6971f-4880-4f05-bfbf-a308e30084ea"
_GOT = {
    "reportId": _ID,
    "status": SUCCESS,
    "url": "https://api.example.com/files/AQEAoJ3q",
    "createdOn": "2026-11-23T09:00:00.000Z",
    "expiresOn": "2026-11-30T09:00:00.000Z",
}


def _stream(call: Call) -> Answer:
    plan = reporting.grouped_plan(call.tx, call.client, call.body, call.now)
    desk, key_no, holder = call.desk, call.caller.key_no, new_name(call.ids)
    streaming.hold(call.tx, key_no, holder, call.now, call.settings.streams_at_once)
    if call.body.get("callBackUrl"):
        # Whoever is to be called back gets the report as a file too.
        made = reporting.ask_grouped(call.tx, call.client, call.body, call.ids, call.now)
        service.require_room(call.tx, made, call.settings.reports_waiting)

    def release() -> None:
        with desk.records.write() as tx:
            rows.end_stream(tx, key_no, holder)

    scratch = desk.settings.scratch_folder
    answering = Answering(desk.records, desk.blobs, desk.ids, scratch)
    stream = streaming.Stream(answering, plan, desk.clock, release)
    headers = {"x-first-day": plan.first_on} if plan.cut else {}
    return Answer(
        headers=headers, media_type="application/x-ndjson; charset=utf-8", chunks=stream
    )  # fmt: skip


def _grouped(call: Call) -> Answer:
    return _asked(call, reporting.ask_grouped)


def _by_address(call: Call) -> Answer:
    return _asked(call, reporting.ask_by_address)


def _asked(call: Call, ask: Callable[..., service.Asked]) -> Answer:
    made = ask(call.tx, call.client, call.body, call.ids, call.now, is_new=wants_new(call))
    service.require_room(call.tx, made, call.settings.reports_waiting)
    told = {"reportId": made.id, "success": True}
    return Answer(told, headers=headers_of(is_repeated=made.is_repeated))


def _get(call: Call) -> dict[str, Any]:
    report_id = call.path["report_id"]
    return _told(
        call,
        service.report_of(call.tx, call.client.no, report_id, call.now, reporting.KINDS),
    )


def _told(call: Call, report: Report) -> dict[str, Any]:
    told: dict[str, Any] = {
        "reportId": report.id,
        "status": report.state if report.state in {SUCCESS, FAILED} else "IN_PROGRESS",
    }
    if report.parts:
        token = service.tokens_of(report, secret(call.tx, "link"), call.now)[0]
        told["url"] = service.url_of(call.settings, token)
    told["createdOn"] = iso_of(report.created_at)
    told["expiresOn"] = iso_of(report.expires_at)
    if message := service.message_of(report):
        told["message"] = message
    given_up = callbacks.given_up(call.tx, report.id)
    if given_up is not None:
        told["callback"] = {
            "id": given_up.id, "status": given_up.state, "attempts": given_up.attempts,
            "message": given_up.failure or "",
        }  # fmt: skip
    return told


def _ask_for_family(call: Call) -> Answer:
    named = call.body.get("publisherFamilyId")
    if named is not None and named != call.path["publisherFamilyId"]:
        raise bad_request([Fault("/publisherFamilyId", "must be the one of the path")])
    family_no = _own_family(call)
    made = reporting.ask_for_family(
        call.tx, family_no, call.body, call.ids, call.now, is_new=wants_new(call)
    )
    service.require_room(call.tx, made, call.settings.reports_waiting)
    told = {"success": True, "reportId": made.id}
    return Answer(told, headers=headers_of(is_repeated=made.is_repeated))


def _get_of_family(call: Call) -> dict[str, Any]:
    report_id = call.path["reportId"]
    return _told(call, service.report_of_family(call.tx, _own_family(call), report_id, call.now))


def _own_family(call: Call) -> int:
    """The caller's own family. **Refuses** any other in the path (404)."""
    if call.path["publisherFamilyId"] != call.caller.owner_id:
        raise not_found()
    return call.caller.owner_no


_LINE = whole(
    {
        "streamNumber": described(WHOLE, "Of the line; the first is 1."),
        "stats": described(
            listed({"type": "object"}),
            "Rows: id and name of what they are about, then the metrics. Empty in a line that "
            "only says that more is to come.",
        ),
        "message": described(TEXT, "Only in the last line, and only if the report is not whole."),
    },
    ("message",),
)

OPERATIONS = [
    Operation(
        name="stream_stats_report",
        number=51,
        verb="POST",
        path="/stats/stream",
        title="Stream a stats report.",
        about="Answers the report itself, as lines of JSON (NDJSON) that come about every second "
        "or with every 1,000 rows, until it is whole. One stream at a time per API key, for ten "
        "minutes at most; a reader that takes nothing for 30 seconds is cut off. With a "
        "callBackUrl the report is made as a file too, as by POST /reports/stats. Ratios (cpc, "
        "cpa, cta) must not be summed.",
        tag="Stats",
        client_header="x-client-id",
        work=_stream,
        body=grouped(FILTERS),
        lane="stream",
        kind=Ask(notes=True),
        media_types=("application/x-ndjson",),
        answer=_LINE,
        sample={
            "groupBy": "CLIENT",
            "groupByPublisher": True,
            "callBackUrl": "https:domain.com/report/reportId",
            "filterBy": _FILTER_SAMPLE,
        },
        sample_answer={"streamNumber": 5, "stats": []},
    ),
    Operation(
        name="generate_stats_report",
        number=54,
        verb="POST",
        path="/reports/stats",
        title="Generate the stats report.",
        about="Has a report made of clicks, applies and spend: one CSV file. Ask GET "
        f"/reports/{{report_id}} for it, or name a callBackUrl. {TOLD} Ratios (cpc, cpa, cta) must "
        "not be summed.",
        tag=_TAG,
        kind=Ask(notes=True),
        client_header="x-client-id",
        work=_grouped,
        body=grouped(FILTERS),
        answer=ASKED,
        sample={
            "groupBy": "CLIENT",
            "groupByPublisher": True,
            "callBackUrl": "https:domain.com/report/reportId",
            "filterBy": _FILTER_SAMPLE,
        },
        sample_answer={"reportId": _ID, "success": True},
    ),
    Operation(
        name="generate_ip_report",
        number=55,
        verb="POST",
        path="/reports/ip",
        title="Generate the IP report.",
        about="Has a report made of clicks and applies by day, visitor's address, publisher, job "
        "group and job: one CSV file. Addresses are as they are kept (setting HANDBILL_IP_MODE: "
        "truncated by default). An apply is told at the address of its click, on its own day. "
        f"country and city are told by HANDBILL_GEO_FILE, and empty without. {TOLD}",
        tag=_TAG,
        kind=Ask(notes=True),
        client_header="x-client-id",
        work=_by_address,
        body=by_address(FILTERS),
        answer=ASKED,
        sample={
            "callBackUrl": "https:domain.com/report/reportId",
            "filterBy": _FILTER_SAMPLE,
        },
        sample_answer={"reportId": _ID, "success": True},
    ),
    Operation(
        name="get_report",
        number=56,
        verb="GET",
        path="/reports/{report_id}",
        title="Get a report.",
        about="Tells how far a report of /reports/stats or /reports/ip is; when it is made, where "
        "its file is. Reports are kept for seven days.",
        tag=_TAG,
        client_header="x-client-id",
        work=_get,
        answer=REPORT,
        sample_answer=_GOT,
    ),
    Operation(
        name="request_publisher_report",
        number=59,
        verb="POST",
        path="/publisher-families/{publisherFamilyId}/reports",
        title="Request the generation of a publisher report.",
        about="For publisher partners only, with their own key. Has a report made of what the "
        "family's publishers did for one client, by day, placement and bid type, with what they "
        f"may invoice (grossSpend): one CSV file. Days are the client's. {TOLD}",
        tag=_PARTNERS,
        kind=Ask(notes=True),
        role="partner",
        work=_ask_for_family,
        body=FOR_FAMILY,
        answer=ASKED_BY_FAMILY,
        sample={
            "reportName": "string",
            "period": "THIS_MONTH",
            "clientId": "eba6971f-4880-4f05-bfbf-a308e30084e",
            "publisherFamilyId": "6576baba5c2baf7cdd5b552a",
            "curLocale": "USD",
        },
        sample_answer={"success": True, "reportId": _ID},
    ),
    Operation(
        name="get_publisher_report",
        number=60,
        verb="GET",
        path="/publisher-families/{publisherFamilyId}/reports/{reportId}",
        title="Get the status of a publisher report.",
        about="For publisher partners only. Tells how far a report is; when it is made, where its "
        "file is. Reports are kept for seven days.",
        tag=_PARTNERS,
        role="partner",
        work=_get_of_family,
        answer=REPORT,
        sample_answer=_GOT,
    ),
]
