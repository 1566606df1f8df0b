"""Operation 57, what became of a batch, and the client's stage map."""

from handbill.contract.envelopes import Done, done
from handbill.contract.funnel.models import (
    FUNNEL,
    FunnelAccepted,
    FunnelBatch,
    NewStageMap,
    StageMap,
    batch_told,
)
from handbill.core.funnel_stages import STAGES
from handbill.funnel import service
from handbill.http.operations import Call, Operation


def _record(call: Call) -> FunnelAccepted:
    events = [event.noun() for event in call.body.items]
    batch_id = service.record(call.tx, call.ids, call.now, call.client, events)
    return FunnelAccepted.of(success=True, failure=False, batch_id=batch_id)


def _batch(call: Call) -> FunnelBatch:
    batch_id = call.path["batch_id"]
    return batch_told(batch_id, *service.batch_of(call.tx, call.client, batch_id))


def _stage_map(call: Call) -> StageMap:
    stages, unmapped = service.stage_map(call.tx, call.client)
    return StageMap.of(stages=stages, every=list(STAGES), unmapped=unmapped)


def _set_stage_map(call: Call) -> Done:
    service.set_stage_map(call.tx, call.now, call.client, call.body.named())
    return done("Stage map updated")


_SAMPLE = [
    {
        "jobApplicationId": "f1b7c1e2-5c1e-4a53-9d3b-2f0f3c6a9e11",
        "candidateStatus": "Interviewed",
        "timestamp": "2021-05-03T08:58:42.000Z",
        "additionalDetails": {"candidateId": "c-1001", "jobReference": "test-job-ref-number-19"},
    }
]
_MAP_SAMPLE = {"stageMap": {"Phone screen": "CONTACTED", "Offer accepted": "HIRED"}}
_BATCH_SAMPLE = {
    "batchId": "1dffad4c-667c-45c7-90f6-58c1c0d86600",
    "receivedOn": "2021-05-03T08:58:42.000Z",
    "counts": {"counted": 1},
    "items": [
        {
            "index": 0,
            "jobApplicationId": "f1b7c1e2-5c1e-4a53-9d3b-2f0f3c6a9e11",
            "candidateStatus": "Interviewed",
            "stage": "INTERVIEWED",
            "timestamp": "2021-05-03T08:58:42.000Z",
            "disposition": "counted",
            "reason": None,
        }
    ],
}
_STAGE_MAP_SAMPLE = {
    "stageMap": {"Phone screen": "CONTACTED", "Offer accepted": "HIRED"},
    "stages": list(STAGES),
    "unmapped": {"Sent to manager": 12},
}
OPERATIONS = [
    Operation(
        name="record_funnel",
        number=57,
        verb="POST",
        path="/funnel",
        title="Updating candidate job application status.",
        about="Accepts one to 1,000 status changes of applications. A fault in any refuses all; "
        "otherwise all are stored before the answer. An application is identified by "
        "jobApplicationId, by candidateId and jobReference, or by clickId. Events of "
        "unknown applications wait for 24 hours. The first HIRED of an application is a "
        "hire, credited to the click that led to the application. A month closes on the 8th"
        " of the next.",
        work=_record,
        body=FUNNEL,
        many=True,
        client_header="x-client-id",
        answer=FunnelAccepted,
        sample=_SAMPLE,
        sample_answer={
            "success": True,
            "failure": False,
            "value": "1dffad4c-667c-45c7-90f6-58c1c0d86600",
        },
    ),
    Operation(
        name="get_funnel_batch",
        verb="GET",
        path="/funnel/{batch_id}",
        title="Get the state of a batch.",
        about="Returns the state of each item: counted, duplicate, unmapped (its text has no "
        "stage yet), parked (its application is not yet known), dead (the application never"
        " arrived) or late_frozen (its month was closed).",
        work=_batch,
        client_header="x-client-id",
        answer=FunnelBatch,
        sample_answer=_BATCH_SAMPLE,
    ),
    Operation(
        name="get_stage_map",
        verb="GET",
        path="/clients/{client_id}/stage-map",
        title="Get the stage map of a client.",
        about="Maps the client's status texts to stages, and lists the received texts without a "
        "stage.",
        work=_stage_map,
        answer=StageMap,
        sample_answer=_STAGE_MAP_SAMPLE,
    ),
    Operation(
        name="set_stage_map",
        verb="PUT",
        path="/clients/{client_id}/stage-map",
        title="Set the stage map of a client.",
        about="Replaces the map, and applies it to events without a stage, except those of closed"
        " months. Events with a stage keep it.",
        work=_set_stage_map,
        body=NewStageMap,
        answer=Done,
        sample=_MAP_SAMPLE,
        sample_answer={"result": True, "message": "Stage map updated"},
    ),
]
