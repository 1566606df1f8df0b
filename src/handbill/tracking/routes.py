"""Operation 58: conversion events, server to server."""

from dataclasses import dataclass
from typing import Any

from handbill.access.keys import secret
from handbill.http.operations import Call, Operation
from handbill.kit.faults import Fault
from handbill.tracking.service import Reported, take
from handbill.wire.shapes import Faults, Field, Object, OneOrMany, Schema, Shape, Text, TextOrNumber

_TOLD = "Successfully sent s2s conversion event for further processing."
_MOST_ID = 256


@dataclass(frozen=True)
class Action(Shape):
    """Which conversion it is: "1", "2" or "3"; the bare number is read too."""

    def read(self, value: Any, at: str, faults: Faults) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value not in ("1", "2", "3"):
            faults.append(Fault(at, 'must be "1" (VIEW), "2" (APPLY_START) or "3" (APPLY)'))
            return 0
        return int(value)

    def schema(self) -> Schema:
        return {"type": ["string", "integer"], "enum": ["1", "2", "3", 1, 2, 3]}


def _reported(found: dict[str, Any]) -> Reported:
    def text(name: str) -> str:
        value = found.get(name)
        return "" if value is None else str(value)

    return Reported(found["clickId"], found["a"], text("candidateId"), text("jobApplicationId"))


_EVENT = Object(
    {
        "clickId": Field(
            Text(1, _MOST_ID),
            "The value of the jClickId parameter that was appended to the job's URL.",
            required=True,
        ),
        "a": Field(
            Action(), "The conversion: 1 VIEW, 2 APPLY_START, 3 APPLY.", required=True
        ),
        "candidateId": Field(TextOrNumber(_MOST_ID), "The candidate's id in the ATS."),
        "jobApplicationId": Field(
            TextOrNumber(_MOST_ID),
            "The application's id, by which a repeat is known; blanks around it say nothing.",
        ),
    },
    make=_reported,
)  # fmt: skip


def _take(call: Call) -> dict[str, Any]:
    keys = secret(call.tx, "listing")
    take(call.body, call.client.no, keys, call.now, call.desk.journal.append_now)
    return {"statusCode": 200, "body": _TOLD}


OPERATIONS = [
    Operation(
        name="send_s2s_events",
        number=58,
        verb="POST",
        path="/s2s/events",
        title="Send conversion events.",
        about="Takes one conversion or an array of up to 1000, all or none of them. It is answered "
        "once it is durable; whether it counts is judged afterwards. A repeat is answered alike "
        "and counts once.",
        tag="Events",
        client_header="s2s",
        work=_take,
        body=OneOrMany(_EVENT, 1_000),
        many=True,
        keeps_records=True,
        answer={
            "type": "object",
            "properties": {
                "statusCode": {"const": 200, "description": "Always 200."},
                "body": {"const": _TOLD, "description": "Always this text."},
            },
            "required": ["statusCode", "body"],
        },
        sample={
            "clickId": "AgEk9mDq6V0nJb0hWlPzYwAGQ2l4",
            "a": "3",
            "candidateId": "c-1",
            "jobApplicationId": "a-1",
        },
        sample_answer={"statusCode": 200, "body": _TOLD},
    ),
]
