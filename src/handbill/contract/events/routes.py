"""Operation 58, and what arrived lately from a client's pixel and servers."""

from handbill.access.keys import secret
from handbill.contract.events.models import (
    ACCEPTED,
    EVENTS,
    EventsAccepted,
    RecentEvents,
    RecentQuery,
)
from handbill.http.kinds import Change
from handbill.http.operations import Call, Operation
from handbill.ledger.recent import recent
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
        "Useful for setting up a pixel (docs/pixel.md). Pixel events with an unknown client"
        " or an invalid click id are not listed; the browser's console reports them.",
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
                }
            ]
        },
    ),
]
