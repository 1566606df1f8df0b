"""Previews on the wire: additions to the contract, nothing of which is kept."""

from handbill.wire.groups import CREATE as GROUP
from handbill.wire.groups import UPDATE as GROUP_UPDATE
from handbill.wire.shapes import Field, Object, Schema, Text
from handbill.wire.spelling import (
    FLAG,
    TEXT,
    WHOLE,
    described,
    listed,
    whole,
)  # fmt: skip

GROUP_PREVIEW = Object(
    {
        "filters": Field(GROUP.fields["filters"].shape, "Which jobs it would take.", required=True),
        "priority": GROUP.fields["priority"],
        "placements": Field(
            GROUP_UPDATE.fields["placements"].shape, "Checked as they would be when saved."
        ),
        "jobGroupId": Field(
            Text(1, 200), "The job group that would be changed so; a new one if absent."
        ),
    },
    check=GROUP_UPDATE.check,
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
    }
)
