"""Previews on the wire: additions to the contract, nothing of which is kept."""

from handbill.wire import samples
from handbill.wire.feeds import RUN, spell_mappings
from handbill.wire.job_schema import JOB
from handbill.wire.shapes import Schema
from handbill.wire.spelling import (
    OBJECT,
    TEXT,
    WHOLE,
    described,
    listed,
    nullable,
    whole,
)  # fmt: skip

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
            "Why reading ended: end of the feed, 500 items, 5 MB, or a download that failed or "
            "took longer than 10 seconds.",
        ),
        "bytes": _RUN["bytes"],
        "counts": described(
            whole({name: _ALL_COUNTS[name] for name in _COUNTS}), "Result for the items."
        ),
        "faultCounts": _RUN["faultCounts"],
        "faults": _RUN["faults"],
        "schemaMappings": described(OBJECT, "Node used for each field. Null: none."),
        "proposedMappings": described(
            nullable(OBJECT), "Format recognised from the beginning of the feed. Null: unknown."
        ),
        "nodes": described(listed(TEXT), "The nodes of its first item, at most 200."),
        "fields": described(listed(TEXT), "Fields of the client's own that came up."),
        "jobs": described(listed(JOB), "The first 3 jobs, as they would be kept."),
    }
)


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
