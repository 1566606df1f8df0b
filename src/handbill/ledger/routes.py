"""What arrived lately from a client's pixel and servers: an addition."""

from typing import Any

from handbill.http.operations import Call, Operation
from handbill.kit.instants import iso_of
from handbill.ledger.recent import recent
from handbill.store.journal_reading import JournalReader
from handbill.wire.shapes import Field, Integer, Object
from handbill.wire.spelling import FLAG, INSTANT, TEXT, described, listed, nullable, whole

_USUAL = 100
_MOST = 1_000


def _recent(call: Call) -> dict[str, Any]:
    settings = call.desk.settings
    found = recent(
        call.tx, call.desk.blobs, JournalReader(settings.journal_folder), settings.scratch_folder,
        call.client.no, call.now, call.query.get("limit", _USUAL),
    )  # fmt: skip
    return {
        "data": [
            {
                "receivedOn": iso_of(one.at),
                "kind": one.kind,
                "source": one.source,
                "disposition": one.disposition,
                "reason": one.reason or None,
                "jobId": one.job_id or None,
                "sponsored": one.has_click,
                "jobApplicationId": one.application_id or None,
                "candidateId": one.candidate_id or None,
            }
            for one in found
        ]
    }


_EVENT = whole({
    "receivedOn": described(INSTANT, "When a door took it in."),
    "kind": described({"enum": ["VIEW", "APPLY_START", "APPLY"]}, "What happened."),
    "source": described({"enum": ["pixel", "s2s"]}, "Who told of it."),
    "disposition": described(
        TEXT,
        "What became of it: waiting (not judged yet), parked (its click is not known yet), "
        "counted, further, over_cap, organic, duplicate, late, invalid or dead.",
    ),
    "reason": described(nullable(TEXT), "Why, where there is more to say."),
    "jobId": described(nullable(TEXT), "The job, where it is known."),
    "sponsored": described(FLAG, "Whether it carried a click id of ours."),
    "jobApplicationId": described(nullable(TEXT), "The application's id, as it was sent."),
    "candidateId": described(nullable(TEXT), "The candidate's id, as it was sent."),
})  # fmt: skip

OPERATIONS = [
    Operation(
        name="list_recent_events",
        verb="GET",
        path="/clients/{client_id}/events/recent",
        title="Get the events that arrived lately.",
        about="The newest conversions of the last seven days, from the client's pixel and from S2S "
        "events, newest first, with what became of each; those included that are not judged yet. "
        "For setting up a pixel: docs/pixel.md says how. A pixel's report that named no client of "
        "ours, or a click that is none of ours, is in no list; the browser's console tells of it.",
        tag="Events",
        work=_recent,
        lane="slow",
        query=Object({"limit": Field(Integer(1, _MOST), f"How many at most; {_USUAL} if absent.")}),
        answer=whole({"data": described(listed(_EVENT), "Newest first.")}),
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
