"""Previews on the wire: additions to the contract, nothing of which is kept."""

from collections.abc import Iterable

from handbill.kit.faults import Fault
from handbill.wire import samples
from handbill.wire.feeds import RUN, spell_mappings
from handbill.wire.groups import CREATE as GROUP
from handbill.wire.groups import UPDATE as GROUP_UPDATE
from handbill.wire.job_schema import JOB
from handbill.wire.shapes import Field, Object, Schema, Text
from handbill.wire.spelling import (
    FLAG,
    OBJECT,
    TEXT,
    WHOLE,
    described,
    listed,
    nullable,
    whole,
)  # fmt: skip

GROUP_PREVIEW = Object(
    {
        "filters": Field(GROUP.fields["filters"].shape, "Which jobs it would take.", required=True),
        "priority": GROUP.fields["priority"],
        "placements": Field(
            GROUP_UPDATE.fields["placements"].shape, "Checked as they would be when saved."
        ),
        "cpcBid": Field(GROUP.fields["cpcBid"].shape, "Its CPC bid, checked beside placements."),
        "cpaBid": Field(GROUP.fields["cpaBid"].shape, "Its CPA bid, checked beside placements."),
        "jobGroupId": Field(
            Text(1, 200), "The job group that would be changed so; a new one if absent."
        ),
    },
    check=GROUP_UPDATE.check,
)
WARNING: Schema = whole(
    {
        "field": described(TEXT, "Where it is, as a JSON pointer."),
        "message": described(TEXT, "What is odd there."),
    }
)
_COUNTED = listed(
    whole(
        {
            "id": described(TEXT, "The job group's id."),
            "name": described(TEXT, "Its name."),
            "isDefault": described(FLAG, "Whether it holds the jobs that no other one matches."),
            "jobs": described(WHOLE, "How many jobs."),
        }
    )
)
GROUP_PREVIEWED: Schema = whole(
    {
        "lookedAt": described(WHOLE, "Live, valid jobs of the client that were looked at."),
        "complete": described(FLAG, "Whether these are all; at most the first 500,000 are."),
        "matched": described(WHOLE, "Jobs that the filter holds for."),
        "taken": described(WHOLE, "Jobs that the job group would have."),
        "givenUp": described(WHOLE, "Jobs that it has now and would lose."),
        "takenFrom": described(_COUNTED, "Where the taken jobs are now, most first."),
        "keptBy": described(
            _COUNTED, "Better ranked job groups that keep jobs which the filter holds for."
        ),
        "refNumbers": described(listed(TEXT), "The first 100 jobs that it would have."),
        "warnings": described(
            listed(WARNING),
            "What can be saved and does not do what it says: fields that no job of the client has, "
            "placements that the job group's own bid is too low for.",
        ),
    }
)
_COUNTS = ("total", "valid", "invalid", "duplicates", "skipped")
_RUN = RUN["properties"]
_ALL_COUNTS = _RUN["counts"]["properties"] | {"valid": described(WHOLE, "Jobs that are valid.")}
FEED_PREVIEWED: Schema = whole(
    {
        "status": described({"enum": ["SUCCESS", "FAILED"]}, "Whether a run could take it over."),
        "reason": _RUN["reason"],
        "message": _RUN["message"],
        "line": _RUN["line"],
        "stoppedBy": described(
            {"enum": ["END", "ITEMS", "BYTES", "FETCH"]},
            "What the reading ended with: the feed's end, 500 items, 5 MB, or a fetch that broke "
            "off or took longer than 10 seconds.",
        ),
        "bytes": _RUN["bytes"],
        "counts": described(
            whole({name: _ALL_COUNTS[name] for name in _COUNTS}), "What became of the items."
        ),
        "faultCounts": _RUN["faultCounts"],
        "faults": _RUN["faults"],
        "schemaMappings": described(OBJECT, "Which node was taken for what; null: none."),
        "proposedMappings": described(
            nullable(OBJECT), "What the feed's beginning shows; null: no board that we know."
        ),
        "nodes": described(listed(TEXT), "The nodes of its first item, at most 200."),
        "fields": described(listed(TEXT), "Fields of the client's own that came up."),
        "jobs": described(listed(JOB), "The first 3 jobs, as they would be kept."),
    }
)


def spell_warnings(found: Iterable[Fault]) -> list[dict[str, str]]:
    return [{"field": one.field, "message": one.message} for one in found]


_SAMPLE_MAPPINGS = spell_mappings(
    {
        "schemaMappingsJobCollection": "source",
        "schemaMappingsJob": "job",
        "schemaMappingsTitle": "title",
        "schemaMappingsDescription": "description",
        "schemaMappingsURL": "url",
        "schemaMappingsRefNumber": "referencenumber",
    }
)
FEED_PREVIEW_SAMPLE = {
    "status": "SUCCESS", "reason": "", "message": "", "line": 0, "stoppedBy": "END",
    "bytes": 20480,
    "counts": {"total": 12, "valid": 11, "invalid": 1, "duplicates": 0, "skipped": 0},
    "faultCounts": {"missing": 1},
    "faults": [
        {
            "job": "test-job-ref-number-20", "field": "url", "line": 31, "reason": "missing",
            "message": "is empty",
        }
    ],
    "schemaMappings": _SAMPLE_MAPPINGS,
    "proposedMappings": _SAMPLE_MAPPINGS,
    "nodes": ["title", "description", "url", "referencenumber"],
    "fields": [],
    "jobs": [samples.JOB],
}  # fmt: skip
