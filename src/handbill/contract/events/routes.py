"""Operation 58, what arrived lately from a client's pixel and servers, and links to test."""

from handbill.access.keys import secret
from handbill.campaigns import service as campaigns
from handbill.contract.events.models import (
    ACCEPTED,
    EVENTS,
    EventsAccepted,
    JobToTest,
    LinkToTest,
    RecentEvents,
    RecentQuery,
)
from handbill.groups import service as groups
from handbill.http.kinds import Ask, Change
from handbill.http.operations import Call, Operation
from handbill.jobs import service as jobs
from handbill.ledger.recent import recent
from handbill.listings import resolving
from handbill.listings.testing import link_to_test
from handbill.store.journal_reading import JournalReader
from handbill.tracking.service import take


def _take(call: Call) -> EventsAccepted:
    keys = secret(call.tx, "listing")
    take(call.body.items, call.client.no, keys, call.now, call.desk.journal.append_now)
    return EventsAccepted.of(status=200, body=ACCEPTED)


def _recent(call: Call) -> RecentEvents:
    settings = call.desk.settings
    journal = JournalReader(settings.journal_folder)
    return RecentEvents.told(
        recent(
            call.tx,
            call.desk.blobs,
            journal,
            settings.scratch_folder,
            call.client.no,
            call.now,
            call.query.limit,
        )
    )


def _test_link(call: Call) -> LinkToTest:
    asked: JobToTest = call.body
    campaign = campaigns.campaign_of(call.tx, call.client.no, call.path["campaign_id"])
    group = groups.group_under(call.tx, campaign, call.path["jobgroup_id"])
    publisher = resolving.publisher_in(call.tx, call.client, group, call.path["publisher_id"])
    job = jobs.job_of(call.tx, call.client.no, asked.ref)
    return LinkToTest.of(url=link_to_test(call.tx, call.settings, group, publisher, job))


OPERATIONS = [
    Operation(
        name="send_s2s_events",
        number=58,
        verb="POST",
        path="/s2s/events",
        title="Send conversion events.",
        about="Accepts one conversion or an array of up to 1000, all or none. The answer is sent "
        "once they are stored durably. Whether they count is decided afterwards. A repeated event "
        "gets the same answer and counts once.",
        client_header="s2s",
        work=_take,
        body=EVENTS,
        many=True,
        kind=Change(in_journal=True),
        answer=EventsAccepted,
        sample={
            "clickId": "AgEk9mDq6V0nJb0hWlPzYwAGQ2l4",
            "a": "3",
            "candidateId": "c-1",
            "jobApplicationId": "a-1",
        },
        sample_answer={"statusCode": 200, "body": ACCEPTED},
    ),
    Operation(
        name="list_recent_events",
        verb="GET",
        path="/clients/{client_id}/events/recent",
        title="Get recent events.",
        about="The newest conversions of the last seven days, from the client's pixel and from "
        "S2S events, newest first, each with its state, including those not yet judged. "
        "Clicks on test links are listed too. Useful for setting up a pixel (docs/pixel.md). Pixel "
        "events with an unknown client or an invalid click id are not listed; the browser's "
        "console reports them.",
        work=_recent,
        lane="slow",
        query=RecentQuery,
        answer=RecentEvents,
        sample_answer={
            "data": [
                {
                    "receivedOn": "2026-11-27T02:44:13.120Z",
                    "kind": "APPLY",
                    "source": "pixel",
                    "disposition": "counted",
                    "reason": None,
                    "jobId": "0cc175b9c0f1b6a831c399e269772661",
                    "sponsored": True,
                    "jobApplicationId": "A-1001",
                    "candidateId": None,
                    "clickId": "5f0c3e7c9b117b6a1b1e0c1d4c569a55",
                }
            ]
        },
    ),
    Operation(
        name="make_test_link",
        verb="POST",
        path="/clients/{client_id}/campaigns/{campaign_id}/jobgroups/{jobgroup_id}"
        "/placements/{publisher_id}/test-link",
        title="Make a link to test.",
        about="A tracked link of a job at a placement, to try what a visitor would see. It is "
        "sealed as a test and has no bid: its clicks are redirected and recorded as invalid, with "
        "the reason test, and their conversions as invalid_click. Nothing of it is charged, counts "
        "in statistics or uses a cap. GET …/events/recent lists them, and GET "
        "/clicks/{click_id}/explain explains them. The link works as soon as a job has been in any "
        "feed. Whether the job or the placement is active makes no difference.",
        work=_test_link,
        kind=Ask(),
        body=JobToTest,
        body_names=True,
        answer=LinkToTest,
        sample={"refNumber": "job-1"},
        sample_answer={"url": "https://links.example.com/c/AwGgndBq"},
    ),
]
