"""Operations 54 to 56 (an agency's reports), 59 and 60 (a publisher family's)."""

from collections.abc import Callable
from typing import Any

from handbill.access.keys import secret
from handbill.callbacks import service as callbacks
from handbill.contract import examples
from handbill.contract.answering import own_family
from handbill.contract.reports.models import (
    CallbackGivenUp,
    IpReportRequest,
    PublisherReportAsked,
    PublisherReportRequest,
    Report,
    ReportAsked,
    StatsReportRequest,
)
from handbill.contract.reports.repeats import TOLD, headers_of, wants_new
from handbill.http.kinds import Ask
from handbill.http.operations import Answer, Call, Operation
from handbill.kit.faults import Fault, bad_request
from handbill.stats import reporting, service
from handbill.stats.service import FAILED, SUCCESS
from handbill.wire.models import Model

_PARTNERS = "Publisher partners"
_ID = "eba6971f-4880-4f05-bfbf-a308e30084ea"
_GOT = {
    "reportId": _ID,
    "status": SUCCESS,
    "url": "https://api.example.com/files/AQEAoJ3q",
    "createdOn": "2026-11-23T09:00:00.000Z",
    "expiresOn": "2026-11-30T09:00:00.000Z",
}


def _grouped(call: Call) -> Answer:
    return _asked(call, call.client, reporting.ask_grouped, ReportAsked)


def _by_address(call: Call) -> Answer:
    return _asked(call, call.client, reporting.ask_by_address, ReportAsked)


def _for_family(call: Call) -> Answer:
    named = call.body.family_id
    if named is not None and named != call.path["publisherFamilyId"]:
        raise bad_request([Fault("family_id", "must be the same as in the path")])
    return _asked(call, own_family(call), reporting.ask_for_family, PublisherReportAsked)


def _asked(
    call: Call, whose: Any, ask: Callable[..., service.RequestedReport], told: type[Model]
) -> Answer:
    made = ask(call.tx, whose, call.body.noun(), call.ids, call.now, is_new=wants_new(call))
    service.require_room(call.tx, made, call.settings.reports_waiting)
    body = told.of(id=made.id, success=True)
    return Answer(body, headers=headers_of(is_repeated=made.is_repeated))


def _get(call: Call) -> Report:
    client_no, report_id = call.client.no, call.path["report_id"]
    return _report_model(
        call, service.report_of(call.tx, client_no, report_id, call.now, reporting.KINDS)
    )


def _get_of_family(call: Call) -> Report:
    report_id = call.path["reportId"]
    return _report_model(
        call, service.report_of_family(call.tx, own_family(call), report_id, call.now)
    )


def _report_model(call: Call, report: service.Report) -> Report:
    url = given_up = None
    if report.parts:
        token = service.tokens_of(report, secret(call.tx, "link"), call.now)[0]
        url = service.url_of(call.settings, token)
    dead = callbacks.given_up(call.tx, report.id)
    if dead is not None:
        given_up = CallbackGivenUp.of(dead, failure=dead.failure or "")
    return Report.of(
        report,
        state=report.state if report.state in {SUCCESS, FAILED} else "IN_PROGRESS",
        url=url,
        message=service.message_of(report) or None,
        callback=given_up,
    )


OPERATIONS = [
    Operation(
        name="generate_stats_report",
        number=54,
        verb="POST",
        path="/reports/stats",
        title="Generate the stats report.",
        about="Requests a report of clicks, applies and spend, as one CSV file. Poll GET "
        f"/reports/{{report_id}}, or give a callBackUrl. {TOLD} Ratios (cpc, cpa, cta) must "
        "not be summed.",
        kind=Ask(notes=True),
        client_header="x-client-id",
        work=_grouped,
        body=StatsReportRequest,
        answer=ReportAsked,
        sample=examples.REPORT_ASKED,
        sample_answer={"reportId": _ID, "success": True},
    ),
    Operation(
        name="generate_ip_report",
        number=55,
        verb="POST",
        path="/reports/ip",
        title="Generate the IP report.",
        about="Requests a report of clicks and applies by day, visitor's address, publisher, job "
        "group and job, as one CSV file. Addresses are given as stored (setting HANDBILL_IP_MODE, "
        "truncated by default). An apply appears at the address of its click, on its own day. "
        f"country and city come from HANDBILL_GEO_FILE and are empty without it. {TOLD}",
        kind=Ask(notes=True),
        client_header="x-client-id",
        work=_by_address,
        body=IpReportRequest,
        answer=ReportAsked,
        sample={
            "callBackUrl": "https:domain.com/report/reportId",
            "filterBy": examples.REPORT_ASKED["filterBy"],
        },
        sample_answer={"reportId": _ID, "success": True},
    ),
    Operation(
        name="get_report",
        number=56,
        verb="GET",
        path="/reports/{report_id}",
        title="Get a report.",
        about="Returns the state of a report of /reports/stats or /reports/ip and, once it is "
        "made, the link to its file. Reports are kept for seven days.",
        client_header="x-client-id",
        work=_get,
        answer=Report,
        sample_answer=_GOT,
    ),
    Operation(
        name="request_publisher_report",
        number=59,
        verb="POST",
        path="/publisher-families/{publisherFamilyId}/reports",
        title="Request the generation of a publisher report.",
        about="For publisher partners only, with their own key. Requests a report of the family's "
        "publishers for one client, by day, placement and bid type, with the amounts they may "
        f"invoice (grossSpend), as one CSV file. Days are in the client's zone. {TOLD}",
        tag=_PARTNERS,
        kind=Ask(notes=True),
        role="partner",
        work=_for_family,
        body=PublisherReportRequest,
        answer=PublisherReportAsked,
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
        about="For publisher partners only. Returns the state of a report and, once it is made, "
        "the link to its file. Reports are kept for seven days.",
        tag=_PARTNERS,
        role="partner",
        work=_get_of_family,
        answer=Report,
        sample_answer=_GOT,
    ),
]
